"""Any of Trot's tasks for rsl_rl: a vector environment as the `VecEnv` that its runners step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from rsl_rl.env import VecEnv
from tensordict import TensorDict
from torch import Tensor

from algos.rollout.collector import check_envs


class RslRlVecEnv(VecEnv):
    """Same-step autoreset as rsl_rl has it: a finished episode's observation is the next one's.

    Time-outs, and nothing else, are extras["time_outs"]: rsl_rl goes on in their values, while a
    fall ends them. Means over finished episodes are extras["log"].

    Args:
        envs: the vector environment of a trot/ task.
        device: where rsl_rl finds tensors.
        seed: seed of the first reset.

    Raises:
        ValueError: another autoreset mode, or observations that are not a Box with one axis.
    """

    def __init__(
        self, envs: VectorEnv, device: torch.device | str = "cpu", seed: int | None = None
    ) -> None:
        check_envs(envs)
        self.envs, self.device, self.cfg = envs, device, {}
        self.num_envs = envs.num_envs
        self.num_actions = int(np.prod(envs.single_action_space.shape or ()))
        self.max_episode_length = envs.unwrapped.max_episode_steps
        self._observations, _ = envs.reset(seed=seed)

    @property
    def episode_length_buf(self) -> Tensor:
        """Control steps of each episode so far, (n,); rsl_rl may draw other ones."""
        return self._tensor(self.envs.unwrapped.episode_steps.copy())

    @episode_length_buf.setter
    def episode_length_buf(self, steps: Tensor) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.envs.unwrapped.episode_steps[:] = steps.cpu().numpy()

    def get_observations(self) -> TensorDict:
        """Return the present observations as the group `policy`, (n, O)."""
        own = self._tensor(np.asarray(self._observations, np.float32))
        return TensorDict({"policy": own}, batch_size=[self.num_envs])

    def step(self, actions: Tensor) -> tuple[TensorDict, Tensor, Tensor, dict[str, Any]]:
        """Take one control step with actions (n, A)."""
        taken = actions.cpu().numpy()
        self._observations, reward, terminated, truncated, info = self.envs.step(taken)
        done = terminated | truncated
        extras: dict[str, Any] = {"time_outs": self._tensor(truncated & ~terminated)}
        if done.any():
            means = info.get("trot", {}).get("episode_means", {})
            extras["log"] = {f"/episode/{n}": float(np.mean(v[done])) for n, v in means.items()}
        rewards = self._tensor(np.asarray(reward, np.float32))
        return self.get_observations(), rewards, self._tensor(done), extras

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array).to(self.device)

"""Collecting experience: the one place where NumPy becomes torch."""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor

from algos.rollout.repeatable import EpisodeError, NotRepeatableError
from algos.rollout.rollout import Rollout
from algos.rollout.vectors import batch, native, plain
from algos.usage import SpaceError, UsageError, reason

log = logging.getLogger(__name__)

Sampler = Callable[[Tensor], tuple[Tensor, np.ndarray]]
"""Maps raw observations (n, O) to sampled actions (n, ...) and the environment's actions."""


class Collector:
    """Steps a vector environment with a sampling policy and keeps episode statistics.

    Args:
        envs: a vector environment as `algos.agent.LearnableEnv` describes it.
        sample: the policy, see `Sampler`.
        steps: control steps an environment takes in one rollout, T.
        device: where the policy runs.
        seed: seed of the environments' first reset.

    Raises:
        ValueError: another autoreset mode, or observations that are not one-axis boxes.
    """

    def __init__(
        self,
        envs: VectorEnv,
        sample: Sampler,
        steps: int,
        device: torch.device | str = "cpu",
        seed: int | None = None,
    ):
        check_envs(envs)
        self.envs, self.steps, self.device = envs, steps, torch.device(device)
        self._sample = sample
        n = envs.num_envs
        self._pin = self.device.type == "cuda"
        size = check_observation_space(envs.single_observation_space)
        kind = observation_type(envs.single_observation_space.dtype)
        self._observations = torch.empty(steps, n, size, dtype=kind, pin_memory=self._pin)
        self._rewards = torch.empty(steps, n, pin_memory=self._pin)
        self._terminated = torch.empty(steps, n, dtype=torch.bool, pin_memory=self._pin)
        self._truncated = torch.empty(steps, n, dtype=torch.bool, pin_memory=self._pin)
        self._actions: Tensor | None = None
        self._return, self._length = np.zeros(n), np.zeros(n, dtype=np.int64)
        self._returns: deque[float] = deque(maxlen=100)
        self._lengths: deque[int] = deque(maxlen=100)
        self.faults: list[dict[str, np.ndarray]] = []
        """What the environments recorded of simulations that went wrong in the last rollout."""
        seen, _ = envs.reset(seed=seed)
        self._next = batch(seen, self._observations[0].shape, "observations")

    @torch.no_grad()
    def collect(self) -> Rollout:
        """Take T steps in every environment.

        The returned tensors are the collector's own buffers: the next call overwrites them.
        Metrics: `episode_return` and `episode_length`, means of the last 100 episodes;
        `episodes`, the number finished in this rollout; `episode/NAME` for every array of
        `episode_means`, mean over those; `nonfinite_rewards`, `nonfinite_observations`, their
        numbers; `diverged`, the number of simulations marked as such; `seconds_rollout`. `faults`
        holds what came as such. See `algos.agent.LearnableEnv` for what these are in info["trot"].
        """
        start = time.perf_counter()
        if self._pin:  # the last rollout's copies must have left the buffers
            torch.cuda.current_stream(self.device).synchronize()
        terms: dict[str, list[np.ndarray]] = {}
        finals: list[np.ndarray] = []
        rows: list[np.ndarray] = []
        episodes, diverged = 0, 0
        self.faults = []
        observations, rewards = self._observations.numpy(), self._rewards.numpy()
        terminated, truncated = self._terminated.numpy(), self._truncated.numpy()
        for t in range(self.steps):
            observations[t] = self._next
            moved = self._observations[t].to(self.device, non_blocking=True)
            actions, env_actions = self._sample(moved)
            self._store_actions(t, actions)
            seen, paid, failed, cut, info = self.envs.step(env_actions)
            self._next = batch(seen, observations[t].shape, "observations")
            rewards[t] = reward = batch(paid, (len(rewards[t]),), "rewards")
            terminated[t] = batch(failed, reward.shape, "terminated")
            truncated[t] = batch(cut, reward.shape, "truncated") & ~terminated[t]
            done = terminated[t] | truncated[t]
            told = own(info)
            diverged += int(np.sum(told.get("diverged", 0)))
            self.faults += told.get("faults", [])
            self._return += reward
            self._length += 1
            if done.any():
                episodes += self._finish(done)
                ended = np.flatnonzero(truncated[t])
                if len(ended):
                    finals.append(_final_observations(info, ended))
                    rows.append(t * len(done) + ended)
                for name, values in told.get("episode_means", {}).items():
                    terms.setdefault(name, []).append(np.asarray(values)[done])
        metrics = self._episode_metrics(episodes, terms) | {"diverged": float(diverged)}
        metrics["seconds_rollout"] = time.perf_counter() - start
        return self._rollout(finals, rows, metrics)

    @property
    def known_episodes(self) -> int:
        """Finished episodes that `episode_return` is a mean of, at most 100."""
        return len(self._returns)

    def state_dict(self) -> dict[str, Any]:
        """The episode statistics, and the environments' own state where they can tell it."""
        state = {
            "next": _tensor(self._next).clone(),
            "return": torch.as_tensor(self._return).clone(),
            "length": torch.as_tensor(self._length).clone(),
            "returns": list(self._returns),
            "lengths": list(self._lengths),
        }
        envs = self.envs.unwrapped
        if hasattr(envs, "state_dict"):
            state["envs"] = _map_arrays(envs.state_dict(), np.ndarray, _tensor)
        return state

    def load_state_dict(self, state: dict[str, Any], rows: bool = True) -> None:
        """Restore what `state_dict` gave; environments that cannot be restored start anew.

        Args:
            state: what `state_dict` gave.
            rows: False where it is of another number of environments: their episodes start anew,
                and only what they count over episodes, `transitions` and `levels`, goes on.

        Raises:
            EpisodeError: an environment fails where its episode is played again, or a new one
                begins; no fault of the state.
        """
        self._returns = deque(state["returns"], self._returns.maxlen)
        self._lengths = deque(state["lengths"], self._lengths.maxlen)
        if "envs" not in state:
            log.warning("the environments cannot tell where they stand: new episodes begin")
            return
        if not rows:
            if "transitions" in state["envs"]:
                self.envs.unwrapped.transitions = state["envs"]["transitions"]
            if "levels" in state["envs"]:
                numbers = _map_arrays(state["envs"], Tensor, lambda tensor: tensor.numpy())
                self.envs.unwrapped.levels.load_state_dict(numbers)
            return
        envs_state = _map_arrays(state["envs"], Tensor, lambda tensor: tensor.numpy().copy())
        try:
            self.envs.unwrapped.load_state_dict(envs_state)
        except NotRepeatableError as error:
            log.warning("%s: new episodes begin", error)
            self._next = self._begin()
            return
        self._next = state["next"].numpy().copy()
        self._return, self._length = state["return"].numpy().copy(), state["length"].numpy().copy()

    def _begin(self) -> np.ndarray:
        """Begin new episodes and return their first observations (n, O)."""
        try:
            observations, _ = self.envs.reset()
        except Exception as error:
            raise EpisodeError(f"new episodes cannot begin: {reason(error)}") from error
        return observations

    def _store_actions(self, t: int, actions: Tensor) -> None:
        if self._actions is None:
            shape = (self.steps, *actions.shape)
            self._actions = torch.empty(shape, dtype=actions.dtype, device=self.device)
        self._actions[t] = actions

    def _finish(self, done: np.ndarray) -> int:
        returns = self._return[done]
        self._returns.extend(returns[np.isfinite(returns)].tolist())
        self._lengths.extend(self._length[done].tolist())
        self._return[done] = 0.0
        self._length[done] = 0
        return int(done.sum())

    def _episode_metrics(
        self, episodes: int, terms: dict[str, list[np.ndarray]]
    ) -> dict[str, float]:
        metrics = {"episodes": float(episodes)}
        if self._returns:
            metrics["episode_return"] = float(np.mean(self._returns))
            metrics["episode_length"] = float(np.mean(self._lengths))
        for name, arrays in terms.items():
            metrics[f"episode/{name}"] = float(np.concatenate(arrays).mean())
        for name, array in (("rewards", self._rewards), ("observations", self._observations)):
            broken = 0 if array.sum().isfinite() else int((~array.isfinite()).sum())
            metrics[f"nonfinite_{name}"] = float(broken)
        return metrics

    def _rollout(
        self, finals: list[np.ndarray], rows: list[np.ndarray], metrics: dict[str, float]
    ) -> Rollout:
        assert self._actions is not None
        size, kind = self._observations.shape[-1], self._observations.dtype
        final = np.concatenate(finals) if finals else np.empty((0, size))
        row = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
        return Rollout(
            observations=self._observations,
            actions=self._actions,
            rewards=self._rewards,
            terminated=self._terminated,
            truncated=self._truncated,
            next_observations=_tensor(self._next, kind).clone(),
            final_observations=_tensor(final, kind),
            final_rows=torch.as_tensor(row),
            metrics=metrics,
        ).to(self.device)


def _map_arrays(value: Any, kind: type, convert: Callable[[Any], Any]) -> Any:
    """`value` with every array of a kind in nested dicts converted."""
    if isinstance(value, dict):
        return {name: _map_arrays(v, kind, convert) for name, v in value.items()}
    return convert(value) if isinstance(value, kind) else value


def check_envs(envs: VectorEnv) -> None:
    """Raise ValueError unless the environments suit the collector."""
    mode = envs.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise UsageError(
            f"the vector environment's autoreset_mode is {mode}, it must be SAME_STEP: make it "
            'with vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}'
        )
    check_observation_space(envs.single_observation_space)


def check_observation_space(space: spaces.Space) -> int:
    """The number of observation entries; ValueError unless `space` is a Box with one axis."""
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise SpaceError(
            f"observation space {space} is not a Box with one axis: wrap the environment, for "
            "example in gymnasium.wrappers.FlattenObservation"
        )
    if not space.shape[0]:
        raise SpaceError(f"observation space {space} is empty: a policy has to see something")
    return space.shape[0]


def observation_type(kind: Any) -> torch.dtype:
    """What holds observations of a NumPy type: float32, or float64 where that loses digits."""
    return torch.float32 if np.can_cast(kind, np.float32) else torch.float64


def observation_tensor(observations: np.ndarray) -> Tensor:
    """Observations (n, O) as an agent takes them; see `observation_type`."""
    return _tensor(observations, observation_type(observations.dtype))


def _tensor(array: np.ndarray, kind: torch.dtype | None = None) -> Tensor:
    """An array of either byte order as a tensor, of its own type by default."""
    return torch.as_tensor(native(array), dtype=kind)


def own(info: dict[str, Any]) -> dict[str, Any]:
    """Return what an environment says to Trot; see `algos.agent.LearnableEnv`."""
    told = info.get("trot")
    return told if isinstance(told, dict) else {}


def _final_observations(info: dict[str, Any], ended: np.ndarray) -> np.ndarray:
    """Rows of info["final_obs"], dense or an object array with None, for `ended` indices."""
    if "final_obs" not in info:
        raise UsageError("the vector environment ends an episode without info['final_obs']")
    final = plain(info["final_obs"])
    if final.dtype == object:
        return np.stack([np.asarray(final[i]) for i in ended])
    return final[ended]

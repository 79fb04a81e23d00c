"""The single environment: one row of the vector environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from envs.vector import LocomotionVectorEnv


class LocomotionEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """`LocomotionVectorEnv` with one simulation, squeezed; the keywords are the same."""

    metadata = LocomotionVectorEnv.metadata

    def __init__(self, **kwargs: Any) -> None:
        self.vector = LocomotionVectorEnv(1, autoreset=False, **kwargs)
        self.metadata = self.vector.metadata
        self.render_mode = self.vector.render_mode
        self.observation_space = self.vector.single_observation_space
        self.action_space = self.vector.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start a new episode; a seed restarts the environment's only generator."""
        super().reset(seed=seed)
        observation, info = self.vector.reset(seed=seed, options=options)
        return observation[0], info

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advance one control step with an action in [-1, 1], (joints,)."""
        actions = np.asarray(action)[None]
        observation, reward, terminated, truncated, info = self.vector.step(actions)
        if means := info.get("trot", {}).get("episode_means"):
            own = {"episode_means": {name: float(v[0]) for name, v in means.items()}}
            info = {"trot": info["trot"] | own}
        return observation[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def render(self) -> np.ndarray | None:
        """Return a frame (height, width, 3) uint8 in render mode `rgb_array`."""
        frames = self.vector.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """Free the renderer."""
        self.vector.close()

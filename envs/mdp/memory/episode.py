"""Rewards and tracking errors summed up over each running episode, for the log."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.mdp.state import State

ERRORS = ("lin_vel_error", "yaw_rate_error")


class EpisodeLog:
    """Sums over each episode until it ends.

    Args:
        rewards: names of the reward terms.
        n: number of simulations.
        errors: whether the task commands velocities, whose errors are summed, too.
    """

    def __init__(self, rewards: tuple[str, ...], n: int, errors: bool) -> None:
        self._errors = errors
        self.sums = {name: np.zeros(n) for name in (*rewards, *(ERRORS if errors else ()))}
        self.steps = np.zeros(n, np.int64)

    def add(self, rewards: dict[str, np.ndarray], state: State) -> None:
        """Add a control step's rewards, (n,) each, and its tracking errors."""
        for name, value in rewards.items():
            self.sums[name] += value
        if self._errors:
            error = state.velocity_command - state.velocity
            self.sums["lin_vel_error"] += np.hypot(error[:, 0], error[:, 1]) * state.dt
            self.sums["yaw_rate_error"] += np.abs(error[:, 2]) * state.dt
        self.steps += 1

    def means(self, state: State, diverged: np.ndarray) -> dict[str, np.ndarray]:
        """Return the means per second of each episode so far, (n,); those that end now count."""
        seconds = np.maximum(self.steps, 1) * state.dt
        means = {name: value / seconds for name, value in self.sums.items()}
        return means | {
            "fall": state.terminated.astype(float),
            "diverged": diverged.astype(float),
        }

    def clear(self, ids: np.ndarray) -> None:
        """Start the sums of simulations ids anew."""
        for value in self.sums.values():
            value[ids] = 0.0
        self.steps[ids] = 0

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the running sums."""
        sums = {name: value.copy() for name, value in self.sums.items()}
        return {"sums": sums, "steps": self.steps.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; rewards that it lacks begin at 0."""
        for name, value in self.sums.items():
            value[:] = state["sums"].get(name, 0.0)
        self.steps[:] = state["steps"]

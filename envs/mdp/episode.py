"""Rewards summed up over each running episode, for the log."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.mdp.state import State
from envs.task import RewardTerm


class EpisodeLog:
    """Evaluates the reward terms and keeps their sums until an episode ends."""

    def __init__(self, terms: dict[str, RewardTerm], n: int) -> None:
        self._terms = terms
        self._errors = ("lin_vel_error", "yaw_rate_error")
        self.sums = {name: np.zeros(n) for name in (*terms, *self._errors)}
        self.steps = np.zeros(n, np.int64)
        self.last = {name: np.zeros(n) for name in terms}
        """Each term's reward in the last control step, (n,)."""
        self._fell, self._diverged = np.zeros(n, bool), np.zeros(n, bool)

    def reward(self, state: State, diverged: np.ndarray, k: float) -> np.ndarray:
        """Return the control step's reward, (n,), and add each term to its episode's sum.

        A simulation that diverged is paid nothing but its termination.
        """
        total = np.zeros(len(diverged))
        for name, term in self._terms.items():
            weight = term.weight * state.dt * (k if term.curriculum else 1.0)
            value = weight * term.function(state, **term.params)
            if diverged.any() and name != "termination":
                value[diverged] = 0.0
            total += value
            self.sums[name] += value
            self.last[name] = value
        error = state.command - np.column_stack([state.lin_vel_b[:, :2], state.ang_vel_b[:, 2]])
        self.sums["lin_vel_error"] += np.hypot(error[:, 0], error[:, 1]) * state.dt
        self.sums["yaw_rate_error"] += np.abs(error[:, 2]) * state.dt
        self.steps += 1
        self._fell, self._diverged = state.terminated, diverged
        return total

    def episodes(self, done: np.ndarray, dt: float) -> dict[str, Any]:
        """Return the means per second of the episodes that end now, with their mask."""
        seconds = np.maximum(self.steps, 1) * dt
        means = {name: value / seconds for name, value in self.sums.items()}
        means |= {"fall": self._fell.astype(float), "diverged": self._diverged.astype(float)}
        return {"episode_means": means, "_episode_means": done}

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
        """Restore what `state_dict` returned."""
        for name, value in self.sums.items():
            value[:] = state["sums"][name]
        self.steps[:] = state["steps"]

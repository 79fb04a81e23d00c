"""What was in the control step and the physics steps before: targets, errors, speeds, torques.

A function of State that reads any of it is marked by `remembers`; nothing is kept for a task
without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

import numpy as np

from envs.bounds import require
from envs.mdp.term import Term

Kept = Literal["target", "velocity", "torque"]
"""What a function needs of the past: joint targets, joint speeds alone, or torques."""
LONGEST = 0.5
"""Of all lags (s)."""
F = TypeVar("F", bound=Callable[..., Any])


def remembers(what: Kept) -> Callable[[F], F]:
    """Say of a function of State what it needs of the past; its lag (s) is a parameter `lag`."""

    def mark(function: F) -> F:
        function.__dict__["remembers"] = what
        return function

    return mark


def steps_back(lag: float, timestep: float) -> int:
    """Return a lag (s) in physics steps.

    Raises:
        ValueError: it is no whole number of them, or none.
    """
    steps = lag / timestep
    whole = abs(steps - round(steps)) < 1e-6 and round(steps) >= 1 and lag <= LONGEST
    need = f"a multiple of the physics step, {timestep:g} s, up to {LONGEST:g} s"
    require(whole, "lag", f"{lag:g} s", need)
    return round(steps)


class Past:
    """Arrays with a row a simulation, written ahead of each physics step.

    Args:
        terms: of the task.
        n, joints: numbers of simulations and joints.
        timestep: physics step (s).
    """

    def __init__(self, terms: Iterable[Term], n: int, joints: int, timestep: float) -> None:
        needing = [t for t in terms if hasattr(t.function, "remembers")]
        self.kept: set[Kept] = {t.function.__dict__["remembers"] for t in needing}
        lags = [t.params["lag"] for t in needing if "lag" in t.params]
        self.depth = max((steps_back(lag, timestep) for lag in lags), default=0)
        """Physics steps that are kept."""
        self.target = np.zeros((n, joints))
        """Joint targets in force (rad)."""
        self.error, self.velocity = (np.zeros((n, self.depth, joints)) for _ in range(2))
        """Joint targets less positions (rad) and speeds (rad/s), newest first: the first entry is
        a physics step old."""
        self.torque, self.previous_torque = np.zeros((n, joints)), np.zeros((n, joints))
        """Torques at the end of this control step and of the one before (N·m)."""

    def act(self, target: np.ndarray) -> None:
        """Take the joint targets of a control step (rad), (n, joints)."""
        self.target = target.copy()

    def push(self, position: np.ndarray, velocity: np.ndarray) -> None:
        """Take the joints' positions (rad) and speeds (rad/s), (n, joints), ahead of a step."""
        for name, now in (("error", self.target - position), ("velocity", velocity)):
            older = getattr(self, name)[:, :-1]
            setattr(self, name, np.concatenate([now[:, None], older], axis=1))

    def track(self, torque: np.ndarray) -> None:
        """Take the torques (N·m), (n, joints), at the end of a control step."""
        self.previous_torque, self.torque = self.torque, torque.copy()

    def restart(self, ids: np.ndarray, target: np.ndarray, velocity: np.ndarray) -> None:
        """Begin new episodes in simulations ids: they have been on their targets, as fast as now.

        Args:
            ids: the simulations.
            target: joint targets (rad), (len(ids), joints).
            velocity: joint speeds (rad/s), (len(ids), joints).
        """
        self.target[ids], self.error[ids] = target, 0.0
        self.velocity[ids] = velocity[:, None]
        self.torque[ids] = self.previous_torque[ids] = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return copies of all arrays, under `past`, if anything is kept."""
        arrays = {name: getattr(self, name).copy() for name in _ARRAYS}
        return {"past": arrays} if self.kept else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        if self.kept:
            for name in _ARRAYS:
                getattr(self, name)[:] = state["past"][name]


_ARRAYS = ("target", "error", "velocity", "torque", "previous_torque")

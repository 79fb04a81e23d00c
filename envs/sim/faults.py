"""What was done to every simulation in its last one to two seconds, to repeat it after a fault."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from envs.task import TaskConfig

FORMAT = "trot-fault-1"
MAX_RECORDS = 10
"""Faults that one environment records: where there are more, they tell the same."""
SPAN = 50
"""Control steps from one copy of the states to the next; a record reaches back to the last but one,
or to the simulation's last reset."""


class Recorder:
    """Copies the states now and then, and keeps the controls and pushes since.

    Args:
        state: the simulations' whole state, a live view, (n, S).
        controls: number of controls.
    """

    def __init__(self, state: np.ndarray, controls: int) -> None:
        n = len(state)
        self._state, self._now = state, 0
        self._copies = [state.copy(), state.copy()]  # the older and the newer one
        self._since = np.zeros((2, n), np.int64)
        self._inputs = np.zeros((2 * SPAN, n, controls + 2))
        self._pushed = np.zeros((n, 2))

    def begin(self, ids: np.ndarray | slice) -> None:
        """Let the records of simulations ids begin at their present states."""
        for copy in self._copies:
            copy[ids] = self._state[ids]
        self._since[:, ids] = self._now
        self._pushed[ids] = 0.0

    def push(self, ids: np.ndarray, velocity: np.ndarray) -> None:
        """Note pushes (m/s), (len(ids), 2), ahead of a control step."""
        self._pushed[ids] += velocity

    def before_step(self, control: np.ndarray) -> None:
        """Note the controls (n, controls) of a control step."""
        row = self._inputs[self._now % len(self._inputs)]
        row[:, :-2], row[:, -2:] = control, self._pushed
        self._pushed[:] = 0.0
        self._now += 1

    def after_step(self) -> None:
        """Copy the states where it is time."""
        if self._now % SPAN == 0:
            self._copies.reverse()
            self._copies[1][:] = self._state
            self._since[0], self._since[1] = self._since[1], self._now

    def fault(
        self, i: int, reason: str, robot: str, config: TaskConfig, models: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return all that `envs.sim.replay` needs to repeat what simulation i did, for np.savez.

        Args:
            i: the simulation.
            reason: what is wrong with it.
            robot: name of its robot.
            config: its task.
            models: its own model fields.
        """
        settings = {"simulation": asdict(config.simulation), "action": asdict(config.action)}
        return {
            "format": np.array(FORMAT),
            "reason": np.array(reason),
            "robot": np.array(robot),
            "settings": np.array(json.dumps(settings)),
            **{f"model.{name}": field for name, field in models.items()},
            **self.record(i),
        }

    def record(self, i: int) -> dict[str, np.ndarray]:
        """Return simulation i's state at the record's start (S,), the controls (k, controls) and
        pushes (k, 2) of each control step since, and the state now, `end` (S,).
        """
        inputs = self._inputs[np.arange(self._since[0, i], self._now) % len(self._inputs), i]
        return {
            "state": self._copies[0][i].copy(),
            "controls": inputs[:, :-2],
            "pushes": inputs[:, -2:],
            "end": self._state[i].copy(),
        }

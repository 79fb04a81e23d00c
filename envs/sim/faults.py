"""What was done to every simulation in its last moments, to repeat it after a fault.

These are the last 50 to 100 controls: one to two seconds, less for a drive that gives one for each
physics step.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from envs.sim.drives import Drive
from envs.sim.scene import Simulation
from envs.sim.terrain import Terrain

FORMAT = "trot-fault-2"
MAX_RECORDS = 10
"""Faults that one environment records: where there are more, they tell the same."""
SPAN = 50
"""Controls from one copy of the states to the next; a record reaches back to the last but one, or
to the simulation's last reset."""


class Observer:
    """Is told what happens to the simulations; this one takes no notice."""

    def begin(self, ids: np.ndarray | slice) -> None:
        """Simulations ids were put into their present states."""

    def push(self, ids: np.ndarray, velocity: np.ndarray) -> None:
        """The bases of simulations ids were pushed (m/s), (len(ids), 2)."""

    def before_step(self, control: np.ndarray) -> None:
        """The simulations are about to be stepped under controls (n, controls)."""

    def after_step(self) -> None:
        """They were."""


class Recorder(Observer):
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
        """Note pushes (m/s), (len(ids), 2), ahead of a step."""
        self._pushed[ids] += velocity

    def before_step(self, control: np.ndarray) -> None:
        """Note the controls (n, controls) of a step."""
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
        self,
        i: int,
        reason: str,
        robot: str,
        simulation: Simulation,
        drive: Drive,
        terrain: Terrain,
        hold: int,
        models: dict[str, np.ndarray],
        command: np.ndarray,
        engine: str = "batch",
    ) -> dict[str, np.ndarray]:
        """Return all that `envs.judge.replay` needs to repeat what simulation i did, for np.savez.

        Args:
            i: the simulation.
            reason: what is wrong with it.
            robot: name of its robot.
            simulation, drive, terrain: of its task.
            hold: physics steps under each control.
            models: its own model fields.
            command: shown with it: forward and leftward speed (m/s), yaw rate (rad/s), (3,).
            engine: what simulated it; only batch repeats it to the last bit.
        """
        settings = {
            "simulation": asdict(simulation),
            "drive": {"name": drive.name} | asdict(drive),
            "terrain": {"name": terrain.name} | asdict(terrain),
            "hold": hold,
        }
        return {
            "format": np.array(FORMAT),
            "reason": np.array(reason),
            "robot": np.array(robot),
            "engine": np.array(engine),
            "settings": np.array(json.dumps(settings)),
            **{f"model.{name}": field for name, field in models.items()},
            **self.record(i),
            "command": command.copy(),
        }

    def record(self, i: int) -> dict[str, np.ndarray]:
        """Return simulation i's state at the record's start (S,), the controls (k, controls) and
        pushes (k, 2) of each step since, and the state now, `end` (S,).
        """
        inputs = self._inputs[np.arange(self._since[0, i], self._now) % len(self._inputs), i]
        return {
            "state": self._copies[0][i].copy(),
            "controls": inputs[:, :-2],
            "pushes": inputs[:, -2:],
            "end": self._state[i].copy(),
        }

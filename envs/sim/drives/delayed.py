"""PD targets that arrive late."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import ClassVar

import numpy as np

from envs.bounds import Range, require, require_range
from envs.sim.drives.drive import Joints, Memory
from envs.sim.drives.ideal import PD
from robots.robot import Robot

LONGEST = 1.0
"""Of all delays (s)."""
_ROUNDING = 1e-6
"""Of a number of physics steps: 0.015 / 0.005 is a little more than 3."""


@dataclass(frozen=True)
class Delayed(PD):
    """The PD drive, whose targets arrive late, as over a bus; the nominal pose until then.

    Each simulation's delay is drawn when its episode starts, from the numbers of whole physics
    steps in the range, each as likely as the others.
    """

    name: ClassVar[str] = "delayed"
    every_substep: ClassVar[bool] = True
    delay: Range = (0.0, 0.03)
    """From a target to its arrival (s)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("drive delay", self.delay, 0.0, LONGEST)

    def steps(self, timestep: float) -> tuple[int, int]:
        """Return the smallest and the largest delay, in physics steps.

        Raises:
            ValueError: the range holds no whole number of them.
        """
        low, high = (seconds / timestep for seconds in self.delay)
        fewest, most = ceil(low - _ROUNDING), floor(high + _ROUNDING)
        need = f"a range that holds a whole number of physics steps of {timestep:g} s"
        require(fewest <= most, "drive delay", self.delay, need)
        return fewest, most

    def memory(self, robot: Robot, n: int, timestep: float) -> Memory:
        """Return the last targets (rad), (n, most + 1, joints), oldest first, and delays, (n,)."""
        fewest, most = self.steps(timestep)
        pose = np.array(robot.nominal_pose)
        return {"targets": np.tile(pose, (n, most + 1, 1)), "steps": np.full(n, fewest)}

    def draw(
        self, memory: Memory, ids: np.ndarray, timestep: float, rng: np.random.Generator
    ) -> None:
        fewest, most = self.steps(timestep)
        if fewest < most:
            memory["steps"][ids] = rng.integers(fewest, most + 1, len(ids))

    def substep(
        self, control: np.ndarray, robot: Robot, joints: Joints, memory: Memory
    ) -> np.ndarray:
        """Return the targets (rad), (n, joints), that arrive in this physics step."""
        line, steps = memory["targets"], memory["steps"]
        line[:, :-1] = line[:, 1:]
        line[:, -1] = control
        return line[np.arange(len(line)), -1 - steps]

"""A drive for tests that acts every physics step, keeps a history and is saved: a delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from envs.bounds import require_whole
from envs.sim.drives import PD, Joints, Memory
from robots.robot import Robot


@dataclass(frozen=True)
class Delay(PD):
    """The PD drive, whose targets arrive some physics steps late; the nominal pose until then.

    Its law is that of the PD drive: the delay is the machine's, not that of who sends the targets.
    """

    name: ClassVar[str] = "delay"
    every_substep: ClassVar[bool] = True
    delay: int = 0
    """Physics steps from a target to its arrival."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole("drive delay", self.delay, 0, 100)

    def memory(self, robot: Robot, n: int, timestep: float) -> Memory:
        """Return the targets on their way, (n, delay, joints), the oldest first."""
        pose = np.array(robot.nominal_pose)
        return {"targets": np.tile(pose, (n, self.delay, 1))}

    def substep(
        self, control: np.ndarray, robot: Robot, joints: Joints, memory: Memory
    ) -> np.ndarray:
        """Return the target that arrives in this physics step, and send the newest on its way."""
        line = np.concatenate([memory["targets"], control[:, None]], axis=1)
        memory["targets"][:] = line[:, 1:]
        return line[:, 0]

"""Joint torques from a learned model of the drive (Hwangbo et al. 2019, arXiv 1901.08652)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import tyro

from envs.sim.actuators.files import Actuator, named, pack, unpack
from envs.sim.drives.drive import ControlLaw, Drive, Joints, Memory
from envs.sim.drives.ideal import PD
from robots.robot import Robot

KNEE = "policies/anydrive_knee.npz"
"""A knee of ANYmal, trained by `train.py actuator` on measurements of 2018."""
_HOME = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Network(Drive):
    """Joint target = nominal pose + scale × action; a learned model of the drive gives the torque.

    It sees position errors and speeds of the last milliseconds in every physics step, and is the
    same for all joints. A factor on the gains is one on the torque.
    """

    name: ClassVar[str] = "network"
    every_substep: ClassVar[bool] = True
    scale: float = 1.0
    """Range of the joint targets (rad)."""
    file: str = KNEE
    """The model: an .npz of `train.py actuator`, or a .pt, .onnx or .txt file of others."""
    content: Annotated[str, tyro.conf.Fixed] = field(default="", repr=False)
    """What the file held when the drive was made: the drive works without the file from then on,
    in a run that is resumed, in a checkpoint that is played."""

    def __post_init__(self) -> None:
        PD(self.scale)
        if named(self.content) != self.file:
            path = Path(self.file)
            if self.file == KNEE and not path.exists():
                path = _HOME / KNEE
            object.__setattr__(self, "content", pack(self.file, path))

    @property
    def actuator(self) -> Actuator:
        """The model."""
        return unpack(self.content)

    def memory(self, robot: Robot, n: int, timestep: float) -> Memory:
        """Return the past that the model sees, and hidden states where it has them."""
        return self.actuator.memory(n, len(robot.joints), timestep)

    def substep(
        self, control: np.ndarray, robot: Robot, joints: Joints, memory: Memory
    ) -> np.ndarray:
        """Return the torques (N·m), (n, joints), of a physics step, from its targets (rad)."""
        return self.actuator.torque(control - joints.pos, joints.vel, memory)

    def law(self, robot: Robot) -> ControlLaw:
        """Return the target's formula."""
        return PD(self.scale).law(robot)

    def described(self, robot: Robot) -> dict[str, Any]:
        """Return the settings, and the model with its weights."""
        name = Path(self.file).name
        return {"scale": self.scale, "file": name, "network": self.actuator.described()}

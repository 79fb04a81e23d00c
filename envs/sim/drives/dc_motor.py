"""A PD drive of electric motors, whose torque falls with speed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from envs.bounds import require_within
from envs.sim.actuators.curve import torque_range
from envs.sim.drives.drive import Joints, Memory
from envs.sim.drives.ideal import PD
from robots.robot import Robot


@dataclass(frozen=True)
class DCMotor(PD):
    """The PD drive within the torque-speed curve of DC motors, see `torque_range`.

    In every physics step the targets are moved to where MuJoCo's position actuator, which
    implicitfast integrates implicitly, gives no more than the curve allows: it stays as stable as
    the PD drive. A factor on the gains scales the curve's slope, too, but not the torque limit.
    """

    name: ClassVar[str] = "dc_motor"
    every_substep: ClassVar[bool] = True
    stall: float = 1.5
    """Torque at rest, were there no limit, as a multiple of the torque limit. ANYmal C's drives
    have 120 N·m and 80 N·m in IsaacLab (`ANYDRIVE_3_SIMPLE_ACTUATOR_CFG`)."""
    no_load: float = 1.0
    """Speed without torque, as a multiple of the robot's speed limit."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within("drive stall", self.stall, 0.1, 100)
        require_within("drive no_load", self.no_load, 0.1, 100)

    def substep(
        self, control: np.ndarray, robot: Robot, joints: Joints, memory: Memory
    ) -> np.ndarray:
        """Return the targets (rad), (n, joints), of a physics step."""
        limit, kp, damping = robot.torque_limit, robot.kp, robot.kd * joints.vel
        low, high = torque_range(
            joints.vel, limit, self.stall * limit, self.no_load * robot.speed_limit
        )
        torque = np.clip(kp * (control - joints.pos) - damping, low, high)
        return joints.pos + (torque + damping) / kp

    def described(self, robot: Robot) -> dict[str, Any]:
        """Return the settings, the stall torques (N·m) and the no-load speeds (rad/s)."""
        stall, no_load = self.stall * robot.torque_limit, self.no_load * robot.speed_limit
        numbers = {"stall_torque": stall.tolist(), "no_load_speed": no_load.tolist()}
        return asdict(self) | numbers

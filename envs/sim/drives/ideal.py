"""Drives that do at once what they are told: PD targets, and torques."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import mujoco
import numpy as np

from envs.bounds import require
from envs.sim.drives.drive import ControlLaw, Drive, add_actuators
from robots.robot import Robot


@dataclass(frozen=True)
class PD(Drive):
    """Joint target = nominal pose + scale × action, held by the robot's PD gains.

    It is MuJoCo's position actuator, which implicitfast integrates implicitly, so that a step of
    5 ms stays stable at kp 80 and kd 2; kd replaces the joint's passive damping.
    """

    name: ClassVar[str] = "pd"
    scale: float = 1.0
    """Range of the joint targets (rad)."""

    def __post_init__(self) -> None:
        require(0 < self.scale <= np.pi, "drive scale", self.scale, "in (0, pi] rad")

    def attach(self, spec: mujoco.MjSpec, robot: Robot) -> None:
        """Add position actuators, whose targets stay in the joints' ranges."""
        gains = zip(add_actuators(spec, robot), robot.kp, robot.kd, strict=True)
        for actuator, kp, kd in gains:
            actuator.set_to_position(kp=kp, kv=kd)
            actuator.ctrlrange = spec.joint(actuator.target).range

    def law(self, robot: Robot) -> ControlLaw:
        """Return the target's formula."""
        pose = np.array(robot.nominal_pose)
        return ControlLaw(pose, np.full(len(pose), self.scale), "rad")


@dataclass(frozen=True)
class Relative(PD):
    """Joint target = present position + scale × action, held by the robot's PD gains."""

    name: ClassVar[str] = "relative"

    def law(self, robot: Robot) -> ControlLaw:
        """Return the target's formula."""
        scale = np.full(len(robot.joints), self.scale)
        return ControlLaw(np.zeros(len(scale)), scale, "rad", "joint_pos")


@dataclass(frozen=True)
class Torque(Drive):
    """Joint torque = action × torque limit, over the passive joint."""

    name: ClassVar[str] = "torque"

    def law(self, robot: Robot) -> ControlLaw:
        """Return the torque's formula."""
        limit = robot.torque_limit
        return ControlLaw(np.zeros(len(limit)), limit, "N·m")

"""The joint drives: what a normalised action does to the joints."""

from __future__ import annotations

import mujoco
import numpy as np

from envs.task import ActionMode
from robots.robot import Robot


def attach(spec: mujoco.MjSpec, robot: Robot, mode: ActionMode) -> None:
    """Add one drive a joint, limited to the robot's torque, in the robot's joint order.

    `pd` is MuJoCo's position actuator, which implicitfast integrates implicitly, so that the
    5 ms step stays stable at kp 80 and kd 2; its kd replaces the joint's passive damping.
    `torque` drives the joint directly, over the same passive joint.
    """
    for name, motor in zip(robot.joints, robot.motors, strict=True):
        limit = motor.torque_limit
        joint = spec.joint(name)
        joint.armature = motor.armature
        joint.damping = np.zeros_like(joint.damping)
        drive = spec.add_actuator(
            name=name,
            target=name,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            forcelimited=True,
            forcerange=[-limit, limit],
            ctrllimited=True,
        )
        if mode == "pd":
            drive.set_to_position(kp=motor.kp, kv=motor.kd)
            drive.ctrlrange = joint.range
        else:
            drive.set_to_motor()
            drive.ctrlrange = [-limit, limit]

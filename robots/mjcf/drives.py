"""Drive numbers of a robot: limits from its model, gains from its size."""

from __future__ import annotations

import mujoco
import numpy as np

from robots.robot import Motor
from robots.usage import UsageError

GRAVITY = 9.81  # m/s²
STIFFNESS = 2.0  # kp of a leg's share of the weight at a leg's length
TIME_CONSTANT = 0.1  # kd/kp of the time sqrt(leg length / gravity)
FULL_TORQUE = 0.5  # rad, the least error at which a drive may reach its torque limit
SPEED = 6.0  # of 1 / sqrt(leg length / gravity)


def motors(
    model: mujoco.MjModel, joints: list[int], leg_length: float, legs: int
) -> tuple[Motor, ...]:
    """Return the drives of joints, by id, of a compiled model that has its actuators.

    With the robot's mass m, gravity g, its n legs of length l, and each joint's torque limit T:

        kp = min(2 m g l / n, T / 0.5 rad)      kd = 0.1 kp sqrt(l / g)

    so that robots of any size and weight sag alike: quadrupeds of 12 to 84 kg come to stand at
    0.78 to 0.87 of their nominal height. The gains that legged_gym gives ANYmal C are 1.2 of the
    2, and 0.1 of the 0.1. T is the smallest of the joint's actuatorfrcrange, its actuator's
    forcerange and, of a motor, its ctrlrange. The armature is the joint's. Models give no speed
    limit: it is 6 sqrt(g / l), which is about Go1's and three times ANYmal C's.

    Raises:
        ValueError: a joint has no torque limit.
    """
    time = np.sqrt(leg_length / GRAVITY)
    mass = float(model.body_subtreemass[model.body_rootid[model.jnt_bodyid[joints[0]]]])
    stiffness = STIFFNESS * mass * GRAVITY * leg_length / legs
    found = []
    for joint in joints:
        limit = torque_limit(model, joint)
        kp = min(stiffness, limit / FULL_TORQUE)
        found.append(
            Motor(
                kp=kp,
                kd=float(TIME_CONSTANT * kp * time),
                torque_limit=limit,
                speed_limit=float(SPEED / time),
                armature=float(model.dof_armature[model.jnt_dofadr[joint]]),
            )
        )
    return tuple(found)


def torque_limit(model: mujoco.MjModel, joint: int) -> float:
    """Return the largest torque (N·m) that a joint gets from its actuators.

    Raises:
        ValueError: nothing limits it.
    """
    limits = [np.abs(model.jnt_actfrcrange[joint]).max()] if model.jnt_actfrclimited[joint] else []
    drives = np.flatnonzero(
        (model.actuator_trntype == mujoco.mjtTrn.mjTRN_JOINT)
        & (model.actuator_trnid[:, 0] == joint)
    )
    for drive in drives:
        gear = abs(model.actuator_gear[drive, 0])
        if model.actuator_forcelimited[drive]:
            limits.append(gear * np.abs(model.actuator_forcerange[drive]).max())
        motor = model.actuator_biastype[drive] == mujoco.mjtBias.mjBIAS_NONE
        if motor and model.actuator_ctrllimited[drive]:
            force = abs(model.actuator_gainprm[drive, 0]) * gear
            limits.append(force * np.abs(model.actuator_ctrlrange[drive]).max())
    if not limits:
        name = model.joint(joint).name
        raise UsageError(f"joint {name!r} has no torque limit; give its actuator a forcerange")
    return float(min(limits))

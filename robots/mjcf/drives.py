"""Drive numbers of a robot: limits from its model, gains from how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

import mujoco
import numpy as np

from robots.robot import Motor
from robots.usage import UsageError

GRAVITY = 9.81  # m/s²
SAG = 0.08  # of the nominal height, by which joints give way under the robot's weight
SHORTEST = 0.3  # of the leg length: the least arm, or robots on straight legs would be limp
LEAN = 3.0  # of m g h / n: the least gain of robots whose knees all push the base one way
TIME_CONSTANT = 0.1  # kd/kp of the time sqrt(leg length / gravity)
FULL_TORQUE = 0.25  # rad, the least error at which a drive may reach its torque limit
SPEED = 6.0  # of 1 / sqrt(leg length / gravity)
STIFFEST = 1e-4  # s², armature/kp at the least: a step of 5 ms follows a joint of 100 rad/s
_OF_JOINTS = [int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT)]
ROTOR = 1 / 150  # of mass × leg length² of a leg's share: the armature of joints that have none


class Size(NamedTuple):
    """What the gains follow from."""

    mass: float
    """Of the robot (kg)."""
    leg_length: float
    """m."""
    legs: int
    """How many there are."""
    height: float
    """Nominal (m)."""
    arm: float
    """By which joints carry the robot in the nominal stance (m), `stance.arm`."""
    one_way: bool = False
    """Whether its knees bend the same way, `stance.one_way`."""


def motors(
    model: mujoco.MjModel,
    joints: list[int],
    size: Size,
    limits: list[float],
    speeds: Mapping[str, float],
) -> tuple[Motor, ...]:
    """Return the drives of joints, by id, of a compiled model.

    With the robot's mass m, gravity g, its n legs of length l, its nominal height h, the arm a by
    which joints carry it in the nominal stance, and each joint's torque limit T:

        kp = min(max(a, 0.3 l)² m g / (n 0.08 h), T / 0.25 rad)      kd = 0.1 kp sqrt(l / g)

    so that robots of any size and weight sag alike, by 8 % of their height where that is little,
    and none asks for all of its torque before it is a quarter of a radian off. It gives ANYmal C
    80 N·m/rad and 2 N·m·s/rad, as legged_gym has it. Knees that bend the same way push the base the
    same way under load, and it falls there as a pendulum of stiffness m g / h does: such robots
    have kp = 3 m g h / n at least, below the same T / 0.25 rad.

    The armature is the joint's, or m l² / n / 150 where it has none, which is ANYmal C's by its
    size, and kp × (10 ms)² at least, or feet tremble in physics steps of 5 ms. Speed limits are
    those given (a URDF's), 6 sqrt(g / l) otherwise, which is about Go1's and three times ANYmal
    C's.

    Args:
        model: of the robot.
        joints: ids of its joints.
        size: of the robot.
        limits: their largest torques (N·m); inf is none.
        speeds: largest speeds (rad/s) of joints by name, where they are known.

    Raises:
        ValueError: a joint has no torque limit.
    """
    time = float(np.sqrt(size.leg_length / GRAVITY))
    share = size.mass / size.legs
    arm = max(size.arm, SHORTEST * size.leg_length)
    stiffness = arm**2 * share * GRAVITY / (SAG * size.height)
    if size.one_way:
        stiffness = max(stiffness, LEAN * share * GRAVITY * size.height)
    rotor = ROTOR * share * size.leg_length**2
    found = []
    for joint, limit in zip(joints, limits, strict=True):
        _require_limit(model, joint, limit)
        kp = min(stiffness, limit / FULL_TORQUE)
        own = float(model.dof_armature[model.jnt_dofadr[joint]])
        found.append(
            Motor(
                kp=kp,
                kd=TIME_CONSTANT * kp * time,
                torque_limit=limit,
                speed_limit=speeds.get(model.joint(joint).name, SPEED / time),
                armature=max(own or rotor, STIFFEST * kp),
            )
        )
    return tuple(found)


def _require_limit(model: mujoco.MjModel, joint: int, limit: float) -> None:
    if limit == inf:
        name, body = model.joint(joint).name, model.body(model.jnt_bodyid[joint]).name
        raise UsageError(
            f"joint {name!r} of body {body!r} has no torque limit; give its actuator "
            "a forcerange, a URDF's joint an effort, or torque_limit in a .toml beside the file"
        )


def torque_limit(model: mujoco.MjModel, joint: int) -> float:
    """Return the largest torque (N·m) that a joint gets from its actuators, inf if none is said.

    The smallest of the joint's actuatorfrcrange (a URDF's effort), its actuator's forcerange and,
    of a motor, its ctrlrange, with the gear. A damper, which only brakes, says nothing of it.

    Args:
        model: with the file's actuators.
        joint: id.
    """
    limits = [np.abs(model.jnt_actfrcrange[joint]).max()] if model.jnt_actfrclimited[joint] else []
    drives = np.flatnonzero(
        np.isin(model.actuator_trntype, _OF_JOINTS)
        & (model.actuator_trnid[:, 0] == joint)
        & ~_brakes(model)
    )
    for drive in drives:
        gear = abs(model.actuator_gear[drive, 0])
        if model.actuator_forcelimited[drive]:
            limits.append(gear * np.abs(model.actuator_forcerange[drive]).max())
        motor = model.actuator_biastype[drive] == mujoco.mjtBias.mjBIAS_NONE
        if motor and model.actuator_ctrllimited[drive]:
            force = abs(model.actuator_gainprm[drive, 0]) * gear
            limits.append(force * np.abs(model.actuator_ctrlrange[drive]).max())
    return min((float(limit) for limit in limits if limit > 0), default=inf)


def _brakes(model: mujoco.MjModel) -> np.ndarray:
    """Return which actuators pull only as their joint moves, (nu,) bool."""
    affine = model.actuator_gaintype == mujoco.mjtGain.mjGAIN_AFFINE
    biased = model.actuator_biastype != mujoco.mjtBias.mjBIAS_NONE
    return affine & ~biased & ~model.actuator_gainprm[:, :2].any(axis=1)

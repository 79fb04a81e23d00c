"""Joints that are no leg's, such as an arm's: a drive of their own holds them where they are."""

from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np

from robots.mjcf import tree
from robots.usage import UsageError

FREQUENCY = 40.0
"""Of a held joint about its rest (rad/s), damped critically: gravity moves an arm of 0.3 m by
g / (0.3 m × 40² /s²), 0.02 rad; steps of 20 ms still follow it."""


class Held(NamedTuple):
    """A joint that is held by a spring and a damper, which are a PD drive without actuator."""

    joint: str
    position: float
    """Where it is held (rad or m)."""
    stiffness: float
    """N·m/rad or N/m."""
    damping: float
    """N·m·s/rad or N·s/m."""


class Turned(NamedTuple):
    """A body of held joints, as it is to be drawn with these in their place."""

    body: str
    pos: tuple[float, ...]
    quat: tuple[float, ...]


class Holding(NamedTuple):
    """All that is held of a robot."""

    joints: tuple[Held, ...] = ()
    bodies: tuple[Turned, ...] = ()


def find(model: mujoco.MjModel, qpos: np.ndarray, driven: list[int]) -> Holding:
    """Return what is to be held of a robot.

    Args:
        model: of the robot alone.
        qpos: where its joints are, (nq,).
        driven: ids of the joints that drives move.

    Raises:
        ValueError: a ball joint, which no drive holds.
    """
    balls = np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_BALL)
    if len(balls):
        name = model.joint(balls[0]).name
        raise UsageError(
            f"joint {name!r} is a ball joint, which no drive holds; take it out, and its body is "
            "fixed, or give three hinges in its place"
        )
    free = model.jnt_type == mujoco.mjtJoint.mjJNT_FREE
    joints = [j for j in range(model.njnt) if not free[j] and j not in driven]
    if not joints:
        return Holding()
    data = tree.level(model, qpos)
    data.qpos[model.jnt_qposadr[driven]] = 0.0  # the inertia of what is held is the same
    mujoco.mj_forward(model, data)
    inertia = np.empty((model.nv, model.nv))
    mujoco.mj_fullM(model, data, inertia)
    held = []
    for joint in joints:
        own = inertia[model.jnt_dofadr[joint], model.jnt_dofadr[joint]]
        stiffness, damping = own * FREQUENCY**2, 2 * own * FREQUENCY
        at = float(qpos[model.jnt_qposadr[joint]])
        held.append(Held(model.joint(joint).name, at, float(stiffness), float(damping)))
    bodies = dict.fromkeys(int(model.jnt_bodyid[joint]) for joint in joints)
    return Holding(tuple(held), tuple(_turned(model, data, body) for body in bodies))


def _turned(model: mujoco.MjModel, data: mujoco.MjData, body: int) -> Turned:
    """Return where a body is in its parent."""
    parent = model.body_parentid[body]
    inverse, quat, pos = np.empty(4), np.empty(4), np.empty(3)
    mujoco.mju_negQuat(inverse, data.xquat[parent])
    mujoco.mju_mulQuat(quat, inverse, data.xquat[body])
    mujoco.mju_rotVecQuat(pos, data.xpos[body] - data.xpos[parent], inverse)
    return Turned(model.body(body).name, tuple(pos.tolist()), tuple(quat.tolist()))


def hold(spec: mujoco.MjSpec, holding: Holding) -> None:
    """Hold joints of a spec, in place: they begin where they are held."""
    for turned in holding.bodies:
        body = spec.body(turned.body)
        if body.frame is not None:  # its pose in the parent holds what frames add
            body.set_frame(body.parent.add_frame())
        body.pos, body.quat = turned.pos, turned.quat
        body.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT
    for held in holding.joints:
        joint = spec.joint(held.joint)
        joint.ref = joint.springref = held.position
        joint.stiffness, joint.damping = (held.stiffness, 0, 0), (held.damping, 0, 0)
        joint.limited, joint.range = mujoco.mjtLimited.mjLIMITED_FALSE, (0, 0)  # never reached

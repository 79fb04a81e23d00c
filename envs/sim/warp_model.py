"""What MuJoCo Warp is given: a device, a model that it can solve, and room for its contacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import mujoco
import mujoco_warp as mjw
import numpy as np
import warp as wp

from robots.robot import Robot
from robots.usage import UsageError

_POINTS = {mujoco.mjtGeom.mjGEOM_SPHERE: 1, mujoco.mjtGeom.mjGEOM_CAPSULE: 2}
_MOST_POINTS = 4
_TIES = {
    mujoco.mjtEq.mjEQ_CONNECT: 3,
    mujoco.mjtEq.mjEQ_WELD: 6,
    mujoco.mjtEq.mjEQ_JOINT: 1,
    mujoco.mjtEq.mjEQ_TENDON: 1,
}
"""Constraint rows of an equality; Warp refuses the other kinds, or Trot does."""
_ROOM = 24
"""Contact points of a robot for which there is room beside its feet's."""


def solved_by_newton(model: mujoco.MjModel) -> mujoco.MjModel:
    """Return a model that Warp's solvers, which lack PGS, can solve."""
    if model.opt.solver != mujoco.mjtSolver.mjSOL_PGS:
        return model
    own = copy(model)
    own.opt.solver = mujoco.mjtSolver.mjSOL_NEWTON
    return own


def find_device(name: str) -> Any:
    """Return Warp's device of that name.

    Raises:
        ValueError: there is none.
    """
    try:
        return wp.get_device(name)
    except (RuntimeError, ValueError) as error:
        seen = ", ".join(str(device) for device in wp.get_devices())
        raise UsageError(f"device is {name!r}; Warp sees {seen}") from error


@contextmanager
def room_told() -> Iterator[None]:
    """Turn Warp's error of memory that ran out into Python's own."""
    try:
        yield
    except RuntimeError as error:
        if "allocate" in str(error):
            raise MemoryError(str(error)) from error
        raise


def on_device(model: mujoco.MjModel, robot: Robot) -> mjw.Model:
    """Return Warp's copy of a model.

    Raises:
        ValueError: it has what Warp lacks.
    """
    try:
        own = mjw.put_model(model)
    except NotImplementedError as error:
        raise UsageError(
            f"physics is warp, and MuJoCo Warp lacks what robot {robot.name!r} needs ({error}): "
            "take batch"
        ) from error
    own.opt.warn_overflow = 0  # `warnings` tells it
    return own


def room(model: mujoco.MjModel, robot: Robot) -> tuple[int, int]:
    """Return for how many contacts and constraint rows a simulation needs room."""
    feet = [model.geom(name).id for name in robot.feet]
    collides = (model.geom_contype | model.geom_conaffinity) != 0
    collides &= model.geom_bodyid != 0
    collides[feet] = False
    contacts = _points(model, feet) + min(_points(model, np.flatnonzero(collides)), _ROOM)
    pyramidal = model.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL
    widest = int(model.geom_condim.max())
    rows = max(1, 2 * (widest - 1)) if pyramidal else widest
    ties = sum(_TIES[mujoco.mjtEq(kind)] for kind in model.eq_type)
    friction = np.count_nonzero(model.dof_frictionloss) + np.count_nonzero(
        model.tendon_frictionloss
    )
    limits = model.jnt_limited.sum() + model.tendon_limited.sum()
    return contacts, int(ties + friction + limits) + contacts * rows


def _points(model: mujoco.MjModel, geoms: Iterable[int]) -> int:
    """Return at how many points shapes can touch a plane."""
    return sum(_POINTS.get(mujoco.mjtGeom(model.geom_type[g]), _MOST_POINTS) for g in geoms)

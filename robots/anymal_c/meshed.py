"""The meshed ANYmal C of MuJoCo Menagerie, with the names and numbers of our own model."""

from __future__ import annotations

from dataclasses import replace

import mujoco

from robots import menagerie
from robots.anymal_c import model
from robots.collision import COLLISION_GROUP
from robots.robot import Robot
from robots.usage import UsageError

_NAME = "anymal_c_menagerie"


def build() -> mujoco.MjSpec:
    """Return a new spec of the meshed ANYmal C.

    Raises:
        ValueError: the menagerie cannot be had; one line with cause and remedy.
    """
    try:
        spec = menagerie.spec("anymal_c_mj_description")
    except ValueError as error:
        raise UsageError(f"{_NAME}: {error}; --robot anymal_c works offline") from None
    for shank, foot in zip(model.ROBOT.shanks, model.ROBOT.feet, strict=True):
        spheres = [
            geom
            for geom in spec.body(shank).geoms
            if geom.type == mujoco.mjtGeom.mjGEOM_SPHERE and geom.group == COLLISION_GROUP
        ]
        if len(spheres) != 1:
            raise UsageError(f"{shank} has {len(spheres)} collision spheres where its foot is")
        spheres[0].name = foot
    return spec


ROBOT: Robot = replace(
    model.ROBOT,
    name=_NAME,
    build=build,
    source="MuJoCo Menagerie, anybotics_anymal_c; drive numbers of legged_gym",
)

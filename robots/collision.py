"""Collision levels: which geoms of a robot may touch what."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import mujoco

Collision = Literal["feet", "feet_and_body", "full"]

COLLISION_GROUP = 3
"""Geom group of collision shapes; hidden by MuJoCo's default rendering options."""
VISUAL_GROUP = 2
"""Geom group of what is only looked at."""


def set_collision(
    spec: mujoco.MjSpec, hips: Collection[str], feet: Collection[str], level: Collision
) -> None:
    """Give the collision geoms of a robot the contact bits of a level.

    `feet` leaves the geoms `feet` alone open to the ground (contype 1); `feet_and_body` leaves all
    open to it but those of the bodies `hips`, and none to another; `full` lets everything collide.
    Geoms outside the collision group are untouched.
    """
    full = level == "full"
    for body in spec.bodies:
        for geom in body.geoms:
            if geom.group == COLLISION_GROUP:
                open_to_ground = geom.name in feet if level == "feet" else body.name not in hips
                geom.contype = int(full)
                geom.conaffinity = int(full or open_to_ground)


def dress(spec: mujoco.MjSpec) -> None:
    """Give every shape that collides a twin to look at, in links that have too little to show.

    What collides is not drawn. A link is shown by a mesh, or by as many shapes as collide: of some
    published models a foot's sphere alone is there to look at.
    """
    for body in spec.bodies:
        collide = [geom for geom in body.geoms if geom.group == COLLISION_GROUP]
        looks = [geom for geom in body.geoms if geom.group != COLLISION_GROUP]
        if len(looks) >= len(collide) or any(g.type == mujoco.mjtGeom.mjGEOM_MESH for g in looks):
            continue
        for geom in collide:
            twin = body.add_geom(group=VISUAL_GROUP, contype=0, conaffinity=0, mass=0)
            if geom.frame is not None:
                twin.set_frame(geom.frame)
            for field in ("type", "size", "pos", "quat", "fromto", "meshname", "material", "rgba"):
                setattr(twin, field, getattr(geom, field))
            for field in ("type", "euler", "axisangle", "xyaxes", "zaxis"):
                setattr(twin.alt, field, getattr(geom.alt, field))

"""Collision levels: which geoms of a robot may touch what."""

import mujoco

from robots.robot import Collision

COLLISION_GROUP = 3
"""Geom group of collision shapes; hidden by MuJoCo's default rendering options."""
VISUAL_GROUP = 2
"""Geom group of what is only looked at."""


def set_collision(spec: mujoco.MjSpec, level: Collision) -> None:
    """Give the collision geoms of a robot the contact bits of a level.

    `feet_and_body` leaves them open to the ground (contype 1) but not to each other, and takes
    the hips out; `full` lets everything collide. Geoms outside the collision group are untouched.
    """
    for body in spec.bodies:
        for geom in body.geoms:
            if geom.group != COLLISION_GROUP:
                continue
            full = level == "full"
            geom.contype = int(full)
            geom.conaffinity = int(full or not body.name.endswith("_HIP"))

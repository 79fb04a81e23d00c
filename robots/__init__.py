"""Robots by name. A new robot is a file in this package and a line in `ROBOTS`."""

from robots import anymal_c
from robots.collision import Collision
from robots.robot import Motor, Robot

ROBOTS: dict[str, Robot] = {
    "anymal_c": anymal_c.ROBOT,
    "anymal_c_menagerie": anymal_c.MESHED,
}


def get_robot(name: str) -> Robot:
    """Return the robot of that name.

    Raises:
        ValueError: no robot has the name.
    """
    if name not in ROBOTS:
        raise ValueError(f"robot is {name!r}; choose from {', '.join(ROBOTS)}")
    return ROBOTS[name]


__all__ = ["ROBOTS", "Collision", "Motor", "Robot", "get_robot"]

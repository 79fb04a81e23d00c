"""Robots by name. A new robot is a file in this package and a line in `ROBOTS`."""

from robots import anymal_c, menagerie
from robots.robot import Collision, Robot

ROBOTS: dict[str, Robot] = {
    "anymal_c": anymal_c.ROBOT,
    "anymal_c_menagerie": menagerie.ROBOT,
}


def get_robot(name: str) -> Robot:
    """Return the robot of that name.

    Raises:
        ValueError: no robot has the name.
    """
    if name not in ROBOTS:
        raise ValueError(f"robot is {name!r}; choose from {', '.join(ROBOTS)}")
    return ROBOTS[name]


__all__ = ["ROBOTS", "Collision", "Robot", "get_robot"]

"""Robots by name. A new robot is a file in this package and a line in `ROBOTS`."""

from functools import cache
from pathlib import Path

from robots import anymal_b, anymal_c, menagerie, mjcf
from robots.collision import Collision
from robots.robot import Motor, Robot
from robots.usage import UsageError

ROBOTS: dict[str, Robot] = {
    "anymal_b": anymal_b.ROBOT,
    "anymal_c": anymal_c.ROBOT,
    "anymal_c_menagerie": anymal_c.MESHED,
}


MODELS = (".xml", ".mjcf", ".urdf")
"""How names of models' files end."""


def get_robot(name: str) -> Robot:
    """Return the robot of that name, or of a robot_descriptions name such as go1_mj_description.

    Raises:
        ValueError: no robot has the name, or the description is none that Trot can drive.
    """
    if name in ROBOTS:
        return ROBOTS[name]
    if name.endswith("_mj_description"):
        return _described(name)
    if Path(name).suffix in MODELS:
        stem = Path(name).stem
        raise UsageError(
            f"robot is {name!r}, a file: add it to ROBOTS in robots/__init__.py, as "
            f'"{stem}": mjcf.from_file("{name}"), and give {stem} (docs/extend.md)'
        )
    need = f"choose from {', '.join(ROBOTS)}, or a robot_descriptions name in _mj_description"
    raise UsageError(f"robot is {name!r}; {need}")


@cache
def _described(name: str) -> Robot:
    return mjcf.from_file(menagerie.path(name), name=name)


__all__ = ["ROBOTS", "Collision", "Motor", "Robot", "get_robot"]

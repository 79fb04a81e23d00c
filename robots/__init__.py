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
    """Return the robot of that name, of a robot_descriptions name such as go1_mj_description, or of
    a model's file such as go1.xml.

    Raises:
        ValueError: no robot has the name, or the model is none that Trot can drive.
    """
    if name in ROBOTS:
        return ROBOTS[name]
    if name.endswith("_mj_description"):
        return _described(name)
    if is_file(name):
        return _read(str(Path(name).absolute()))
    need = (
        f"choose from {', '.join(ROBOTS)}, a robot_descriptions name in _mj_description or a file"
    )
    raise UsageError(f"robot is {name!r}; {need}")


def is_file(name: str) -> bool:
    """Whether a robot's name is that of a model's file."""
    return name not in ROBOTS and Path(name).suffix.lower() in MODELS


@cache
def _described(name: str) -> Robot:
    return mjcf.from_file(menagerie.path(name), name=name)


@cache
def _read(path: str) -> Robot:
    return mjcf.from_file(path)


__all__ = ["ROBOTS", "Collision", "Motor", "Robot", "get_robot", "is_file"]

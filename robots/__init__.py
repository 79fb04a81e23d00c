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
    a model's file such as go1.xml or go1.urdf.

    Raises:
        ValueError: no robot has the name, or the model is none that Trot can drive.
    """
    return explain(name).robot


def explain(name: str) -> mjcf.Derived:
    """Return what `get_robot` does, and where its numbers come from."""
    if name in ROBOTS:
        return mjcf.Derived(ROBOTS[name], "the robot's own")
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
def _described(name: str) -> mjcf.Derived:
    return mjcf.derive(menagerie.path(name), name=name)


@cache
def _read(path: str) -> mjcf.Derived:
    return mjcf.derive(path)


__all__ = ["ROBOTS", "Collision", "Motor", "Robot", "explain", "get_robot", "is_file"]

"""What a user says of a robot beside its file: `go1.toml` for `go1.xml`, or keywords."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import Any, TypeGuard

from robots.robot import Motor, Robot
from robots.usage import UsageError

DRIVES = tuple(field.name for field in fields(Motor))
FREE = ("kd", "armature")
"""Those of a drive's numbers that may be 0."""
FIELDS = tuple(field.name for field in fields(Robot) if field.name not in ("build", "source"))
"""Fields of `Robot` that may be given."""


def beside(path: Path) -> dict[str, Any]:
    """Return what the .toml beside a model's file says, nothing where there is none.

    Raises:
        ValueError: it cannot be read, or names something that a robot has not.
    """
    file = path.with_suffix(".toml")
    if not file.is_file():
        return {}
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read ({error}); give TOML in UTF-8") from error
    known = [name for name in (*FIELDS, *DRIVES) if name != "motors"]
    for name, value in given.items():
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise UsageError(f"{file} has {name!r}, and robots have no such number; try {near!r}")
        _check(file, name, value)
    return given


def _check(file: Path, name: str, value: Any) -> None:
    """Raise ValueError for a value of another kind than its name has."""
    number = _is_number(value)
    numbers = isinstance(value, list) and all(map(_is_number, value))
    table = isinstance(value, dict) and all(map(_is_number, value.values()))
    names = isinstance(value, list) and all(isinstance(v, str) for v in value)
    if name == "nominal_pose":
        fits, need = numbers or table, "a list of angles (rad), or a table of them by joint"
    elif name in DRIVES:
        fits = (number or numbers or table) and all(_drives(name, v) for v in _values(value))
        least = "zero or more" if name in FREE else "positive"
        need = f"a number, a list of one for each joint, or a table by joint, each {least}"
    elif name in ("name", "base"):
        fits, need = isinstance(value, str), "a name"
    elif name in ("nominal_height", "leg_length", "mass"):
        fits, need = _is_number(value) and value > 0, "a positive number"
    else:
        fits, need = names, "a list of names"
    if not fits:
        raise UsageError(f"{file} has {name} = {value!r}; give {need}")


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _values(value: Any) -> list[float]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


def _drives(name: str, value: float) -> bool:
    """Whether a number makes a drive."""
    return 0 <= value < inf and (value > 0 or name in FREE)


def driven(motors: tuple[Motor, ...], joints: list[str], given: Mapping[str, Any]) -> Any:
    """Return drives with the numbers given in place of their own.

    Raises:
        ValueError: numbers that are not one, one a joint, or by the names of joints.
    """
    for name in DRIVES:
        if name not in given:
            continue
        own = [getattr(motor, name) for motor in motors]
        values = spread(name, given[name], joints, own)
        motors = tuple(
            replace(motor, **{name: value}) for motor, value in zip(motors, values, strict=True)
        )
    return motors


def spread(name: str, value: Any, joints: list[str], own: list[float]) -> list[float]:
    """Return a number a joint, from one for all, one for each, or some by the joints' names."""
    if isinstance(value, Mapping):
        for joint in value:
            if joint not in joints:
                near = get_close_matches(joint, joints, n=1, cutoff=0.0)[0]
                raise UsageError(f"{name} names joint {joint!r}; try {near!r}")
        return [float(value.get(joint, mine)) for joint, mine in zip(joints, own, strict=True)]
    values = [value] * len(joints) if isinstance(value, int | float) else list(value)
    if len(values) != len(joints):
        raise UsageError(f"{name} has {len(values)} values; give one for each of {len(joints)}")
    return [float(v) for v in values]

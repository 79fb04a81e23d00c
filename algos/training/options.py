"""What the programs ask of their options before any work starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def require(holds: bool, name: str, value: object, need: str) -> None:
    """Raise a ValueError that names an option, its value and what it should be."""
    if not holds:
        raise ValueError(f"--{name.replace('_', '-')} is {value}; it must be {need}")


def require_effect(options: Any, needs: Mapping[str, tuple[str, ...]]) -> None:
    """Raise ValueError for an option that has no effect, as none of those that it needs is given.

    Args:
        options: a dataclass; what differs from its default is given.
        needs: name of an option -> names of those of which it needs one.
    """
    given = {f.name for f in fields(options) if getattr(options, f.name) != f.default}
    for name, others in needs.items():
        if name in given and not given & set(others):
            one, *_ = hyphened = [f"--{other.replace('_', '-')}" for other in others]
            raise ValueError(
                f"--{name.replace('_', '-')} has no effect without {' or '.join(hyphened)}: "
                f"give {one} too, or leave it out"
            )


def require_types(options: Any) -> None:
    """Raise ValueError for a field of a dataclass whose value is not of its declared type."""
    for name, hint in get_type_hints(type(options)).items():
        value = getattr(options, name)
        if not fits(value, hint):
            kind = type(options).__name__
            raise ValueError(f"{kind}.{name} must be {described(hint)}, got {value!r}")


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a declared type; a number may be an int, an int no bool."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        hints = inner[:1] * len(value) if inner[-1] is ... else inner
        return len(hints) == len(value) and all(map(fits, value, hints))
    if origin is dict:
        return isinstance(value, dict) and all(fits(one, inner[1]) for one in value.values())
    if hint in (int, float):
        return isinstance(value, Integral if hint is int else Real) and not isinstance(value, bool)
    return not isinstance(hint, type) or isinstance(value, hint)


_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    NoneType: "nothing",
    Path: "a path",
}


def described(hint: Any) -> str:
    """Return a declared type in words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return f"one of {', '.join(inner)}"
    if origin in (Union, UnionType):
        return " or ".join(map(described, inner))
    if origin is tuple:
        number = "a list" if inner[-1] is ... else f"{len(inner)}"
        return f"{number}, each {described(inner[0])}"
    if origin is dict:
        return f"names, each with {described(inner[1])}"
    return _WORDS.get(hint, "settings by their names")

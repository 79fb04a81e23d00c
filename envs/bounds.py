"""Checks of settings: what a value is, and what it must be."""

from __future__ import annotations

from numbers import Integral
from typing import Any, get_args

from robots.usage import UsageError

Range = tuple[float, float]
WIDEST = 16_384
"""Width or height of a picture (pixels) that OpenGL draws and H.264 takes."""


def require(condition: bool, name: str, value: object, need: str) -> None:
    """Raise a ValueError that names the field, its value and what it should be."""
    if not condition:
        raise UsageError(f"{name} is {value}; it must be {need}")


def require_within(name: str, value: float, lowest: float, highest: float, unit: str = "") -> None:
    """Raise a ValueError unless lowest <= value <= highest."""
    bounds = f"in [{lowest:g}, {highest:g}]"
    require(bool(lowest <= value <= highest), name, value, f"{bounds} {unit}".rstrip())


def require_whole(name: str, value: int, lowest: int, highest: int) -> None:
    """Raise a ValueError unless the value is an integer and lowest <= value <= highest."""
    ok = isinstance(value, Integral) and lowest <= int(value) <= highest
    require(ok, name, value, f"a whole number, at least {lowest} and at most {highest}")


def require_range(name: str, value: Range, lowest: float, highest: float) -> None:
    """Raise a ValueError unless lowest <= low <= high <= highest."""
    ok = len(value) == 2 and lowest <= value[0] <= value[1] <= highest
    require(ok, name, value, f"a finite (low, high) with {lowest:g} <= low <= high <= {highest:g}")


def require_size(name: str, value: Any) -> None:
    """Raise a ValueError unless the value is a width and a height (pixels) that can be drawn."""
    two = isinstance(value, tuple | list) and len(value) == 2
    ok = two and all(isinstance(v, Integral) and 1 <= int(v) <= WIDEST for v in value)
    require(ok, name, value, f"a width and a height of at most {WIDEST} pixels")


def require_shape(name: str, value: Any, shape: tuple[int, ...]) -> None:
    """Raise a ValueError unless the value is an array of a shape."""
    found = getattr(value, "shape", type(value).__name__)
    require(found == shape, f"{name}'s shape", found, f"{shape}, a row a simulation")


def require_choice(name: str, value: object, literal: Any) -> None:
    """Raise a ValueError unless the value is one of a Literal's."""
    choices = get_args(literal)
    require(value in choices, name, repr(value), f"one of {', '.join(choices)}")

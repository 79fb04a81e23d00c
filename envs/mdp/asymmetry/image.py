"""A mirror, what it makes of a robot and of its model, and how alike two numbers must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

LENGTH = 0.01
"""Of the leg length: places of joints and feet (0), radii of feet (0.006, HyQReal 1), and twice the
distance of the robot's centre of mass from the mirror's plane (0.009, Aliengo; 0.004 between the
front and the back of ANYmal C)."""
ANGLE = 0.01
"""Rad: axes of joints and nominal angles (0)."""
SHARE = 0.01
"""Of the larger of two numbers: masses of links (0.0007, A2); gains, limits and passive forces of
joints, contacts of feet (0)."""
RANGE = 0.06
"""Rad, ends of the joints' ranges (0.052, Spot)."""


@dataclass(frozen=True)
class Image:
    """A mirror, and what it makes of a robot's parts."""

    diagonal: np.ndarray
    """What it does to a polar vector in the base frame, (3,)."""
    feet: np.ndarray
    """Which foot is each foot's image, (feet,)."""
    joints: np.ndarray
    """Which joint is each joint's image, (joints,)."""
    sign: np.ndarray
    """What it does to a joint angle, (joints,)."""


@dataclass(frozen=True)
class Whole:
    """A mirror, and what it makes of a model's parts, by their ids."""

    diagonal: np.ndarray
    """What it does to a polar vector in the base frame, (3,)."""
    bodies: dict[int, int]
    """The image of each body that moves; what is fixed to it goes with it."""
    joints: np.ndarray
    """Which joint is each joint's image, (njnt,)."""
    sign: np.ndarray
    """What it does to a joint's position, (njnt,)."""
    cosine: np.ndarray
    """Between a joint's axis and its image's in the mirror, (njnt,)."""


def rows(model: mujoco.MjModel, name: str) -> np.ndarray:
    """Return a field of a model with a row of numbers for each element."""
    values = np.asarray(getattr(model, name), float)
    return values[:, None] if values.ndim == 1 else values


def differ(one: np.ndarray | float, other: np.ndarray | float) -> np.ndarray:
    """Return whether numbers differ by more than SHARE of the larger."""
    return np.abs(one - other) > SHARE * np.maximum(np.abs(one), np.abs(other))


def unlike(kind: str, names: Sequence[str], what: str, told: Sequence[str]) -> str:
    """Say what a part and its image, by name, have."""
    return f"{kind} {str(names[0])!r} has {what} {told[0]}, its image {str(names[1])!r} {told[1]}"


def number(value: np.ndarray | float, unit: str = "") -> str:
    """Write a value, or several, with its unit."""
    return f"{' '.join(f'{v:.4g}' for v in np.ravel(value))} {unit}".rstrip()

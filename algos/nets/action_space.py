"""What a box of actions holds, whatever its type: its bounds, and where a policy begins in it."""

from typing import Any

import numpy as np
from gymnasium import spaces

WIDE = 4
"""Bytes of an integer type whose ends are no bounds that anyone means."""


def is_whole(space: spaces.Space) -> bool:
    """Whether a space is a box that holds integers alone."""
    return isinstance(space, spaces.Box) and space.dtype.kind in "iub"


def limits(space: spaces.Box) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest actions, (A,) float64 each, infinite where nothing bounds them.

    The ends of a floating-point type, or of an integer type of `WIDE` bytes or more, are none.
    """
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    least, most = _ends(space.dtype)
    return np.where(low <= least, -np.inf, low), np.where(high >= most, np.inf, high)


def scaling(space: spaces.Box) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half range, (A,) each, of the box that normalised actions in [-1, 1]^A mean.

    Integer k is meant by [k, k + 1), so that all have equal shares. Where a bound is missing, the
    half range is 1 and the centre 0, or one unit inside the other bound.
    """
    low, high = limits(space)
    whole = is_whole(space)
    high = high + whole
    bounded = np.isfinite(low) & np.isfinite(high)
    unit = 1.5 if whole else 1.0
    inside = np.clip(unit - 1, low + unit, high - unit)
    low, high = np.where(bounded, low, inside - 1), np.where(bounded, high, inside + 1)
    kind = np.float64 if whole else np.float32
    return ((high + low) / 2).astype(kind), ((high - low) / 2).astype(kind)


def sampling_space(space: spaces.Space) -> spaces.Space:
    """The same space, but for boxes in which Gymnasium draws nothing.

    Those are of a float type's ends as bounds, and of integers beyond int64.
    """
    if not isinstance(space, spaces.Box):
        return space
    if is_whole(space):
        beyond = int(space.high.max(initial=0)) >= np.iinfo(np.int64).max
        return _Integers(space.low, space.high, dtype=space.dtype.type) if beyond else space
    low, high = limits(space)
    if np.array_equal(low, space.low) and np.array_equal(high, space.high):
        return space
    return spaces.Box(low, high, dtype=space.dtype.type)


class _Integers(spaces.Box[np.integer]):
    """A box of integers, all of which can be drawn: Gymnasium adds one to its bounds in int64."""

    def sample(self, mask: None = None, probability: None = None) -> np.ndarray:
        """Return integers drawn uniformly."""
        kind: Any = self.dtype.newbyteorder("=")
        drawn = self.np_random.integers(self.low, self.high, dtype=kind, endpoint=True)
        return drawn.astype(self.dtype)


def _ends(dtype: np.dtype) -> tuple[float, float]:
    """The numbers from which on a bound is none."""
    if dtype.kind == "f":
        most = min(float(np.finfo(dtype).max), float(np.finfo(np.float32).max))
        return -most, most
    if dtype.kind == "i" and dtype.itemsize >= WIDE:
        return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    if dtype.kind == "u" and dtype.itemsize >= WIDE:
        return -np.inf, float(np.iinfo(dtype).max)
    return -np.inf, np.inf

"""Observations as vectors: what fits a space, and one line for what does not."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from gymnasium import spaces
from torch import Tensor

from algos.usage import UsageError


class MisfitError(ValueError):
    """An observation is not of its space; the message says what it is, and what it must be."""


class NotANumberError(ValueError):
    """A value is no real number that float64 holds; the message says what it must be."""


def single(value: Any) -> float:
    """Return one real number, alone or in an array of one; of torch's, too, whose graph is left.

    Raises:
        NotANumberError: it is none, text for example.
    """
    try:
        alone = value if isinstance(value, Real) else plain(value).item()
        if isinstance(alone, Real | Decimal):
            return float(alone)
    except OverflowError:
        raise NotANumberError("finite in float64") from None
    except (RuntimeError, TypeError, ValueError):  # several numbers, or what NumPy cannot hold
        pass
    raise NotANumberError("a number")


def plain(value: Any) -> np.ndarray:
    """Return numbers of torch or in lists as NumPy's."""
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)


def batch(value: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Return what a vector environment gives of each of its environments.

    Args:
        value: numbers, of NumPy, torch or in lists.
        shape: that of all of them.
        name: of the value, for messages.

    Raises:
        UsageError: it is of another shape, or no numbers.
    """
    if isinstance(value, np.ndarray) and value.shape == shape:
        return value
    with suppress(RuntimeError, ValueError):
        array = plain(value)
        if array.shape == shape and array.dtype.kind in "biuf":
            return array
    raise UsageError(f"the vector environment gave {told(value)} as {name}; it must be of {shape}")


def native(array: np.ndarray) -> np.ndarray:
    """Return an array in this machine's byte order, which alone torch takes, and of its types."""
    if array.dtype == np.longdouble:
        array = array.astype(np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def leaves(
    space: spaces.Space, value: Any, name: str = "observation"
) -> Iterator[tuple[spaces.Space, Any, str]]:
    """Yield the parts of an observation that have none themselves: space, value and name of each.

    Raises:
        MisfitError: a part is missing.
    """
    if isinstance(space, spaces.Dict):
        if not isinstance(value, Mapping) or not space.keys() <= value.keys():
            need = f"a dict with {', '.join(map(repr, space))}"
            raise MisfitError(f"{told(value)} as {name}; it must be {need}")
        for key, part in space.items():
            yield from leaves(part, value[key], f"{name}[{key!r}]")
    elif isinstance(space, spaces.Tuple):
        if not isinstance(value, tuple | list) or len(value) != len(space):
            raise MisfitError(f"{told(value)} as {name}; it must be a tuple of {len(space)}")
        for i, part in enumerate(space):
            yield from leaves(part, value[i], f"{name}[{i}]")
    else:
        yield space, value, name


def vector(space: spaces.Space, kind: np.dtype, observation: Any) -> np.ndarray:
    """Return an observation as one vector, a copy.

    Numbers of another type than the space's are taken where they fit: floats take any, integers
    the same.

    Args:
        space: that the observation is of; flattenable.
        kind: type of the vector.
        observation: what an environment gave.

    Raises:
        MisfitError: it is not of the space.
    """
    numbers = isinstance(space, spaces.Box) and isinstance(observation, np.ndarray)
    if numbers and observation.dtype == kind and observation.shape == space.shape:
        return observation.flatten()  # of nearly all environments, every step
    parts = [_flat(*leaf) for leaf in leaves(space, observation)]
    return np.concatenate(parts, dtype=kind, casting="same_kind")


def _flat(space: spaces.Space, value: Any, name: str) -> np.ndarray:
    if isinstance(space, spaces.Box):
        return _numbers(space, value, name).ravel()
    try:
        flat = np.asarray(spaces.flatten(space, value))
    except (AttributeError, IndexError, TypeError, ValueError):
        flat = np.empty(0)
    fits = len(flat) == spaces.flatdim(space)
    outside = _outside(space, value) if fits else np.empty(0)
    if fits and not len(outside):
        return flat
    many = len(outside) and np.ndim(value)
    what = f"{outside[0]} in {name}" if many else f"{told(value)} as {name}"
    raise MisfitError(f"{what}; it must be of {' '.join(str(space).split())}")


def _outside(space: spaces.Space, value: Any) -> np.ndarray:
    """Return the entries that a space of choices lacks, and that flatten to other choices."""
    if isinstance(space, spaces.MultiBinary):
        array = plain(value)
        return array[(array != 0) & (array != 1)]
    if not isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        return np.empty(0)
    number = space.n if isinstance(space, spaces.Discrete) else space.nvec
    array, low = plain(value), np.asarray(space.start, np.int64)
    return array[(array < low) | (array >= low + np.asarray(number, np.int64))]


def _numbers(space: spaces.Box, value: Any, name: str) -> np.ndarray:
    """Return what is in a box in its type."""
    kind: np.dtype = np.dtype(space.dtype)
    try:
        array = plain(value)
        if array.dtype == object and all(isinstance(entry, Real) for entry in array.flat):
            array = array.astype(np.float64)
    except (OverflowError, RuntimeError, ValueError):  # integers too large, lists of two lengths
        array = np.asarray(None)
    if array.shape != space.shape or array.dtype.kind not in "biuf":
        need = f"numbers of shape {space.shape}, as its space has"
        raise MisfitError(f"{told(value)} as {name}; it must be {need}")
    if array.dtype == kind:
        return array
    with np.errstate(invalid="ignore", over="ignore"):
        cast = array.astype(kind)
    if kind.kind == "f" or np.array_equal(cast, array):
        return cast
    strange = array[cast != array].flat[0]
    raise MisfitError(f"{strange:g} in {name}, and its space has {kind}, which does not hold it")


def told(value: Any) -> str:
    """Return what a value is, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if value is None:
        return "None"
    shown = ""
    with suppress(Exception):  # of integers with thousands of digits, or of its own
        shown = " ".join(reprlib.repr(value).split())
    return f"{type(value).__name__} {shown}".rstrip()

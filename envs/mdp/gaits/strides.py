"""Strides of feet from their contacts: the one definition of a step for whatever counts steps.

A stride of a foot runs from one touchdown to the next. A foot that lands bounces, and one that
swings may brush the ground: what lasts less than `BOUNCE` between two others is neither a stance
nor a swing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

BOUNCE = 0.04
"""Time (s) below which a stance or a swing between two others is a bounce. Steps are longer: at 6
strides a second and a duty factor of 0.3, faster than legged robots trot, a stance lasts 50 ms. Any
value from 40 to 120 ms gives the committed walker its clock's 2.50 Hz; counting every touchdown
gave 2.81."""


def steady(contact: np.ndarray, dt: float) -> np.ndarray:
    """Return contact without bounces, (T,) bool.

    Short gaps in a stance are closed before short stances are dropped.

    Args:
        contact: whether a foot touches the ground, (T,) bool.
        dt: time between two rows (s).
    """
    contact, shortest = np.array(contact, bool), round(BOUNCE / dt)
    for value in (False, True):
        edges = np.flatnonzero(np.diff(contact)) + 1
        for start, end in pairwise(edges):
            if contact[start] == value and end - start < shortest:
                contact[start:end] = not value
    return contact


def touchdowns(contact: np.ndarray) -> np.ndarray:
    """Return the rows at which a foot comes down, of contact (T,) bool."""
    return np.flatnonzero(contact[1:] & ~contact[:-1]) + 1


def frequency(stretches: Sequence[np.ndarray], dt: float) -> float:
    """Return a foot's strides per second (Hz), 0 where it takes none.

    It is the number of whole strides, from a touchdown to the next in the same stretch, over the
    time that they take: the inverse of the mean stride. Touchdowns come after `steady`.

    Args:
        stretches: whether the foot touches the ground, (T,) bool each, over times that count.
        dt: time between two rows (s).
    """
    falls = [touchdowns(steady(contact, dt)) for contact in stretches]
    strides = np.concatenate([np.diff(f) for f in falls]) if falls else np.empty(0)
    return len(strides) / (strides.sum() * dt) if len(strides) else 0.0


def stretches(counted: np.ndarray) -> list[slice]:
    """Return the unbroken runs of rows that count, of counted (T,) bool."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], counted, [False]])))
    return [slice(start, end) for start, end in ends.reshape(-1, 2)]

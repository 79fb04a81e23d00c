"""The gait's clock: where in its cycle each foot should be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.bounds import require


@dataclass(frozen=True)
class Gait:
    """The clock that the feet are asked to follow while a motion is commanded."""

    frequency: float = 0.0
    """Strides per second (Hz); 0 for a task without a gait, where `gait` and `clearance` have
    no weight."""
    offsets: tuple[float, ...] = ()
    """Where each leg is in its cycle when the clock starts, in leg order; none are zeros."""
    duty: float = 0.5
    """Share of its cycle that each foot is on the ground."""

    def __post_init__(self) -> None:
        require(0 <= self.frequency <= 10, "gait frequency", self.frequency, "in [0, 10] Hz")
        ok = all(-1 <= offset <= 1 for offset in self.offsets)
        require(ok, "gait offsets", self.offsets, "finite shares of a cycle in [-1, 1], one a leg")
        ok = DUTY[0] <= self.duty <= DUTY[1]
        require(ok, "gait duty", self.duty, f"in [{DUTY[0]}, {DUTY[1]}]")


DUTY = (0.1, 0.9)
"""Least and largest duty factor: both a stance and a swing need time."""


def alternating(legs: int) -> tuple[float, ...]:
    """Return the offsets of a trot: diagonal legs together, the two pairs half a cycle apart.

    Two legs alternate; of any other number of legs, left and right in turn along the body, each
    is half a cycle from its neighbours.
    """
    return tuple(0.5 * ((leg // 2 + leg) % 2) for leg in range(legs))


def foot_phase(place: np.ndarray, duty: np.ndarray | float) -> np.ndarray:
    """Return the phase of feet (rad), (n, feet): stance up to pi, then swing.

    Time is stretched so that stance and swing each fill half of the circle.

    Args:
        place: of the feet in their cycles, which begin with a touchdown (shares), (n, feet).
        duty: share of the cycle that is stance, a number or (n, 1).
    """
    if isinstance(duty, float) and duty == 0.5:
        return 2 * np.pi * place
    place = place % 1.0
    swing = 1.0 + (place - duty) / (1.0 - duty)
    return np.pi * np.where(place < duty, place / duty, swing)

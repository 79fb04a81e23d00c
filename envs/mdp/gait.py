"""The gait's clock: where in its cycle each foot should be."""

from __future__ import annotations

from dataclasses import dataclass

from envs.bounds import require


@dataclass(frozen=True)
class Gait:
    """The clock that the feet are asked to follow while a motion is commanded."""

    frequency: float = 0.0
    """Strides per second (Hz); 0 for a task without a gait, where `gait` and `clearance` have
    no weight."""
    offsets: tuple[float, ...] = ()
    """Where each leg is in its cycle when the clock starts, in leg order; none are zeros."""

    def __post_init__(self) -> None:
        require(0 <= self.frequency <= 10, "gait frequency", self.frequency, "in [0, 10] Hz")
        ok = all(-1 <= offset <= 1 for offset in self.offsets)
        require(ok, "gait offsets", self.offsets, "finite shares of a cycle in [-1, 1], one a leg")


def alternating(legs: int) -> tuple[float, ...]:
    """Return the offsets of a trot: diagonal legs together, the two pairs half a cycle apart.

    Two legs alternate; of any other number of legs, left and right in turn along the body, each
    is half a cycle from its neighbours.
    """
    return tuple(0.5 * ((leg // 2 + leg) % 2) for leg in range(legs))

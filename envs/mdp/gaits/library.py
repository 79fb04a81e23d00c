"""The gaits of four-legged animals, as shares of a stride.

What each is says Hildebrand, who sorts gaits by two numbers, the duty factor and the lag between
footfalls: "Symmetrical gaits of horses" (Science 150, 1965), "The quadrupedal gaits of vertebrates"
(BioScience 39, 1989), and, of gallops, "Analysis of asymmetrical gaits" (Journal of Mammalogy 58,
1977). Which animals take them, and that a duty factor of a half parts walks from runs, says
Alexander, "The gaits of bipedal and quadrupedal animals" (IJRR 3, 1984). Footfalls of a species
scatter; the numbers here are round ones within what these describe.

Frequencies and speeds are for legs of LEG metres, chosen for the ANYmals; of another length they
scale as in bodies that move alike (Alexander and Jayes, Journal of Zoology 201, 1983): times with
the root of the length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.bounds import Range, require
from envs.mdp.gaits.gait import Gait, alternating

LEG = 0.6
"""Length of a stretched leg (m) that frequencies and speeds are given for: ANYmal C's."""


@dataclass(frozen=True)
class NamedGait:
    """One gait."""

    footfalls: tuple[float, ...]
    """When each foot comes down after the first leg's, as a share of the stride, in [0, 1)."""
    duty: float
    """Share of the stride that a foot is on the ground."""
    frequency: float
    """Strides per second (Hz), with legs of LEG."""
    speeds: Range
    """Slowest and fastest forward speed that suit it (m/s), with legs of LEG."""
    told: str
    """What it is, and who says so."""

    @property
    def offsets(self) -> tuple[float, ...]:
        """Where each leg is in its cycle as the first comes down, as `Gait.offsets`."""
        return tuple(-place % 1.0 for place in self.footfalls)

    def clock(self, leg_length: float) -> Gait:
        """Return its clock for a robot with legs of this length (m)."""
        return Gait(round(self.frequency * pace(leg_length), 3), self.offsets, self.duty)


def pace(leg_length: float) -> float:
    """Return by how much faster legs of this length (m) step than those of LEG."""
    return float(np.sqrt(LEG / leg_length))


FOUR_LEGGED = {
    "walk": NamedGait(
        (0.0, 0.5, 0.75, 0.25), 0.65, 1.8, (-0.4, 0.6),
        "one foot after the other, LH LF RH RF, evenly: lateral sequence, single foot "
        "(Hildebrand 1965)",
    ),
    "amble": NamedGait(
        (0.0, 0.5, 0.75, 0.25), 0.45, 2.2, (-0.4, 1.0),
        "the walk's footfalls at a run, as elephants, and horses that tölt or rack "
        "(Hildebrand 1965, Alexander 1984)",
    ),
    "trot": NamedGait(
        (0.0, 0.5, 0.5, 0.0), 0.5, 2.5, (-1.0, 1.2), "diagonal feet together (Hildebrand 1965)"
    ),
    "pace": NamedGait(
        (0.0, 0.5, 0.0, 0.5), 0.5, 2.5, (-0.6, 1.0),
        "feet of a side together, as camels (Hildebrand 1965)",
    ),
    "bound": NamedGait(
        (0.0, 0.0, 0.5, 0.5), 0.45, 2.7, (-0.5, 1.2),
        "fore feet together, hind feet together, as squirrels (Hildebrand 1977)",
    ),
    "pronk": NamedGait(
        (0.0, 0.0, 0.0, 0.0), 0.5, 2.5, (-0.4, 0.8), "all feet together, as springbok "
        "(Hildebrand 1989)",
    ),
    "canter": NamedGait(
        (0.0, 0.3, 0.7, 0.0), 0.5, 2.4, (0.0, 1.2),
        "three beats: LH, then RH with LF, then the leading RF (Hildebrand 1977, Alexander 1984)",
    ),
    "transverse gallop": NamedGait(
        (0.0, 0.2, 0.5, 0.7), 0.4, 2.7, (0.0, 1.5),
        "hind feet, then fore feet, each pair in the same order, as horses (Hildebrand 1977)",
    ),
    "rotary gallop": NamedGait(
        (0.0, 0.2, 0.7, 0.5), 0.4, 2.7, (0.0, 1.5),
        "the same with the pairs in opposite order, so that footfalls go round the body, as "
        "cheetahs (Hildebrand 1977)",
    ),
}  # fmt: skip
"""By name, of legs LF RF LH RH. The last three lead with the right fore foot; their mirror images
lead with the left one."""


def gaits(legs: int) -> dict[str, NamedGait]:
    """Return the gaits of a robot by the number of its legs, whose names are known for four."""
    if legs == 4:
        return FOUR_LEGGED
    told = "each leg half a stride from its neighbours"
    together = "all feet together"
    return {
        "alternating": NamedGait(alternating(legs), 0.5, 2.5, (-1.0, 1.0), told),
        "pronk": NamedGait((0.0,) * legs, 0.5, 2.5, (-0.4, 0.8), together),
    }


def named(name: str, legs: int) -> NamedGait:
    """Return a gait by its name; `transverse-gallop` is one word for the command line.

    Raises:
        ValueError: none of that name for so many legs.
    """
    known = gaits(legs)
    found = known.get(name.replace("-", " "))
    words = ", ".join(word.replace(" ", "-") for word in known)
    require(found is not None, "gait", repr(name), f"one of {words} for {legs} legs")
    assert found is not None
    return found

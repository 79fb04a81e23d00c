"""The gait of one robot from its footfalls: duty factors, stride frequency, phases, a name.

What a stride is says `envs.mdp.strides`. Phases are shares of the stride of the
first leg (LF) in [0, 1), after Hildebrand, The Quadrupedal Gaits of Vertebrates, 1989, who names
gaits of four legs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.mdp import strides

GAITS = {
    "trot": (0.0, 0.5, 0.5, 0.0),
    "pace": (0.0, 0.5, 0.0, 0.5),
    "bound": (0.0, 0.0, 0.5, 0.5),
    "pronk": (0.0, 0.0, 0.0, 0.0),
    "lateral-sequence walk": (0.0, 0.5, 0.75, 0.25),
    "diagonal-sequence walk": (0.0, 0.5, 0.25, 0.75),
}
"""Phases of LF RF LH RH. After a hind foot a lateral sequence sets down the fore foot of its own
side (LH LF RH RF), a diagonal one that of the other side (LH RF RH LF)."""
NO_GAIT = "none"
"""Name of what is no gait: a robot that stands, misses steps or steps irregularly."""
REGULAR_STEPS = "regular steps"
"""What a robot of other than four legs takes, whose gaits have no name here."""
TOLERANCE = 0.125
"""Largest distance of a foot from its phase in the named gait: half of that between two gaits."""
FEWEST = 3
"""Touchdowns of every foot, without which there is no gait."""
REGULAR = 0.8
"""Least regularity of every foot; a normal scatter of 0.1 strides has 0.82."""
SAME_RATE = 0.2
"""Largest difference between a foot's stride frequency and the first leg's, as a share of that."""


@dataclass(frozen=True)
class Footfalls:
    """What each foot does, in leg order, (feet,) each."""

    duty: np.ndarray
    """Share of the time on the ground, over whole strides where there are any."""
    frequency: np.ndarray
    """Strides per second (Hz), as `strides.frequency` counts them."""
    phase: np.ndarray
    """Mean place of the touchdowns in the first leg's stride, in [0, 1); NaN without any there."""
    regularity: np.ndarray
    """Length of the mean unit vector of those places: 1 where all are the same, 0 without any."""
    gait: str
    """A name of `GAITS`, `REGULAR_STEPS`, or `NO_GAIT`."""


def analyse(contact: np.ndarray, dt: float) -> Footfalls:
    """Measure the gait of a robot.

    Args:
        contact: whether each foot touches the ground, (T, feet) bool; T of 1 or more.
        dt: time between two rows (s).
    """
    feet = [strides.steady(foot, dt) for foot in np.asarray(contact).T]
    falls = [strides.touchdowns(foot) for foot in feet]
    whole = [slice(f[0], f[-1]) if len(f) > 1 else slice(None) for f in falls]
    duty = np.array([foot[s].mean() for foot, s in zip(feet, whole, strict=True)])
    frequency = np.array([strides.frequency([foot], dt) for foot in feet])
    phase, regularity = np.transpose([relative_phase(f, falls[0]) for f in falls])
    counts = np.array([len(f) for f in falls])
    alike = np.abs(frequency - frequency[0]) <= SAME_RATE * frequency[0]
    steps = (counts >= FEWEST).all() and alike.all() and (regularity >= REGULAR).all()
    return Footfalls(duty, frequency, phase, regularity, gait_of(phase) if steps else NO_GAIT)


def relative_phase(falls: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Return where in the reference foot's strides a foot comes down, and how regularly.

    Args:
        falls: touchdowns of the foot, (k,) rising.
        reference: touchdowns of the reference foot, (m,) rising.

    Returns:
        The circular mean in [0, 1) of (touchdown - stride's start) / stride, and its resultant
        length; NaN and 0 where no touchdown lies in a stride.
    """
    stride = np.searchsorted(reference, falls, side="right") - 1
    inside = (stride >= 0) & (stride < len(reference) - 1)
    stride, falls = stride[inside], falls[inside]
    if len(falls) == 0:
        return np.nan, 0.0
    place = (falls - reference[stride]) / (reference[stride + 1] - reference[stride])
    mean = np.exp(2j * np.pi * place).mean()
    phase = np.angle(mean) / (2 * np.pi) % 1.0
    return float(phase % 1.0), float(abs(mean))  # once more: -1e-17 % 1.0 is 1.0


def gait_of(phase: np.ndarray) -> str:
    """Return the name of regular steps with these phases, (feet,).

    Of four legs (LF RF LH RH) it is that of the gait that is near, or `NO_GAIT`; of any other
    number `REGULAR_STEPS`.
    """
    if len(phase) != 4:
        return REGULAR_STEPS
    for name, places in GAITS.items():
        distance = np.abs((phase - np.array(places) + 0.5) % 1.0 - 0.5)
        if (distance < TOLERANCE).all():
            return name
    return NO_GAIT

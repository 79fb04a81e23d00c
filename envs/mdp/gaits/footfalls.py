"""The gait of one robot from its footfalls: duty factors, stride frequency, phases, a name.

What a stride is says `envs.mdp.gaits.strides`. Phases are shares of the stride of the
first leg (LF) in [0, 1), as in `envs.mdp.gaits.library`, whose gaits give the names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from envs.mdp.gaits import strides
from envs.mdp.gaits.commanded import DUTY, FOOTFALL, swapped
from envs.mdp.gaits.library import FOUR_LEGGED, gaits

DIAGONAL = "diagonal-sequence walk"
"""Its footfalls are those of the walk backwards: LH RF RH LF."""
GAITS = {name: gait.footfalls for name, gait in FOUR_LEGGED.items()} | {
    DIAGONAL: (0.0, 0.5, 0.25, 0.75)
}
"""Phases of LF RF LH RH by name. Walk and amble share theirs, and the duty factor parts them. What
leads with the left fore foot has the same name."""
NO_GAIT = "none"
"""Name of what is no gait: a robot that stands, or has a foot that hardly steps."""
IRREGULAR = "irregular"
"""Name of steps that are missed, or come irregularly, or far from every gait's phases."""
REGULAR_STEPS = "regular steps"
"""What a robot of other than four legs takes where its gait has no name here."""
TOLERANCE = 0.125
"""Largest distance of a foot from its phase in the named gait: half of that between the symmetrical
ones; the nearest of several names the steps."""
RUN = 0.5
"""Duty factor below which the walk's footfalls are a run, the amble (Hildebrand 1965)."""
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
    """A name of a known gait, `REGULAR_STEPS`, `IRREGULAR` or `NO_GAIT`."""
    distance: float
    """Of the foot that is furthest from its phase in the nearest gait (share of a stride), whether
    that is near enough to name the steps or not; NaN without phases."""


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
    name, distance = gait_of(phase, float(duty.mean()))
    if not (alike.all() and (regularity >= REGULAR).all()):
        name = IRREGULAR
    if (counts < FEWEST).any():
        name = NO_GAIT
    return Footfalls(duty, frequency, phase, regularity, name, distance)


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


def gait_of(phase: np.ndarray, duty: float) -> tuple[str, float]:
    """Return the name of regular steps, and how far they are from the nearest gait.

    It is that of the nearest gait, led by either side; where none is near `IRREGULAR`, and
    `REGULAR_STEPS` of other than four legs.

    Args:
        phase: of each foot, relative to the first one (shares of a stride), (feet,).
        duty: mean duty factor.
    """
    names, places = _led_by_either_side(len(phase))
    unnamed = IRREGULAR if len(phase) == 4 else REGULAR_STEPS
    distance = np.abs(_wrapped(phase - places)).max(axis=1)
    if np.isnan(distance).all():
        return unnamed, np.nan
    nearest = int(np.argmin(distance))
    if distance[nearest] >= TOLERANCE - 1e-9:
        return unnamed, float(distance[nearest])
    name = names[nearest]
    if name in ("walk", "amble"):
        name = "amble" if duty < RUN else "walk"
    return name, float(distance[nearest])


def phase_error(phase: np.ndarray, asked: np.ndarray) -> float:
    """Return how far feet are from where they were asked to be, mean over the feet (share of a
    stride); NaN where one has no phase.

    What all feet are early or late alike does not count.

    Args:
        phase, asked: when each foot comes down (shares of a stride), (feet,).
    """
    late = phase - asked
    together = np.angle(np.exp(2j * np.pi * late).mean()) / (2 * np.pi)
    return float(np.abs(_wrapped(late - together)).mean())


def asked(names: Sequence[str], command: np.ndarray) -> str | None:
    """Return the name of the gait that a command (entries,) asks for, None where it asks for none.

    Args:
        names: of the entries.
        command: their values.
    """
    if DUTY not in names:
        return None
    told = np.array([v for n, v in zip(names, command, strict=True) if n.startswith(FOOTFALL)])
    return gait_of(told - told[0], float(command[names.index(DUTY)]))[0]


def _wrapped(share: np.ndarray) -> np.ndarray:
    """Return differences of phases in [-0.5, 0.5)."""
    return (share + 0.5) % 1.0 - 0.5


@cache
def _led_by_either_side(legs: int) -> tuple[list[str], np.ndarray]:
    """Return names, and phases (k, legs) relative to the first leg, of gaits and their mirrors."""
    known = GAITS if legs == 4 else {name: gait.footfalls for name, gait in gaits(legs).items()}
    names, places = [], []
    for name, footfalls in known.items():
        for order in (range(legs), swapped(legs)):
            place = np.array(footfalls)[list(order)]
            names.append(name)
            places.append(place - place[0])
    return names, np.array(places)

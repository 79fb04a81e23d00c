"""Measure functions of a Recording: each gives one number a robot, (n,), NaN where it has none.

Functions of single arrays take them over time; `counted` (T, n) marks the control steps that
count: the robot is up and told to move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import tyro

from envs.bounds import require_within
from envs.mdp.gaits import strides
from envs.mdp.recording import Recording, planar
from envs.mdp.term import LARGEST, Term, bounded

GRAVITY = 9.81
"""Gravitational acceleration (m/s²; MuJoCo's default)."""
DOUBLE = 0.06
"""Time from one touchdown to the next (s) up to which a foot has bounced."""


@dataclass(frozen=True)
class Measure(Term):
    """One number that a policy is judged by: function(recording, **params), (n,)."""

    unit: Annotated[str, tyro.conf.Fixed] = ""
    """Unit of the number."""
    reference: Annotated[float | None, tyro.conf.Fixed] = None
    """What it is compared with, such as a paper's result, in the same unit."""
    source: Annotated[str, tyro.conf.Fixed] = ""
    """Where the reference comes from, in short."""
    kind: ClassVar[str] = "measure"
    """What it is called among metrics: which values it can have decides its intervals."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reference is not None:
            require_within("measure reference", self.reference, -LARGEST, LARGEST)


class Share(Measure):
    """A measure that is 0 or 1, so that its mean is a share of the robots."""

    kind = "share"


class Fraction(Measure):
    """A measure in [0, 1], such as a share of the time."""

    kind = "fraction"


def lin_vel_error(recording: Recording) -> np.ndarray:
    """Mean planar velocity error (m/s), transients included."""
    error = recording.velocity_command - recording.velocity
    return masked_mean(planar(error), recording.alive)


def yaw_rate_error(recording: Recording) -> np.ndarray:
    """Mean error of the yaw rate (rad/s), transients included."""
    error = recording.velocity_command - recording.velocity
    return masked_mean(np.abs(error[:, :, 2]), recording.alive)


def fall_rate(recording: Recording) -> np.ndarray:
    """Whether the robot fell: its mean is the share of falls."""
    return (~recording.alive[-1]).astype(float)


def mean_torque(recording: Recording) -> np.ndarray:
    """Mean |τ| over joints and time (N·m)."""
    return masked_mean(recording.effort.mean(axis=2), recording.alive)


def power(recording: Recording) -> np.ndarray:
    """Mean mechanical power (W)."""
    return masked_mean(recording.power, recording.alive)


def relative_torque(recording: Recording) -> np.ndarray:
    """Mean |τ| / (weight × leg length), by which robots of different size compare."""
    return mean_torque(recording) / (recording.mass * GRAVITY * recording.leg_length)


def relative_power(recording: Recording) -> np.ndarray:
    """Mean mechanical power / (weight × √(gravity × leg length)), likewise."""
    speed = np.sqrt(GRAVITY * recording.leg_length)  # m/s, of Froude number 1
    return power(recording) / (recording.mass * GRAVITY * speed)


def torque_rate(recording: Recording) -> np.ndarray:
    """Mean |dτ/dt| over joints and time (N·m/s), from one control step to the next."""
    change = np.abs(np.diff(recording.torque, axis=0)).mean(axis=2) / recording.dt
    return masked_mean(change, recording.alive[1:])


@bounded(slowest=(0.0, LARGEST), fastest=(0.0, LARGEST))
def cost_of_transport(
    recording: Recording, *, slowest: float = 0.0, fastest: float = LARGEST
) -> np.ndarray:
    """Mechanical power / (weight × speed) while walking at a commanded planar speed (m/s) above
    `slowest`, up to `fastest`.
    """
    r, weight = recording, recording.mass * GRAVITY  # N
    wanted = planar(r.velocity_command)
    counted = r.walking & (wanted > slowest) & (wanted <= fastest)
    speed = masked_mean(planar(r.velocity), counted)
    with np.errstate(divide="ignore"):
        return masked_mean(r.power, counted) / (weight * speed)


def stride_frequency(recording: Recording) -> np.ndarray:
    """Strides per second while walking (Hz), mean over the feet.

    The inverse of the mean stride of a foot, bounces apart, as `envs.mdp.gaits.strides` says.
    """
    return mean_frequency(recording.foot_contact, recording.walking, recording.dt)


def duty_factor(recording: Recording) -> np.ndarray:
    """Share of the time that a foot is on the ground while walking, mean over the feet."""
    return masked_mean(recording.foot_contact.mean(axis=2), recording.walking)


def swing_apex(recording: Recording) -> np.ndarray:
    """Median over swings of the highest point of a foot's underside while walking (m)."""
    return median_apex(recording.foot_contact, recording.foot_height, recording.walking)


def foot_slip(recording: Recording) -> np.ndarray:
    """Mean horizontal speed of the feet that touch the ground while walking (m/s)."""
    return contact_speed(recording.foot_contact, recording.foot_speed, recording.walking)


def impact_speed(recording: Recording) -> np.ndarray:
    """Mean speed at which a foot comes down while walking (m/s): of its centre, one control step
    before its touchdown; a foot that rises then has 0.
    """
    r = recording
    down = touchdowns(r.foot_contact, r.walking)[1:]
    speed = np.maximum(-r.foot_vel_z[:-1], 0.0)
    return _ratio((down * speed).sum(axis=(0, 2)), down.sum(axis=(0, 2)))


def double_touchdowns(recording: Recording) -> np.ndarray:
    """Share of touchdowns while walking that come within 60 ms of the foot's last one: it bounced.

    Contacts are those at the ends of control steps; a shorter bounce is not seen.
    """
    contact = recording.foot_contact
    down = touchdowns(contact, recording.walking)
    again = np.zeros_like(contact)
    for steps in range(1, int(DOUBLE / recording.dt + 1e-9) + 1):
        again[steps:] |= down[:-steps]
    return _ratio((down & again).sum(axis=(0, 2)), down.sum(axis=(0, 2)))


def base_acceleration(recording: Recording) -> np.ndarray:
    """Root mean square of the base's vertical acceleration (m/s²), from one control step to the
    next.
    """
    change = np.diff(recording.base_vel_z, axis=0) / recording.dt
    return np.sqrt(masked_mean(change**2, recording.alive[1:]))


def base_height(recording: Recording) -> np.ndarray:
    """Mean height of the base (m)."""
    return masked_mean(recording.base_height, recording.alive)


def base_tilt(recording: Recording) -> np.ndarray:
    """Mean tilt of the base (rad)."""
    return masked_mean(recording.base_tilt, recording.alive)


MEASURES = {
    "lin_vel_error": Measure(lin_vel_error, "m/s"),
    "yaw_rate_error": Measure(yaw_rate_error, "rad/s"),
    "fall_rate": Share(fall_rate),
    "mean_torque": Measure(mean_torque, "N·m"),
    "relative_torque": Measure(relative_torque),
    "torque_rate": Measure(torque_rate, "N·m/s"),
    "power": Measure(power, "W"),
    "relative_power": Measure(relative_power),
    "cost_of_transport": Measure(cost_of_transport),
    "cost_of_transport_slow": Measure(cost_of_transport, params={"fastest": 0.6}),
    "cost_of_transport_medium": Measure(cost_of_transport, params={"slowest": 0.6, "fastest": 0.9}),
    "cost_of_transport_fast": Measure(cost_of_transport, params={"slowest": 0.9}),
    "stride_frequency": Measure(stride_frequency, "Hz"),
    "duty_factor": Fraction(duty_factor),
    "swing_apex": Measure(swing_apex, "m"),
    "foot_slip": Measure(foot_slip, "m/s"),
    "impact_speed": Measure(impact_speed, "m/s"),
    "double_touchdowns": Fraction(double_touchdowns),
    "base_height": Measure(base_height, "m"),
    "base_tilt": Measure(base_tilt, "rad"),
    "base_acceleration": Measure(base_acceleration, "m/s²"),
}
"""What every task is judged by, in this order; slow walking is up to 0.6 m/s, fast above 0.9."""


def referenced(references: dict[str, float], source: str) -> dict[str, Measure]:
    """Return `MEASURES`, compared with numbers by their names, in their units, from a source."""
    return {
        name: replace(measure, reference=references.get(name), source=source)
        for name, measure in MEASURES.items()
    }


def mean_frequency(contact: np.ndarray, counted: np.ndarray, dt: float) -> np.ndarray:
    """Stride frequency (Hz), mean over the feet, (n,); 0 for a foot without a whole stride.

    Args:
        contact: whether each foot touches the ground, (T, n, feet) bool.
        counted: which steps count, (T, n) bool; a stride counts if all its steps do.
        dt: time between two rows (s).
    """
    values = np.full(contact.shape[1], np.nan)
    for i in np.flatnonzero(counted.any(axis=0)):
        rows = strides.stretches(counted[:, i])
        feet = contact[:, i].T
        values[i] = np.mean([strides.frequency([foot[r] for r in rows], dt) for foot in feet])
    return values


def touchdowns(contact: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Return which feet came down in each step that counts, (T, n, feet) bool.

    Args:
        contact: (T, n, feet) bool.
        counted: (T, n) bool.
    """
    down = np.zeros_like(contact)
    down[1:] = contact[1:] & ~contact[:-1] & counted[1:, :, None]
    return down


def contact_speed(contact: np.ndarray, speed: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean horizontal speed of the feet that touch the ground (m/s), (n,).

    Args:
        contact: (T, n, feet) bool.
        speed: horizontal speed of the feet (m/s), (T, n, feet).
        counted: (T, n) bool.
    """
    planted = contact & counted[:, :, None]
    return _ratio((planted * speed).sum(axis=(0, 2)), planted.sum(axis=(0, 2)))


def median_apex(contact: np.ndarray, height: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Median over swings of the highest point of a foot's underside (m), (n,).

    A swing runs from lift-off to touchdown; it counts if both were seen and every step between
    counts.

    Args:
        contact: (T, n, feet) bool.
        height: height of the underside of the feet above the ground (m), (T, n, feet).
        counted: (T, n) bool.
    """
    _, n, feet = contact.shape
    apex, whole = np.full((n, feet), -np.inf), np.zeros((n, feet), bool)
    apexes: list[list[float]] = [[] for _ in range(n)]
    for before, now, up, valid in zip(contact, contact[1:], height[1:], counted[1:], strict=False):
        landed = now & ~before & whole & valid[:, None]
        for robot, foot in np.argwhere(landed):
            apexes[robot].append(apex[robot, foot])
        lifted = before & ~now
        apex = np.where(lifted, up, np.maximum(apex, up))
        whole = (whole | lifted) & ~now & valid[:, None]
    return np.array([np.median(a) if a else np.nan for a in apexes])


def masked_mean(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean over time of values (T, n) where mask (T, n) holds, (n,)."""
    return _ratio(np.where(mask, values, 0.0).sum(axis=0), mask.sum(axis=0))


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)

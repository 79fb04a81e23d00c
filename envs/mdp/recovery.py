"""Measures of getting up: each gives one number a robot, (n,), NaN where it never does.

Times count from the drop, the fall included.
"""

from __future__ import annotations

import numpy as np

from envs.mdp.measures import Measure, Share, base_tilt, mean_torque, power
from envs.mdp.recording import Recording, planar
from envs.mdp.term import bounded

TILT = (1e-3, np.pi)
POSE = {"tilt": 0.35, "joint": 0.35}
"""Tilt of the base, and offset of any joint from the nominal pose, up to which it is the stance
(rad)."""


@bounded(tilt=TILT, joint=TILT, seconds=(0.0, 1e5))
def recovered(recording: Recording, *, tilt: float, joint: float, seconds: float) -> np.ndarray:
    """Whether the robot is in the nominal stance, and has stayed in it for the last `seconds`."""
    onset = time_to_stance(recording, tilt=tilt, joint=joint)
    return (onset <= len(recording.alive) * recording.dt - seconds).astype(float)


@bounded(tilt=TILT)
def time_to_upright(recording: Recording, *, tilt: float) -> np.ndarray:
    """Time after which the base leans less than `tilt` (rad) to the end (s)."""
    return _lasting(recording, recording.base_tilt < tilt)


@bounded(tilt=TILT, joint=TILT)
def time_to_stance(recording: Recording, *, tilt: float, joint: float) -> np.ndarray:
    """Time after which the robot is upright and no joint further than `joint` (rad) from the
    nominal pose, to the end (s).
    """
    offset = np.abs(recording.joint_pos - np.array(recording.nominal_pose)).max(axis=2)
    return _lasting(recording, (recording.base_tilt < tilt) & (offset < joint))


@bounded(tilt=TILT, error=(0.0, 100.0), seconds=(0.0, 1e5))
def walks_on(recording: Recording, *, tilt: float, error: float, seconds: float) -> np.ndarray:
    """Whether the base leans less than `tilt` (rad) throughout the last `seconds`, and the mean
    planar velocity error in them is below `error` (m/s): the robot is up and follows commands.
    """
    last = recording.rows(slice(-max(round(seconds / recording.dt), 1), None))
    off = planar(last.velocity_command - last.velocity).mean(axis=0)
    up = ((last.base_tilt < tilt) & last.alive).all(axis=0)
    return (up & (off < error)).astype(float)


def peak_torque(recording: Recording) -> np.ndarray:
    """Largest |τ| of any joint at the end of a control step (N·m)."""
    return np.abs(recording.torque).max(axis=(0, 2))


def _lasting(recording: Recording, holds: np.ndarray) -> np.ndarray:
    """Return when each column of holds (T, n) becomes true for good (s), NaN if it does not, or
    where the simulation diverged.
    """
    holds = holds & recording.alive
    since = np.logical_and.accumulate(holds[::-1]).sum(axis=0)  # steps at the end that hold
    return np.where(since > 0, (len(holds) - since) * recording.dt, np.nan)


RECOVERY = {
    "recovered": Share(recovered, params={**POSE, "seconds": 1.0}),
    "time_to_upright": Measure(time_to_upright, "s", params={"tilt": POSE["tilt"]}),
    "time_to_stance": Measure(time_to_stance, "s", params=POSE),
    "peak_torque": Measure(peak_torque, "N·m"),
    "mean_torque": Measure(mean_torque, "N·m"),
    "power": Measure(power, "W"),
    "base_tilt": Measure(base_tilt, "rad"),
}
"""What getting up is judged by, in this order."""
ONWARD = {
    "walks_on": Share(walks_on, params={"tilt": POSE["tilt"], "error": 0.3, "seconds": 4.0}),
    "time_to_upright": RECOVERY["time_to_upright"],
}
"""What getting up and walking on is judged by, besides walking's own measures."""

"""Measures of getting up, of small recordings by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.mdp import recovery
from tests.envs.helpers import made_up_recording

DT, STEPS = 0.02, 300  # 6 s


def test_who_is_up_when() -> None:
    recording = made_up_recording(STEPS, 4)
    tilt, joints = np.full((STEPS, 4), 0.1), np.zeros((STEPS, 4, 12))
    tilt[:100, 0] = 2.0  # up after 2 s
    joints[:150, 0, 5] = -0.5  # its knee after 3 s
    tilt[:, 1] = 2.0  # never
    tilt[295:298, 2] = 1.0  # topples at the end, and is up again for the last two steps
    joints[-1, 3, 0] = 0.5  # up, yet never in its pose
    seen = replace(recording, base_tilt=tilt, joint_pos=joints)
    np.testing.assert_allclose(recovery.time_to_upright(seen, tilt=0.35), [2.0, np.nan, 5.96, 0.0])
    np.testing.assert_allclose(
        recovery.time_to_stance(seen, tilt=0.35, joint=0.35), [3.0, np.nan, 5.96, np.nan]
    )
    given = {"tilt": 0.35, "joint": 0.35}
    assert recovery.recovered(seen, **given, seconds=1.0).tolist() == [1, 0, 0, 0]
    assert recovery.recovered(seen, **given, seconds=0.04).tolist() == [1, 0, 1, 0]


def test_the_pose_is_counted_from_the_nominal_one() -> None:
    recording = replace(made_up_recording(STEPS, 1), nominal_pose=(1.0,) * 12)
    assert np.isnan(recovery.time_to_stance(recording, tilt=0.35, joint=0.35))
    there = replace(recording, joint_pos=recording.joint_pos + 1.2)
    assert recovery.time_to_stance(there, tilt=0.35, joint=0.35) == 0.0


def test_who_walks_on_is_up_and_follows_to_the_end() -> None:
    recording = made_up_recording(STEPS, 4)
    told = np.zeros((STEPS, 4, 3))
    told[:, :, 0] = 1.0
    velocity, tilt = told.copy(), np.full((STEPS, 4), 0.1)
    velocity[:, 0] = 0.0
    velocity[200:, 0] = told[200:, 0]  # stands still for 4 s, then follows
    velocity[:, 1, 1] = 0.25  # drifts
    tilt[250, 2] = 1.0  # topples a second before the end
    velocity[250:275, 3, 0] = 0.0  # stops for half a second
    seen = replace(recording, command=told, velocity=velocity, base_tilt=tilt)
    given = {"tilt": 0.35, "seconds": 2.0}
    assert recovery.walks_on(seen, **given, error=0.2).tolist() == [1, 0, 0, 0]
    assert recovery.walks_on(seen, **given, error=0.3).tolist() == [1, 1, 0, 1]


def test_a_simulation_that_diverged_has_not_got_up() -> None:
    """It stands in the nominal stance from then on."""
    recording = made_up_recording(STEPS, 2)
    recording.alive[20:, 0] = False
    given = {"tilt": 0.35, "seconds": 1.0}
    assert np.isnan(recovery.time_to_upright(recording, tilt=0.35)).tolist() == [True, False]
    assert recovery.recovered(recording, joint=0.35, **given).tolist() == [0, 1]
    assert recovery.walks_on(recording, error=0.3, **given).tolist() == [0, 1]


def test_the_peak_is_any_joint_s_at_any_time() -> None:
    recording = made_up_recording(STEPS, 2)
    torque = recording.torque.copy()
    torque[7, 1, 3] = -71.0
    assert recovery.peak_torque(replace(recording, torque=torque)) == pytest.approx([7.0, 71.0])

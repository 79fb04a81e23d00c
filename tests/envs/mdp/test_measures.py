"""Measures of small recordings by hand, and gait measures on synthetic feet of a known gait."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.mdp import measures
from envs.mdp.gaits import footfalls
from envs.mdp.measures import MEASURES
from envs.mdp.recording import Recording
from tests.envs.helpers import made_up_recording

DT = 0.02  # s
PERIOD, SWING = 25, 10  # steps: 2 Hz, duty factor 0.6
APEX = 0.08  # m


def trot(steps: int = 500, robots: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Contact and height (steps, robots, 4) of a trot whose diagonal pairs alternate."""
    offset = np.array([0, 12, 12, 0])
    phase = (np.arange(steps)[:, None] + offset) % PERIOD  # (steps, feet)
    contact = phase >= SWING
    height = np.where(contact, 0.0, APEX * np.sin(np.pi * (phase + 1) / (SWING + 1)))
    shape = (steps, robots, 4)
    return (
        np.broadcast_to(contact[:, None], shape).copy(),
        np.broadcast_to(height[:, None], shape).copy(),
    )


def everything(contact: np.ndarray) -> np.ndarray:
    return np.ones(contact.shape[:2], bool)


def duty(contact: np.ndarray, counted: np.ndarray) -> np.ndarray:
    return measures.masked_mean(contact.mean(axis=2), counted)


def test_a_trot_of_known_gait() -> None:
    contact, height = trot()
    counted = everything(contact)
    speed = np.where(contact, 0.2, 3.0)
    assert measures.mean_frequency(contact, counted, DT) == pytest.approx([2.0, 2.0], rel=0.02)
    assert duty(contact, counted) == pytest.approx([0.6, 0.6])
    peak = height.max()
    assert measures.median_apex(contact, height, counted) == pytest.approx([peak, peak])
    assert measures.contact_speed(contact, speed, counted) == pytest.approx([0.2, 0.2])


def test_only_counted_steps_matter() -> None:
    contact, height = trot()
    counted = everything(contact)
    counted[250:] = False
    contact[251:], height[251:] = True, 7.0  # what is not counted stands and is elsewhere
    assert measures.mean_frequency(contact, counted, DT) == pytest.approx([2.0, 2.0], rel=0.05)
    assert duty(contact, counted) == pytest.approx([0.6, 0.6], rel=0.01)
    assert (measures.median_apex(contact, height, counted) < APEX + 1e-9).all()


def test_a_robot_without_counted_steps_has_no_gait() -> None:
    contact, height = trot()
    counted = everything(contact)
    counted[:, 1] = False
    for values in (
        measures.mean_frequency(contact, counted, DT),
        duty(contact, counted),
        measures.median_apex(contact, height, counted),
        measures.contact_speed(contact, height, counted),
    ):
        assert np.isfinite(values[0])
        assert np.isnan(values[1])


def test_standing_has_no_swing_and_no_stride() -> None:
    contact = np.ones((50, 1, 4), bool)
    counted = everything(contact)
    assert measures.mean_frequency(contact, counted, DT) == [0.0]
    assert duty(contact, counted) == [1.0]
    assert np.isnan(measures.median_apex(contact, np.zeros(contact.shape), counted)).all()


def test_a_stride_counts_where_all_its_steps_do() -> None:
    """Touchdowns at rows 5, 15, 30 and 36; rows up to 20 and from 25 count: 10 rows and 6."""
    contact = np.zeros((40, 1, 1), bool)
    for start in (5, 15, 30, 36):
        contact[start : start + 3] = True
    counted = everything(contact)
    counted[20:25] = False
    expected = 2 / ((10 + 6) * DT)
    assert measures.mean_frequency(contact, counted, DT) == pytest.approx([expected])


def test_evaluation_and_gait_count_the_same_strides() -> None:
    """Of feet that bounce once as they land, and brush the ground in every second swing."""
    contact, _ = trot(steps=510, robots=1)
    contact[5 :: 2 * PERIOD, 0, 0] = True
    for foot in range(4):
        (down,) = np.nonzero(contact[1:, 0, foot] & ~contact[:-1, 0, foot])
        contact[np.minimum(down + 2, 509), 0, foot] = False
    counted = everything(contact)
    frequency = footfalls.analyse(contact[:, 0], DT).frequency
    assert frequency == pytest.approx([2.0] * 4)
    assert measures.mean_frequency(contact, counted, DT) == [frequency.mean()]


def test_apex_is_the_median_of_whole_swings() -> None:
    """Swings already in the air, still in the air, or not counted throughout are left out."""
    contact = np.ones((40, 1, 1), bool)
    height = np.zeros((40, 1, 1))
    for start, apex in ((0, 9.0), (5, 0.10), (10, 0.12), (15, 0.50), (20, 8.0), (37, 7.0)):
        contact[start : start + 3] = False
        height[start + 1] = apex
    counted = everything(contact)
    counted[21] = False
    assert measures.median_apex(contact, height, counted) == pytest.approx([0.12])


def stepping() -> Recording:
    """A robot of 10 kg for six steps of 0.1 s; it is told to stand in the first two."""
    r = replace(made_up_recording(6, 1), dt=0.1, mass=10.0)
    r.command[:2] = 0.0
    r.command[2:] = 0.8, 0.6, 0.2  # 1 m/s
    r.velocity[:] = 0.8, 0.6, -0.3
    r.torque[:] = 0.0
    r.torque[:, :, 0], r.torque[:, :, 1] = 6.0, -18.0
    r.joint_vel[:] = 0.0
    r.joint_vel[:, :, 0], r.joint_vel[:, :, 1] = 2.0, 1.0  # 12 W out, 18 W taken up
    r.foot_contact[:, 0, 0] = [True, True, False, False, True, True]
    r.foot_height[2:4, 0, 0] = 0.05, 0.07
    r.foot_height[3, 0, 1], r.foot_height[2, 0, 2] = 0.09, 0.02
    r.foot_speed[:, 0, 1] = [9.0, 9.0, 0.3, 0.1, 0.2, 0.2]
    r.base_height[:, 0] = [0.4, 0.4, 0.5, 0.5, 0.6, 0.6]
    r.base_tilt[:, 0] = [0.0, 0.0, 0.0, 0.3, 0.3, 0.0]
    r.torque[3, :, 0] = 12.0  # up by 6 N·m and down again: 60 N·m/s twice
    r.joint_vel[3, :, 0] = 1.0
    r.effort[:], r.power[:] = np.abs(r.torque), 12.0
    r.base_vel_z[:, 0] = [0.0, 0.1, 0.1, 0.0, 0.2, 0.2]
    r.foot_contact[3, 0, 1] = False
    r.foot_contact[2, 0, 2] = False
    r.foot_vel_z[2:4, 0, :3] = [[-0.9, 0.5, 0.2], [-0.3, -0.1, -7.0]]
    return r


BY_HAND = {
    "lin_vel_error": 2 * 1.0 / 6,  # 1 m/s while told to stand, then none
    "yaw_rate_error": (2 * 0.3 + 4 * 0.5) / 6,
    "fall_rate": 0.0,
    "mean_torque": (5 * 24.0 + 30.0) / 6 / 12,
    "relative_torque": (5 * 24.0 + 30.0) / 6 / 12 / (10 * 9.81 * 0.5),  # on legs of 0.5 m
    "torque_rate": 2 * 60.0 / 5 / 12,
    "power": 12.0,
    "relative_power": 12.0 / (10 * 9.81 * np.sqrt(9.81 * 0.5)),
    "cost_of_transport": 12.0 / (10 * 9.81 * 1.0),
    "cost_of_transport_slow": np.nan,
    "cost_of_transport_medium": np.nan,
    "cost_of_transport_fast": 12.0 / (10 * 9.81 * 1.0),
    "stride_frequency": 0.0,  # one touchdown makes no stride
    "duty_factor": (4 * 4 - 4) / 16,
    "swing_apex": 0.07,  # the median of 7, 9 and 2 cm
    "foot_slip": (0.3 + 0.2 + 0.2) / (4 * 4 - 4),
    "impact_speed": (0.3 + 0.1 + 0.0) / 3,  # the third foot was rising
    "double_touchdowns": 0.0,
    "base_height": 0.5,
    "base_tilt": 0.1,
    "base_acceleration": np.sqrt((1.0 + 0.0 + 1.0 + 4.0 + 0.0) / 5),
}


def test_every_measure_has_a_hand_computed_value() -> None:
    """A new measure needs a line above."""
    assert set(BY_HAND) == set(MEASURES)


@pytest.mark.parametrize("name", MEASURES)
def test_value(name: str) -> None:
    assert MEASURES[name](stepping()) == pytest.approx([BY_HAND[name]], nan_ok=True)


def test_cost_of_transport_by_speed() -> None:
    """A robot of 50 kg that takes 100 W at 0.5 m/s, 0.6 m/s, 0.61 m/s and 1 m/s."""
    r = made_up_recording(8, 1)
    for row, speed in ((0, 0.5), (2, 0.6), (4, 0.61), (6, 1.0)):
        r.command[row : row + 2, :, 0] = r.velocity[row : row + 2, :, 0] = speed
    values = {name: MEASURES[f"cost_of_transport_{name}"](r) for name in ("slow", "medium", "fast")}
    expected = {"slow": 0.55, "medium": 0.61, "fast": 1.0}
    for name, speed in expected.items():
        assert values[name] == pytest.approx([100 / (50 * 9.81 * speed)])


def test_double_touchdowns_come_within_60_ms_of_a_touchdown() -> None:
    """At 20 ms a row: touchdowns 2, 3 and 4 rows after one, and four after a swing."""
    r = made_up_recording(60, 1)
    swings = ((5, 15), (16, 17), (30, 40), (41, 43), (48, 55))
    for foot, first, last in (*((0, *swing) for swing in swings), (1, 5, 15), (1, 16, 19)):
        r.foot_contact[first:last, 0, foot] = False
    assert measures.double_touchdowns(r) == pytest.approx([2 / 7])
    r.foot_contact[:] = True
    assert np.isnan(measures.double_touchdowns(r)).all()


def test_measures_of_a_known_walk() -> None:
    r = made_up_recording(10, 2)
    values = {name: measure(r) for name, measure in MEASURES.items()}
    assert values["lin_vel_error"] == pytest.approx([0.0, 0.0])
    assert values["yaw_rate_error"] == pytest.approx([0.0, 0.0])
    assert values["mean_torque"] == pytest.approx([7.0, 7.0])
    assert values["power"] == pytest.approx([100.0, 100.0])
    assert values["cost_of_transport"] == pytest.approx([100 / (50 * 9.81 * 0.5)] * 2)
    assert values["fall_rate"].tolist() == [0.0, 0.0]


def test_nothing_counts_after_a_fall() -> None:
    r, sound = made_up_recording(10, 2), made_up_recording(10, 2)
    r.alive[5:, 1] = False
    moving = (r.velocity, r.torque, r.joint_vel, r.foot_speed, r.foot_vel_z, r.base_vel_z)
    for values in (*moving, r.base_height):
        values[5:, 1] = 1e9
    for name, measure in MEASURES.items():
        if name != "fall_rate":
            np.testing.assert_allclose(measure(r), measure(sound), err_msg=name)
    assert MEASURES["fall_rate"](r).tolist() == [0.0, 1.0]


def test_without_velocity_commands_nothing_is_walking() -> None:
    r = replace(stepping(), command_names=("height",), command=np.ones((6, 1, 1)))
    assert np.isnan(r.velocity_command).all()
    assert not r.walking.any()
    none = {name for name, measure in MEASURES.items() if np.isnan(measure(r)).all()}
    gait = {"stride_frequency", "duty_factor", "swing_apex", "foot_slip", "impact_speed"}
    gait |= {name for name in MEASURES if name.startswith("cost_of_transport")}
    assert none == gait | {"double_touchdowns", "lin_vel_error", "yaw_rate_error"}

"""Footfalls of synthetic feet whose gait is known."""

from __future__ import annotations

import numpy as np
import pytest

from envs.mdp.gaits import footfalls, strides
from envs.mdp.gaits.footfalls import GAITS, IRREGULAR, NO_GAIT, REGULAR_STEPS
from envs.mdp.gaits.library import FOUR_LEGGED

DT = 0.02  # s
PERIOD = 20  # rows: 2.5 Hz


def feet(
    phase: tuple[float, ...], duty: float = 0.6, strides: int = 10, period: int = PERIOD
) -> np.ndarray:
    """Contact (T, feet) of feet that come down at these shares of every stride of `period` rows."""
    rows = np.arange(strides * period)[:, None]
    place = (rows / period - np.array(phase) + 1e-9) % 1.0
    return place < duty - 1e-6


def runs_and_walks(name: str, duty: float) -> str:
    """The walk's footfalls are an amble where feet are on the ground for less than half."""
    if name not in ("walk", "amble"):
        return name
    return "amble" if duty < 0.5 else "walk"


@pytest.mark.parametrize("duty", [0.35, 0.5, 0.75])
@pytest.mark.parametrize("name", GAITS)
def test_every_gait_is_named_and_measured(name: str, duty: float) -> None:
    found = footfalls.analyse(feet(GAITS[name], duty), DT)
    assert found.gait == runs_and_walks(name, duty)
    assert found.distance == pytest.approx(0.0, abs=1e-9)
    assert found.frequency == pytest.approx([2.5] * 4)
    assert found.duty == pytest.approx([duty] * 4)
    assert found.phase == pytest.approx(GAITS[name], abs=1e-9)
    assert found.regularity == pytest.approx([1.0] * 4)


def test_the_footfalls_of_a_cat_are_a_lateral_sequence() -> None:
    """LH, LF, RH, RF in turn, a quarter of a stride apart."""
    order = {"LH": 0.0, "LF": 0.25, "RH": 0.5, "RF": 0.75}
    contact = feet(tuple(order[leg] for leg in ("LF", "RF", "LH", "RH")), duty=0.7)
    assert footfalls.analyse(contact, DT).gait == "walk"


@pytest.mark.parametrize("name", FOUR_LEGGED)
def test_a_gait_that_the_left_side_leads_has_the_same_name(name: str) -> None:
    gait = FOUR_LEGGED[name]
    contact = feet(gait.footfalls, gait.duty)
    assert footfalls.analyse(contact, DT).gait == name
    assert footfalls.analyse(contact[:, [1, 0, 3, 2]], DT).gait == name


def test_the_footfalls_of_a_horse_are_a_transverse_gallop_of_a_cheetah_a_rotary_one() -> None:
    """Hind feet first; a horse's fore feet come down in the hind feet's order, a cheetah's not."""
    horse = {"LH": 0.0, "RH": 0.2, "LF": 0.5, "RF": 0.7}
    cheetah = {"RH": 0.0, "LH": 0.2, "LF": 0.5, "RF": 0.7}
    for order, name in ((horse, "transverse gallop"), (cheetah, "rotary gallop")):
        contact = feet(tuple(order[leg] for leg in ("LF", "RF", "LH", "RH")), duty=0.3)
        assert footfalls.analyse(contact, DT).gait == name


def test_the_error_of_phases_is_the_mean_over_the_feet_whatever_all_share() -> None:
    asked = np.array([0.0, 0.5, 0.5, 0.0])
    assert footfalls.phase_error((asked + 0.3) % 1.0, asked) == pytest.approx(0.0, abs=1e-12)
    late = asked + np.array([0.0, 0.0, 0.1, 0.1])
    assert footfalls.phase_error(late % 1.0, asked) == pytest.approx(0.05)
    assert np.isnan(footfalls.phase_error(asked * np.nan, asked))


def test_hand_computed_strides() -> None:
    """LF comes down at rows 4, 10 and 16, the others at 7 and 13, half a stride later."""
    contact = np.zeros((20, 4), bool)
    for start in (4, 10, 16):
        contact[start : start + 2, 0] = True
    for start in (7, 13):
        contact[start : start + 4, 1:] = True
    found = footfalls.analyse(contact, DT)
    assert found.frequency == pytest.approx([1 / 0.12] * 4)
    assert found.duty == pytest.approx([2 / 6] + [4 / 6] * 3)
    assert found.phase == pytest.approx([0.0, 0.5, 0.5, 0.5])
    assert found.gait == NO_GAIT  # two touchdowns are too few


@pytest.mark.parametrize("name", GAITS)
def test_jitter_of_the_touchdowns_keeps_the_name(name: str) -> None:
    rng = np.random.default_rng(0)
    contact = np.zeros((30 * PERIOD, 4), bool)
    for foot, phase in enumerate(GAITS[name]):
        for stride in range(1, 29):
            start = (stride + phase) * PERIOD + rng.normal(0.0, 0.04 * PERIOD)
            contact[round(start) : round(start + 0.5 * PERIOD), foot] = True
    found = footfalls.analyse(contact, DT)
    assert found.gait == runs_and_walks(name, float(found.duty.mean()))
    assert found.distance < 0.06
    error = (found.phase - np.array(GAITS[name]) + 0.5) % 1.0 - 0.5
    assert np.abs(error).max() < 0.03
    assert found.frequency == pytest.approx([2.5] * 4, rel=0.02)
    assert found.duty == pytest.approx([0.5] * 4, abs=0.02)
    assert (found.regularity[1:] < 1.0).all()


def test_a_bounce_of_the_contact_is_no_step() -> None:
    clean = feet(GAITS["trot"])
    rough = clean.copy()
    rough[np.arange(3, len(rough), PERIOD), 0] = False  # a gap of one row in every stance
    rough[np.arange(16, len(rough), PERIOD), 0] = True  # a brush of the ground in every swing
    assert footfalls.analyse(rough, DT).gait == "trot"
    np.testing.assert_array_equal(strides.steady(rough[:, 0], DT), clean[:, 0])


@pytest.mark.parametrize("down", [True, False])
def test_a_still_robot_has_no_gait(down: bool) -> None:
    found = footfalls.analyse(np.full((100, 4), down), DT)
    assert found.gait == NO_GAIT
    assert found.duty.tolist() == [float(down)] * 4
    assert found.frequency.tolist() == [0.0] * 4
    assert np.isnan(found.phase).all()
    assert found.regularity.tolist() == [0.0] * 4


@pytest.mark.parametrize("foot", range(4))
@pytest.mark.parametrize("down", [True, False])
def test_a_foot_that_never_steps_is_no_gait(foot: int, down: bool) -> None:
    contact = feet(GAITS["trot"])
    contact[:, foot] = down
    found = footfalls.analyse(contact, DT)
    assert found.gait == NO_GAIT
    assert found.frequency[foot] == 0.0


@pytest.mark.parametrize("foot", range(4))
def test_a_foot_that_misses_steps_is_no_gait(foot: int) -> None:
    contact = feet(GAITS["trot"])
    for stride in range(1, 10, 3):  # in the air through every third stance
        contact[stride * PERIOD - 10 : (stride + 1) * PERIOD - 10, foot] = False
    assert footfalls.analyse(contact, DT).gait == IRREGULAR


def test_feet_of_different_pace_are_no_gait() -> None:
    contact = feet(GAITS["trot"], strides=18)
    contact[:, 3] = feet(GAITS["trot"], strides=20, period=18)[:, 3]
    assert footfalls.analyse(contact, DT).gait == IRREGULAR


@pytest.mark.parametrize(
    ("phase", "gait"),
    [
        ((0.0, 0.5), "alternating"),  # a biped that walks
        ((0.0, 0.0), "pronk"),  # and one that hops
        ((0.0, 0.3), REGULAR_STEPS),  # and one that limps
        ((0.0, 0.5, 0.5, 0.0, 0.0, 0.5), "alternating"),  # a hexapod on alternating tripods
        ((0.0, 0.5, 0.7, 0.2, 0.35, 0.85), REGULAR_STEPS),  # and one in a wave
    ],
)
def test_steps_of_other_than_four_legs_are_measured_and_named(
    phase: tuple[float, ...], gait: str
) -> None:
    found = footfalls.analyse(feet(phase), DT)
    legs = len(phase)
    assert found.gait == gait
    assert found.frequency == pytest.approx([2.5] * legs)
    assert found.duty == pytest.approx([0.6] * legs)
    assert found.phase == pytest.approx(phase, abs=1e-9)
    assert found.regularity == pytest.approx([1.0] * legs)


def test_a_biped_s_hand_computed_strides() -> None:
    """The left foot comes down at rows 2, 12, 22 and 32 for 6, the right at 6, 16 and 26 for 5."""
    contact = np.zeros((40, 2), bool)
    for start in (2, 12, 22, 32):
        contact[start : start + 6, 0] = True
    for start in (6, 16, 26):
        contact[start : start + 5, 1] = True
    found = footfalls.analyse(contact, DT)
    assert found.frequency == pytest.approx([1 / 0.2] * 2)
    assert found.duty == pytest.approx([0.6, 0.5])
    assert found.phase == pytest.approx([0.0, 0.4])
    assert found.gait == "alternating"


@pytest.mark.parametrize("legs", [2, 6])
def test_other_than_four_legs_that_stand_or_miss_steps_have_no_gait(legs: int) -> None:
    assert footfalls.analyse(np.ones((100, legs), bool), DT).gait == NO_GAIT
    contact = feet((0.0,) * legs)
    contact[:, -1] = True  # dragged
    assert footfalls.analyse(contact, DT).gait == NO_GAIT


def test_phases_between_the_gaits_have_no_name() -> None:
    for phase, gait, distance in (
        ((0.0, 0.5, 0.4, 0.9), "trot", 0.1),
        ((0.0, 0.5, 0.375, 0.875), IRREGULAR, 0.125),
        ((0.0, 0.5, 0.35, 0.85), "diagonal-sequence walk", 0.1),
        ((0.0, 0.99, 0.98, 0.02), "pronk", 0.02),
        ((0.0, 0.05, 0.55, 0.55), "bound", 0.05),
    ):
        name, found = footfalls.gait_of(np.array(phase), 0.5)
        assert (name, found) == (gait, pytest.approx(distance))


def test_a_phase_of_almost_a_whole_stride_averages_round_the_circle() -> None:
    reference = np.arange(0, 100, 10)
    phase, regularity = footfalls.relative_phase(np.array([9, 21, 39, 51]), reference)
    assert min(phase, 1 - phase) == pytest.approx(0.0, abs=1e-9)
    assert 0 <= phase < 1
    assert regularity == pytest.approx(np.cos(2 * np.pi * 0.1))

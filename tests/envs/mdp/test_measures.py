"""Gait measures on synthetic feet of a known gait."""

from __future__ import annotations

import numpy as np
import pytest

from envs.mdp import measures as gait

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


def test_a_trot_of_known_gait() -> None:
    contact, height = trot()
    counted = everything(contact)
    speed = np.where(contact, 0.2, 3.0)
    assert gait.stride_frequency(contact, counted, DT) == pytest.approx([2.0, 2.0], rel=0.02)
    assert gait.duty_factor(contact, counted) == pytest.approx([0.6, 0.6])
    peak = height.max()
    assert gait.swing_apex(contact, height, counted) == pytest.approx([peak, peak])
    assert gait.foot_slip(contact, speed, counted) == pytest.approx([0.2, 0.2])


def test_only_counted_steps_matter() -> None:
    contact, height = trot()
    counted = everything(contact)
    counted[250:] = False
    contact[251:], height[251:] = True, 7.0  # what is not counted stands and is elsewhere
    assert gait.stride_frequency(contact, counted, DT) == pytest.approx([2.0, 2.0], rel=0.05)
    assert gait.duty_factor(contact, counted) == pytest.approx([0.6, 0.6], rel=0.01)
    assert (gait.swing_apex(contact, height, counted) < APEX + 1e-9).all()


def test_a_robot_without_counted_steps_has_no_gait() -> None:
    contact, height = trot()
    counted = everything(contact)
    counted[:, 1] = False
    for values in (
        gait.stride_frequency(contact, counted, DT),
        gait.duty_factor(contact, counted),
        gait.swing_apex(contact, height, counted),
        gait.foot_slip(contact, height, counted),
    ):
        assert np.isfinite(values[0])
        assert np.isnan(values[1])


def test_standing_has_no_swing_and_no_stride() -> None:
    contact = np.ones((50, 1, 4), bool)
    counted = everything(contact)
    assert gait.stride_frequency(contact, counted, DT) == [0.0]
    assert gait.duty_factor(contact, counted) == [1.0]
    assert np.isnan(gait.swing_apex(contact, np.zeros(contact.shape), counted)).all()


def test_apex_is_the_median_of_whole_swings() -> None:
    """Swings already in the air, still in the air, or not counted throughout are left out."""
    contact = np.ones((40, 1, 1), bool)
    height = np.zeros((40, 1, 1))
    for start, apex in ((0, 9.0), (5, 0.10), (10, 0.12), (15, 0.50), (20, 8.0), (37, 7.0)):
        contact[start : start + 3] = False
        height[start + 1] = apex
    counted = everything(contact)
    counted[21] = False
    assert gait.swing_apex(contact, height, counted) == pytest.approx([0.12])

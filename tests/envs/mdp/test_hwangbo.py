"""Each cost of Hwangbo et al. 2019, against values computed by hand."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from envs.mdp import hwangbo, terminations
from envs.mdp.rewards import Reward
from robots import ROBOTS
from tests.envs.helpers import JOINTS, PAPER, hand_made, task

POSE = np.array([0, 0.4, -0.8] * 2 + [0, -0.4, 0.8] * 2)
"""The paper's nominal pose."""
FOLDED = np.array([0, np.pi / 2, -2.45] * 2 + [0, -np.pi / 2, 2.45] * 2)
ROLLED = [[0, 0, -1.0], [0, np.sin(1.0), -np.cos(1.0)]]
LN3 = np.log(3.0)  # the kernel is 1 / (3 + 2 + 1/3) there
THIRD = 0.1875
FEET = [[[0.3, 0.4, 9.0], [0, 0, 0], [0, 2.0, 0], [1.0, 0, 0]]] * 2
DOWN = [[True, True, False, False], [False] * 4]
JOINT_ROWS = np.eye(2, JOINTS) * [[3.0], [-4.0]]
CASES: dict[str, tuple[dict[str, float], dict[str, Any], list[float]]] = {
    "lin_vel_kernel": (
        {"gain": 2.0, "vertical": 0.5},
        {"lin_vel_b": [[0, 0, LN3], [0.7, 0.1, 0]], "command": [[0, 0, 5], [0.7, 0.1, 9]]},
        [THIRD, 0.25],
    ),
    "yaw_rate_kernel": (
        {"gain": 1.0},
        {"ang_vel_b": [[7, 7, 0.5 + LN3], [7, 7, 0.5]], "command": [[3, 3, 0.5]] * 2},
        [THIRD, 0.25],
    ),
    "torque_norm": ({}, {"torque": [[3.0, -4.0] + [0] * 10] * 2}, [5.0, 5.0]),
    "joint_speed": (
        {"linear": 0.5},
        {"joint_vel": JOINT_ROWS, "command": [[0, 0, 0], [0.3, 0.4, 0]]},
        [(9 + 1.5) / 0.09, 16 + 2],  # at 0.5 m/s it is not dearer: 0.09 + 1.25 > 1
    ),
    "swing_height": (
        {"target": 0.07},
        {"foot_vel_w": FEET, "foot_contact": DOWN, "foot_height": [[0, 0, 0.05, 0.17]] * 2},
        [4e-4 * 2 + 0.01 * 1, 4.9e-3 * 0.5 + 4e-4 * 2 + 0.01 * 1],
    ),
    "slip_speed": ({}, {"foot_vel_w": FEET, "foot_contact": DOWN}, [0.5, 0.0]),
    "contact_speed": ({}, {"foot_vel_w": FEET, "foot_contact": DOWN}, [(0.25 + 81) / 2, 0.0]),
    "gravity_offset": ({}, {"gravity_b": [[0, 0, 1.0], [1.0, 0, 0]]}, [2.0, np.sqrt(2)]),
    "gravity_offset_squared": ({}, {"gravity_b": [[0, 0, 1.0], [1.0, 0, 0]]}, [4.0, 2.0]),
    "action_step": (
        {},
        {"action": [[1.0] * 12] * 2, "previous_action": [[0.5] * 12, [1.0] * 12]},
        [0.5 * np.sqrt(12), 0.0],
    ),
    "torque_step": (
        {},
        {"torque": [[10.0] * 12] * 2, "previous_torque": [[8.0] * 12, [10.0] * 12]},
        [48.0, 0.0],
    ),
    "fast_joints": ({"limit": 3.5}, {"joint_vel": JOINT_ROWS}, [0.0, 16.0]),
    "abduction_kernel": ({}, {"joint_pos": [POSE] * 2, "gravity_b": ROLLED}, [1.0, 0.0]),
    "flexion_kernel": (
        {"angle": np.pi / 2},
        {"joint_pos": [FOLDED + 2 * np.pi, FOLDED], "gravity_b": ROLLED, "nominal_pose": POSE},
        [1.0, 0.0],
    ),
    "knee_kernel": (
        {"angle": 2.45},
        {"joint_pos": [FOLDED, FOLDED + LN3], "nominal_pose": POSE},
        [1.0, 4 * THIRD],
    ),
}
"""Parameters, what differs from a robot at rest, and the value by hand."""


def test_every_cost_has_a_hand_computed_case() -> None:
    """A new one needs a line above."""
    found = inspect.getmembers(hwangbo, inspect.isfunction)
    terms = {n for n, f in found if f.__module__ == hwangbo.__name__ and not n.startswith("_")}
    assert terms - {"kernel"} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_value(name: str) -> None:
    params, changes, expected = CASES[name]
    value = getattr(hwangbo, name)(hand_made(**changes), **params)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-15)


def test_the_kernel_is_highest_at_zero_even_and_finite() -> None:
    x = np.array([0.0, LN3, -LN3, 50.0, 1e9])
    np.testing.assert_allclose(
        hwangbo.kernel(x), [0.25, THIRD, THIRD, np.exp(-50), 0.0], rtol=1e-9, atol=1e-40
    )


@pytest.mark.parametrize("name", PAPER)
def test_kernels_and_nothing_else_are_paid(name: str) -> None:
    for term, reward in task(name, "anymal_b").rewards.items():
        kind = reward.function.__name__
        assert (reward.weight > 0) == kind.endswith("_kernel"), term


def test_the_paper_moves_three_joints_a_leg_within_their_limits() -> None:
    limits = {"abduction": 1.2, "flexion": 1.5, "straight": 0.05, "folded": 2.8}
    out = [(0, 1.3), (0, -1.3), (1, 1.6), (7, -1.6), (2, -2.9), (8, 2.9), (2, 0.1), (8, -0.1)]
    inside = [(0, 1.1), (1, 1.4), (2, -2.7), (8, 0.06)]
    rows = np.tile(POSE, (len(out) + len(inside), 1))
    for row, (joint, angle) in zip(rows, out + inside, strict=True):
        row[joint] = angle
    state = hand_made(n=len(rows), joint_pos=rows, nominal_pose=POSE)
    found = terminations.joint_limits(state, **limits)
    assert found.tolist() == [True] * len(out) + [False] * len(inside)


def test_the_recipe_sees_what_the_paper_does() -> None:
    config = task("command/paper", "anymal_b")
    assert 1 / config.simulation.dt == pytest.approx(200)
    assert isinstance(config.rewards["torque"], Reward)
    assert {n: t.params["lag"] for n, t in config.observations.items() if t.params} == {
        "position_error_10ms": 0.01,
        "position_error_20ms": 0.02,
        "joint_vel_10ms": 0.01,
        "joint_vel_20ms": 0.02,
    }
    assert task("recover/paper").simulation.dt == pytest.approx(0.05)
    np.testing.assert_allclose(ROBOTS["anymal_b"].nominal_pose, POSE)

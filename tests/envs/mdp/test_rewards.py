"""Every reward function against values computed by hand, and how they are paid."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from envs import tasks
from envs.mdp import rewards
from envs.mdp.memory.episode import EpisodeLog
from envs.mdp.rewards import Reward, evaluate
from envs.mdp.state import State
from robots import get_robot
from tests.envs.helpers import FEET, JOINTS, hand_made

JOINT_ROWS = np.zeros((2, JOINTS))
JOINT_ROWS[0, [0, 5]] = [3.0, -4.0]
JOINT_ROWS[1, 11] = 0.5
FOOT_SPEEDS = np.zeros((2, FEET, 3))
FOOT_SPEEDS[0, 1] = [0.3, 0.4, 9.0]  # 0.5 m/s over the ground
FOOT_SPEEDS[1, 2] = [0.0, -2.0, 0.0]
MOVING = [[0.5, 0.0, 0.0], [0.0, 0.0, -0.5]]
STANCE, SWING = np.pi / 2, 3 * np.pi / 2
"""The middles of stance and swing (rad)."""
HALF_MOVING = [[0.5, 0.0, 0.0], [0.05, 0.0, 0.05]]
STEPPING: dict[str, Any] = {
    "command_names": ("lin_vel_x", "gait_frequency", "duty", "swing_height", "body_height"),
    "command": [[0.5, 2.0, 0.6, 0.1, 0.45], [0.0, 2.0, 0.6, 0.1, 0.5]],
}
"""Told to walk with swings of 0.2 s, and told to stand."""

CASES: dict[str, tuple[dict[str, float], dict[str, Any], list[float]]] = {
    # function: parameters, what differs from a robot at rest, the two simulations' values
    "lin_vel_tracking": (
        {"width": 0.5},
        {"command": [[1, 0.2, 0.7], [0, 0, 0]], "lin_vel_b": [[1, 0.2, 5], [0.3, 0.4, 0]]},
        [1.0, np.exp(-1.0)],
    ),
    "lin_vel_deviation": (
        {},
        {"command": [[1, 0.2, 0.7], [0, 0, 0]], "lin_vel_b": [[1, 0.2, 5], [0.3, 0.4, 0]]},
        [0.0, 0.5],
    ),
    "yaw_rate_tracking": (
        {"width": 0.5},
        {"command": [[1, 0, 0.7], [0, 0, 0.5]], "ang_vel_b": [[3, 3, 0.7], [0, 0, -0.5]]},
        [1.0, np.exp(-4.0)],
    ),
    "yaw_rate_deviation": (
        {},
        {"command": [[1, 0, 0.7], [0, 0, 0.5]], "ang_vel_b": [[3, 3, 0.7], [0, 0, -0.5]]},
        [0.0, 1.0],
    ),
    "lin_vel_z": ({}, {"lin_vel_b": [[9, 9, -3], [0, 0, 0.5]]}, [9.0, 0.25]),
    "ang_vel_xy": ({}, {"ang_vel_b": [[3, -4, 9], [0, 1, 0]]}, [25.0, 1.0]),
    "base_height": ({"target": 0.6}, {"base_height": [0.5, 0.9]}, [0.01, 0.09]),
    "orientation": ({}, {"gravity_b": [[0, 0, -1], [0.6, 0, -0.8]]}, [0.0, 0.36]),
    "torque": ({}, {"torque": JOINT_ROWS}, [25.0, 0.25]),
    "power": ({}, {"power": [64.0, 0.0]}, [64.0, 0.0]),
    "joint_acc": ({}, {"joint_acc": JOINT_ROWS}, [25.0, 0.25]),
    "action_rate": (
        {},
        {"action": JOINT_ROWS, "previous_action": -JOINT_ROWS},
        [100.0, 1.0],
    ),
    "air_time": (
        {"target": 0.25},
        {
            "command": MOVING,
            "touchdown": [[1, 1, 0, 0], [0, 0, 0, 1]],
            "air_time": [[0.35, 0.30, 0.9, 0.9], [0.9, 0.9, 0.9, 0.05]],
        },
        [0.15, -0.2],
    ),
    "gait": (
        {},
        {
            "command": HALF_MOVING,
            "foot_phase": [[STANCE, STANCE, SWING, SWING], [SWING] * 4],
            "foot_contact": [[1, 0, 0, 1], [1, 1, 1, 0]],
        },
        [0.5, 0.75],
    ),
    "clearance": (
        {"target": 0.1},
        {
            "command": HALF_MOVING,
            "foot_phase": [[SWING, SWING, SWING, STANCE], [SWING] * 4],
            "foot_height": [[0, 0.04, 0.2, 0], [0] * 4],
        },
        [0.1**2 + 0.06**2, 0.0],
    ),
    "commanded_clearance": (
        {},
        {
            **STEPPING,
            "foot_phase": [[SWING, SWING, SWING, STANCE], [SWING] * 4],
            "foot_height": [[0, 0.04, 0.2, 0], [0] * 4],
        },
        [0.1**2 + 0.06**2, 0.0],
    ),
    "commanded_height": ({}, {**STEPPING, "base_height": [0.55, 0.48]}, [0.01, 0.0004]),
    "swing_time": (
        {},
        {
            **STEPPING,
            "touchdown": [[1, 1, 0, 0], [0, 0, 0, 1]],
            "air_time": [[0.25, 0.10, 0.9, 0.9], [0.9, 0.9, 0.9, 0.05]],
        },
        [0.15, 0.0],
    ),
    "slip": (
        {},
        {"foot_vel_w": FOOT_SPEEDS, "foot_contact": [[1, 1, 1, 1], [1, 1, 0, 1]]},
        [0.25, 0.0],
    ),
    "leg_contact": ({}, {"leg_contact": [[1, 0, 0, 0, 0, 1, 1, 0], [0] * 8]}, [3.0, 0.0]),
    "stand_still": ({}, {"joint_pos": JOINT_ROWS, "command": HALF_MOVING}, [0.0, 0.5]),
    "pose": (
        {"bound": 0.1, "margin": 0.4},
        # at the margin's end dm_control's tolerance is 0.1
        {"joint_pos": [[0.1] * JOINTS, [0.5] * 6 + [0.0] * 6]},
        [1.0, (6 * 0.1 + 6) / 12],
    ),
    "upright": ({}, {"gravity_b": [[0, 0, 1], [0, 1, 0]]}, [0.0, 0.5]),
    "upright_height": (
        {"target": 0.5},
        {"gravity_b": [[0, 0, -1], [0, 1, 0]], "base_height": [0.7, 0.2]},
        [1.0, 0.25 * 0.4],
    ),
    "upright_pose": (
        {"bound": 0.1, "margin": 0.4},
        {"gravity_b": [[0, 0, 1], [0, -1, 0]], "joint_pos": [[0.0] * 12, [0.5] * 6 + [0.0] * 6]},
        [0.0, 0.25 * (6 * 0.1 + 6) / 12],
    ),
    "body_contact": (
        {},
        {"leg_contact": [[1, 0, 0, 0, 0, 1, 1, 0], [0] * 8], "base_contact": [True, False]},
        [4.0, 0.0],
    ),
    "termination": ({}, {"terminated": [True, False]}, [50.0, 0.0]),
}
COSTS = {"lin_vel_z", "ang_vel_xy", "base_height", "orientation", "torque", "power", "joint_acc"}
COSTS |= {"action_rate", "clearance", "slip", "leg_contact", "stand_still", "termination"}
COSTS |= {"commanded_clearance", "commanded_height", "swing_time"}
COSTS |= {"body_contact", "lin_vel_deviation", "yaw_rate_deviation"}


def test_every_reward_has_a_hand_computed_case() -> None:
    """A new reward needs a line above."""
    functions = {
        name
        for name, function in inspect.getmembers(rewards, inspect.isfunction)
        if function.__module__ == rewards.__name__ and not name.startswith("_")
    } - {"evaluate"}
    assert functions == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_value(name: str) -> None:
    params, changes, expected = CASES[name]
    value = getattr(rewards, name)(hand_made(**changes), **params)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-15)


def test_air_time_counts_only_while_a_motion_is_commanded() -> None:
    _, changes, _ = CASES["air_time"]
    state = replace(hand_made(**changes), command=np.array(HALF_MOVING))
    value = rewards.air_time(state, target=0.25)
    np.testing.assert_allclose(value, [0.15, 0.0])


def test_a_turn_on_the_spot_is_a_motion() -> None:
    state = hand_made(joint_pos=JOINT_ROWS, command=MOVING)
    np.testing.assert_array_equal(rewards.stand_still(state), [0.0, 0.0])


def test_stand_still_measures_from_the_nominal_pose() -> None:
    state = hand_made(nominal_pose=np.full(JOINTS, 0.1))
    np.testing.assert_allclose(rewards.stand_still(state), [1.2, 1.2])


@pytest.mark.parametrize("task", tasks.TASKS)
def test_costs_are_never_paid_out(task: str) -> None:
    for name, term in tasks.make(task, get_robot("anymal_c")).rewards.items():
        function = getattr(term.function, "__name__", "")
        assert (term.weight <= 0) == (function in COSTS) or term.weight == 0, name


TERMS = {
    "lin_vel_z": Reward(rewards.lin_vel_z, -2.0),
    "torque": Reward(rewards.torque, -0.1, curriculum=True),
    "base_height": Reward(rewards.base_height, -1.0, params={"target": 0.6}),
    "termination": Reward(rewards.termination, -6.0),
}
STATE = hand_made(
    lin_vel_b=[[0.3, 0.4, 2.0], [0, 0, 1.0]],
    torque=JOINT_ROWS,
    base_height=[0.5, 0.9],
    command=[[0, 0, -0.3], [0, 0, 0]],
)
SOUND = np.zeros(2, bool)
"""No simulation has diverged."""


def paid(terms: dict[str, Reward], state: State, diverged: np.ndarray, factor: float) -> np.ndarray:
    """The sum of the terms, (n,)."""
    return np.sum(list(evaluate(terms, state, diverged, factor).values()), axis=0)


def test_weights_are_per_second_and_the_curriculum_scales_its_terms() -> None:
    expected = {
        "lin_vel_z": [0.02 * -2.0 * 4.0, 0.02 * -2.0 * 1.0],
        "torque": [0.02 * -0.5 * 0.1 * 25.0, 0.02 * -0.5 * 0.1 * 0.25],
        "base_height": [0.02 * -0.01, 0.02 * -0.09],
        "termination": [0.0, 0.0],
    }
    found = evaluate(TERMS, STATE, SOUND, factor=0.5)
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, err_msg=name)


def test_a_fall_costs_its_weight_whatever_the_control_step() -> None:
    for dt in (0.005, 0.02):
        fallen = replace(hand_made(terminated=[True, False]), dt=dt)
        terms = {"termination": TERMS["termination"]}
        np.testing.assert_allclose(paid(terms, fallen, SOUND, 1.0), [-6.0, 0.0])


def test_a_divergence_pays_its_termination_alone() -> None:
    torque = np.full((2, JOINTS), np.nan)
    torque[1] = JOINT_ROWS[1]
    wild = replace(STATE, torque=torque, terminated=np.array([True, False]))
    found = evaluate(TERMS, wild, np.array([True, False]), factor=1.0)
    reward = np.sum(list(found.values()), axis=0)
    np.testing.assert_allclose(reward, [-6.0, 0.02 * (-2.0 - 0.1 * 0.25 - 0.09)])
    assert all(np.isfinite(value).all() for value in found.values())


def test_episode_means_are_per_second_and_cleared_with_their_simulation() -> None:
    log, rates = EpisodeLog(tuple(TERMS), 2, errors=True), evaluate(TERMS, STATE, SOUND, 1.0)
    for _ in range(3):
        log.add(rates, STATE)
    log.clear(np.array([1]))
    for _ in range(2):
        log.add(rates, STATE)
    means = log.means(STATE, diverged=SOUND)
    np.testing.assert_array_equal(log.steps, [5, 2])
    np.testing.assert_allclose(means["lin_vel_z"], [-8.0, -2.0])
    np.testing.assert_allclose(means["torque"], [-2.5, -0.025])
    np.testing.assert_allclose(means["lin_vel_error"], [0.5, 0.0])
    np.testing.assert_allclose(means["yaw_rate_error"], [0.3, 0.0])
    assert not means["fall"].any()


def test_episode_means_tell_falls_and_divergences() -> None:
    log = EpisodeLog((), 3, errors=False)
    ended = hand_made(n=3, terminated=[True, True, False])
    diverged = np.array([False, True, False])
    means = log.means(ended, diverged)
    assert {name: value.tolist() for name, value in means.items()} == {
        "fall": [1.0, 1.0, 0.0],
        "diverged": [0.0, 1.0, 0.0],
    }

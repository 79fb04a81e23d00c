"""Gaits by name, as commands, and the clock that carries them out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.mdp.gaits.commanded import SHIFT, Clock, Suited, command_of, fastest
from envs.mdp.gaits.footfalls import analyse, asked
from envs.mdp.gaits.gait import Gait, foot_phase
from envs.mdp.gaits.library import FOUR_LEGGED, gaits, named
from envs.task import TaskConfig, with_command, with_gait
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import QUIET, assert_same, still, task

DT = 0.02
TASK = task("gait", randomization=QUIET)
NAMES = TASK.commands.names
ROBOT = get_robot("anymal_c")


def command(gait: str) -> np.ndarray:
    """The command of a gait at 0.5 m/s, (1, entries)."""
    return command_of(TASK.commands, gait, {"lin_vel_x": 0.5})[None]


def clock(gait: str) -> Clock:
    """The clock of one robot in a gait."""
    made = Clock(TASK.gait, NAMES, 1, 4)
    made.restart(np.array([0]), command(gait))
    return made


def contacts(made: Clock, gait: str, steps: int) -> np.ndarray:
    """When the clock has the feet on the ground, (T, feet), told a gait."""
    phase, rows, told = np.zeros(1), [], command(gait)
    for _ in range(steps):
        rows.append(np.sin(made.foot_phase(phase)[0]) >= 0)
        phase = (phase + DT * made.frequency(told)) % 1.0
        made.advance(told, DT)
    return np.array(rows)


@pytest.mark.parametrize("name", FOUR_LEGGED)
def test_a_clock_s_stances_are_the_gait_s_footfalls(name: str) -> None:
    gait = FOUR_LEGGED[name]
    found = analyse(contacts(clock(name), name, 500), DT)
    assert found.gait == name == asked(NAMES, command(name)[0])
    assert found.frequency == pytest.approx([gait.frequency] * 4, rel=0.01)
    assert found.duty == pytest.approx([gait.duty] * 4, abs=0.03)
    assert found.distance < 0.04  # a control step is up to 0.054 of a stride


def test_a_task_s_own_clock_has_the_gait_that_is_named() -> None:
    walk = task("walk")
    paced = with_gait(walk, "pace", ROBOT)
    assert paced == replace(walk, gait=Gait(2.5, (0.0, 0.5, 0.0, 0.5), 0.5))
    gallop = with_gait(walk, "transverse-gallop", ROBOT).gait
    assert gallop.offsets == pytest.approx((0.0, 0.8, 0.5, 0.3))
    with pytest.raises(ValueError, match="gait is 'hop'; it must be one of walk, amble"):
        with_gait(walk, "hop", ROBOT)
    with pytest.raises(ValueError, match="left out where a task has no clock"):
        with_gait(task("stand"), "pace", ROBOT)


def test_half_of_the_cycle_is_stance_whatever_the_duty_factor() -> None:
    place = np.array([[0.0, 0.375, 0.749, 0.75, 0.875]])
    expected = [0.0, np.pi / 2, np.pi * 0.749 / 0.75, np.pi, 1.5 * np.pi]
    np.testing.assert_allclose(foot_phase(place, np.array([[0.75]]))[0], expected)
    np.testing.assert_array_equal(foot_phase(place, 0.5), 2 * np.pi * place)  # bit by bit
    np.testing.assert_allclose(foot_phase(place, np.array([[0.5]])), 2 * np.pi * place, rtol=1e-12)


def test_gaits_scale_with_the_root_of_the_legs() -> None:
    assert named("trot", 4).clock(0.15).frequency == pytest.approx(5.0)
    small = replace(TASK.commands, function=Suited(leg_length=0.15))
    assert fastest(small, "trot") == pytest.approx(0.6)


@pytest.mark.parametrize("legs", [1, 2, 3, 6])
def test_robots_of_other_than_four_legs_have_two_gaits(legs: int) -> None:
    assert list(gaits(legs)) == ["alternating", "pronk"]
    with pytest.raises(ValueError, match=f"alternating, pronk for {legs} legs"):
        named("trot", legs)


@pytest.mark.parametrize(("first", "second"), [("trot", "pace"), ("walk", "pronk")])
def test_a_change_of_gait_makes_no_foot_s_phase_jump_or_run_back(first: str, second: str) -> None:
    made, phase, told = clock(first), np.zeros(1), command(second)
    frequency, before = float(np.ravel(made.frequency(told))[0]), None
    for _ in range(round(4 / frequency / DT)):  # two strides for half a stride, and a reserve
        place = made.offsets[0] + phase
        if before is not None:
            step = (place - before + 0.5) % 1.0 - 0.5
            assert (step >= (1 - SHIFT) * frequency * DT - 1e-9).all()
            assert (step <= (1 + SHIFT) * frequency * DT + 1e-9).all()
        before = place
        phase = phase + DT * frequency
        made.advance(told, DT)
    wanted = clock(second)
    np.testing.assert_allclose(np.exp(2j * np.pi * (made.offsets - wanted.offsets)), 1, atol=1e-6)
    np.testing.assert_allclose(made.duty, wanted.duty)


def test_drawn_commands_are_gaits_that_suit_their_speeds() -> None:
    commands = TASK.commands
    drawn = commands.function(commands.ranges, 2000, np.random.default_rng(0))
    low, high = commands.ranges.T
    assert ((drawn >= low) & (drawn <= high)).all()
    called = np.array([asked(NAMES, row) for row in drawn])
    speeds = {name: drawn[called == name, 0] for name in FOUR_LEGGED}
    for name, forward in speeds.items():
        assert 0.05 < len(forward) / len(drawn) < 0.17
        slow, fast = FOUR_LEGGED[name].speeds
        # a jitter of the duty factor makes some ambles of the slowest walks
        assert forward.min() >= slow - 1e-9
        assert forward.max() <= fast + 0.31 * (name == "walk")
    falls = drawn[called == "canter"][:, 3:7]
    leads = (falls[:, 0] - falls[:, 1]) % 1.0 < 0.5
    assert 0.3 < leads.mean() < 0.7  # by either side


def test_one_gait_is_commanded_throughout_where_one_is_named() -> None:
    config = with_gait(TASK, "bound", ROBOT)
    drawn = config.commands.function(config.commands.ranges, 50, np.random.default_rng(0))
    assert {asked(NAMES, row) for row in drawn} == {"bound"}
    assert np.ptp(drawn[:, 3:9], axis=0) == pytest.approx(0.0, abs=1e-12)
    assert np.ptp(drawn[:, 0]) > 1.0
    fixed = with_command(config, (0.4, 0.0, 0.1)).commands.ranges
    np.testing.assert_array_equal(fixed[:, 0], fixed[:, 1])
    assert fixed[:3, 0].tolist() == [0.4, 0.0, 0.1]
    assert asked(NAMES, fixed[:, 0]) == "bound"


def make(config: TaskConfig = TASK) -> LocomotionVectorEnv:
    env = LocomotionVectorEnv(3, config=config)
    env.reset(seed=0)
    return env


def test_the_environment_runs_each_robot_s_clock_as_it_is_commanded() -> None:
    env = make()
    told = np.concatenate([command(name) for name in ("walk", "pace", "rotary gallop")])
    env.set_command(told)
    places = []
    for _ in range(120):
        env.step(still(env))
        places.append(np.unwrap([env._history.phase], axis=0)[0])
    turned = np.unwrap(np.array(places), period=1.0, axis=0)
    np.testing.assert_allclose((turned[-1] - turned[0]) / (119 * DT), [1.8, 2.5, 2.7], rtol=1e-6)
    wanted = Clock(TASK.gait, NAMES, 3, 4)
    wanted.restart(np.arange(3), told)
    np.testing.assert_allclose(
        env.state.foot_phase % (2 * np.pi), wanted.foot_phase(env._history.phase) % (2 * np.pi)
    )


def test_a_saved_environment_goes_on_in_the_midst_of_a_change() -> None:
    env, other = make(), make()
    env.set_command(command("pronk")[0])
    for _ in range(10):
        env.step(still(env))
    other.load_state_dict(env.state_dict())
    for _ in range(10):
        seen, again = env.step(still(env)), other.step(still(other))
        assert_same(list(seen[:4]), list(again[:4]))

"""One task for robots of any size: what is alike is paid alike, and commanded alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from envs import tasks
from envs.mdp import rewards
from envs.mdp.commands import VELOCITY, Commands, sample
from envs.mdp.curriculum import Earned
from envs.mdp.state import State
from envs.tasks import TASKS
from envs.tasks.size import HEIGHT, LEG_LENGTH, MASS, Size, of_robot
from robots import ROBOTS, get_robot
from tests.envs.helpers import OFFLINE_ROBOTS, hand_made

MU, LAMBDA = 0.3, 0.7
"""Mass and lengths of a small robot, by ANYmal C's."""
ANYMAL = get_robot("anymal_c")
REFERENCE = replace(ANYMAL, mass=MASS)
SMALL = replace(
    ANYMAL,
    mass=MU * MASS,
    leg_length=LAMBDA * ANYMAL.leg_length,
    nominal_height=LAMBDA * ANYMAL.nominal_height,
)
GROWTH = {
    "nominal_height": LAMBDA,
    "leg_length": LAMBDA,
    "base_height": LAMBDA,
    "lin_vel_b": LAMBDA**0.5,
    "ang_vel_b": LAMBDA**-0.5,
    "joint_vel": LAMBDA**-0.5,
    "joint_acc": LAMBDA**-1,
    "torque": MU * LAMBDA,
    "power": MU * LAMBDA**0.5,
    "foot_height": LAMBDA,
    "foot_vel_w": LAMBDA**0.5,
    "air_time": LAMBDA**0.5,
    "action": LAMBDA**-0.5,  # what changes in a control step of the same length
    "previous_action": LAMBDA**-0.5,
}
"""By which factors what a robot does differs from what ANYmal C does, where they move alike."""
COMMANDED = {"m/s": LAMBDA**0.5, "rad/s": LAMBDA**-0.5, "Hz": LAMBDA**-0.5, "m": LAMBDA}
"""The same of what it is told, by unit."""
OF_TOUCHDOWNS = ("air_time", "swing_time")
"""Rewards that are paid at touchdowns, which come more often."""


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("robot", OFFLINE_ROBOTS)
def test_robots_of_our_own_have_the_tasks_as_they_are_written(name: str, robot: str) -> None:
    assert tasks.make(name, ROBOTS[robot]) == TASKS[name](ROBOTS[robot])


def test_tasks_are_written_for_anymal_c() -> None:
    model = ANYMAL.spec().compile()
    assert model.body_subtreemass[1] == pytest.approx(MASS, abs=1e-3)
    assert (ANYMAL.leg_length, ANYMAL.nominal_height) == (LEG_LENGTH, HEIGHT)
    assert of_robot(REFERENCE) == Size()
    for name in TASKS:
        assert tasks.make(name, REFERENCE) == TASKS[name](ANYMAL)


@pytest.mark.parametrize("name", ["walk", "gait"])
def test_the_clock_is_that_of_a_robot_that_moves_alike(name: str) -> None:
    usual, small = TASKS[name](ANYMAL).gait, tasks.make(name, SMALL).gait
    assert small.frequency == pytest.approx(usual.frequency * LAMBDA**-0.5, rel=1e-2)
    tiny = replace(SMALL, leg_length=0.06, nominal_height=0.05)
    assert tasks.make("gait", tiny).gait.frequency == pytest.approx(2.5 * 10**0.5, rel=1e-2)


def a_state(rng: np.random.Generator, commands: Commands, n: int = 8) -> State:
    """Any motion, under commands that are told to move."""
    command, _ = sample(commands, n, rng)
    moves = min(command.shape[1], len(VELOCITY))
    command[:, :moves] = rng.uniform(0.3, 1.0, (n, moves))
    drawn: dict[str, Any] = {
        name: rng.normal(0, spread, (n, width))
        for name, spread, width in (
            *(("lin_vel_b", 0.5, 3), ("ang_vel_b", 0.5, 3), ("joint_pos", 0.5, 12)),
            *(("joint_vel", 5, 12), ("joint_acc", 100, 12), ("torque", 20, 12)),
            *(("action", 0.5, 12), ("previous_action", 0.5, 12)),
        )
    }
    return hand_made(
        n,
        nominal_pose=np.array(ANYMAL.nominal_pose),
        nominal_height=HEIGHT,
        leg_length=LEG_LENGTH,
        command_names=commands.names,
        command=command,
        base_height=HEIGHT + rng.normal(0, 0.05, n),
        gravity_b=np.tile([0.1, 0.1, -0.99], (n, 1)),
        foot_height=rng.uniform(0, 0.1, (n, 4)),
        foot_vel_w=rng.normal(0, 1, (n, 4, 3)),
        power=rng.uniform(0, 500, n),
        air_time=rng.uniform(0, 0.5, (n, 4)),
        foot_phase=rng.uniform(0, 6, (n, 4)),
        foot_contact=rng.random((n, 4)) < 0.5,
        touchdown=rng.random((n, 4)) < 0.5,
        leg_contact=rng.random((n, 8)) < 0.5,
        base_contact=rng.random(n) < 0.5,
        terminated=rng.random(n) < 0.5,
        **drawn,
    )


@pytest.mark.parametrize("name", TASKS)
def test_what_is_alike_is_paid_alike(name: str) -> None:
    before, now = tasks.make(name, REFERENCE), tasks.make(name, SMALL)
    large = a_state(np.random.default_rng(0), before.commands)
    units = [entry.unit for entry in before.commands.entries.values()]
    growth = GROWTH | {"command": np.array([COMMANDED.get(unit, 1.0) for unit in units])}
    small = replace(large, **{name: getattr(large, name) * growth[name] for name in growth})
    for term, reward in before.rewards.items():
        here, there = (
            rewards.evaluate({term: each}, state, np.zeros(8, bool), 1.0)[term]
            for each, state in ((reward, large), (now.rewards[term], small))
        )
        here *= LAMBDA**0.5 if term in OF_TOUCHDOWNS else 1.0
        np.testing.assert_allclose(there, here, rtol=0.05, atol=1e-6, err_msg=term)


def test_what_is_alike_is_commanded_alike() -> None:
    walk, run, stand = (tasks.make(name, SMALL) for name in ("walk", "run", "stand"))
    earned = tasks.make("run", SMALL, "earned").curricula["commands"]
    assert isinstance(earned, Earned)
    assert earned.error == pytest.approx(0.251)  # 0.3 m/s × √0.7
    entries = walk.commands.entries
    assert entries["lin_vel_x"].range == pytest.approx((-0.837, 0.837))  # 1 m/s × √0.7
    assert entries["yaw_rate"].range == pytest.approx((-1.43, 1.43))  # 1.2 rad/s / √0.7
    assert walk.gait.frequency == pytest.approx(2.99)  # 2.5 Hz / √0.7
    assert walk.commands.interval == pytest.approx((0.837, 2.51))
    assert run.protocol.speeds[-1] == pytest.approx(2.93)
    assert stand.randomization.push == pytest.approx((0.837, 0.837))
    assert walk.drive == tasks.make("walk", REFERENCE).drive  # angles have no size


def test_a_robot_that_crouches_has_not_fallen_yet() -> None:
    """The height of a fall is 0.54 of the nominal one, whichever that is."""
    crouched = replace(SMALL, nominal_height=0.6 * SMALL.leg_length)
    share = tasks.make("walk", crouched).terminations["height"].params["share"]
    assert share * crouched.leg_length / crouched.nominal_height == pytest.approx(0.537, abs=2e-3)

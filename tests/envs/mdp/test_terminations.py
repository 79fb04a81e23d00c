"""When an episode ends as a fall."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs.mdp import terminations
from envs.mdp.terminations import Termination, terminated
from envs.tasks.walk import FALLS
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS, Robot
from tests.envs.helpers import hand_made, quiet, run, still
from tests.robots.synthetic import SYNTHETIC

CONTACT = Termination(terminations.base_contact)


def tilted(limit: float) -> Termination:
    return Termination(terminations.tilted, params={"limit": limit})


def low(share: float) -> Termination:
    return Termination(terminations.low, params={"share": share})


def leaning(angle: float) -> dict[str, Any]:
    return {"gravity_b": [[0, 0, -1], [np.sin(angle), 0, -np.cos(angle)]]}


@pytest.mark.parametrize(
    ("term", "changes", "ends"),
    [
        (tilted(0.5), {}, False),
        (tilted(0.5), leaning(0.49), False),
        (tilted(0.5), leaning(0.51), True),
        (tilted(0.5), leaning(-0.51), True),
        (tilted(0.5), leaning(np.pi), True),
        (tilted(np.pi), leaning(3.1), False),
        (low(0.5), {"base_height": [0.5, 0.31]}, False),  # half of a leg of 0.6 m
        (low(0.5), {"base_height": [0.5, 0.29]}, True),
        (low(0.5), {"base_height": [0.5, 0.29], "leg_length": 0.4}, False),
        (low(0.5), {"base_height": [0.5, 0.19], "leg_length": 0.4}, True),
        (CONTACT, {}, False),
        (CONTACT, {"base_contact": [False, True]}, True),
        (CONTACT, {"leg_contact": [[False] * 8, [True] * 8]}, False),
    ],
)
def test_each_term(term: Termination, changes: dict[str, Any], ends: bool) -> None:
    """The first simulation stands; the second shows the change."""
    assert term(hand_made(**changes)).tolist() == [False, ends]


def test_any_term_ends_the_episode_and_none_never_does() -> None:
    state = hand_made(
        n=4, base_height=[0.5, 0.1, 0.5, 0.1], base_contact=[False, False, True, True]
    )
    terms = {"low": low(0.5), "contact": CONTACT}
    assert terminated(terms, state).tolist() == [False, True, True, True]
    assert terminated({"contact": CONTACT}, state).tolist() == [False, False, True, True]
    assert not terminated({}, state).any()
    assert state.base_contact.tolist() == [False, False, True, True]  # it is only read


def test_a_task_without_terminations_never_ends_early() -> None:
    """Robots that thrash fall, and lie until the time is up."""
    env = LocomotionVectorEnv(4, config=quiet(terminations={}, episode_length=2.0))
    env.reset(seed=0)
    seen = run(env, 100, np.random.default_rng(0))
    assert any(s["state"]["base_contact"].any() for s in seen)
    assert not any(s["terminated"].any() for s in seen)
    assert [s["truncated"].all() for s in seen] == [False] * 99 + [True]


@pytest.mark.parametrize("robot", SYNTHETIC.values(), ids=SYNTHETIC)
def test_a_robot_of_another_size_stands_without_falling(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ROBOTS, robot.name, robot)
    env = LocomotionVectorEnv(4, robot=robot.name, config=quiet("walk", robot.name))
    assert env.config.terminations == FALLS
    env.reset(seed=1)
    falls = 0
    for _ in range(100):
        _, _, ended, _, _ = env.step(still(env))
        falls += ended.sum()
    assert falls == 0


def test_a_small_robot_that_lies_down_has_fallen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower than half of its own leg, which is well below half of ANYmal's."""
    robot = SYNTHETIC["pony"]
    monkeypatch.setitem(ROBOTS, robot.name, robot)
    falls = {"height": FALLS["height"]}
    config = quiet("walk", robot.name, terminations=falls)
    env = LocomotionVectorEnv(2, robot=robot.name, config=config)
    env.reset(seed=0)
    for height, ends in ((0.55 * robot.leg_length, False), (0.45 * robot.leg_length, True)):
        pose = np.tile([0, 0, height, 1, 0, 0, 0], (2, 1))
        joints = np.tile(robot.nominal_pose, (2, 1))
        joints[:, 2::3] = -2.75  # the legs drawn in
        env.physics.set_rows(np.arange(2), pose, np.zeros((2, 6)), joints, 0 * joints)
        _, _, ended, _, _ = env.step(still(env))
        assert ended.tolist() == [ends] * 2

"""The tasks of getting up and of running: how they begin, widen and are judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs import tasks
from envs.task import as_judged
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import OFFLINE_ROBOTS

robots = pytest.mark.parametrize("robot", OFFLINE_ROBOTS)


@robots
def test_dropped_robots_lie_somehow_and_their_episodes_go_on(robot: str) -> None:
    config = replace(tasks.make("recover", get_robot(robot)), staggered=False)
    env = LocomotionVectorEnv(64, robot=robot, config=config)
    env.reset(seed=1)
    for _ in range(100):  # 2 s, with no action
        _, _, terminated, truncated, info = env.step(np.zeros((64, 12)))
        assert not terminated.any()
        assert not truncated.any()
        assert not info
    up = -env.state.gravity_b[:, 2]
    assert (up > 0.9).any()
    assert (up < 0.0).any()
    lying = up < 0.0
    assert (env.state.base_contact | env.state.leg_contact.any(axis=1))[lying].all()
    assert np.median(np.linalg.norm(env.state.lin_vel_b, axis=1)) < 0.1


def test_staggered_episodes_have_every_age_and_judged_ones_none() -> None:
    config = tasks.make("recover", get_robot("anymal_c"))
    env = LocomotionVectorEnv(512, config=config)
    env.reset(seed=1)
    ages = env.episode_steps.copy()
    counts, _ = np.histogram(ages, bins=5, range=(0, env.max_episode_steps))
    assert (counts > 70).all()  # of 102
    ended = []
    for _ in range(5):
        ended.append(env.step(np.zeros((512, 12)))[3].sum())
    expected = [(ages == env.max_episode_steps - k).sum() for k in range(1, 6)]
    assert ended == expected  # and each begins at age 0
    judged = LocomotionVectorEnv(8, config=as_judged(config), autoreset=False)
    judged.reset(seed=1)
    assert not judged.episode_steps.any()


def test_a_mask_gives_ages_to_those_that_it_marks_alone() -> None:
    env = LocomotionVectorEnv(16, config=tasks.make("recover", get_robot("anymal_c")))
    env.reset(seed=1)
    before, mask = env.episode_steps.copy(), np.arange(16) % 2 == 0
    env.reset(seed=3, options={"reset_mask": mask})
    np.testing.assert_array_equal(env.episode_steps[~mask], before[~mask])
    assert (env.episode_steps[mask] != before[mask]).any()


def test_stages_of_a_reset_repeat() -> None:
    config = tasks.make("recover", get_robot("anymal_c"))
    ages = []
    for _ in range(2):
        env = LocomotionVectorEnv(16, config=config)
        env.reset(seed=3)
        ages.append(env.episode_steps.tolist())
    assert ages[0] == ages[1]


@robots
def test_running_commands_widen_and_are_judged_whole(robot: str) -> None:
    config = tasks.make("run", get_robot(robot))
    env = LocomotionVectorEnv(256, robot=robot, config=config)
    env.reset(seed=1)
    low, high = config.commands.ranges[0]
    share = config.curricula["commands"].initial
    fastest = env.state.velocity_command[:, 0]
    assert share * high * 0.9 < fastest.max() <= share * high
    assert share * low <= fastest.min() < share * low * 0.9
    judged = as_judged(config)
    env = LocomotionVectorEnv(256, robot=robot, config=judged, autoreset=False)
    env.reset(seed=1)
    assert env.state.velocity_command[:, 0].max() > 0.9 * high
    assert judged.simulation.physics == "full"
    assert judged.simulation.timestep == 0.005
    assert judged.simulation.dt == config.simulation.dt

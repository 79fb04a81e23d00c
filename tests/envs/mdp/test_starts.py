"""Where and how episodes begin."""

from __future__ import annotations

import numpy as np
import pytest

from envs.mdp import starts
from envs.mdp.starts import NOMINAL, Rows, Start
from envs.sim.terrain import Slope
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from robots.robot import Robot
from tests.envs.helpers import JOINTS, OFFLINE_ROBOTS, quiet

robots = pytest.mark.parametrize("robot", OFFLINE_ROBOTS)


def test_scattered_starts_follow_their_laws() -> None:
    robot, n = get_robot("anymal_c"), 4000
    start = Start(starts.scattered, params={"tilt": 0.1, "joint": 0.2, "velocity": 0.6})
    pose, velocity, joint_pos, joint_vel = start(robot, n, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(pose[:, 3:], axis=1), 1.0)
    w, x, y, z = pose[:, 3:].T
    up = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)
    tilt = np.arccos(up[:, 2])
    assert np.sqrt((tilt**2).mean()) == pytest.approx(0.1 * np.sqrt(2), rel=0.05)
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    assert (np.histogram(yaw, bins=8, range=(-np.pi, np.pi))[0] > 400).all()
    assert np.abs(velocity).max() <= 0.6
    np.testing.assert_allclose(velocity.std(axis=0), 0.6 / np.sqrt(3), rtol=0.05)
    offset = joint_pos - np.array(robot.nominal_pose)
    np.testing.assert_allclose(offset.std(axis=0), 0.2, rtol=0.06)
    np.testing.assert_allclose(offset.mean(axis=0), 0.0, atol=0.02)
    assert not joint_vel.any()
    np.testing.assert_array_equal(pose[:, :3], np.tile([0, 0, robot.nominal_height], (n, 1)))


def test_moving_starts_follow_their_laws() -> None:
    robot, n = get_robot("anymal_b"), 4000
    laws = {"tilt": 0.1, "joint": 0.2, "turning": 0.4, "speed": 2.0}
    rows = Start(starts.moving, params=laws)(robot, n, np.random.default_rng(0))
    assert not rows.base_velocity[:, :3].any()
    np.testing.assert_allclose(rows.base_velocity[:, 3:].std(axis=0), 0.4, rtol=0.05)
    np.testing.assert_allclose(rows.joint_vel.std(axis=0), 2.0, rtol=0.05)
    np.testing.assert_allclose((rows.joint_pos - robot.nominal_pose).std(axis=0), 0.2, rtol=0.06)
    assert np.abs(rows.joint_vel).max() > 5.0  # normal, without bounds


@robots
def test_the_nominal_start_is_the_stance_at_rest(robot: str) -> None:
    env = LocomotionVectorEnv(2, robot=robot, config=quiet(robot=robot))
    env.reset(seed=0)
    state = env.state
    np.testing.assert_array_equal(state.joint_pos, [env.robot.nominal_pose] * 2)
    np.testing.assert_array_equal(state.base_height, env.robot.nominal_height)
    np.testing.assert_allclose(state.gravity_b, [[0, 0, -1]] * 2, atol=1e-12)
    for velocity in (state.lin_vel_b, state.ang_vel_b, state.joint_vel):
        assert not velocity.any()


def test_starts_repeat_with_their_generator() -> None:
    robot = get_robot("anymal_c")
    start = Start(starts.scattered, params={"tilt": 0.1, "joint": 0.2, "velocity": 0.6})
    first, again, other = (start(robot, 5, np.random.default_rng(s)) for s in (1, 1, 2))
    for a, b, c in zip(first[:3], again[:3], other[:3], strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


def on_its_back(robot: Robot, k: int, rng: np.random.Generator, *, height: float) -> Rows:
    """Dropped upside down from a height (m), anywhere within 3 m along x, at rest."""
    rows = NOMINAL(robot, k, rng)
    rows.base_pose[:, 0] = rng.uniform(-3.0, 3.0, k)
    rows.base_pose[:, 2] = height
    rows.base_pose[:, 3:] = 0.0, 1.0, 0.0, 0.0  # half a turn about x
    return rows


DROPPED = Start(on_its_back, params={"height": 0.5})


def test_a_robot_can_be_dropped_on_its_back() -> None:
    env = LocomotionVectorEnv(4, config=quiet(start=DROPPED, terminations={}))
    env.reset(seed=0)
    np.testing.assert_array_equal(env.state.base_height, 0.5)
    np.testing.assert_allclose(env.state.gravity_b, [[0, 0, 1]] * 4, atol=1e-12)
    assert len(np.unique(env.physics.base_pos_w[:, 0])) == 4
    still = np.zeros((4, JOINTS), np.float32)
    env.step(still)
    speed = -9.81 * env.config.simulation.dt  # up is down in the base's frame
    np.testing.assert_allclose(env.state.lin_vel_b[:, 2], -speed, rtol=1e-3)
    for _ in range(50):
        _, _, terminated, _, _ = env.step(still)
        assert not terminated.any()
    assert env.state.base_contact.all()
    assert not env.state.foot_contact.any()
    assert (env.state.base_height < 0.2).all()


def test_starts_count_their_height_from_the_ground() -> None:
    env = LocomotionVectorEnv(16, config=quiet(start=DROPPED, terrain=Slope(0.3)))
    env.reset(seed=0)
    place = env.physics.base_pos_w
    assert np.ptp(place[:, 0]) > 3
    np.testing.assert_allclose(place[:, 2], 0.5 + np.tan(0.3) * place[:, 0])
    np.testing.assert_allclose(env.state.base_height, 0.5)


def test_the_task_starts_anew_where_its_start_says() -> None:
    config = quiet(start=DROPPED, episode_length=0.1, terminations={})
    env = LocomotionVectorEnv(2, config=config)
    env.reset(seed=0)
    for step in range(1, 11):
        *_, truncated, _ = env.step(np.zeros((2, JOINTS), np.float32))
        assert truncated.all() == (step % 5 == 0)
        if truncated.all():
            np.testing.assert_array_equal(env.state.base_height, 0.5)


@robots
def test_robots_are_dropped_in_any_orientation_and_any_pose_that_they_have(robot: str) -> None:
    one, n = get_robot(robot), 4000
    start = Start(starts.dropped, params={"height": 1.2, "joint": 1.5, "velocity": 0.6})
    pose, velocity, joint_pos, joint_vel = start(one, n, np.random.default_rng(0))
    np.testing.assert_allclose(pose[:, 2], 1.2 * one.leg_length)
    w, x, y, z = pose[:, 3:].T
    up = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)
    np.testing.assert_allclose(np.linalg.norm(up, axis=1), 1.0)
    np.testing.assert_allclose((up**2).mean(axis=0), 1 / 3, rtol=0.05)  # uniform on the sphere
    np.testing.assert_allclose(up.mean(axis=0), 0.0, atol=0.03)
    model = one.spec().compile()
    low, high = np.array([model.joint(name).range for name in one.joints]).T
    offset = joint_pos - np.array(one.nominal_pose)
    assert ((joint_pos >= low) & (joint_pos <= high)).all()
    assert 1.4 < np.abs(offset).max() <= 1.5
    assert 0.5 < np.abs(velocity).max() <= 0.6
    assert not joint_vel.any()

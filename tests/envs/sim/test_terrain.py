"""Heights count from the ground, gravity from the world, on ground that is not flat as well."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from envs.sim import TERRAINS
from envs.sim.terrain import Flat, Slope, Terrain
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import JOINTS, batch_of, quiet

ANGLE = 0.2  # rad
STEEP = np.tan(ANGLE)
UP = np.array([0.0, 0.0, 1.0])
STILL = np.zeros((2, JOINTS), np.float32)


def on(terrain: Terrain, n: int = 2) -> LocomotionVectorEnv:
    env = LocomotionVectorEnv(n, config=quiet(terrain=terrain))
    env.reset(seed=0)
    return env


def put(env: LocomotionVectorEnv, position: np.ndarray, turn: Rotation) -> None:
    """Put every robot at a position (m), (n, 3), turned, in its nominal pose."""
    n = env.num_envs
    quat = np.broadcast_to(turn.as_quat(scalar_first=True), (n, 4))
    joints = np.tile(env.robot.nominal_pose, (n, 1))
    pose = np.concatenate([position, quat], axis=1)
    env.physics.set_rows(np.arange(n), pose, np.zeros((n, 6)), joints, 0 * joints)


def foot_positions(env: LocomotionVectorEnv) -> np.ndarray:
    """World positions of the first robot's feet (m), (feet, 3)."""
    data = batch_of(env.physics).get_data(0)
    mujoco.mj_forward(env.physics.model, data)
    return np.array([data.geom(foot).xpos for foot in env.robot.feet])


def test_every_terrain_is_registered_under_its_name() -> None:
    assert {"flat": Flat, "slope": Slope} == TERRAINS


@pytest.mark.parametrize("terrain", [Flat(), Slope(ANGLE), Slope(-0.4)])
def test_gravity_is_the_worlds(terrain: Terrain) -> None:
    env = on(terrain)
    place = np.array([[2.0, 1.0, 3.0], [-1.0, 0.0, 3.0]])
    for yaw in (0.0, 0.7, -2.5):
        put(env, place, Rotation.from_euler("z", yaw))
        np.testing.assert_allclose(env.physics.gravity_b, [[0, 0, -1]] * 2, atol=1e-12)
    put(env, place, Rotation.from_euler("y", 0.3))  # nose down by 0.3 rad
    down = [np.sin(0.3), 0.0, -np.cos(0.3)]
    np.testing.assert_allclose(env.physics.gravity_b, [down] * 2, atol=1e-12)


def test_heights_are_counted_from_the_ground_below_the_point() -> None:
    env = on(Slope(ANGLE))
    put(env, np.array([[2.0, 1.0, 1.5], [-1.0, 0.0, 0.9]]), Rotation.from_euler("z", 0.7))
    np.testing.assert_allclose(env.physics.base_height, [1.5 - 2.0 * STEEP, 0.9 + 1.0 * STEEP])
    engine, model = batch_of(env.physics), env.physics.model
    for i in range(2):
        data = engine.get_data(i)
        mujoco.mj_forward(model, data)
        for k, foot in enumerate(env.robot.feet):
            x, _, z = data.geom(foot).xpos
            under = z - model.geom(foot).size[0] - STEEP * x
            assert env.physics.foot_height[i, k] == pytest.approx(under)


def test_the_geom_is_where_the_heights_are() -> None:
    """A robot whose feet are above the ground by its height has no contact, 5 mm below it has."""
    env = on(Slope(0.3))
    for gap, touches in ((0.005, False), (-0.005, True)):
        for x in (-3.0, 0.0, 4.0):
            ground = np.array([x, 0.5, x * np.tan(0.3)])
            put(env, np.tile(ground + 5.0 * UP, (2, 1)), Rotation.from_euler("y", -0.3))
            lower = 5.0 - env.physics.foot_height.min() + gap
            put(env, np.tile(ground + lower * UP, (2, 1)), Rotation.from_euler("y", -0.3))
            assert env.physics.foot_height.min() == pytest.approx(gap)
            assert env.physics.foot_contact.any() == touches


@pytest.mark.parametrize("angle", [0.1, -0.1, 0.3])
def test_a_level_start_is_lifted_until_no_foot_is_in_the_ground(angle: float) -> None:
    flat, env = on(Flat()), on(Slope(angle))
    ground = np.tan(angle) * foot_positions(flat)[:, 0]
    sunken = (ground - flat.physics.foot_height[0]).max()
    nominal = env.robot.nominal_height
    np.testing.assert_allclose(env.state.base_height, nominal + sunken, atol=1e-9)
    np.testing.assert_allclose(env.state.foot_height.min(axis=1), 0.0, atol=1e-9)
    assert (env.state.foot_height.max(axis=1) > 0.05 * abs(angle) / 0.1).all()


@pytest.mark.parametrize("angle", [0.1, -0.1])
def test_a_robot_stands_on_a_slope(angle: float) -> None:
    """It rocks on its legs, yet its feet stay where they came down."""
    env = on(Slope(angle))
    landed = np.zeros((4, 3))
    for step in range(50):
        _, _, terminated, _, _ = env.step(STILL)
        assert not terminated.any()
        if step == 10:
            assert env.state.foot_contact.all()
            landed = foot_positions(env)
    state = env.state
    assert state.foot_contact.all()
    assert np.abs(foot_positions(env) - landed).max() < 0.03
    np.testing.assert_allclose(state.base_height, env.robot.nominal_height, atol=0.08)
    pitch = np.arctan2(-state.gravity_b[:, 0], -state.gravity_b[:, 2])  # nose up is positive
    np.testing.assert_allclose(pitch, angle, atol=0.05)


def cast(env: LocomotionVectorEnv, start: list[float], direction: list[float]) -> np.ndarray:
    """One ray of both robots."""
    rays = np.array([start, direction]) / [[1.0], [np.linalg.norm(direction)]]
    return env.physics.ray(*(np.tile(row, (2, 1, 1)) for row in rays))[:, 0]


def test_rays_meet_flat_ground() -> None:
    env = on(Flat())
    np.testing.assert_allclose(cast(env, [3.0, -1.0, 2.0], [0, 0, -1]), 2.0)
    np.testing.assert_allclose(cast(env, [0.0, 0.0, 2.0], [0, 0, -1]), 2.0)  # through the robot
    np.testing.assert_allclose(cast(env, [1.0, 0.0, 1.5], [4, 0, -3]), 1.5 * 5 / 3)
    np.testing.assert_array_equal(cast(env, [1.0, 0.0, 1.5], [0, 0, 1]), -1.0)
    np.testing.assert_array_equal(cast(env, [1.0, 0.0, 1.5], [1, 0, 0]), -1.0)


def test_rays_meet_sloped_ground() -> None:
    env = on(Slope(ANGLE))
    np.testing.assert_allclose(cast(env, [2.0, 5.0, 3.0], [0, 0, -1]), 3.0 - 2.0 * STEEP)
    np.testing.assert_allclose(cast(env, [0.0, 0.0, 2.0], [0, 0, -1]), 2.0)
    np.testing.assert_allclose(cast(env, [0.0, 1.0, 0.5], [1, 0, 0]), 0.5 / STEEP)
    np.testing.assert_array_equal(cast(env, [0.0, 1.0, 0.5], [-1, 0, 0]), -1.0)


@pytest.mark.parametrize("terrain", [Flat(), Slope(ANGLE), Slope(-0.7)])
def test_rays_agree_with_the_heights(terrain: Terrain) -> None:
    """Many rays at once, each robot with its own."""
    env, rng = on(terrain), np.random.default_rng(0)
    start = rng.uniform((-2, -2, 3), (2, 2, 7), (2, 50, 3))
    down = np.broadcast_to([0.0, 0.0, -1.0], start.shape).copy()
    height = start[..., 2] - terrain.height(start[..., :2])
    np.testing.assert_allclose(env.physics.ray(start, down), height)

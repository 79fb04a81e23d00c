"""The registered ids are good Gymnasium citizens."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import env_checker
from gymnasium.vector import AutoresetMode

import envs
from envs import tasks
from envs.single import LocomotionEnv
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS, Robot
from tests.envs.helpers import JOINTS
from tests.robots.synthetic import SYNTHETIC

ids = pytest.mark.parametrize("env_id", envs.IDS)
HARMLESS = (
    "Box observation space .*infinity",  # joint speeds have no natural bound
    ".*render",  # the checker is told not to render
)


@pytest.fixture(autouse=True)
def _strict() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for message in HARMLESS:
            warnings.filterwarnings("ignore", message=rf"[\s\S]*{message}")
        yield


def test_every_task_has_an_id() -> None:
    assert set(envs.IDS.values()) == set(tasks.TASKS)


def test_the_ids_of_anymal_are_bound_to_it_and_the_others_take_any_robot() -> None:
    robots = {env_id: gymnasium.spec(env_id).kwargs.get("robot") for env_id in envs.IDS}
    assert robots == {
        "trot/AnymalStand-v0": "anymal_c",
        "trot/AnymalWalk-v0": "anymal_c",
        **{f"trot/{name.title().replace('_', '')}-v0": None for name in tasks.TASKS},
    }


@pytest.mark.slow
@pytest.mark.parametrize("robot", SYNTHETIC.values(), ids=SYNTHETIC)
@pytest.mark.parametrize("env_id", ["trot/Stand-v0", "trot/Walk-v0"])
def test_a_task_takes_any_robot(env_id: str, robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random actions for longer than an episode of standing: all finite, and episodes end."""
    monkeypatch.setitem(ROBOTS, robot.name, robot)
    env = gymnasium.make_vec(env_id, num_envs=4, robot=robot.name)
    observation, _ = env.reset(seed=0)
    assert env.single_action_space.shape == (len(robot.joints),)
    env.action_space.seed(0)
    ended = 0
    for _ in range(110):
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
        assert np.isfinite(observation).all()
        assert np.isfinite(reward).all()
        assert "faults" not in info.get("trot", {})
        ended += (terminated | truncated).sum()
    assert ended > 0
    env.close()


@ids
def test_gymnasiums_checker_accepts(env_id: str) -> None:
    env_checker.check_env(gymnasium.make(env_id).unwrapped, skip_render_check=True)


@ids
def test_stable_baselines3s_checker_accepts(env_id: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(gymnasium.make(env_id), warn=True, skip_render_check=True)


@ids
def test_make_gives_the_single_env(env_id: str) -> None:
    env = gymnasium.make(env_id)
    assert isinstance(env.unwrapped, LocomotionEnv)
    assert not isinstance(env, gymnasium.wrappers.TimeLimit)  # one way to truncate, the env's own
    observation, info = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert info == {}
    observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
    assert env.observation_space.contains(observation)
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)


@ids
def test_make_vec_gives_the_vector_env(env_id: str) -> None:
    env = gymnasium.make_vec(env_id, num_envs=3)
    assert isinstance(env.unwrapped, LocomotionVectorEnv)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.metadata["render_fps"] == 50
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    result = env.step(np.zeros((3, JOINTS), np.float32))
    assert env.observation_space.contains(result[0])
    assert result[1].shape == (3,)
    assert result[2].dtype == result[3].dtype == bool
    env.close()


@ids
def test_both_ways_have_the_same_spaces_and_first_step(env_id: str) -> None:
    single, vector = gymnasium.make(env_id), gymnasium.make_vec(env_id, num_envs=1)
    assert single.observation_space == vector.single_observation_space
    assert single.action_space == vector.single_action_space
    np.testing.assert_array_equal(single.reset(seed=7)[0], vector.reset(seed=7)[0][0])
    action = np.full(JOINTS, 0.1, np.float32)
    one, many = single.step(action), vector.step(action[None])
    np.testing.assert_array_equal(one[0], many[0][0])
    assert one[1] == many[1][0]


def test_keywords_reach_the_task() -> None:
    env = gymnasium.make_vec("trot/AnymalWalk-v0", num_envs=2, robot="anymal_c", task="stand")
    unwrapped = env.unwrapped
    assert isinstance(unwrapped, LocomotionVectorEnv)
    assert "pose" in unwrapped.config.rewards


def test_actions_outside_the_box_are_clipped() -> None:
    env = LocomotionVectorEnv(1)
    for value, clipped in ((7.0, 1.0), (-np.inf, -1.0)):
        env.reset(seed=0)
        a = env.step(np.full((1, JOINTS), value, np.float32))[0]
        env.reset(seed=0)
        np.testing.assert_array_equal(a, env.step(np.full((1, JOINTS), clipped, np.float32))[0])


@pytest.mark.parametrize("shape", [(), (1,), (JOINTS,), (2, JOINTS), (3, JOINTS - 1)])
def test_actions_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    env = LocomotionVectorEnv(3)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=rf"actions's shape is .*; it must be \(3, {JOINTS}\)"):
        env.step(np.zeros(shape, np.float32))


def test_a_mask_resets_the_simulations_that_it_marks() -> None:
    env = LocomotionVectorEnv(3, autoreset=False)
    env.reset(seed=0)
    for _ in range(4):
        env.step(np.full((3, JOINTS), 0.1, np.float32))
    before = env.physics.state.copy()
    env.reset(options={"reset_mask": np.array([False, True, False])})
    assert env.episode_steps.tolist() == [4, 0, 4]
    np.testing.assert_array_equal(env.physics.state[[0, 2]], before[[0, 2]])
    assert (env.physics.state[1] != before[1]).any()
    with pytest.raises(ValueError, match=r"reset_mask's shape is \(2,\); it must be \(3,\)"):
        env.reset(options={"reset_mask": np.ones(2, bool)})


def test_a_seed_is_gymnasiums() -> None:
    env = LocomotionVectorEnv(2)
    env.reset(seed=3)
    assert env.np_random_seed == 3
    with pytest.raises(gymnasium.error.Error, match="Seed must be a python integer"):
        env.reset(seed=[1, 2])  # pyright: ignore[reportArgumentType]


def test_only_the_first_episode_begins_at_a_random_age() -> None:
    env = gymnasium.make("trot/Recover-v0")
    env.reset(seed=4)
    vector = env.unwrapped.vector  # pyright: ignore[reportAttributeAccessIssue]
    assert vector.episode_steps[0] > 0
    for _ in range(3):
        env.reset()
        assert vector.episode_steps[0] == 0


def test_the_single_environment_tells_of_a_divergence() -> None:
    env = gymnasium.make("trot/Walk-v0", disable_env_checker=True)
    env.reset(seed=0)
    *_, info = env.step(np.full(JOINTS, np.nan, np.float32))
    assert set(info["trot"]) == {"diverged", "faults", "episode_means"}
    assert isinstance(info["trot"]["episode_means"]["lin_vel_error"], float)

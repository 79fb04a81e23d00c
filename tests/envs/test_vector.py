"""The vector environment as an MDP: determinism, resuming, episode ends, commands, tracking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from envs.mdp import terminations
from envs.mdp.commands import Commands, velocity
from envs.mdp.curriculum import Curriculum
from envs.mdp.starts import NOMINAL
from envs.mdp.terminations import Termination
from envs.sim.drives import Torque
from envs.sim.randomization import STANDARD
from envs.single import LocomotionEnv
from envs.task import TaskConfig
from envs.tasks.walk import FALLS
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import (
    JOINTS,
    QUIET,
    WILD,
    assert_same,
    quiet,
    row_of,
    run,
    simulation,
    snapshot,
    task,
)

SHORT: dict[str, Any] = {
    "episode_length": 0.6,
    "commands": Commands(velocity((-1, 1), (-0.4, 0.4), (-1, 1)), interval=(0.1, 0.3)),
}


def wild(**changes: Any) -> TaskConfig:
    """Everything random, with episodes of 30 steps."""
    defaults: dict[str, Any] = SHORT | {"randomization": WILD}
    return task(**(defaults | changes))


def told(info: dict[str, Any]) -> dict[str, np.ndarray]:
    """The means of episodes that end, (n,) each."""
    return info["trot"]["episode_means"]


def rollout(config: TaskConfig, seed: int, steps: int = 60) -> list[dict[str, Any]]:
    env = LocomotionVectorEnv(6, config=config)
    env.reset(seed=seed)
    return run(env, steps, np.random.default_rng(seed))


@pytest.mark.slow
@pytest.mark.parametrize("make", [task, wild])
def test_a_seed_fixes_the_rollout_at_any_nthread(make: Any) -> None:
    one, again, two = (rollout(make(**simulation(nthread=k)), seed=3) for k in (1, 1, 2))
    assert any("final_obs" in seen["info"] for seen in one)  # resets are part of it
    assert_same(one, again)
    assert_same(one, two)


def test_another_seed_gives_another_rollout() -> None:
    a, b = rollout(task(), seed=1, steps=1), rollout(task(), seed=2, steps=1)
    assert not np.array_equal(a[0]["observation"], b[0]["observation"])


@pytest.mark.slow
def test_reset_with_a_seed_forgets_what_came_before() -> None:
    env = LocomotionVectorEnv(6, config=wild())
    env.reset(seed=8)
    run(env, 40, np.random.default_rng(8))
    observation, _ = env.reset(seed=3)
    fresh = LocomotionVectorEnv(6, config=wild())
    assert_same(observation, fresh.reset(seed=3)[0])
    first, second = (run(e, 40, np.random.default_rng(4)) for e in (env, fresh))
    assert_same(first, second)


@pytest.mark.slow
def test_single_env_equals_a_row_of_the_vector_env() -> None:
    config = wild(
        start=NOMINAL,
        randomization=QUIET,
        commands=Commands(velocity((-1, 1), (-0.4, 0.4), (-1, 1)), interval=(100, 100)),
    )
    env = LocomotionVectorEnv(4, config=config)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    run(env, 7, rng)
    singles = []
    for i in range(4):
        single = LocomotionEnv(config=config)
        single.vector.load_state_dict(row_of(env.state_dict(), i))
        singles.append(single)
    alive = np.ones(4, bool)
    for _ in range(23):
        action = rng.uniform(-1, 1, (4, JOINTS)).astype(np.float32)
        observation, reward, terminated, truncated, info = env.step(action)
        last = np.where((terminated | truncated)[:, None], info.get("final_obs", 0), observation)
        for i in np.flatnonzero(alive):
            own = singles[i].step(action[i])
            assert_same(own[0], last[i])
            assert own[1:4] == (reward[i], terminated[i], truncated[i])
            if terminated[i] or truncated[i]:
                means = {name: value[i] for name, value in told(info).items()}
                assert own[4] == {"trot": {"episode_means": means}}
        alive &= ~(terminated | truncated)
    assert not alive.any()


def test_single_env_with_a_model_of_its_own_equals_its_row() -> None:
    config = task(randomization=replace(STANDARD, noise=0.0))
    env = LocomotionVectorEnv(3, config=config)
    env.reset(seed=5)
    single = LocomotionEnv(config=config)
    single.vector.load_state_dict(row_of(env.state_dict(), 2))
    action = np.linspace(-0.3, 0.3, JOINTS, dtype=np.float32)
    for _ in range(5):
        observation, reward, *_ = env.step(np.tile(action, (3, 1)))
        own = single.step(action)
        assert_same(own[0], observation[2])
        assert own[1] == reward[2]


@pytest.mark.slow
@pytest.mark.parametrize("make", [task, wild])
def test_resuming_is_exact(make: Any) -> None:
    config = make(curricula={"rewards": Curriculum(initial=0.1, hold=100, ramp=1000)})
    env = LocomotionVectorEnv(6, config=config)
    env.reset(seed=11)
    run(env, 50, np.random.default_rng(0))
    saved = env.state_dict()
    first = run(env, 50, np.random.default_rng(1))
    resumed = LocomotionVectorEnv(6, config=config)
    resumed.load_state_dict(saved)
    assert_same(first, run(resumed, 50, np.random.default_rng(1)))
    assert_same(env.state_dict(), resumed.state_dict())


def test_restoring_shows_the_saved_state() -> None:
    env = LocomotionVectorEnv(3, config=task())
    env.reset(seed=2)
    run(env, 20, np.random.default_rng(2))
    before, saved = snapshot(env.state), env.state_dict()
    run(env, 5, np.random.default_rng(3))
    env.load_state_dict(saved)
    after = snapshot(env.state)
    for name in before.keys() - {"torque", "power", "effort", "terminated"}:
        assert_same(before[name], after[name], name)


def test_a_state_of_another_number_of_simulations_is_refused() -> None:
    saved = LocomotionVectorEnv(3, config=task()).state_dict()
    with pytest.raises(ValueError, match=r"physics is \(3, \d+\); it must be of shape \(2, "):
        LocomotionVectorEnv(2, config=task()).load_state_dict(saved)


def test_truncation_comes_at_exactly_the_episode_length() -> None:
    short, long = (
        LocomotionVectorEnv(3, config=quiet(episode_length=seconds)) for seconds in (0.2, 5.0)
    )
    first, _ = short.reset(seed=0)
    long.reset(seed=0)
    action = np.random.default_rng(0).uniform(-0.2, 0.2, (3, JOINTS)).astype(np.float32)
    for step in range(1, 31):
        observation, _, terminated, truncated, info = short.step(action)
        true_last, *_ = long.step(action)
        assert not terminated.any()
        assert truncated.tolist() == [step % 10 == 0] * 3
        if step == 10:  # final_obs is what the episode would have gone on with
            assert_same(info["final_obs"], true_last)
            assert info["_final_obs"].all()
            assert not told(info)["fall"].any()
            assert_same(observation, first)
        elif step < 10:
            assert info == {}
            assert_same(observation, true_last)


@pytest.mark.slow
def test_episode_ends_are_disjoint_and_counted_for_each_simulation() -> None:
    lean = Termination(terminations.tilted, params={"limit": 0.3})
    env = LocomotionVectorEnv(8, config=wild(terminations=FALLS | {"tilt": lean}))
    env.reset(seed=1)
    age, kinds = np.zeros(8, int), np.zeros(2, int)
    for seen in run(env, 120, np.random.default_rng(1)):
        age += 1
        terminated, truncated = seen["terminated"], seen["truncated"]
        np.testing.assert_array_equal(truncated, (age == 30) & ~terminated)
        done = terminated | truncated
        if done.any():
            np.testing.assert_array_equal(seen["info"]["_final_obs"], done)
            fall = told(seen["info"])["fall"][done]
            np.testing.assert_array_equal(fall, terminated[done])
            final = seen["info"]["final_obs"]
            same = (final == seen["observation"]).all(axis=1)
            np.testing.assert_array_equal(same, ~done)  # only the finished rows start anew
            fresh_action = seen["observation"][done][:, env.layout["action"]]
            assert not fresh_action.any()
        age[done] = 0
        kinds += [terminated.sum(), truncated.sum()]
    assert (kinds > 0).all()


def test_robots_that_collapse_are_terminated() -> None:
    config = quiet(drive=Torque())
    env = LocomotionVectorEnv(2, config=config)
    env.reset(seed=0)
    fell = np.zeros(2, bool)
    for _ in range(100):
        _, reward, terminated, _, info = env.step(np.zeros((2, JOINTS), np.float32))
        if terminated.any():
            fell |= terminated
            assert not told(info)["diverged"].any()
            assert (reward[terminated] < 0.9 * config.rewards["termination"].weight).all()
    assert fell.all()


@pytest.mark.parametrize(("tilt", "falls"), [(0.8, False), (1.05, True)])
def test_tilt_terminates_in_the_simulation(tilt: float, falls: bool) -> None:
    env = LocomotionVectorEnv(1, config=quiet())
    env.reset(seed=0)
    pose = np.array([[0, 0, 2.0, np.cos(tilt / 2), np.sin(tilt / 2), 0, 0]])
    joints = np.array(env.robot.nominal_pose)[None]
    env.physics.set_rows(np.array([0]), pose, np.zeros((1, 6)), joints, np.zeros((1, JOINTS)))
    _, _, terminated, _, _ = env.step(np.zeros((1, JOINTS), np.float32))
    assert terminated[0] == falls


def test_episode_means_are_the_rewards_paid() -> None:
    env = LocomotionVectorEnv(4, config=wild(start=NOMINAL, randomization=QUIET))
    env.reset(seed=4)
    paid, steps, checked = np.zeros(4), np.zeros(4), 0
    for seen in run(env, 90, np.random.default_rng(4)):
        paid += seen["reward"]
        steps += 1
        done = seen["terminated"] | seen["truncated"]
        if done.any():
            episode = told(seen["info"])
            total = sum(episode[name] for name in env.config.rewards) * steps * 0.02
            np.testing.assert_allclose(total[done], paid[done], rtol=1e-9, atol=1e-12)
            checked += done.sum()
        paid[done], steps[done] = 0.0, 0
    assert checked >= 8


def test_curriculum_scales_its_terms_alone() -> None:
    def paid(curriculum: Curriculum, steps: int) -> dict[str, np.ndarray]:
        env = LocomotionVectorEnv(2, config=quiet(curricula={"rewards": curriculum}))
        env.reset(seed=0)
        action = np.full((2, JOINTS), 0.1, np.float32)
        for _ in range(steps):
            env.step(action)
        return {name: value.copy() for name, value in env._log.sums.items()}

    full, none = paid(Curriculum(), 3), paid(Curriculum(initial=0.0, hold=1e6), 3)
    ramp = paid(Curriculum(initial=0.0, hold=0, ramp=20), 1)  # 2 transitions of 20
    once = paid(Curriculum(), 1)
    for name, term in task().rewards.items():
        if term.curriculum:
            assert not none[name].any()
            np.testing.assert_allclose(ramp[name], 0.1 * once[name])
        else:
            assert_same(none[name], full[name])
            assert_same(ramp[name], once[name])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_envs": 0}, "num_envs is 0; it must be at least 1"),
        (
            {"render_size": (20_000, 400)},
            r"render_size is \(20000, 400\); it must be a width and a",
        ),
        ({"render_size": (0, 4)}, "of at most 16384 pixels"),
        ({"render_size": (15.5, 20)}, "render_size is "),
        (
            {"task": "fly"},
            "task is 'fly'; choose from command, free_gait, gait, recover, run, stand, walk",
        ),
        ({"robot": "spot"}, "robot is 'spot'; choose from anymal_b, anymal_c"),
        ({"robot": "my/go1.xml"}, r"Robot 'go1': .*my/go1\.xml.*; put the file there"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LocomotionVectorEnv(**arguments)

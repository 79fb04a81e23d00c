"""The observation vector: a generated layout, scales, and bounded noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs import tasks
from envs.mdp import observations
from envs.mdp.observations import Observation
from envs.mdp.starts import NOMINAL
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import JOINTS, QUIET, random_state, run, task

WIDTHS = {
    "lin_vel": 3,
    "ang_vel": 3,
    "gravity": 3,
    "command": 3,
    "joint_pos": JOINTS,
    "joint_vel": JOINTS,
    "action": JOINTS,
    "base_height": 1,
}
ALL = {
    name: Observation(getattr(observations, name), "scalar", scale=2.0 + i, noise=0.1 * i)
    for i, name in enumerate(WIDTHS)
}


def test_layout_is_generated_in_the_order_of_the_terms() -> None:
    slices = observations.layout(ALL, random_state(2, np.random.default_rng(0)))
    assert list(slices) == list(ALL)
    stop = 0
    for name, block in slices.items():
        assert (block.start, block.stop - block.start) == (stop, WIDTHS[name])
        stop = block.stop


def test_blocks_are_the_scaled_quantities() -> None:
    pose = np.linspace(-1, 1, JOINTS)
    state = replace(random_state(3, np.random.default_rng(1)), nominal_pose=pose)
    slices = observations.layout(ALL, state)
    seen = observations.observe(ALL, slices, state)
    expected = {
        "lin_vel": state.lin_vel_b,
        "ang_vel": state.ang_vel_b,
        "gravity": state.gravity_b,
        "command": state.command,
        "joint_pos": state.joint_pos - pose,
        "joint_vel": state.joint_vel,
        "action": state.action,
        "base_height": state.base_height[:, None],
    }
    assert seen.dtype == np.float32
    for i, (name, value) in enumerate(expected.items()):
        np.testing.assert_allclose(seen[:, slices[name]], (2.0 + i) * value, rtol=1e-6)


def test_noise_is_uniform_within_its_half_width_before_scaling() -> None:
    state = random_state(4000, np.random.default_rng(2))
    slices = observations.layout(ALL, state)
    clean = observations.observe(ALL, slices, state)
    noisy = observations.observe(ALL, slices, state, np.random.default_rng(3), noise=1.0)
    for name, term in ALL.items():
        noise = (noisy - clean)[:, slices[name]] / term.scale
        assert np.abs(noise).max() <= term.noise + 1e-5
        assert noise.std() == pytest.approx(term.noise / np.sqrt(3), rel=0.05, abs=1e-7)
        assert noise.mean() == pytest.approx(0.0, abs=0.06 * term.noise + 1e-7)
        if term.noise > 0:  # every component has noise of its own
            assert np.abs(np.corrcoef(noise.T) - np.eye(noise.shape[1])).max() < 0.1


def test_the_randomisation_scales_the_noise_of_every_term() -> None:
    state = random_state(50, np.random.default_rng(2))
    slices = observations.layout(ALL, state)
    clean = observations.observe(ALL, slices, state)
    once, twice = (
        observations.observe(ALL, slices, state, np.random.default_rng(3), noise) - clean
        for noise in (1.0, 2.0)
    )
    np.testing.assert_allclose(twice, 2 * once, atol=1e-5)
    silent = observations.observe(ALL, slices, state, np.random.default_rng(3), 0.0)
    np.testing.assert_array_equal(silent, clean)


@pytest.mark.parametrize("name", tasks.TASKS)
def test_noise_is_off_unless_asked_for(name: str) -> None:
    config = task(name, start=NOMINAL, randomization=QUIET)
    noisy = replace(config, randomization=replace(QUIET, noise=1.0))
    envs = [LocomotionVectorEnv(2, config=c) for c in (config, noisy)]
    first = [env.reset(seed=0)[0] for env in envs]
    true = observations.observe(config.observations, envs[0].layout, envs[0].state)
    np.testing.assert_array_equal(first[0], true)
    for term, block in envs[0].layout.items():
        differs = (first[1] != true)[:, block]
        assert differs.any() == (config.observations[term].noise > 0)
        if term == "action":
            assert not differs.any()


@pytest.mark.parametrize("name", tasks.TASKS)
def test_what_a_policy_sees_is_of_order_one(name: str) -> None:
    env = LocomotionVectorEnv(8, config=task(name))
    env.reset(seed=0)
    assert list(env.layout) == list(env.config.observations)
    assert env.single_observation_space.shape == (max(s.stop for s in env.layout.values()),)
    seen = np.concatenate([s["observation"] for s in run(env, 40, np.random.default_rng(0))])
    for term, block in env.layout.items():
        assert np.sqrt((seen[:, block] ** 2).mean()) < 3, term


def test_the_walker_knows_its_command_and_the_stander_has_none() -> None:
    robot = get_robot("anymal_c")
    assert "command" in tasks.make("walk", robot).observations
    assert "command" not in tasks.make("stand", robot).observations

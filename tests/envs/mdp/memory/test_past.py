"""What is remembered of earlier physics steps, against simulations that are watched at each."""

from __future__ import annotations

import numpy as np
import pytest

from envs.mdp import hwangbo
from envs.mdp import observations as obs
from envs.mdp.observations import Observation
from envs.mdp.rewards import Reward
from envs.sim.drives import PD, Relative, Torque
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import JOINTS, assert_same, hand_made, quiet, run, simulation, task

SEEN = {
    "target": Observation(obs.joint_target, "joint"),
    "error": Observation(obs.past_position_error, "joint", params={"lag": 0.01}),
    "speed": Observation(obs.past_joint_vel, "joint", params={"lag": 0.025}),
}


def test_the_past_is_that_of_physics_steps() -> None:
    """A control step of four physics steps, beside four control steps of one under one action."""
    coarse = LocomotionVectorEnv(3, config=quiet(observations=SEEN))
    fine = LocomotionVectorEnv(3, config=quiet(observations=SEEN, **simulation(substeps=1)))
    for env in (coarse, fine):
        env.reset(seed=0)
    rng, errors, speeds = np.random.default_rng(0), [], []
    for _ in range(4):
        action = rng.uniform(-0.2, 0.2, (3, JOINTS))
        coarse.step(action)
        for _ in range(4):
            before = fine.state
            fine.step(action)
            errors.append(fine.state.joint_target - before.joint_pos)
            speeds.append(before.joint_vel)
        seen = coarse.state
        np.testing.assert_array_equal(seen.joint_pos, fine.state.joint_pos)
        np.testing.assert_allclose(seen.joint_target, seen.nominal_pose + action)
        np.testing.assert_array_equal(SEEN["error"](seen), errors[-2])
        np.testing.assert_array_equal(SEEN["error"](seen), SEEN["error"](fine.state))
        if len(speeds) >= 5:
            np.testing.assert_array_equal(SEEN["speed"](seen), speeds[-5])


def test_an_episode_begins_without_errors_and_as_fast_as_it_is() -> None:
    config = task("command/paper", revisit=0.0)
    env = LocomotionVectorEnv(4, config=config)
    env.reset(seed=0)
    run(env, 5, np.random.default_rng(0))
    env.reset(seed=1)
    state, seen = env.state, config.observations
    assert np.abs(state.joint_vel).max() > 2.0
    for name in ("joint_vel_10ms", "joint_vel_20ms"):
        np.testing.assert_array_equal(seen[name](state), state.joint_vel)
    for name in ("position_error_10ms", "position_error_20ms", "joint_target"):
        assert not seen[name](state).any()


def test_the_target_at_the_start_is_that_of_no_action() -> None:
    for drive in (PD(), Relative()):
        env = LocomotionVectorEnv(2, config=task(observations=SEEN, drive=drive))
        env.reset(seed=0)
        state = env.state
        still = state.joint_pos if drive == Relative() else np.tile(state.nominal_pose, (2, 1))
        np.testing.assert_array_equal(state.joint_target, still)


def test_torques_differ_from_those_of_the_control_step_before() -> None:
    step = {"step": Reward(hwangbo.torque_step, -1.0)}
    env = LocomotionVectorEnv(2, config=quiet(rewards=step))
    env.reset(seed=0)
    seen = run(env, 3, np.random.default_rng(0))
    torques = [np.zeros((2, JOINTS)), *(s["state"]["torque"] for s in seen)]
    for before, now, paid in zip(torques, torques[1:], seen, strict=False):
        np.testing.assert_allclose(paid["reward"], -0.02 * ((now - before) ** 2).sum(axis=1))


def test_what_nobody_asks_for_is_not_kept() -> None:
    env = LocomotionVectorEnv(2, config=quiet())
    assert not {"past", "visited", "levels"} & env.state_dict().keys()
    assert env.physics.model.nu == JOINTS
    assert env._acting.past.depth == 0


def test_lags_and_drives_that_do_not_fit_are_told() -> None:
    odd = SEEN | {"error": Observation(obs.past_position_error, "joint", params={"lag": 0.012})}
    with pytest.raises(ValueError, match=r"lag is 0.012 s; it must be a multiple of the physics"):
        LocomotionVectorEnv(1, config=quiet(observations=odd))
    with pytest.raises(ValueError, match="drive is torque; it must be one of joint targets, pd"):
        LocomotionVectorEnv(1, config=quiet(observations=SEEN, drive=Torque()))
    with pytest.raises(ValueError, match="lag"):
        obs.past_joint_vel(hand_made(), lag=0.0)


@pytest.mark.parametrize("name", ["command/paper", "recover/paper"])
def test_simulations_with_a_past_go_on_bitwise(name: str) -> None:
    config = task(name, "anymal_b", episode_length=0.2)
    first, second = (LocomotionVectorEnv(3, robot="anymal_b", config=config) for _ in range(2))
    first.reset(seed=0)
    second.reset(seed=1)
    run(first, 50, np.random.default_rng(0))
    second.load_state_dict(first.state_dict())
    ahead = [run(env, 50, np.random.default_rng(1)) for env in (first, second)]
    assert_same(ahead[0], ahead[1])
    assert_same(first.state_dict(), second.state_dict())

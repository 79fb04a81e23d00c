"""Simulations that blow up are reset, terminated and counted; the others never notice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mujoco.batch import SimulationError

from envs.single import LocomotionEnv
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import JOINTS, assert_same, batch_of, quiet, snapshot

BAD = 1  # the simulation that blows up, of three
Injection = Callable[[LocomotionVectorEnv, np.ndarray, pytest.MonkeyPatch], None]


def nan_position(env: LocomotionVectorEnv, action: np.ndarray, patch: pytest.MonkeyPatch) -> None:
    batch_of(env.physics).bind("qpos")[BAD, 2] = np.nan


def nan_velocity(env: LocomotionVectorEnv, action: np.ndarray, patch: pytest.MonkeyPatch) -> None:
    batch_of(env.physics).bind("qvel")[BAD, 8] = np.nan


def nan_action(env: LocomotionVectorEnv, action: np.ndarray, patch: pytest.MonkeyPatch) -> None:
    action[BAD, 3] = np.nan


def simulation_error(
    env: LocomotionVectorEnv, action: np.ndarray, patch: pytest.MonkeyPatch
) -> None:
    """As the batch raises: the failed simulation keeps its state, the others have stepped."""
    batch, step = batch_of(env.physics), batch_of(env.physics).step

    def fail(**arguments: Any) -> None:
        patch.undo()
        step(ids=[0, 2], **arguments)
        raise SimulationError(np.array([BAD]), "injected", 3)

    patch.setattr(batch, "step", fail)


def speed(value: float, coordinate: int) -> Injection:
    def inject(env: LocomotionVectorEnv, action: np.ndarray, patch: pytest.MonkeyPatch) -> None:
        batch_of(env.physics).bind("qvel")[BAD, coordinate] = value

    return inject


INJECTIONS: dict[str, Injection] = {
    "nan_position": nan_position,
    "nan_velocity": nan_velocity,
    "nan_action": nan_action,
    "simulation_error": simulation_error,
    "huge_base_speed": speed(1e12, 2),
    "mujoco_does_not_warn_of_this_base_speed": speed(1e6, 2),
    "huge_joint_speed": speed(1e12, 8),
    "fast_joint": speed(1e4, 8),
}


def make() -> LocomotionVectorEnv:
    env = LocomotionVectorEnv(3, config=quiet())
    env.reset(seed=0)
    return env


def all_finite(tree: Any) -> bool:
    if isinstance(tree, dict):
        return all(all_finite(value) for value in tree.values())
    return bool(np.isfinite(tree).all())


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("inject", INJECTIONS.values(), ids=INJECTIONS.keys())
def test_a_divergence_is_reset_terminated_and_counted_once(
    inject: Injection, monkeypatch: pytest.MonkeyPatch
) -> None:
    env, untouched = make(), make()
    rng, others, diverged = np.random.default_rng(0), [0, 2], 0.0
    for step in range(30):
        action = rng.uniform(-0.1, 0.1, (3, JOINTS)).astype(np.float32)
        expected = untouched.step(action)
        if step == 5:
            inject(env, action, monkeypatch)
        observation, reward, terminated, truncated, info = env.step(action)
        told = info.get("trot", {})
        assert ("diverged" in told, "faults" in told) == (step == 5, step == 5)
        assert told.pop("diverged", terminated).tolist() == terminated.tolist()
        told.pop("faults", None)  # holds what was not finite
        for i, mine in enumerate((observation, reward, terminated, truncated)):
            assert_same(mine[others], np.asarray(expected[i])[others])
        assert all_finite(observation)
        assert all_finite(reward)
        assert all_finite(info)
        assert all_finite(snapshot(env.state))
        assert terminated.tolist() == [False, step == 5, False]
        if step == 5:
            assert info["_final_obs"].tolist() == [False, True, False]
            assert reward[BAD] == pytest.approx(env.config.rewards["termination"].weight)
            fresh = make().reset(seed=0)[0]
            assert_same(observation[BAD], fresh[BAD])
        if "episode_means" in told:
            diverged += told["episode_means"]["diverged"][terminated].sum()
            assert told["episode_means"]["fall"][BAD] == 1
    assert diverged == 1


def test_it_can_happen_in_every_simulation_at_every_step() -> None:
    env = make()
    for _ in range(5):
        batch_of(env.physics).bind("qpos")[:, 2] = np.nan
        observation, reward, terminated, _, info = env.step(np.zeros((3, JOINTS), np.float32))
        assert terminated.all()
        assert all_finite(observation)
        assert all_finite(reward)
        assert (info["trot"]["episode_means"]["diverged"] == 1).all()
    assert not env.step(np.zeros((3, JOINTS), np.float32))[2].any()


def test_the_single_env_terminates_with_finite_numbers() -> None:
    env = LocomotionEnv(config=quiet())
    env.reset(seed=0)
    action = np.full(JOINTS, np.nan, np.float32)
    observation, reward, terminated, truncated, info = env.step(action)
    assert (terminated, truncated) == (True, False)
    assert all_finite(observation)
    assert np.isfinite(reward)
    assert info["trot"]["episode_means"]["diverged"] == 1


def test_an_ordinary_fall_is_not_a_divergence() -> None:
    env = make()
    batch_of(env.physics).bind("qpos")[BAD, 2] = 0.1
    _, _, terminated, _, info = env.step(np.zeros((3, JOINTS), np.float32))
    assert terminated[BAD]
    assert not info["trot"]["episode_means"]["diverged"].any()


def test_warnings_go_to_logging_and_leave_no_litter(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    env = make()
    with caplog.at_level(logging.INFO, logger="envs.sim.batch"):
        batch_of(env.physics).bind("qpos")[BAD, 2] = np.nan
        env.step(np.zeros((3, JOINTS), np.float32))
    assert "QPOS" in caplog.text
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []

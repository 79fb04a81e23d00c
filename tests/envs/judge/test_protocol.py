"""The evaluation protocol: errors, falls, masks, intervals, reproducibility."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from envs import tasks
from envs.judge import protocol
from envs.mdp.recording import Recording
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv
from robots import get_robot

COMMAND = (0.8, -0.3, 0.5)  # m/s, m/s, rad/s
KEYS = {
    "lin_vel_error",
    "yaw_rate_error",
    "fall_rate",
    "mean_torque",
    "power",
    "cost_of_transport",
    "stride_frequency",
    "duty_factor",
    "swing_apex",
    "foot_slip",
}


def judged(task: str = "walk", seconds: float = 1.0) -> TaskConfig:
    """A task under its protocol, cut short."""
    config = protocol.evaluation_config(tasks.make(task, get_robot("anymal_c")))
    return replace(config, episode_length=seconds)


def stand_still(observations: np.ndarray) -> np.ndarray:
    return np.zeros((len(observations), 12))


def thrash(observations: np.ndarray) -> np.ndarray:
    """Drive all joints from one end to the other, as the joints' speeds would have it."""
    return np.where(np.arange(12) % 2 == 0, 1.0, -1.0) * np.ones((len(observations), 1))


def recording(steps: int = 10, robots: int = 2) -> Recording:
    """Robots that walk exactly as commanded: 0.5 m/s ahead, a quarter turn a second."""
    velocity = np.tile([0.5, 0.0, np.pi / 2], (steps, robots, 1))
    one, feet = np.ones((steps, robots)), np.zeros((steps, robots, 4))
    joints = np.zeros((steps, robots, 12))
    return Recording(
        dt=0.02,
        mass=50.0,
        alive=one > 0,
        command=velocity.copy(),
        velocity=velocity,
        joint_pos=joints,
        joint_vel=np.where(np.arange(12) < 6, 1.0, -1.0) * 100 / (6 * 7.0) + joints,
        torque=7.0 + joints,
        base_height=0.5 * one,
        base_tilt=0.1 * one,
        foot_contact=feet == 0,
        foot_height=feet,
        foot_speed=feet,
    )


def test_who_stands_still_errs_by_the_command() -> None:
    config = protocol.fixed_command(judged(seconds=2.0), COMMAND)
    results = protocol.evaluate(stand_still, config, episodes=3, seed=0)
    assert results["lin_vel_error"]["mean"] == pytest.approx(np.hypot(0.8, 0.3), abs=0.05)
    assert results["yaw_rate_error"]["mean"] == pytest.approx(0.5, abs=0.05)
    assert results["fall_rate"]["mean"] == 0.0
    assert results["duty_factor"]["mean"] > 0.9


def test_results_hold_every_key_and_are_json() -> None:
    results = protocol.evaluate(stand_still, judged(), episodes=2, seed=5)
    assert set(protocol.UNITS) | {"episodes", "seed"} == set(results)
    assert set(results) >= KEYS
    assert (results["episodes"], results["seed"]) == (2, 5)
    for name in KEYS:
        assert set(results[name]) == {"mean", "low", "high"}
    json.dumps(results, allow_nan=False)


def test_who_is_not_told_to_move_has_no_gait() -> None:
    results = protocol.evaluate(stand_still, judged("stand", 0.5), episodes=2, seed=0)
    for name in ("stride_frequency", "swing_apex", "foot_slip", "cost_of_transport"):
        assert results[name] == {"mean": None, "low": None, "high": None}
    assert results["mean_torque"]["mean"] > 0


def test_falls_are_counted_once_a_robot() -> None:
    results = protocol.evaluate(thrash, judged(seconds=3.0), episodes=3, seed=0)
    assert results["fall_rate"] == {"mean": 1.0, "low": 1.0, "high": 1.0}


def test_same_seed_same_results() -> None:
    first, again, other = (
        protocol.evaluate(stand_still, judged(), episodes=4, seed=seed) for seed in (3, 3, 4)
    )
    assert first == again
    assert first["lin_vel_error"] != other["lin_vel_error"]


def test_the_command_is_the_one_that_the_policy_saw() -> None:
    config = judged()
    config = replace(config, commands=replace(config.commands, interval=(0.1, 0.1)))
    env = LocomotionVectorEnv(2, config=config, autoreset=False)
    block = env.layout["command"]
    seen = []

    def act(observations: np.ndarray) -> np.ndarray:
        seen.append(observations[:, block].copy())
        return stand_still(observations)

    command = protocol.record(act, env, seed=0).command
    scale = config.observations["command"].scale
    np.testing.assert_allclose(command * scale, seen, rtol=1e-6)
    changes = np.flatnonzero((command[1:] != command[:-1]).any(axis=(1, 2)))
    assert changes.tolist() == list(range(4, 49, 5))  # every 0.1 s = 5 control steps


def test_measures_of_a_known_walk() -> None:
    values = protocol.measure(recording())
    assert values["lin_vel_error"] == pytest.approx([0.0, 0.0])
    assert values["yaw_rate_error"] == pytest.approx([0.0, 0.0])
    assert values["mean_torque"] == pytest.approx([7.0, 7.0])
    assert values["power"] == pytest.approx([100.0, 100.0])
    assert values["cost_of_transport"] == pytest.approx([100 / (50 * 9.81 * 0.5)] * 2)
    assert values["fall_rate"].tolist() == [0.0, 0.0]


def test_nothing_counts_after_a_fall() -> None:
    r = recording()
    r.alive[5:, 1] = False
    for values in (r.velocity, r.torque, r.joint_vel, r.foot_speed, r.base_height):
        values[5:, 1] = 1e9
    sound, fallen = recording(), protocol.measure(r)
    for name, values in protocol.measure(sound).items():
        if name != "fall_rate":
            np.testing.assert_allclose(fallen[name], values, err_msg=name)
    assert fallen["fall_rate"].tolist() == [0.0, 1.0]


def test_a_robot_that_falls_at_once_is_left_out_of_the_means() -> None:
    r = recording()
    r.alive[:, 1] = False
    errors = protocol.measure(r)["lin_vel_error"]
    assert np.isnan(errors[1])
    assert protocol.bootstrap(errors, np.random.default_rng(0))["mean"] == 0.0


def test_bootstrap_interval_is_that_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(3.0, 2.0, 400)
    interval = protocol.bootstrap(values, rng)
    half = 1.96 * values.std() / np.sqrt(400)
    assert interval["mean"] == pytest.approx(values.mean())
    assert interval["low"] == pytest.approx(values.mean() - half, abs=0.04)
    assert interval["high"] == pytest.approx(values.mean() + half, abs=0.04)


def test_protocol_switches_randomness_off_unless_asked() -> None:
    walk = tasks.make("walk", get_robot("anymal_c"))
    plain = protocol.evaluation_config(walk)
    laws = plain.randomization
    assert not any([laws.noise, laws.model, laws.pushes, laws.start_state])
    assert plain.commands.interval == (2.0, 2.0)
    assert plain.commands.standing_share == 0.0
    assert plain.curriculum.factor(0) == 1.0
    assert plain.episode_length == 30.0
    laws = protocol.evaluation_config(walk, randomize=True).randomization
    assert laws.noise
    assert laws.mass
    assert laws.com
    assert laws.friction
    assert laws.gains
    assert laws.start_state
    stand = protocol.evaluation_config(tasks.make("stand", get_robot("anymal_c")))
    laws = stand.randomization
    assert laws.start_state
    assert laws.pushes
    assert (laws.push_speed, laws.push_interval) == (0.5, 5.0)
    assert (laws.start_tilt, laws.start_joint) == (0.15, 0.15)


def test_no_episodes_is_refused() -> None:
    with pytest.raises(ValueError, match="episodes is 0"):
        protocol.evaluate(stand_still, judged(), episodes=0)

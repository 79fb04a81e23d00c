"""Commands of any width: what is drawn, what the state and the observation tell of it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from envs.mdp import observations
from envs.mdp.commands import VELOCITY, Command, Commands, sample, velocity
from envs.mdp.curriculum import Curriculum
from envs.mdp.rewards import Reward
from envs.mdp.state import State
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import JOINTS, hand_made, quiet, run, task

HEIGHT = {"height": Command((0.4, 0.6), "m")}
"""A command entry of one's own."""


def test_commands_are_uniform_with_a_share_that_stands() -> None:
    config = Commands(
        velocity((-1.0, 0.5), (-0.4, 0.4), (0.2, 1.2)), interval=(2.0, 6.0), standing_share=0.25
    )
    command, hold = sample(config, 8000, np.random.default_rng(0))
    standing = ~command.any(axis=1)
    assert standing.mean() == pytest.approx(0.25, abs=0.02)
    moving = command[~standing]
    for k, (low, high) in enumerate([(-1.0, 0.5), (-0.4, 0.4), (0.2, 1.2)]):
        assert (np.histogram(moving[:, k], bins=5, range=(low, high))[0] > 1000).all()
        assert low <= moving[:, k].min()
        assert moving[:, k].max() <= high
    assert (np.histogram(hold, bins=4, range=(2.0, 6.0))[0] > 1800).all()
    assert 2.0 <= hold.min() < hold.max() <= 6.0


def test_velocity_commands_name_their_entries_and_units() -> None:
    commands = Commands(velocity((-1, 1), (-0.4, 0.4), (-1.2, 1.2)))
    assert commands.names == VELOCITY
    assert [e.unit for e in commands.entries.values()] == ["m/s", "m/s", "rad/s"]
    np.testing.assert_array_equal(commands.ranges, [[-1, 1], [-0.4, 0.4], [-1.2, 1.2]])


def test_any_law_may_draw_commands() -> None:
    def ends(ranges: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """The lowest or the highest values."""
        return ranges.T[rng.integers(0, 2, n)]

    commands = Commands(velocity((-1, 1), (-0.4, 0.4)) | HEIGHT, function=ends)
    drawn, _ = sample(commands, 50, np.random.default_rng(0))
    low, high = [-1.0, -0.4, 0.0, 0.4], [1.0, 0.4, 0.0, 0.6]
    assert {tuple(row) for row in drawn.tolist()} == {tuple(low), tuple(high)}


def test_a_curriculum_draws_nearer_to_zero_and_never_outside_the_range() -> None:
    """Ranges shrink to the value that is nearest to 0, by hand."""
    commands = Commands(velocity((-1.0, 0.5), (0.2, 0.4), (-0.6, -0.2)) | HEIGHT)
    for share, ranges in {
        1.0: [(-1.0, 0.5), (0.2, 0.4), (-0.6, -0.2), (0.4, 0.6)],
        0.5: [(-0.5, 0.25), (0.2, 0.3), (-0.4, -0.2), (0.4, 0.5)],
        0.0: [(0.0, 0.0), (0.2, 0.2), (-0.2, -0.2), (0.4, 0.4)],
    }.items():
        drawn, _ = sample(commands, 4000, np.random.default_rng(0), share)
        np.testing.assert_allclose(drawn.min(axis=0), [low for low, _ in ranges], atol=5e-3)
        np.testing.assert_allclose(drawn.max(axis=0), [high for _, high in ranges], atol=5e-3)


def test_a_curriculum_of_commands_rises_with_the_transitions() -> None:
    """Half of the range until the 20th transition, all of it from the 40th on."""

    def largest(ranges: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        return np.tile(ranges[:, 1], (n, 1))

    commands = Commands(velocity((-1, 1), (0, 0.4)), function=largest, interval=(0.02, 0.02))
    curricula = {"commands": Curriculum(initial=0.5, hold=20, ramp=20)}
    env = LocomotionVectorEnv(2, config=task(curricula=curricula, commands=commands))
    env.reset(seed=0)
    expected = {0: 0.5, 10: 0.5, 15: 0.75, 20: 1.0, 30: 1.0}  # steps of two transitions: share
    for step in range(31):
        if step in expected:
            shrunk = np.array([1.0, 0.4, 0.0]) * expected[step]
            np.testing.assert_allclose(env.state.command, [shrunk] * 2)
        env.step(np.zeros((2, JOINTS), np.float32))


def test_commands_hold_for_their_interval_and_reach_the_observation() -> None:
    commands = Commands(velocity((-1, 1), (-0.4, 0.4), (-1.2, 1.2)), interval=(0.1, 0.1))
    env = LocomotionVectorEnv(3, config=quiet(commands=commands))
    observation, _ = env.reset(seed=0)
    block = env.layout["command"]
    held = [observation[:, block]]
    for _ in range(20):
        observation, *_ = env.step(np.zeros((3, JOINTS), np.float32))
        held.append(observation[:, block])
        np.testing.assert_array_equal(observation[:, block], env.state.command.astype(np.float32))
    changed = [(a != b).all() for a, b in pairwise(held)]
    assert changed == [step % 5 == 0 for step in range(1, 21)]


def test_the_reward_is_for_the_command_that_was_shown() -> None:
    """A new command drawn after the step is not what the step is paid for."""
    commands = Commands(velocity((0.9, 1.0)), interval=(0.02, 0.02))
    env = LocomotionVectorEnv(2, config=quiet(commands=commands))
    observation, _ = env.reset(seed=0)
    shown = observation[:, env.layout["command"]].copy()
    env.step(np.zeros((2, JOINTS), np.float32))
    error = np.linalg.norm(shown[:, :2] - env.state.lin_vel_b[:, :2], axis=1)
    np.testing.assert_allclose(env._log.sums["lin_vel_error"], 0.02 * error, rtol=1e-6)


def test_set_command_stays_until_the_reset() -> None:
    commands = Commands(velocity((-1, -0.9)), interval=(0.04, 0.04))
    env = LocomotionVectorEnv(2, config=quiet(commands=commands, episode_length=0.2))
    env.reset(seed=0)
    env.set_command(np.array([0.5, 0.1, -0.3]))
    for step in range(1, 11):
        env.step(np.zeros((2, JOINTS), np.float32))
        if step < 10:
            np.testing.assert_array_equal(env.state.command, [[0.5, 0.1, -0.3]] * 2)
    assert (env.state.command[:, 0] < 0).all()


def walk_with(commands: Commands, **rewards: Reward) -> TaskConfig:
    """Walk with none of its terms that need a velocity command."""
    upright = {name: task().rewards[name] for name in ("base_height", "torque", "termination")}
    return quiet(rewards=upright | rewards, commands=commands)


def squat(state: State) -> np.ndarray:
    """Distance from the commanded height (m)."""
    return np.abs(state.base_height - state.commanded("height")[:, 0])


def test_a_task_without_commands_has_none() -> None:
    env = LocomotionVectorEnv(3, config=walk_with(Commands({})))
    observation, _ = env.reset(seed=0)
    assert env.state.command.shape == (3, 0)
    assert not env.state.has_velocity_command
    assert not env.state.moving.any()
    block = env.layout["command"]
    assert block.start == block.stop
    assert observation.shape[1] == LocomotionVectorEnv(1).reset()[0].shape[1] - 3
    for seen in run(env, 60, np.random.default_rng(0)):
        assert not seen["observation"][:, env.layout["clock_sin"]].any()
        means = seen["info"].get("trot", {}).get("episode_means", {})
        assert "lin_vel_error" not in means
    env.set_command(np.zeros(0))


def test_one_entry_is_shown_paid_and_held() -> None:
    config = walk_with(Commands(HEIGHT, interval=(0.1, 0.1)), squat=Reward(squat, -1.0))
    env = LocomotionVectorEnv(3, config=config)
    observation, _ = env.reset(seed=0)
    block = env.layout["command"]
    assert block.stop - block.start == 1
    for step in range(1, 11):
        shown = observation[:, block][:, 0]
        assert ((shown > 0.4) & (shown < 0.6)).all()
        observation, *_ = env.step(np.zeros((3, JOINTS), np.float32))
        distance = np.abs(env.state.base_height - shown)
        np.testing.assert_allclose(env.reward_rates()["squat"], -distance, atol=1e-6)
        assert (observation[:, block][:, 0] != shown).all() == (step % 5 == 0)


def test_entries_are_found_by_name_wherever_they_stand() -> None:
    names = ("height", "yaw_rate", "lin_vel_y", "lin_vel_x")
    state = hand_made(command_names=names, command=[[0.5, 1.2, -0.4, 0.9], [0.4, 0, 0, 0]])
    np.testing.assert_array_equal(state.commanded("height"), [[0.5], [0.4]])
    np.testing.assert_array_equal(state.commanded("lin_vel_y", "height"), [[-0.4, 0.5], [0, 0.4]])
    np.testing.assert_array_equal(state.velocity_command, [[0.9, -0.4, 1.2], [0, 0, 0]])
    assert state.moving.tolist() == [True, False]  # a height is no motion


def test_a_robot_told_to_stand_sees_no_velocity() -> None:
    slow, height = [0.06, -0.05, 0.04, 0.4], [0.0, 0.0, 0.0, 0.4]  # norm 0.088 m/s
    state = hand_made(command_names=(*VELOCITY, "height"), command=[slow, [0.06, -0.09, 0.04, 0.5]])
    np.testing.assert_array_equal(observations.command(state), [height, [0.06, -0.09, 0.04, 0.5]])
    np.testing.assert_array_equal(state.velocity_command[0], slow[:3])  # errors are as ever


def test_an_unknown_entry_is_refused() -> None:
    with pytest.raises(ValueError, match=r"command is 'height'; .*lin_vel_x, lin_vel_y, yaw_rate"):
        hand_made().commanded("height")
    nothing = hand_made(command_names=(), command=np.zeros((2, 0)))
    with pytest.raises(ValueError, match=r"command is 'lin_vel_x'; .*it has none"):
        nothing.commanded("lin_vel_x")


def test_velocities_that_are_not_commanded_are_zero() -> None:
    turning = hand_made(command_names=("height", "yaw_rate"), command=[[0.4, 1.2], [0.5, 0.05]])
    np.testing.assert_array_equal(turning.velocity_command, [[0, 0, 1.2], [0, 0, 0.05]])
    assert turning.moving.tolist() == [True, False]
    nothing = hand_made(command_names=(), command=np.zeros((2, 0)))
    assert not nothing.velocity_command.any()
    assert not nothing.has_velocity_command

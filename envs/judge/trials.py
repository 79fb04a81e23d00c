"""What a report puts a policy through: the protocol, steady walking, pushes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from envs.judge import protocol, rising, speeds
from envs.judge.protocol import Act
from envs.judge.rising import Rising
from envs.mdp.commands import VELOCITY, Commands
from envs.mdp.gaits import footfalls
from envs.mdp.gaits.footfalls import Footfalls
from envs.mdp.recording import Recording
from envs.sim.randomization import PUSH_INTERVAL
from envs.task import TaskConfig, with_command, with_random_start
from envs.vector import LocomotionVectorEnv
from robots.robot import Robot

SPEED_SHARE = 0.6
"""Steady walking is forward, at this share of the task's largest speed."""
SETTLE, WATCH = 2.0, 4.0
"""Time until steady walking is watched, and how long (s)."""
BINS = 8
"""Bins of the forward speed, and of the yaw rate."""
PUSHES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
"""Sizes of the pushes: jumps of the horizontal base velocity (m/s)."""
DIRECTIONS = 8
"""Directions of the pushes, evenly spaced from straight ahead."""
PUSHED = 8
"""Robots that are pushed alike."""
RECOVERY = 3.0
"""A robot that is up this long after its push has withstood it (s)."""


@dataclass(frozen=True)
class Tracking:
    """Errors by commanded forward speed (rows) and yaw rate (columns)."""

    speed_edges: np.ndarray
    """Edges of the bins of the forward speed (m/s), (rows + 1,)."""
    yaw_edges: np.ndarray
    """Edges of the bins of the yaw rate (rad/s), (columns + 1,)."""
    velocity: np.ndarray
    """Mean planar velocity error (m/s), NaN where a bin is empty, (rows, columns)."""
    yaw_rate: np.ndarray
    """Mean yaw rate error (rad/s), likewise."""
    samples: np.ndarray
    """Commands that began in each bin while the robot was up, (rows, columns) int."""


@dataclass(frozen=True)
class Steady:
    """One robot under one command, after SETTLE seconds and until it falls."""

    command: tuple[float, ...]
    """In the units of its entries; for walking forward, leftward (m/s), yaw rate (rad/s)."""
    recording: Recording
    """What was recorded, n = 1; no rows where the robot fell before."""
    fell: float | None
    """When the robot fell, from its start (s)."""
    footfalls: Footfalls | None
    """None without rows."""
    limits: dict[str, np.ndarray]
    """`position` (joints, 2) in rad, `speed` (joints,) in rad/s, `torque` (joints,) in N·m."""


@dataclass(frozen=True)
class Pushes:
    """How many robots a push leaves on their feet."""

    sizes: np.ndarray
    """Velocity jumps (m/s), (sizes,)."""
    directions: np.ndarray
    """Where the robot is pushed to, from straight ahead to the left (rad), (directions,)."""
    robots: np.ndarray
    """Robots that were up when the push came, (sizes, directions) int."""
    withstood: np.ndarray
    """Robots that were up RECOVERY seconds later, (sizes, directions) int."""

    def withstood_size(self, share: float = 0.9) -> float:
        """Return the size (m/s) up to which this share of all robots withstands, 0 without one."""
        up, all_ = self.withstood.sum(axis=1), self.robots.sum(axis=1)
        held = np.logical_and.accumulate((up >= share * all_) & (all_ > 0))
        return float(self.sizes[held].max(initial=0.0))


@dataclass(frozen=True)
class Trials:
    """All that a report shows of a policy."""

    evaluation: dict[str, Any]
    """Results of `protocol.evaluate`."""
    tracking: Tracking | None
    """None where the task's commands vary in no speed or no yaw rate."""
    steady: Steady
    pushes: Pushes | None
    """None where nothing ends an episode as a fall."""
    speeds: dict[str, Any] | None = None
    """Results of `speeds.evaluate`, None where the protocol has no speeds."""
    rising: Rising | None = None
    """None where the task does not measure it."""


def run(
    agent: Callable[[int], Act],
    config: TaskConfig,
    robot: str = "anymal_c",
    episodes: int = 100,
    seed: int = 0,
    say: Callable[[str], None] = lambda doing: None,
) -> Trials:
    """Put a policy through everything.

    Args:
        agent: makes the policy for a number of robots.
        config: a task as `envs.task.as_judged` gives it.
        robot: a robot of `robots.ROBOTS`.
        episodes: robots of the protocol.
        seed: seed of every environment.
        say: told what is being done.

    Raises:
        ValueError: an unknown robot.
    """
    seconds = config.episode_length
    say(f"evaluation: {episodes} robots for {seconds:g} s")
    env = LocomotionVectorEnv(episodes, robot=robot, config=config, autoreset=False)
    recording = protocol.run(agent(episodes), env, seed)
    evaluation = protocol.summarize(recording, config.measures, seed)
    tracking = error_by_command(recording, config.commands)
    say("steady walking")
    steady = walk_steadily(agent(1), config, robot, seed)
    rises = rising.times(recording) if "time_to_upright" in config.measures else None
    pushes = ladder = None
    if config.protocol.speeds:
        say(f"speeds: {speeds.TOLD}")
        ladder = speeds.evaluate(agent, config, robot, seed)
    if config.terminations:
        say(f"pushes: {len(PUSHES) * DIRECTIONS * PUSHED} robots")
        pushes = push(agent, config, robot, seed)
    return Trials(evaluation, tracking, steady, pushes, ladder, rises)


def error_by_command(recording: Recording, commands: Commands, bins: int = BINS) -> Tracking | None:
    """Average the errors over every step that its robot is up, by the command in force.

    Returns:
        None where the commands vary in no forward speed or no yaw rate.
    """
    if not set(VELOCITY) <= set(commands.names):
        return None
    ranges = [commands.entries[name].range for name in ("lin_vel_x", "yaw_rate")]
    if any(low == high for low, high in ranges):
        return None
    speeds, yaws = (np.linspace(low, high, bins + 1) for low, high in ranges)
    command, up = recording.velocity_command, recording.alive
    error = command - recording.velocity

    def over_bins(mask: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        drawn = None if weights is None else weights[mask]
        x, y = command[mask][:, 0], command[mask][:, 2]
        return np.histogram2d(x, y, (speeds, yaws), weights=drawn)[0]

    began = up.copy()
    began[1:] &= (command[1:] != command[:-1]).any(axis=2)
    with np.errstate(invalid="ignore"):
        velocity = over_bins(up, np.hypot(error[..., 0], error[..., 1])) / over_bins(up)
        yaw_rate = over_bins(up, np.abs(error[..., 2])) / over_bins(up)
    return Tracking(speeds, yaws, velocity, yaw_rate, over_bins(began).astype(int))


def steady_command(commands: Commands) -> tuple[float, ...]:
    """Return forward at SPEED_SHARE of the task's largest speed, or as near as the ranges allow.

    The other entries are at rest, or as near to it.
    """
    low, high = commands.ranges.T
    forward = np.array([name == "lin_vel_x" for name in commands.names], bool)
    command = np.where(forward, np.clip(SPEED_SHARE * high, low, high), commands.nearest)
    return tuple(command.tolist())


def walk_steadily(act: Act, config: TaskConfig, robot: str, seed: int) -> Steady:
    """Record one robot under `steady_command`, unpushed, for WATCH seconds after SETTLE."""
    command = steady_command(config.commands)
    env = LocomotionVectorEnv(
        1, robot=robot, config=_steady(config, command, SETTLE + WATCH), autoreset=False
    )
    recording = protocol.run(act, env, seed)
    up = int(recording.alive.sum())
    shown = recording.rows(slice(round(SETTLE / recording.dt), up))
    contact = shown.foot_contact[:, 0]
    return Steady(
        command,
        shown,
        None if up == len(recording.alive) else (up + 1) * recording.dt,
        footfalls.analyse(contact, shown.dt) if len(contact) else None,
        joint_limits(env.robot),
    )


def joint_limits(robot: Robot) -> dict[str, np.ndarray]:
    """Return what `Steady.limits` holds, from the robot and its model."""
    model = robot.spec().compile()
    return {
        "position": np.array([model.joint(name).range for name in robot.joints]),
        "speed": robot.speed_limit,
        "torque": robot.torque_limit,
    }


def limit_shares(steady: Steady) -> dict[str, np.ndarray]:
    """Return the largest share of each limit that each joint used, (joints,) each.

    `position` counts from the middle of the joint's range (0) to its ends (1), `speed` and
    `torque` from 0 to the drive's limit.
    """
    r, limits = steady.recording, steady.limits
    low, high = limits["position"].T
    position = np.abs(2 * r.joint_pos[:, 0] - low - high) / (high - low)
    return {
        "position": position.max(axis=0),
        "speed": (np.abs(r.joint_vel[:, 0]) / limits["speed"]).max(axis=0),
        "torque": (np.abs(r.torque[:, 0]) / limits["torque"]).max(axis=0),
    }


def push(agent: Callable[[int], Act], config: TaskConfig, robot: str, seed: int) -> Pushes:
    """Push robots under `steady_command`, each SETTLE seconds after a random start.

    Every size and direction is met by PUSHED robots, whose base velocity jumps.
    """
    directions = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    grid = np.meshgrid(PUSHES, directions, range(PUSHED), indexing="ij")
    size, direction = grid[0].ravel(), grid[1].ravel()
    config = _steady(config, steady_command(config.commands), SETTLE + RECOVERY)
    config = with_random_start(config)
    env = LocomotionVectorEnv(len(size), robot=robot, config=config, autoreset=False)
    moment = round(SETTLE / config.simulation.dt)

    def shove(step: int) -> None:
        if step == moment:
            angle = heading(env.physics.base_quat_w) + direction
            velocity = size[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
            env.physics.push(np.arange(len(size)), velocity)

    alive = protocol.run(agent(len(size)), env, seed, shove).alive
    shape = grid[0].shape
    before, after = alive[moment - 1].reshape(shape), alive[-1].reshape(shape)
    return Pushes(np.array(PUSHES), directions, before.sum(axis=2), after.sum(axis=2))


def heading(quat: np.ndarray) -> np.ndarray:
    """Return the angle of the x axis in the ground plane (rad), (n,), of wxyz (n, 4)."""
    w, x, y, z = quat.T
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def _steady(config: TaskConfig, command: tuple[float, ...], seconds: float) -> TaskConfig:
    """Return the task with one command and without its own pushes."""
    calm = replace(config.randomization, push=None, push_interval=PUSH_INTERVAL)
    return replace(with_command(config, command), randomization=calm, episode_length=seconds)

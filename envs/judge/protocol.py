"""The evaluation protocol: how well a policy follows its commands, and how it walks.

Hwangbo et al. 2019 (arXiv 1901.08652): 30 s, a new random command every 2 s, the deterministic
policy. Errors average over every step, transients included. A robot that falls counts as fallen
and is measured up to its fall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from envs.mdp import measures as gait
from envs.task import Commands, Curriculum, TaskConfig, require
from envs.vector import LocomotionVectorEnv

Act = Callable[[np.ndarray], np.ndarray]
"""Maps observations (n, O) to actions (n, joints)."""

HWANGBO_2019 = {
    "lin_vel_error": 0.143,
    "yaw_rate_error": 0.174,
    "mean_torque": 8.23,
    "power": 78.1,
}
"""Results of the learned policy on the real ANYmal B under random commands, same units as here."""

UNITS = {
    "lin_vel_error": "m/s",
    "yaw_rate_error": "rad/s",
    "fall_rate": "",
    "mean_torque": "N·m",
    "power": "W",
    "cost_of_transport": "",
    "stride_frequency": "Hz",
    "duty_factor": "",
    "swing_apex": "m",
    "foot_slip": "m/s",
    "base_height": "m",
    "base_tilt": "rad",
}
"""Every measured quantity and its unit."""

MOVING = 0.3
"""Gait and cost of transport are measured while the commanded planar speed exceeds this (m/s)."""
GRAVITY = 9.81
"""Gravitational acceleration (m/s²; MuJoCo's default)."""
RESAMPLES = 2000
"""Bootstrap resamples of an interval."""


@dataclass
class Recording:
    """T control steps of n robots; rows of a robot after its fall mean nothing."""

    dt: float
    """Control step (s)."""
    mass: float
    """Mass of the robot's nominal model (kg)."""
    alive: np.ndarray
    """Whether the robot was up to the end of the step, (T, n) bool."""
    command: np.ndarray
    """Command in force during the step, (T, n, 3)."""
    velocity: np.ndarray
    """Forward and leftward speed (m/s) and yaw rate (rad/s) in the base frame, (T, n, 3)."""
    joint_pos: np.ndarray
    """Joint positions (rad), (T, n, joints)."""
    joint_vel: np.ndarray
    """Joint velocities (rad/s), (T, n, joints)."""
    torque: np.ndarray
    """Joint torques of the drives (N·m), (T, n, joints)."""
    base_height: np.ndarray
    """Height of the base frame (m), (T, n)."""
    base_tilt: np.ndarray
    """Angle between the base's z axis and the vertical (rad), (T, n)."""
    foot_contact: np.ndarray
    """(T, n, feet) bool."""
    foot_height: np.ndarray
    """Height of the feet's underside (m), (T, n, feet)."""
    foot_speed: np.ndarray
    """Horizontal speed of the foot centres (m/s), (T, n, feet)."""

    @property
    def power(self) -> np.ndarray:
        """Mechanical power, Σ max(τ q̇, 0) over the joints (W), (T, n): drives do not recuperate."""
        return np.maximum(self.torque * self.joint_vel, 0.0).sum(axis=2)


def evaluation_config(config: TaskConfig, randomize: bool = False) -> TaskConfig:
    """Return the task as its protocol judges it.

    Args:
        config: the task.
        randomize: adds observation noise, random models and random start states.
    """
    protocol = config.protocol
    randomization = replace(
        config.randomization,
        start_state=protocol.start_state or randomize,
        start_tilt=protocol.start_tilt,
        start_joint=protocol.start_joint,
        noise=randomize,
        mass=randomize,
        com=randomize,
        friction=randomize,
        gains=randomize,
        pushes=protocol.pushes,
        push_speed=protocol.push_speed,
        push_interval=protocol.push_interval,
    )
    return replace(
        config,
        episode_length=protocol.seconds,
        commands=replace(
            config.commands,
            interval=(protocol.command_interval, protocol.command_interval),
            standing_share=0.0,
        ),
        randomization=randomization,
        curriculum=Curriculum(),
    )


def fixed_command(config: TaskConfig, command: tuple[float, float, float]) -> TaskConfig:
    """Return the task with one command (m/s, m/s, rad/s) throughout."""
    lin_vel_x, lin_vel_y, yaw_rate = ((value, value) for value in command)
    return replace(config, commands=Commands(lin_vel_x, lin_vel_y, yaw_rate))


def evaluate(
    act: Act,
    config: TaskConfig,
    robot: str = "anymal_c",
    episodes: int = 100,
    seed: int = 0,
) -> dict[str, Any]:
    """Judge a policy: all episodes at once, one robot each.

    Args:
        act: the policy.
        config: a task as `evaluation_config` gives it; its `episode_length` is the duration.
        robot: a robot of `robots.ROBOTS`.
        episodes: number of robots.
        seed: seed of commands, start states and intervals.

    Returns:
        For every name in `UNITS` a dict of `mean` over the robots and the ends `low`, `high` of
        its 95 % bootstrap interval (None where no robot gives a number); `episodes`, `seed`.

    Raises:
        ValueError: no episodes, or an unknown robot.
    """
    require(episodes >= 1, "episodes", episodes, "at least 1")
    env = LocomotionVectorEnv(episodes, robot=robot, config=config, autoreset=False)
    try:
        return summarize(record(act, env, seed), seed)
    finally:
        env.close()


def summarize(recording: Recording, seed: int) -> dict[str, Any]:
    """Return what `evaluate` does, from its recording."""
    rng = np.random.default_rng(seed)
    results: dict[str, Any] = {
        name: bootstrap(values, rng) for name, values in measure(recording).items()
    }
    return results | {"episodes": recording.alive.shape[1], "seed": seed}


def table(results: dict[str, Any], walks: bool) -> list[list[str]]:
    """Return the head and the rows of what `evaluate` found, with the paper's numbers for walking.

    The first cell is the quantity with its unit.
    """
    rows = [["", "mean", "95 % interval", *(["Hwangbo 2019"] if walks else [])]]
    for name, unit in UNITS.items():
        value, label = results[name], name.replace("_", " ") + (f" ({unit})" if unit else "")
        cells = ["none", ""]
        if value["mean"] is not None:
            cells = [f"{value['mean']:.3f}", f"{value['low']:.3f} to {value['high']:.3f}"]
        rows.append([label, *cells, *([f"{HWANGBO_2019.get(name, '')}"] if walks else [])])
    return rows


def record(
    act: Act,
    env: LocomotionVectorEnv,
    seed: int,
    before_step: Callable[[int], None] | None = None,
) -> Recording:
    """Run one episode in every simulation of an environment without autoreset.

    Args:
        act: the policy.
        env: the environment.
        seed: seed of its reset.
        before_step: called with the number of a control step, from 0, ahead of it.
    """
    model = env.physics.batch.model
    mass = float(model.body_subtreemass[model.body(env.robot.base).id])
    dt = env.config.simulation.dt
    observation, _ = env.reset(seed=seed)
    alive = np.ones(env.num_envs, bool)
    rows: list[dict[str, np.ndarray]] = []
    for step in range(round(env.config.episode_length / dt)):
        if before_step is not None:
            before_step(step)
        command = env.state.command.copy()  # step() ends by drawing the next one
        observation, _, terminated, _, _ = env.step(act(observation))
        alive = alive & ~terminated
        rows.append({"alive": alive, "command": command, **_read(env)})
    return Recording(dt, mass, **{name: np.stack([r[name] for r in rows]) for name in rows[0]})


def measure(recording: Recording) -> dict[str, np.ndarray]:
    """Return every quantity of `UNITS` for every robot, (n,), NaN where it has none."""
    r = recording
    error = r.command - r.velocity
    moving = r.alive & (_planar(r.command) > MOVING)
    weight = r.mass * GRAVITY  # N
    speed = gait.masked_mean(_planar(r.velocity), moving)
    torque, power = np.abs(r.torque).mean(axis=2), r.power
    with np.errstate(divide="ignore"):
        transport = gait.masked_mean(power, moving) / (weight * speed)
    return {
        "lin_vel_error": gait.masked_mean(_planar(error), r.alive),
        "yaw_rate_error": gait.masked_mean(np.abs(error[:, :, 2]), r.alive),
        "fall_rate": (~r.alive[-1]).astype(float),
        "mean_torque": gait.masked_mean(torque, r.alive),
        "power": gait.masked_mean(power, r.alive),
        "cost_of_transport": transport,
        "stride_frequency": gait.stride_frequency(r.foot_contact, moving, r.dt),
        "duty_factor": gait.duty_factor(r.foot_contact, moving),
        "swing_apex": gait.swing_apex(r.foot_contact, r.foot_height, moving),
        "foot_slip": gait.foot_slip(r.foot_contact, r.foot_speed, moving),
        "base_height": gait.masked_mean(r.base_height, r.alive),
        "base_tilt": gait.masked_mean(r.base_tilt, r.alive),
    }


def bootstrap(values: np.ndarray, rng: np.random.Generator) -> dict[str, float | None]:
    """Return the mean over robots and its 95 % percentile bootstrap interval.

    Values (n,) that are not finite are left out; without any left, all three are None.
    """
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return {"mean": None, "low": None, "high": None}
    picks = rng.integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[picks].mean(axis=1), [2.5, 97.5])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def _read(env: LocomotionVectorEnv) -> dict[str, np.ndarray]:
    """Return the fields of one row of a Recording that come from the state."""
    state = env.state
    return {
        "velocity": np.column_stack([state.lin_vel_b[:, :2], state.ang_vel_b[:, 2]]),
        "joint_pos": state.joint_pos,
        "joint_vel": state.joint_vel,
        "torque": state.torque,
        "base_height": state.base_height.copy(),
        "base_tilt": np.arccos(np.clip(-state.gravity_b[:, 2], -1.0, 1.0)),
        "foot_contact": state.foot_contact.copy(),
        "foot_height": state.foot_height.copy(),
        "foot_speed": _planar(state.foot_vel_w),
    }


def _planar(vectors: np.ndarray) -> np.ndarray:
    """Length of the first two components, (..., k) -> (...)."""
    return np.hypot(vectors[..., 0], vectors[..., 1])

"""Walk: follow commanded forward, sideways and turning speeds."""

from __future__ import annotations

from envs.mdp import observations as obs
from envs.mdp import rewards, terminations
from envs.mdp.commands import Commands, velocity
from envs.mdp.curriculum import Curriculum
from envs.mdp.gaits.gait import Gait, alternating
from envs.mdp.measures import referenced
from envs.mdp.observations import Observation
from envs.mdp.rewards import Reward
from envs.mdp.terminations import Termination
from envs.task import TaskConfig
from robots.robot import Robot

OBSERVATIONS = {
    "lin_vel": Observation(obs.lin_vel, "polar", scale=2.0, noise=0.1),
    "ang_vel": Observation(obs.ang_vel, "axial", scale=0.5, noise=0.2),
    "gravity": Observation(obs.gravity, "polar", noise=0.05),
    "command": Observation(obs.command, "command"),
    "joint_pos": Observation(obs.joint_pos, "joint", noise=0.01),
    "joint_vel": Observation(obs.joint_vel, "joint", scale=0.1, noise=1.5),
    "action": Observation(obs.action, "joint"),
    "clock_sin": Observation(obs.clock_sin, "foot"),
    "clock_cos": Observation(obs.clock_cos, "foot"),
}
"""Scales and noise of the peers (legged_gym, mjlab, mujoco_playground)."""

FALLS = {
    "base_contact": Termination(terminations.base_contact),
    "tilt": Termination(terminations.tilted, params={"limit": 0.925}),
    "height": Termination(terminations.low, params={"share": 0.5}),
}

HWANGBO_2019 = {
    "lin_vel_error": 0.143,
    "yaw_rate_error": 0.174,
    "mean_torque": 8.23,
    "power": 78.1,
}
"""Results of the learned policy on the real ANYmal B under random commands, in the measures' units
(Hwangbo et al. 2019, arXiv 1901.08652)."""


def standing_height(robot: Robot) -> float:
    """Return the height of the base (m) that is asked for, a little below the nominal one."""
    return round(robot.nominal_height - 0.05 * robot.leg_length, 6)


def swing_height(robot: Robot) -> float:
    """Return how high feet are to be lifted (m, to the millimetre)."""
    return round(robot.leg_length / 6, 3)


def walk(robot: Robot) -> TaskConfig:
    """Return the walking task: the command ranges and protocol of Hwangbo et al. 2019."""
    standing, swing = {"target": standing_height(robot)}, {"target": swing_height(robot)}
    return TaskConfig(
        rewards={
            "lin_vel": Reward(rewards.lin_vel_tracking, 1.5, params={"width": 0.5}),
            "lin_vel_deviation": Reward(rewards.lin_vel_deviation, -4.0, curriculum=True),
            "yaw_rate": Reward(rewards.yaw_rate_tracking, 1.0, params={"width": 0.5}),
            "yaw_rate_deviation": Reward(rewards.yaw_rate_deviation, -2.0, curriculum=True),
            "gait": Reward(rewards.gait, 1.0),
            "clearance": Reward(rewards.clearance, -100.0, params=swing),
            "base_height": Reward(rewards.base_height, -30.0, params=standing),
            "lin_vel_z": Reward(rewards.lin_vel_z, -1.0),
            "torque": Reward(rewards.torque, -1e-5),
            "termination": Reward(rewards.termination, -6.0),
            "ang_vel_xy": Reward(rewards.ang_vel_xy, -0.05, curriculum=True),
            "orientation": Reward(rewards.orientation, -3.0, curriculum=True),
            "power": Reward(rewards.power, -0.001, curriculum=True),
            "joint_acc": Reward(rewards.joint_acc, -2.5e-7, curriculum=True),
            "action_rate": Reward(rewards.action_rate, -0.04, curriculum=True),
            "air_time": Reward(rewards.air_time, 1.0, curriculum=True, params={"target": 0.25}),
            "slip": Reward(rewards.slip, -1.5, curriculum=True),
            "leg_contact": Reward(rewards.leg_contact, -1.0, curriculum=True),
            "stand_still": Reward(rewards.stand_still, -0.1, curriculum=True),
        },
        observations=OBSERVATIONS,
        terminations=FALLS,
        gait=Gait(frequency=2.5, offsets=alternating(len(robot.legs))),
        commands=Commands(
            velocity(lin_vel_x=(-1.0, 1.0), lin_vel_y=(-0.4, 0.4), yaw_rate=(-1.2, 1.2)),
            interval=(1.0, 3.0),
            standing_share=0.05,
        ),
        curricula={"rewards": Curriculum(initial=0.02, hold=0.3e6, ramp=0.5e6)},
        measures={
            **referenced(HWANGBO_2019, source="Hwangbo 2019"),
        },
    )

"""Walk: follow commanded forward, sideways and turning speeds."""

from __future__ import annotations

from envs.mdp import observations as obs
from envs.mdp import rewards
from envs.task import (
    Commands,
    Curriculum,
    Gait,
    ObservationTerm,
    Randomization,
    RewardTerm,
    TaskConfig,
)
from robots.robot import Robot

OBSERVATIONS = {
    "lin_vel": ObservationTerm(obs.lin_vel, "polar", scale=2.0, noise=0.1),
    "ang_vel": ObservationTerm(obs.ang_vel, "axial", scale=0.5, noise=0.2),
    "gravity": ObservationTerm(obs.gravity, "polar", noise=0.05),
    "command": ObservationTerm(obs.command, "command"),
    "joint_pos": ObservationTerm(obs.joint_pos, "joint", noise=0.01),
    "joint_vel": ObservationTerm(obs.joint_vel, "joint", scale=0.1, noise=1.5),
    "action": ObservationTerm(obs.action, "joint"),
    "clock_sin": ObservationTerm(obs.clock_sin, "foot"),
    "clock_cos": ObservationTerm(obs.clock_cos, "foot"),
}
"""Scales and noise of the peers (legged_gym, mjlab, mujoco_playground)."""


def walk(robot: Robot) -> TaskConfig:
    """Return the walking task: the command ranges and protocol of Hwangbo et al. 2019."""
    return TaskConfig(
        rewards={
            "lin_vel": RewardTerm(rewards.lin_vel_tracking, 1.5, params={"width": 0.5}),
            "lin_vel_deviation": RewardTerm(rewards.lin_vel_deviation, -1.0, curriculum=True),
            "yaw_rate": RewardTerm(rewards.yaw_rate_tracking, 1.0, params={"width": 0.5}),
            "yaw_rate_deviation": RewardTerm(rewards.yaw_rate_deviation, -0.5, curriculum=True),
            "gait": RewardTerm(rewards.gait, 1.0),
            "clearance": RewardTerm(rewards.clearance, -100.0, params={"target": 0.1}),
            "base_height": RewardTerm(
                rewards.base_height, -10.0, params={"target": robot.nominal_height - 0.03}
            ),
            "lin_vel_z": RewardTerm(rewards.lin_vel_z, -1.0),
            "torque": RewardTerm(rewards.torque, -1e-5),
            "termination": RewardTerm(rewards.termination, -6.0),
            "ang_vel_xy": RewardTerm(rewards.ang_vel_xy, -0.05, curriculum=True),
            "orientation": RewardTerm(rewards.orientation, -1.0, curriculum=True),
            "joint_acc": RewardTerm(rewards.joint_acc, -2.5e-7, curriculum=True),
            "action_rate": RewardTerm(rewards.action_rate, -0.04, curriculum=True),
            "air_time": RewardTerm(rewards.air_time, 1.0, True, {"target": 0.25}),
            "slip": RewardTerm(rewards.slip, -0.5, curriculum=True),
            "leg_contact": RewardTerm(rewards.leg_contact, -1.0, curriculum=True),
            "stand_still": RewardTerm(rewards.stand_still, -0.1, curriculum=True),
        },
        observations=OBSERVATIONS,
        gait=Gait(frequency=2.5),
        commands=Commands(
            lin_vel_x=(-1.0, 1.0),
            lin_vel_y=(-0.4, 0.4),
            yaw_rate=(-1.2, 1.2),
            interval=(1.0, 3.0),
            standing_share=0.05,
        ),
        randomization=Randomization(),
        curriculum=Curriculum(initial=0.02, hold=0.6e6, ramp=1.2e6),
    )

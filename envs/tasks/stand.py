"""Stand: hold the nominal stance from tilted starts and through pushes."""

from __future__ import annotations

from envs.mdp import rewards
from envs.task import Protocol, Randomization, RewardTerm, TaskConfig
from envs.tasks.walk import OBSERVATIONS
from robots.robot import Robot

PROPRIOCEPTION = ("lin_vel", "ang_vel", "gravity", "joint_pos", "joint_vel", "action")


def stand(robot: Robot) -> TaskConfig:
    """Return the standing task: harder starts and pushes in training than when it is judged."""
    return TaskConfig(
        rewards={
            "lin_vel": RewardTerm(rewards.lin_vel_tracking, 1.0, params={"width": 0.5}),
            "yaw_rate": RewardTerm(rewards.yaw_rate_tracking, 0.5, params={"width": 0.5}),
            "pose": RewardTerm(rewards.pose, 2.0, params={"bound": 0.1, "margin": 0.5}),
            "base_height": RewardTerm(
                rewards.base_height, -100.0, params={"target": robot.nominal_height - 0.03}
            ),
            "orientation": RewardTerm(rewards.orientation, -2.0),
            "lin_vel_z": RewardTerm(rewards.lin_vel_z, -1.0),
            "ang_vel_xy": RewardTerm(rewards.ang_vel_xy, -0.05),
            "torque": RewardTerm(rewards.torque, -1e-5),
            "joint_acc": RewardTerm(rewards.joint_acc, -2.5e-7),
            "action_rate": RewardTerm(rewards.action_rate, -0.05),
            "slip": RewardTerm(rewards.slip, -0.1),
            "leg_contact": RewardTerm(rewards.leg_contact, -1.0),
            "termination": RewardTerm(rewards.termination, -20.0),
        },
        observations={name: OBSERVATIONS[name] for name in PROPRIOCEPTION},
        episode_length=2.0,  # s; robots that stand would hardly meet the start states again
        randomization=Randomization(
            start_tilt=0.2, start_joint=0.2, pushes=True, push_speed=1.0, push_interval=2.0
        ),
        protocol=Protocol(
            seconds=20.0,
            pushes=True,
            push_speed=0.5,
            start_state=True,
            start_tilt=0.15,
            start_joint=0.15,
        ),
    )

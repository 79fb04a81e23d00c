"""Stand: hold the nominal stance from tilted starts and through pushes."""

from __future__ import annotations

from envs.mdp import rewards, starts
from envs.mdp.rewards import Reward
from envs.mdp.starts import Start
from envs.sim.randomization import Randomization
from envs.task import ANY_PHASE, Protocol, TaskConfig
from envs.tasks.walk import FALLS, OBSERVATIONS, standing_height
from robots.robot import Robot

PROPRIOCEPTION = ("lin_vel", "ang_vel", "gravity", "joint_pos", "joint_vel", "action")


def stand(robot: Robot) -> TaskConfig:
    """Return the standing task: harder starts and pushes in training than when it is judged."""
    hard = {"tilt": 0.2, "joint": 0.2, "velocity": 0.5}
    fair = {"tilt": 0.15, "joint": 0.15, "velocity": 0.5}
    return TaskConfig(
        rewards={
            "lin_vel": Reward(rewards.lin_vel_tracking, 1.0, params={"width": 0.5}),
            "yaw_rate": Reward(rewards.yaw_rate_tracking, 0.5, params={"width": 0.5}),
            "pose": Reward(rewards.pose, 2.0, params={"bound": 0.1, "margin": 0.5}),
            "base_height": Reward(
                rewards.base_height, -100.0, params={"target": standing_height(robot)}
            ),
            "orientation": Reward(rewards.orientation, -2.0),
            "lin_vel_z": Reward(rewards.lin_vel_z, -1.0),
            "ang_vel_xy": Reward(rewards.ang_vel_xy, -0.05),
            "torque": Reward(rewards.torque, -1e-5),
            "joint_acc": Reward(rewards.joint_acc, -2.5e-7),
            "action_rate": Reward(rewards.action_rate, -0.05),
            "slip": Reward(rewards.slip, -0.1),
            "leg_contact": Reward(rewards.leg_contact, -1.0),
            "termination": Reward(rewards.termination, -20.0),
        },
        observations={name: OBSERVATIONS[name] for name in PROPRIOCEPTION},
        terminations=FALLS,
        start=Start(starts.scattered, params=hard),
        episode_length=2.0,  # s; robots that stand would hardly meet the start states again
        randomization=Randomization(phase=ANY_PHASE, push=(1.0, 1.0), push_interval=2.0),
        protocol=Protocol(
            seconds=20.0,
            start=Start(starts.scattered, params=fair),
            randomization=Randomization(phase=ANY_PHASE, push=(0.5, 0.5)),
        ),
    )

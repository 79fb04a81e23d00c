"""Recover: dropped in any pose, get up, stand in the nominal stance and stay."""

from __future__ import annotations

from envs.mdp import rewards, starts
from envs.mdp.commands import Commands
from envs.mdp.curriculum import Curriculum
from envs.mdp.recovery import RECOVERY
from envs.mdp.rewards import Reward
from envs.mdp.starts import Start
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from envs.task import Protocol, TaskConfig
from envs.tasks.stand import PROPRIOCEPTION
from envs.tasks.walk import OBSERVATIONS, standing_height
from robots.robot import Robot


def recover(robot: Robot) -> TaskConfig:
    """Return the recovery task: no fall ends an episode, for it begins with one."""
    height = {"target": standing_height(robot)}
    start = Start(starts.dropped, params={"height": 1.0, "joint": 0.8, "velocity": 1.0})
    return TaskConfig(
        rewards={
            "upright": Reward(rewards.upright, 2.0),
            "upright_height": Reward(rewards.upright_height, 2.0, params=height),
            "upright_pose": Reward(rewards.upright_pose, 4.0, params={"bound": 0.1, "margin": 0.7}),
            "body_contact": Reward(rewards.body_contact, -0.5, curriculum=True),
            "lin_vel_deviation": Reward(rewards.lin_vel_deviation, -0.2, curriculum=True),
            "ang_vel_xy": Reward(rewards.ang_vel_xy, -0.01, curriculum=True),
            "torque": Reward(rewards.torque, -1e-5, curriculum=True),
            "power": Reward(rewards.power, -0.0002, curriculum=True),
            "joint_acc": Reward(rewards.joint_acc, -1e-7, curriculum=True),
            "action_rate": Reward(rewards.action_rate, -0.02, curriculum=True),
            "slip": Reward(rewards.slip, -0.05, curriculum=True),
        },
        observations={name: OBSERVATIONS[name] for name in PROPRIOCEPTION},
        start=start,
        commands=Commands({}),
        drive=PD(scale=1.5),
        curricula={"rewards": Curriculum(initial=0.1, hold=1e6, ramp=2e6)},
        episode_length=5.0,
        staggered=True,
        simulation=Simulation(collision="full"),
        protocol=Protocol(seconds=6.0, start=start),
        measures=RECOVERY,
    )

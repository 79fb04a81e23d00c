"""Run: follow forward speeds beyond walking."""

from __future__ import annotations

from dataclasses import replace

from envs.mdp.commands import Commands, velocity
from envs.mdp.curriculum import Curriculum, Earned
from envs.sim.scene import Simulation
from envs.task import Protocol, TaskConfig
from envs.tasks.walk import walk
from robots.robot import Robot

SPEEDS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
"""Forward speeds (m/s) that a policy is judged at."""


def run(robot: Robot) -> TaskConfig:
    """Return the running task: walking's terms, faster steps, commands that widen in training."""
    task = walk(robot)
    weights = {
        "lin_vel_deviation": -2.0,
        "yaw_rate_deviation": -1.0,
        "termination": -15.0,
        "power": -0.002,
        "slip": -1.0,
    }
    rewards = {n: replace(r, weight=weights.get(n, r.weight)) for n, r in task.rewards.items()}
    return replace(
        task,
        rewards=rewards,
        gait=replace(task.gait, frequency=3.0),
        commands=Commands(
            velocity(lin_vel_x=(-1.0, 3.0), lin_vel_y=(-0.2, 0.2), yaw_rate=(-0.6, 0.6)),
            interval=(1.0, 4.0),
            standing_share=0.05,
        ),
        curricula=task.curricula | {"commands": Curriculum(initial=0.4, hold=0.8e6, ramp=3e6)},
        simulation=Simulation(physics="fast", timestep=0.01, substeps=2),
        protocol=Protocol(speeds=SPEEDS),
    )


def run_earned(robot: Robot) -> TaskConfig:
    """Return the running task, whose commands widen as often as they are followed."""
    task = run(robot)
    return replace(task, curricula=task.curricula | {"commands": Earned(initial=0.4)})

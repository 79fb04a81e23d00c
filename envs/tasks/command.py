"""Command: random commands through a learned drive, as Hwangbo et al. 2019 judged their policy."""

from __future__ import annotations

from dataclasses import replace

from envs.sim.drives import Network
from envs.sim.scene import Simulation
from envs.task import TaskConfig
from envs.tasks.walk import walk
from robots.robot import Robot

FREQUENCY = 2.5
"""Strides per second (Hz)."""
WEIGHTS = {
    "lin_vel_deviation": -8.0,
    "yaw_rate_deviation": -4.0,
    "slip": -1.5,
    "torque": -1.5e-4,
    "power": -0.006,
    "termination": -20.0,
}
"""Those of walking's rewards that differ: errors, slips and falls are dearer, and so are torque and
power, for drives of 40 N·m."""


def command(robot: Robot) -> TaskConfig:
    """Return the task of the paper's random commands: walking's terms, a drive that was learned.

    The commands' ranges and the protocol are walking's, which are the paper's.
    """
    task = walk(robot)
    weighted = {name: replace(task.rewards[name], weight=w) for name, w in WEIGHTS.items()}
    return replace(
        task,
        rewards=task.rewards | weighted,
        gait=replace(task.gait, frequency=FREQUENCY),
        commands=replace(task.commands, standing_share=0.1),
        drive=Network(),
        simulation=Simulation(physics="fast"),
    )

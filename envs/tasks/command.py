"""Command: random commands through a learned drive, as Hwangbo et al. 2019 judged their policy."""

from __future__ import annotations

from dataclasses import replace

from envs.sim.drives import Network
from envs.sim.scene import Simulation
from envs.task import TaskConfig
from envs.tasks.walk import walk
from robots.robot import Robot

FREQUENCY = 2.3
"""Strides per second (Hz)."""
WEIGHTS = {"torque": -1e-4, "termination": -15.0}
"""Those of walking's rewards that differ: torque is dearer, for drives of 40 N·m, and falls are."""


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
        drive=Network(),
        simulation=Simulation(physics="fast"),
    )

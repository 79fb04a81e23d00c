"""The tasks, one file each: a function from a robot to a TaskConfig."""

from __future__ import annotations

from collections.abc import Callable

from envs.task import TaskConfig
from envs.tasks.free_gait import free_gait
from envs.tasks.gait import gait
from envs.tasks.recover import recover
from envs.tasks.run import run
from envs.tasks.stand import stand
from envs.tasks.walk import walk
from robots.robot import Robot
from robots.usage import UsageError

TASKS: dict[str, Callable[[Robot], TaskConfig]] = {
    "free_gait": free_gait,
    "gait": gait,
    "recover": recover,
    "run": run,
    "stand": stand,
    "walk": walk,
}
"""Each is the id trot/NAME-v0 (with a capital), for any robot."""


def make(name: str, robot: Robot) -> TaskConfig:
    """Return a task's definition for a robot.

    Raises:
        ValueError: an unknown task.
    """
    if name not in TASKS:
        raise UsageError(f"task is {name!r}; choose from {', '.join(TASKS)}")
    return TASKS[name](robot)

"""The tasks, one file each: a function from a robot to a TaskConfig."""

from __future__ import annotations

from collections.abc import Callable

from envs.task import TaskConfig
from envs.tasks import hwangbo
from envs.tasks.command import command
from envs.tasks.free_gait import free_gait
from envs.tasks.gait import gait
from envs.tasks.recover import recover
from envs.tasks.run import run, run_earned
from envs.tasks.size import scaled
from envs.tasks.stand import stand
from envs.tasks.walk import walk
from robots.robot import Robot
from robots.usage import UsageError

TASKS: dict[str, Callable[[Robot], TaskConfig]] = {
    "command": command,
    "free_gait": free_gait,
    "gait": gait,
    "recover": recover,
    "run": run,
    "stand": stand,
    "walk": walk,
}
"""Each is the id trot/NAME-v0 (with a capital), for any robot, written for ANYmal C."""


USUAL = "trot"
"""Name of the recipe in TASKS."""

RECIPES: dict[str, dict[str, Callable[[Robot], TaskConfig]]] = {
    "command": {"paper": hwangbo.command},
    "recover": {"paper": hwangbo.recover},
    "run": {"paper": hwangbo.run, "earned": run_earned},
}
"""Other recipes of a task than its own, by name."""
PUBLISHED = ("paper",)
"""Recipes whose numbers stay as they were published, whatever the robot's size."""


def recipes(name: str) -> dict[str, Callable[[Robot], TaskConfig]]:
    """Return all recipes of a task by their names, its own first."""
    return {USUAL: TASKS[name], **RECIPES.get(name, {})}


def make(name: str, robot: Robot, recipe: str = USUAL) -> TaskConfig:
    """Return a task's definition for a robot, its numbers scaled by the robot's size.

    Raises:
        ValueError: an unknown task, or a recipe that it does not have.
    """
    if name not in TASKS:
        raise UsageError(f"task is {name!r}; choose from {', '.join(TASKS)}")
    known = recipes(name)
    if recipe not in known:
        raise UsageError(f"recipe is {recipe!r}; the task {name} has {' and '.join(known)}")
    task = known[recipe](robot)
    return task if recipe in PUBLISHED else scaled(task, robot)

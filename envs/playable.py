"""What playing needs of a task, as a checkpoint keeps it: it outlives the task's other terms."""

from __future__ import annotations

import inspect
import logging
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from envs.bounds import require
from envs.mdp import observations, rewards
from envs.mdp.commands import VELOCITY, Command, velocity
from envs.mdp.gaits.gait import Gait
from envs.mdp.observations import Observation
from envs.mdp.rewards import PACED, Reward
from envs.sim import DRIVES, TERRAINS
from envs.sim.scene import Simulation
from envs.task import TaskConfig
from robots.robot import Robot
from robots.usage import UsageError

_logger = logging.getLogger(__name__)
T = TypeVar("T")
LIBRARY = {
    name: function
    for name, function in vars(observations).items()
    if inspect.isfunction(function)
    and list(inspect.signature(function).parameters)[:1] == ["state"]
}
"""Observation functions by name."""


def describe(task: TaskConfig) -> dict[str, Any]:
    """Return what playing needs of a task, as JSON can hold it."""
    return {
        "simulation": asdict(task.simulation) | {"nthread": 0},
        "terrain": {"name": task.terrain.name} | asdict(task.terrain),
        "drive": {"name": task.drive.name} | asdict(task.drive),
        "gait": asdict(task.gait),
        "observations": {
            name: {
                "function": term.function.__name__,
                "params": term.params,
                "kind": term.kind,
                "scale": term.scale,
                "noise": term.noise,
            }
            for name, term in task.observations.items()
        },
        "commands": {name: asdict(entry) for name, entry in task.commands.entries.items()},
    }


def restore(task: TaskConfig, content: dict[str, Any]) -> TaskConfig:
    """Return today's task with all that a policy's actions depend on as it was in training.

    Args:
        task: today's definition.
        content: what `describe` gave; settings that today's code lacks are passed over.

    Raises:
        ValueError: it is damaged, or names an observation, drive or terrain that is unknown.
    """
    try:
        return _restored(task, content)
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"lacks {error}" if isinstance(error, KeyError) else f"does not fit: {error}"
        raise UsageError(f"the checkpoint's part `play` {problem}; it is damaged") from error


def _restored(task: TaskConfig, content: dict[str, Any]) -> TaskConfig:
    commands = {name: _filled(Command, entry) for name, entry in content["commands"].items()}
    gait = _filled(Gait, content["gait"])
    return replace(
        task,
        rewards=_payable(task, gait, tuple(commands)),
        simulation=_filled(Simulation, content["simulation"]),
        terrain=_named(TERRAINS, "terrain", content["terrain"]),
        drive=_named(DRIVES, "drive", content["drive"]),
        gait=gait,
        observations={n: _observation(task, n, o) for n, o in content["observations"].items()},
        commands=replace(task.commands, entries=commands),
    )


def _payable(task: TaskConfig, gait: Gait, commands: tuple[str, ...]) -> dict[str, Reward]:
    """Return the rewards that can be paid with this gait and these commands; they may be none."""
    if not set(task.commands.names) <= set(commands):
        return {"termination": Reward(rewards.termination, 0.0)}
    idle = {} if gait.frequency else dict.fromkeys(PACED)
    return {n: replace(t, weight=0.0) if t.function in idle else t for n, t in task.rewards.items()}


def require_legs(robot: Robot, content: dict[str, Any]) -> None:
    """Raise ValueError where a policy learned on a robot of another number of legs.

    Args:
        robot: the one it is to move.
        content: what `describe` gave.
    """
    legs = len(content.get("gait", {}).get("offsets", ()))
    if legs not in (0, len(robot.legs)):
        raise UsageError(
            f"the policy learned on a robot of {legs} legs, and {robot.name} has "
            f"{len(robot.legs)}: choose a --robot with as many legs and joints, or train one for it"
        )


def require_same_senses(trained: TaskConfig, given: TaskConfig) -> None:
    """Raise ValueError where a task's settings change what observations or actions mean.

    Under others the policy's numbers would be of other quantities. Sensor noise, the simulation,
    the ground, the gait and all that differs between simulations may be as one likes.
    """
    named: dict[str, Any] = {"drive": (trained.drive, given.drive)}
    for name, term in given.observations.items():
        own = trained.observations[name]
        named[f"observations.{name}"] = replace(own, noise=0.0), replace(term, noise=0.0)
    for name, (own, other) in named.items():
        if own != other:
            flag = f"--env.{name.replace('_', '-')}"
            raise UsageError(
                f"{flag} is another than in training, and the policy knows its own alone: leave it "
                "out, or train with it"
            )


def upgraded(env: dict[str, Any]) -> dict[str, Any]:
    """Return what `describe` gives, from the settings in checkpoints of before it was there."""
    contact = {"training": "pyramidal", "menagerie": "elliptic"}
    simulation, action = env["simulation"], env["action"]
    drive = {"name": action["mode"], "scale": action["scale"]}
    ranges = {name: tuple(env["commands"][name]) for name in VELOCITY}
    return {
        "simulation": simulation | {"contact": contact[simulation["contact"]]},
        "terrain": {"name": "flat"},
        "drive": drive,
        "gait": env["gait"],
        "observations": {
            name: {"function": name, **term} for name, term in env["observations"].items()
        },
        "commands": {
            name: asdict(entry)
            for name, entry in velocity(
                **{n: (low, high) for n, (low, high) in ranges.items()}
            ).items()
        },
    }


def _observation(task: TaskConfig, name: str, content: dict[str, Any]) -> Observation:
    """Return a term by its function's name: one of the task's own, or of the library."""
    function = content["function"]
    known = {term.function.__name__: term.function for term in task.observations.values()}
    found = known.get(function) or LIBRARY.get(function)
    need = "a function that this code has; play the policy with the code that it was trained with"
    require(callable(found), f"observation {name}", repr(function), need)
    return _filled(Observation, content | {"function": found})


def _named(known: dict[str, type[T]], what: str, content: dict[str, Any]) -> T:
    name = content["name"]
    require(name in known, what, repr(name), f"one of {', '.join(known)}")
    return _filled(known[name], {n: value for n, value in content.items() if n != "name"})


def _filled(kind: type[T], content: dict[str, Any]) -> T:
    """Return a dataclass of the settings that it still has; lists become its tuples."""
    known = {f.name for f in fields(kind)}  # pyright: ignore[reportArgumentType]
    for name in content.keys() - known:
        _logger.warning(
            "the policy was trained with %s %s of %s, which this code does not know: it may act "
            "otherwise",
            name,
            content[name],
            kind.__name__,
        )
    values = {n: tuple(v) if isinstance(v, list) else v for n, v in content.items() if n in known}
    return kind(**values)

"""Markdown tables of a task, for the docs: `python -m envs.show.tables walk`."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from typing import Any

from envs import tasks
from envs.mdp.term import Term
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv
from robots import get_robot


def observation_table(task: str, robot: str = "anymal_c") -> str:
    """Return a row for each block of the observation: where, what, scale, noise."""
    env = LocomotionVectorEnv(1, task=task, robot=robot)
    rows = []
    for name, term in env.config.observations.items():
        block = env.layout[name]
        what = _what(term).split(", (n")[0]
        entries, noise = f"{block.start}–{block.stop - 1}", f"{term.noise:g}" if term.noise else ""
        rows.append((entries, f"`{name}`", what, f"{term.scale:g}", noise))
    return _table(("entries", "observation", "what", "scale", "noise ±"), rows)


def reward_table(task: str, robot: str = "anymal_c") -> str:
    """Return a row for each reward term: weight, curriculum, what it measures."""
    rows = []
    for name, term in _config(task, robot).rewards.items():
        curriculum = "yes" if term.curriculum else ""
        rows.append((f"`{name}`", f"{term.weight:g}", curriculum, _what(term)))
    return _table(("reward", "weight (1/s)", "curriculum", "what"), rows)


def command_table(task: str, robot: str = "anymal_c") -> str:
    """Return a row for each entry of the command: its range and unit."""
    rows = []
    for name, entry in _config(task, robot).commands.entries.items():
        low, high = entry.range
        rows.append((f"`{name}`", f"{low:g} to {high:g}", entry.unit))
    return _table(("command", "range", "unit"), rows)


def ending_table(task: str, robot: str = "anymal_c") -> str:
    """Return a row for how episodes start, and one for each reason to end them."""
    config = _config(task, robot)
    start = ("start", f"`{_name(config.start)}`", _what(config.start))
    ends = [("end", f"`{name}`", _what(term)) for name, term in config.terminations.items()]
    return _table(("episodes", "term", "what"), [start, *ends])


def tables(task: str) -> str:
    """Return all tables of a task."""
    shown = (observation_table, reward_table, command_table, ending_table)
    return "\n\n".join(table(task) for table in shown)


def _config(task: str, robot: str) -> TaskConfig:
    return tasks.make(task, get_robot(robot))


def _name(term: Term) -> str:
    return term.function.__name__


def _what(term: Term) -> str:
    """Return what a term's function says of itself, with its parameters."""
    params = ", ".join(f"{name} {value:.3g}" for name, value in term.params.items())
    return _first_line(term.function) + (f" ({params})" if params else "")


def _first_line(function: Callable[..., Any]) -> str:
    text = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ").rstrip(".")
    return text.replace("|", "\\|")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=tasks.TASKS)
    print(tables(parser.parse_args().task))

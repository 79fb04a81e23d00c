"""Markdown tables of a task, for the docs: `python -m envs.show.tables walk`."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable

import numpy as np

from envs import tasks
from envs.vector import LocomotionVectorEnv


def observation_table(task: str, robot: str = "anymal_c") -> str:
    """Return a row for each block of the observation: where, what, scale, noise."""
    env = LocomotionVectorEnv(1, task=task, robot=robot)
    rows = []
    for name, term in env.config.observations.items():
        block = env.layout[name]
        what = _first_line(term.function).split(", (n")[0]
        entries, noise = f"{block.start}–{block.stop - 1}", f"{term.noise:g}" if term.noise else ""
        rows.append((entries, f"`{name}`", what, f"{term.scale:g}", noise))
    return _table(("entries", "term", "what", "scale", "noise ±"), rows)


def reward_table(task: str, robot: str = "anymal_c") -> str:
    """Return a row for each reward term: weight, curriculum, what it measures."""
    env = LocomotionVectorEnv(1, task=task, robot=robot)
    rows = []
    for name, term in env.config.rewards.items():
        params = ", ".join(f"{k} {v:.3g}" for k, v in term.params.items())
        what = _first_line(term.function) + (f" ({params})" if params else "")
        rows.append((f"`{name}`", f"{term.weight:g}", "k" if term.curriculum else "", what))
    return _table(("term", "weight (1/s)", "curriculum", "what"), rows)


def _first_line(function: Callable[..., np.ndarray]) -> str:
    text = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ").rstrip(".")
    return text.replace("|", "\\|")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=tasks.TASKS)
    chosen = parser.parse_args().task
    print(observation_table(chosen), reward_table(chosen), sep="\n\n")

"""What several seeds of one training come to, in a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from algos.compare import plots
from algos.compare.intervals import interval

EACH = 4
"""Largest number of seeds that a table has a column each of."""
UNITS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
"""Of times, in seconds: a table takes the first of which its longest has one."""


def summary(folders: Mapping[int, Path], title: str) -> Table:
    """Return the seeds' last evaluations, and their means with 95 % intervals.

    Measures of the task come first, the return last. Of more than EACH seeds the least and the
    most stand there, with their seeds.

    Args:
        folders: of the runs, by their seeds.
        title: of the table.
    """
    seeds, runs = [*folders], [plots.load(folder) for folder in folders.values()]
    table = Table(title=title, box=SIMPLE, pad_edge=False)
    each = [f"seed {seed}" for seed in seeds] if len(seeds) <= EACH else ["least", "most"]
    for name in ("last evaluation", *(("mean", "95 % interval") if len(runs) > 1 else ()), *each):
        table.add_column(name, justify="left" if name == "last evaluation" else "right")
    for column, name in (plots.measures(runs) | {"eval/return_mean": "return"}).items():
        table.add_row(name, *_compared(column, runs, seeds))
    table.add_section()
    steps = [run.columns["env_steps"][-1] for run in runs]
    times = [run.columns["seconds"][-1] for run in runs]
    unit = next((name for name, size in UNITS.items() if max(times) >= size), "seconds")
    blank = [""] * (2 if len(runs) > 1 else 0)
    table.add_row("steps", *blank, *_each(steps, seeds, "{:,.0f}"))
    table.add_row(unit, *blank, *_each([time / UNITS[unit] for time in times], seeds, "{:.1f}"))
    return table


def _compared(column: str, runs: Sequence[plots.Run], seeds: Sequence[int]) -> list[str]:
    """Return the cells of a column: mean and interval of several runs that have it, and each's."""
    text = "{:.1f}" if column in plots.RETURNS else "{:.3f}"
    known = {run.path: run.last(column) for run in runs if math.isfinite(run.last(column))}
    cells = _each([run.last(column) for run in runs], seeds, text)
    if len(runs) == 1:
        return cells
    if not known:
        return ["", "", *cells]
    episodes = sum(run.episodes(column) for run in runs if run.path in known)
    mean, low, high = interval(column, np.array([*known.values()]), episodes)
    ends = f"{text.format(low)} to {text.format(high)}" if len(known) > 1 else ""
    return [text.format(mean), ends, *cells]


def _each(values: Sequence[float], seeds: Sequence[int], text: str) -> list[str]:
    """Return every seed's cell, or of many the least and the most."""
    if len(seeds) <= EACH:
        return [text.format(value) if math.isfinite(value) else "none" for value in values]
    known = sorted(
        (value, seed) for value, seed in zip(values, seeds, strict=True) if value == value
    )
    ends = (known[0], known[-1]) if known else ()
    return [f"{text.format(value)} (seed {seed})" for value, seed in ends] or ["none", "none"]

"""What a training came to, for its end."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from algos.training.progress import JUDGED

RETURN = "eval/return_mean"


def read(metrics: Path) -> list[dict[str, str]]:
    """Return the whole rows of a metrics.csv."""
    with metrics.open(newline="") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]


def pace(rows: list[dict[str, str]]) -> str:
    """Return how long a training took, evaluations and videos left out, and how fast it was."""
    steps, seconds = (float(rows[-1][name]) for name in ("env_steps", "seconds"))
    return f"{seconds / 60:.1f} minutes, {steps / seconds:,.0f} steps/s"


def evaluations(rows: list[dict[str, str]]) -> Table | None:
    """Return the first, the best (of the highest return) and the last evaluation; None without."""
    evaluated = [row for row in rows if row.get(RETURN)]
    if not evaluated:
        return None
    first, last = evaluated[0], evaluated[-1]
    best = max(reversed(evaluated), key=lambda row: float(row[RETURN]))
    judged = {n: quantity for n, quantity in JUDGED.items() if last.get(f"eval/{n}")}
    table = Table()
    for name in ("evaluation", "steps", *(quantity.name for quantity in judged.values()), "return"):
        table.add_column(name, justify="right")
    for name, row in {"first": first, "best": best, "last": last}.items():
        if name == "last" or row is not last:
            table.add_row(name, *_cells(row, list(judged)))
    return table


def _cells(row: Mapping[str, str], judged: list[str]) -> list[str]:
    told = [JUDGED[name].told(float(row[f"eval/{name}"] or "nan")) for name in judged]
    return [f"{float(row['env_steps']):,.0f}", *told, f"{float(row[RETURN]):.1f}"]

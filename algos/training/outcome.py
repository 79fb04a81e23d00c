"""What a training came to, for its end."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from rich.table import Table

from algos.runs.metrics import intact
from algos.training.progress import JUDGED

RETURN = "eval/return_mean"
Row = dict[str, float]


def read(metrics: Path) -> list[Row]:
    """Return the whole rows of a metrics.csv, NaN where a cell is empty.

    Raises:
        UsageError: it is damaged.
    """
    with intact(metrics), metrics.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
        return [{name: float(cell or "nan") for name, cell in row.items()} for row in rows]


def pace(rows: list[Row]) -> str:
    """Return how long a training took, evaluations and videos left out, and how fast it was."""
    steps, seconds = rows[-1]["env_steps"], rows[-1]["seconds"]
    took = f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} seconds"
    return f"{took}, {steps / seconds:,.0f} steps/s"


def omissions(rows: list[Row]) -> list[str]:
    """Return, in one line or none, in how many iterations environments were left out."""
    hit = sum(row.get("omitted_environments", 0) > 0 for row in rows)
    many = f"{hit:,} of {len(rows):,} iterations"
    why = "what they returned was not all finite"
    return [f"environments were left out of the update in {many}: {why}"] if hit else []


def evaluations(rows: list[Row]) -> Table | None:
    """Return the first, the best (of the highest return) and the last evaluation; None without.

    One that is several of them has one row.
    """
    evaluated = [row for row in rows if math.isfinite(row.get(RETURN, math.nan))]
    if not evaluated:
        return None
    best = max(range(len(evaluated)), key=lambda i: (evaluated[i][RETURN], i))
    names: dict[int, list[str]] = {}
    for name, i in {"first": 0, "best": best, "last": len(evaluated) - 1}.items():
        names.setdefault(i, []).append(name)
    judged = [n for n in JUDGED if math.isfinite(evaluated[-1].get(f"eval/{n}", math.nan))]
    table = Table(title="Evaluations during the training; best.pt has the best")
    for name in ("evaluation", "after steps", *(JUDGED[n].name for n in judged), "return"):
        table.add_column(name, justify="right")
    for i in sorted(names):
        row = evaluated[i]
        told = [JUDGED[n].told(row[f"eval/{n}"]) for n in judged]
        which = ", ".join(names[i]) if len(evaluated) > 1 else "only"
        table.add_row(which, f"{row['env_steps']:,.0f}", *told, f"{row[RETURN]:.1f}")
    return table

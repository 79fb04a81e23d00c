"""What a run's seed and settings decide, in short: `python -m algos.runs.fingerprint RUN [RUN …]`.

Runs of the same settings, seed and kind of machine have the same fingerprints, at whatever number
of simulation threads, and whether or not they were stopped, killed and resumed on the way.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import tyro
from rich.table import Table

from algos import terminal
from algos.runs.checkpoint import load_checkpoint
from algos.runs.directory import RunDirectory
from algos.runs.metrics import WALL_TIME, intact
from algos.usage import UsageError

ASIDE = {
    *("env_id", "robot", "algorithm", "algo_config", "env", "play"),
    *("env_kwargs", "wrapper"),
    *("seconds", "wandb_id", "unjudged"),
}
"""Entries of a checkpoint that are no state: what the run is called, and how long it took."""


class Fingerprint(NamedTuple):
    """What two runs are compared by."""

    env_steps: int
    state: str
    """SHA-256 of the last checkpoint's state: networks, generators, simulations, counters."""
    metrics: str
    """SHA-256 of metrics.csv without its wall times."""


def fingerprint(run: Path) -> Fingerprint:
    """Return what identifies a run's outcome.

    Raises:
        ValueError: the folder has no readable checkpoint.
    """
    files = RunDirectory(run)
    content = load_checkpoint(files.last)
    state = {name: value for name, value in content.items() if name not in ASIDE}
    return Fingerprint(content["env_steps"], digest(state), digest(metrics(files.metrics)))


def metrics(path: Path) -> list[dict[str, str]]:
    """Return the rows of a metrics.csv without empty cells and wall times."""
    with intact(path), path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{n: v for n, v in row.items() if v and not WALL_TIME.fullmatch(n)} for row in rows]


def digest(value: Any) -> str:
    """Return the SHA-256 of nested dicts and lists of tensors, arrays, numbers and strings."""
    sha = hashlib.sha256()
    _feed(sha, value)
    return sha.hexdigest()


def _feed(sha: Any, value: Any) -> None:
    if isinstance(value, dict):
        sha.update(f"dict {len(value)}".encode())
        for name in sorted(value, key=str):
            _feed(sha, str(name))
            _feed(sha, value[name])
    elif isinstance(value, list | tuple):
        sha.update(f"list {len(value)}".encode())
        for item in value:
            _feed(sha, item)
    elif isinstance(value, torch.Tensor | np.ndarray):
        array = torch.as_tensor(value).cpu().contiguous().numpy()
        sha.update(f"array {array.dtype} {array.shape}".encode())
        sha.update(array.tobytes())
    else:
        sha.update(f"{type(value).__name__} {value!r};".encode())


def main(runs: Annotated[tuple[Path, ...], tyro.conf.Positional]) -> None:
    """Print the fingerprints of runs.

    Args:
        runs: folders of runs.
    """
    table = Table()
    for name in ("run", "steps", "state", "metrics"):
        table.add_column(name, overflow="fold")
    for run in runs:
        found = fingerprint(run)
        table.add_row(str(run), f"{found.env_steps:,}", found.state[:16], found.metrics[:16])
    terminal.console().print(table)


if __name__ == "__main__":
    terminal.begin()
    with terminal.program(UsageError):
        tyro.cli(main)

"""A fixed schedule of commands that shows what a policy can do, for videos and live views."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from envs.bounds import require
from envs.mdp.commands import VELOCITY, Commands
from envs.mdp.gaits.commanded import command_of, fastest, named_gaits
from robots.usage import UsageError

COMMANDS = (
    (0.5, 0.0, 0.0),
    (1.0, 0.0, 0.0),
    (0.6, 0.0, 0.6),
    (0.0, 1.0, 0.0),
    (0.0, -1.0, 0.0),
    (0.0, 0.0, -1.0),
    (-0.7, 0.0, 0.0),
    (0.0, 0.0, 0.0),
)
"""Forward, leftward and turning speed, as shares of the task's largest ones."""
HOLD, GAIT_HOLD = 2.5, 4.0
"""How long each of them, and each gait where gaits are shown, holds (s)."""
GAIT_SPEED = 0.7
"""Forward speed of a gait that is shown, as a share of the fastest that suits it."""


def command_at(time: float, commands: Commands) -> np.ndarray:
    """Return the schedule's command (entries,) at a time (s), over and over.

    It is as near to the shares as the ranges allow; entries other than velocities are to be 0.
    """
    shown = COMMANDS[int(time / HOLD) % len(COMMANDS)]
    shares: dict[str, float] = dict(zip(VELOCITY, shown, strict=True))
    low, high = commands.ranges.T
    return np.clip(np.array([shares.get(name, 0.0) for name in commands.names]) * high, low, high)


Schedule = Callable[[float], np.ndarray]
"""The command (entries,) at a time (s)."""


def usual(commands: Commands) -> Schedule:
    """Return the schedule of a task: `command_at`, or where gaits are commanded each in turn."""
    gaits = named_gaits(commands)
    if not gaits:
        return partial(command_at, commands=commands)
    rows = [
        command_of(commands, gait, {"lin_vel_x": GAIT_SPEED * fastest(commands, gait)})
        for gait in gaits
    ]
    return Rows(np.full(len(rows), GAIT_HOLD), np.array(rows))


class Rows:
    """Commands that hold for a time each, over and over.

    Args:
        seconds: how long each holds (s), (rows,).
        commands: (rows, entries).
    """

    def __init__(self, seconds: np.ndarray, commands: np.ndarray) -> None:
        self._ends, self._commands = np.cumsum(seconds), commands

    def __call__(self, time: float) -> np.ndarray:
        """Return the command (entries,) at a time (s)."""
        # a step's time is a sum of rounded ones
        row = np.searchsorted(self._ends, (time + 1e-9) % self._ends[-1], side="right")
        return self._commands[row]


def read(path: Path, commands: Commands) -> Schedule:
    """Return the schedule that a CSV file holds.

    Its first line names the columns: `seconds`, how long a row holds, entries of the command, and,
    where gaits are commanded, `gait`. What a row leaves open is at rest, velocities are 0.

    Raises:
        ValueError: a file that is none, by the number of the line.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"command schedule {path} cannot be read: {error}") from error
    require(bool(lines), f"command schedule {path}", "empty", "a line of names, then rows")
    try:
        rows = [_row(line, commands) for line in lines]
    except ValueError as error:
        raise UsageError(f"command schedule {path}: {error}") from error
    return Rows(np.array([seconds for seconds, _ in rows]), np.array([row for _, row in rows]))


def _row(line: dict[str, Any], commands: Commands) -> tuple[float, np.ndarray]:
    """Return how long a row holds (s), and its command (entries,)."""
    told = {str(name).strip(): str(value).strip() for name, value in line.items()}
    given = {name: value for name, value in told.items() if value}
    seconds, gait = float(given.pop("seconds", "nan")), given.pop("gait", None)
    require(0 < seconds <= 1e5, "seconds", seconds, "above 0 s in every row")
    return seconds, command_of(commands, gait, {n: float(v) for n, v in given.items()})

"""A fixed schedule of commands that shows what a policy can do, for videos and live views."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

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
    what = f"command schedule {path}"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # as spreadsheets write it
            reader = csv.reader(file)
            told = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{what} cannot be read: {error}") from error
    require(len(told) > 1, what, "empty", "a line of names, then rows")
    (_, head), *lines = told
    names = [name.strip() for name in head]
    known = ["seconds", *(["gait"] if named_gaits(commands) else []), *commands.names]
    for name in names:
        require(name in known, f"{what}: column", repr(name), f"one of {', '.join(known)}")
        require(names.count(name) == 1, f"{what}: column", repr(name), "there once")
    rows = [_row(f"{what}, line {number}", names, line, commands) for number, line in lines]
    return Rows(np.array([seconds for seconds, _ in rows]), np.array([row for _, row in rows]))


def _row(
    where: str, names: list[str], line: list[str], commands: Commands
) -> tuple[float, np.ndarray]:
    """Return how long a row holds (s), and its command (entries,)."""
    require(len(line) <= len(names), where, f"of {len(line)} cells", f"of {len(names)} at most")
    told = {name: cell.strip() for name, cell in zip(names, line, strict=False) if cell.strip()}
    gait = told.pop("gait", None)
    gaits = named_gaits(commands)
    need = f"one of {', '.join(gaits)}"
    require(gait is None or gait.replace("-", " ") in gaits, f"{where}: gait", repr(gait), need)
    numbers = {name: _number(f"{where}: {name}", cell) for name, cell in told.items()}
    seconds = numbers.pop("seconds", 0.0)
    require(0 < seconds <= 1e5, f"{where}: seconds", seconds, "above 0 s in every row")
    for name, number in numbers.items():
        low, high = commands.entries[name].range
        need = f"in {low:g} to {high:g}, which the task commands"
        require(low <= number <= high, f"{where}: {name}", number, need)
    return seconds, command_of(commands, gait, numbers)


def _number(where: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise UsageError(f"{where} is {cell!r}; give a number") from None

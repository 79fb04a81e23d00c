"""A run's metrics: their CSV file, and means that enough episodes stand behind."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from algos.runs.files import append, replacing, writing
from algos.usage import UsageError

WALL_TIME = re.compile(r"seconds(_.*)?|steps_per_second")
"""Columns that the clock decides; the seed and the settings decide all others."""
ENOUGH = 100
"""Episodes that a mean over episodes is shown from."""


@contextmanager
def intact(path: Path) -> Iterator[None]:
    """Turn what reading a damaged metrics.csv raises into a UsageError that names it."""
    try:
        yield
    except UsageError:
        raise
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UsageError(f"{path} is damaged, or cannot be read ({error}); restore it") from error


def pooled(values: np.ndarray, episodes: np.ndarray, least: float = ENOUGH) -> np.ndarray:
    """Return means over the last `least` or more episodes at every iteration, (iterations,).

    Args:
        values: means over the episodes of each iteration, NaN where there are none, (iterations,).
        episodes: their numbers, (iterations,).
        least: the window is as many iterations as it takes; before there are, the mean is NaN.
    """
    weights = np.where(np.isfinite(values), np.nan_to_num(episodes), 0.0)
    count = np.concatenate([[0.0], np.cumsum(weights)])
    total = np.concatenate([[0.0], np.cumsum(weights * np.nan_to_num(values))])
    begin = np.searchsorted(count, count[1:] - least, side="right") - 1  # the shortest window
    known = begin >= 0
    begin = begin[known]
    means = np.full(len(weights), np.nan)
    means[known] = (total[1:][known] - total[begin]) / (count[1:][known] - count[begin])
    return means


class CSVLogger:
    """One row an iteration in a CSV file whose header widens as metrics appear.

    Args:
        path: the file; its folder is made if it is missing.
        resume_from: on a resumed run, the last iteration to keep; None starts a new file.
    """

    def __init__(self, path: str | Path, resume_from: int | None = None):
        self._path = Path(path)
        with writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        self._columns: list[str] = []
        rows: list[dict[str, str]] = []
        if resume_from is not None and self._path.is_file():
            with intact(self._path):
                rows = [row for row in self._read() if int(row["iteration"]) <= resume_from]
        self._rewrite(rows)

    def write(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Append a row; cells of metrics that are not given stay empty.

        Raises:
            WriteError: the disk is full, for example; the file is then as it was.
        """
        row = {"iteration": iteration, **metrics}
        new = [name for name in row if name not in self._columns]
        with writing(self._path):
            if new:
                rows = self._read()
                self._columns += new
                self._rewrite(rows)
            append(self._path, self._text([row]))

    def _read(self) -> list[dict[str, str]]:
        with self._path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = [row for row in reader if None not in row.values()]
            self._columns = list(reader.fieldnames or [])
        return rows

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        with replacing(self._path) as file:
            file.write(self._text(rows, header=bool(self._columns)))

    def _text(self, rows: Sequence[Mapping[str, object]], header: bool = False) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns)
        if header:
            writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

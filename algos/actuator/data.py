"""Measurements of a joint's drive: what was asked of it, and the torque that it gave."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from algos.runs.files import reading
from algos.terminal import absolute
from algos.usage import UsageError

INPUTS = ("position_error", "joint_velocity")
"""Joint target less position (rad), and joint speed (rad/s)."""
COLUMNS = (*INPUTS, "torque")
"""What a file holds; torques in N·m."""
FEWEST = 50
"""Samples that something can be learned from."""


@dataclass(frozen=True)
class Measurements:
    """N samples in the order of time, with what the drive saw at the times `lags` before each."""

    inputs: np.ndarray
    """Position errors (rad) at each lag, then joint speeds (rad/s), (N, 2 × lags) float64."""
    torque: np.ndarray
    """Measured (N·m), (N,) float64."""
    lags: tuple[float, ...]
    """Before the torque's own instant (s)."""

    def __len__(self) -> int:
        return len(self.torque)

    @property
    def error(self) -> np.ndarray:
        """Present position errors (rad), (N,)."""
        return self.inputs[:, self.lags.index(min(self.lags))]

    @property
    def speed(self) -> np.ndarray:
        """Present joint speeds (rad/s), (N,)."""
        return self.inputs[:, len(self.lags) + self.lags.index(min(self.lags))]

    def rows(self, which: slice | np.ndarray) -> Measurements:
        """Return some of the samples."""
        return Measurements(self.inputs[which], self.torque[which], self.lags)

    def split(self, share: float) -> tuple[Measurements, Measurements]:
        """Return the first share of the samples, and the later ones.

        Raises:
            ValueError: one of them is too small.
        """
        n = round(share * len(self))
        if min(n, len(self) - n) < FEWEST:
            raise UsageError(
                f"--train-share is {share}; it must leave at least {FEWEST} of the {len(self)} "
                "samples on each side"
            )
        first, later = self.rows(slice(n)), self.rows(slice(n, None))
        lags = len(self.lags)
        columns = {"torque": first.torque} | {
            name: first.inputs[:, i * lags : (i + 1) * lags] for i, name in enumerate(INPUTS)
        }
        for name, column in columns.items():
            if np.ptp(column) == 0:
                raise UsageError(
                    f"{name} is {column.flat[0]:g} throughout the first {n} samples, of which the "
                    "model is to be learned; measure a drive that moves, or give a larger "
                    "--train-share"
                )
        return first, later


def load(path: Path, rate: float, lags: tuple[float, ...] | None) -> Measurements:
    """Read measurements at a rate (Hz), and what the drive saw at `lags` (s), None for all.

    A file holds, by these names, `position_error` (rad), `joint_velocity` (rad/s) and `torque`
    (N·m): an .npz with arrays (N,) in the order of time, or with histories (N, H) of the inputs,
    oldest first, the newest at the torque's own instant; or a .csv whose first line has the names.

    Raises:
        ValueError: it is missing or damaged, lacks something, or its histories are too short.
    """
    with reading(path):
        columns = _columns(path)
    for name, column in columns.items():
        if not np.isfinite(column).all():
            raise UsageError(f"{path}: {name} has values that are not finite; leave them out")
        if not column.any():
            raise UsageError(f"{path}: {name} is 0 throughout; measure a drive that moves")
    if lags is None:
        depth = columns[INPUTS[0]].shape[1] if columns[INPUTS[0]].ndim == 2 else 1
        lags = tuple(k / rate for k in range(depth))
    steps = [_steps(lag, rate) for lag in lags]
    histories = [_history(columns[name], steps, path, rate) for name in INPUTS]
    torque = columns["torque"]
    first = len(torque) - len(histories[0])
    if len(torque) - first < FEWEST:
        raise UsageError(f"{path} has {len(torque)} samples; give at least {FEWEST}")
    return Measurements(np.hstack(histories), torque[first:], lags)


def _steps(lag: float, rate: float) -> int:
    steps = lag * rate
    if lag < 0 or abs(steps - round(steps)) > 1e-6:
        raise UsageError(
            f"--lags has {lag:g} s; it must be a multiple of the time between samples, "
            f"{1 / rate:g} s at --rate {rate:g}"
        )
    return round(steps)


def _history(column: np.ndarray, steps: list[int], path: Path, rate: float) -> np.ndarray:
    """Return an input some samples ago, (N, lags), of a series or of histories."""
    if column.ndim == 1:
        longest = max(steps)
        if longest >= len(column):
            raise UsageError(f"{path} has {len(column)} samples, fewer than the longest of --lags")
        ends = np.arange(longest, len(column))
        return column[ends[:, None] - np.array(steps)]
    if max(steps) >= column.shape[1]:
        reach = (column.shape[1] - 1) / rate
        raise UsageError(
            f"--lags has {max(steps) / rate:g} s; the histories in {path} reach {reach:g} s back"
        )
    return column[:, column.shape[1] - 1 - np.array(steps)]


def _columns(path: Path) -> dict[str, np.ndarray]:
    """Return the file's columns as float64, of fitting shapes."""
    data = absolute(path).read_bytes()
    try:
        found = _csv(data) if path.suffix == ".csv" else _npz(data)
    except (ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise UsageError(f"{path} is damaged, or no .npz or .csv of numbers: {error}") from error
    missing = ", ".join(name for name in COLUMNS if name not in found)
    if missing:
        raise UsageError(f"{path} lacks {missing}; it must hold {', '.join(COLUMNS)} by name")
    n, shape = len(found["torque"]), found[INPUTS[0]].shape
    for name in COLUMNS:
        kept = found[name].shape
        wanted = [(n,)] if name == "torque" else [shape] if shape[:1] == (n,) else [(n,), (n, "H")]
        if kept not in wanted or len(kept) > 2:
            raise UsageError(f"{path}: {name} is {kept}; it must be {wanted[-1]}, as the others")
    return {name: found[name] for name in COLUMNS}


def _npz(data: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: np.asarray(file[name], float) for name in file if name in COLUMNS}


def _csv(data: bytes) -> dict[str, np.ndarray]:
    names, *rows = csv.reader(io.StringIO(data.decode()))
    columns = np.array([[float(word) for word in row] for row in rows if row])
    return {name.strip(): columns[:, i] for i, name in enumerate(names)}

"""Learning curves of runs: `python train.py plot RUN [RUN …] [--out FILE.png]`."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tyro

from algos.compare.intervals import interval
from algos.runs.directory import RunDirectory, settings
from algos.runs.files import check_writable, writing
from algos.runs.metrics import ENOUGH, intact, pooled
from algos.runs.shell import legible
from algos.training.parsing import parse
from algos.usage import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = {
    "episode_return": "episode return",
    "eval/return_mean": "return of the deterministic policy",
    "kl": "KL divergence, dashed: δ",
    "explained_variance": "explained variance of the returns",
    "steps_per_second": "steps/s",
    "episode/lin_vel_error": "velocity error (m/s)",
    "episode/yaw_rate_error": "yaw rate error (rad/s)",
    "episode/fall": "share of episodes with a fall",
}
"""Columns of metrics.csv that come first, with their titles; each reward term follows."""
RETURNS = ("episode_return", "eval/return_mean")
ERRORS = {
    "eval/lin_vel_error": "lin vel error (m/s)",
    "eval/yaw_rate_error": "yaw rate error (rad/s)",
    "eval/fall": "fall rate",
}
"""What runs of before there were measures in metrics.csv are compared by."""
DASHED = {"kl": "max_kl"}
"""Columns drawn dashed beside another."""
POINTS = 400
"""Largest number of points of a curve."""


@dataclass(frozen=True)
class Plot:
    """Draw learning curves: mean and 95 % interval over the runs that differ in the seed alone."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of runs."""
    out: Path | None = None
    """Picture, .png or .svg, of which both are written; by default RUN/curves.png."""


@dataclass(frozen=True)
class Run:
    """What a run has measured."""

    path: Path
    config: dict[str, Any]
    columns: dict[str, np.ndarray]
    """Columns of metrics.csv, NaN where a cell is empty, (iterations,)."""

    def curve(self, column: str) -> np.ndarray:
        """Return the steps and values where the column has one, (2, points).

        What is a mean over an iteration's episodes becomes one over enough of the last ones.
        """
        nothing = np.full_like(self.columns["env_steps"], np.nan)
        values = self.columns.get(column, nothing)
        if column.startswith("episode/"):
            values = pooled(values, self.columns.get("episodes", nothing))
        known = np.isfinite(values)
        return np.stack([self.columns["env_steps"][known], values[known]])

    def last(self, column: str) -> float:
        """Return a column's value in the last evaluation, NaN where it has none."""
        rows = np.flatnonzero(np.isfinite(self.columns.get("eval/return_mean", np.empty(0))))
        return (
            float(self.columns[column][rows[-1]])
            if rows.size and column in self.columns
            else np.nan
        )

    def episodes(self, column: str) -> float:
        """Return how many episodes at least are behind each of a column's values."""
        counts = self.curve("eval/episodes")[1] if column.startswith("eval/") else np.empty(0)
        return float(counts.min(initial=ENOUGH))


class Band(NamedTuple):
    """A mean over runs and the ends of its 95 % interval, on a grid of steps, (points,)."""

    steps: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def main(arguments: list[str]) -> None:
    """Parse and draw."""
    options = parse(Plot, arguments, owner="plot", prog="train.py plot")
    if not options.runs:
        raise UsageError("plot needs the folder of a run: python train.py plot RUN [RUN …]")
    picture = draw(options.runs, options.out or options.runs[0] / "curves.png")
    print(f"curves: {picture}")


def load(path: Path) -> Run:
    """Read a run's configuration and metrics.

    Raises:
        ValueError: the folder holds no run, or one without metrics.
    """
    run, config = RunDirectory.open(path)
    if not run.metrics.is_file():
        raise UsageError(f"{path} has no metrics.csv; give the folder of a run")
    with intact(run.metrics), run.metrics.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
    if rows and "env_steps" not in rows[0]:
        raise UsageError(f"{run.metrics} has no column env_steps; it is no run's")
    if not rows:
        raise UsageError(f"{run.metrics} has no iteration yet; draw it when it has")
    with intact(run.metrics):
        columns = {n: np.array([float(row[n] or "nan") for row in rows]) for n in rows[0]}
    return Run(path, config, columns)


def band(runs: Sequence[Run], column: str) -> Band | None:
    """Return a column's mean and interval over runs, where all that have it do; None nowhere."""
    known = [run for run in runs if run.curve(column).size]
    if not known:
        return None
    curves = [run.curve(column) for run in known]
    first, last = max(c[0, 0] for c in curves), min(c[0, -1] for c in curves)
    grid = np.unique(np.concatenate([c[0] for c in curves]))
    grid = grid[(first <= grid) & (grid <= last)]
    if not grid.size:
        return None
    if grid.size > POINTS:
        grid = np.linspace(first, last, POINTS)
    values = np.stack([np.interp(grid, c[0], c[1]) for c in curves])
    return Band(grid, *interval(column, values, sum(run.episodes(column) for run in known)))


def group(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the runs that differ in the seed alone together, by a label of what differs.

    A seed that comes twice, trained by changed code for example, splits its group by folder.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(repr(settings(run.config)), []).append(run)
    for key, members in list(groups.items()):
        seeds = [run.config.get("seed") for run in members]
        if len(set(seeds)) < len(seeds):
            del groups[key]
            for run in members:
                groups.setdefault(key + _stem(run.path), []).append(run)
    return dict(zip(_labels(list(groups.values())), groups.values(), strict=True))


def _labels(groups: list[list[Run]]) -> list[str]:
    """Return a label of each group: what differs if that is short and tells apart, or a folder."""
    flat = [settings(members[0].config) for members in groups]
    names = dict.fromkeys(name for values in flat for name in values)
    differ = [n for n in names if len({repr(values.get(n)) for values in flat}) > 1]
    if "env_id" in differ or not differ:
        labels = [str(values.get("env_id")) for values in flat]
    else:
        pairs = [(n, n.removeprefix("algo.").removeprefix("env.")) for n in differ]
        labels = [", ".join(f"{short} {v.get(n)}" for n, short in pairs) for v in flat]
    if len(set(labels)) < len(labels) or (len(differ) > 3 and "env_id" not in differ):
        labels = [_stem(members[0].path) for members in groups]
    if len(set(labels)) < len(labels):
        labels = [str(members[0].path) for members in groups]
    return labels


def _stem(path: Path) -> str:
    """Return a run's folder without its seed."""
    return re.sub(r"-s\d+$", "", path.resolve().name)


def draw(paths: Sequence[Path], picture: Path) -> Path:
    """Draw the curves of runs into a .png and a .svg beside it; return the .png.

    Raises:
        ValueError: a folder that holds no run or no metrics, or a picture that cannot be written.
    """
    groups = group([load(path) for path in paths])
    check_writable(picture, ".png", ".svg")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    panels = _panels(groups)
    columns = min(len(panels), 3 if len(panels) <= 9 else 5)
    rows = -(-len(panels) // columns)
    size = (3.4 * columns, 2.3 * rows + 0.5)
    with plt.rc_context({"svg.fonttype": "none", "font.size": 8, "axes.titlesize": 9}):
        figure, axes = plt.subplots(
            rows, columns, figsize=size, squeeze=False, sharex=True, layout="constrained"
        )
        for axis in axes.flat[len(panels) :]:
            axis.set_visible(False)
        for axis, (column, title) in zip(axes.flat, panels.items(), strict=False):
            _draw_panel(axis, groups, column)
            axis.set_title(title)
        shown = [axis.get_legend_handles_labels() for axis in axes.flat]
        named = dict(
            pair for handles, labels in shown for pair in zip(labels, handles, strict=True)
        )
        figure.legend(
            named.values(), named.keys(), loc="outside upper center", ncols=4, frameon=False
        )
        figure.supxlabel("environment steps", fontsize=8)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # it is done once, not for each file
        for suffix in (".svg", ".png"):
            with writing(picture.with_suffix(suffix)):
                figure.savefig(picture.with_suffix(suffix), dpi=100)
        plt.close(figure)
    return picture.with_suffix(".png")


def measures(runs: Sequence[Run]) -> dict[str, str]:
    """Return the columns by which a task's evaluations are compared, with titles and units."""
    columns = dict.fromkeys(name for run in runs for name in run.columns)
    units: dict[str, str] = {}
    for run in runs:
        known = (run.config.get("env") or {}).get("measures", {})
        units |= {name: measure.get("unit", "") for name, measure in known.items()}
    titles = {}
    for column in columns:
        if column.startswith("eval/") and column.count("/") == 2:
            name = column.rpartition("/")[2]
            unit = f" ({units[name]})" if units.get(name) else ""
            titles[column] = name.replace("_", " ") + unit
    return titles or {name: title for name, title in ERRORS.items() if name in columns}


def _panels(groups: dict[str, list[Run]]) -> dict[str, str]:
    """Return the columns that any run has as more than zeros, with their titles.

    Where a task is judged by measures they come first, and returns, which other rewards make
    others, last.
    """
    runs = [run for members in groups.values() for run in members]
    terms = dict.fromkeys(name for run in runs for name in run.columns)
    judged = {name: f"evaluation: {title}" for name, title in measures(runs).items()}
    named = {name: f"reward: {name.split('/')[1]}" for name in terms if name.startswith("episode/")}
    panels = {**judged, **PANELS, **named} | PANELS
    if judged:
        panels |= {name: panels.pop(name) for name in RETURNS}
    return {n: title for n, title in panels.items() if any(r.curve(n)[1].any() for r in runs)}


def _engineering(steps: float, place: float) -> str:
    """Return a tick's label: 200k, 1.5M."""
    unit, name = (1e6, "M") if steps >= 1e6 else (1e3, "k") if steps >= 1e3 else (1, "")
    return f"{steps / unit:g}{name}"


def _draw_panel(axis: Axes, groups: dict[str, list[Run]], column: str) -> None:
    """Draw every group's band; the axis spans the means, and of the intervals what tells much."""
    bounds: list[float] = []
    for index, (label, runs) in enumerate(groups.items()):
        style: dict[str, Any] = {"color": f"C{index % 10}", "linewidth": 1.2}
        seeds = f" ({len(runs)} seeds)" if len(runs) > 1 else ""
        for name, dashes in ((column, "-"), (DASHED.get(column), "--")):
            known = band(runs, name) if name else None
            if known is None:
                continue
            steps, mean, low, high = known
            span = max(np.ptp(mean), np.abs(mean).max())
            ends = np.array([np.quantile(low, 0.1), np.quantile(high, 0.9)])
            bounds += [*mean, *np.clip(ends, mean.min() - 2 * span, mean.max() + 2 * span)]
            marker = "o" if len(steps) < 20 else None
            text = legible(label).replace("$", r"\$") + seeds
            text = f" {text}" if text.startswith("_") else text  # Matplotlib would leave it out
            named: dict[str, Any] = {"label": text} if dashes == "-" else {}
            axis.plot(steps, mean, dashes, marker=marker, markersize=3, **style, **named)
            if dashes == "-" and len(steps) > 1:
                axis.fill_between(steps, low, high, color=style["color"], alpha=0.2, lw=0)
            elif len(runs) > 1 and len(steps) == 1:
                axis.vlines(steps, low, high, **style)
    if not bounds:
        return
    margin = 0.05 * (max(bounds) - min(bounds)) or 0.5
    axis.set_ylim(min(bounds) - margin, max(bounds) + margin)
    axis.xaxis.set_major_formatter(_engineering)
    axis.tick_params(labelbottom=True)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)

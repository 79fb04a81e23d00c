"""What a training costs as it grows: `python -m benchmarks.scaling`.

Iterations of trot/AnymalWalk-v0, one thread of torch a process: (1) in one process and in two under
torchrun, with the bytes that an update sends beside the least, a vector of parameters for every
gradient and product; (2) with 64 to 4,096 simulations, and so batches of 2,048 to 131,072; (3) with
wider networks. Writes benchmarks/scaling.json and draws docs/images/scaling.png.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.scaling_point import Point

ROOT = Path(__file__).parent.parent
RESULTS, PICTURE = ROOT / "benchmarks" / "scaling.json", ROOT / "docs" / "images" / "scaling.png"
Row = dict[str, float]


@dataclass(frozen=True)
class Options:
    """What is timed."""

    processes: tuple[int, ...] = (1, 2)
    """Numbers of processes, with 128 and with 1,024 simulations."""
    envs: tuple[int, ...] = (64, 256, 1024, 4096)
    """Numbers of simulations, in one process."""
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    """Widths of the first hidden layer, the second being half of it, with 256 simulations."""
    seconds: float = 10.0
    """Iterations of each are timed for at least as long."""


def run(point: Point, processes: int = 1) -> Row:
    """Time one training in processes of its own."""
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    hidden = [str(width) for width in point.hidden]
    command = [sys.executable, *(launch if processes > 1 else ["-m"]), "benchmarks.scaling_point"]
    command += ["--envs", str(point.envs), "--seconds", str(point.seconds), "--hidden", *hidden]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return {"processes": processes, "envs": point.envs, "width": point.hidden[0], **found}


def table(title: str, rows: Sequence[Row], columns: dict[str, str]) -> Table:
    """Return rows under headings that say their units, as `heading: format`."""
    shown = Table(title=title)
    for name in columns:
        shown.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        shown.add_row(*(text.format(row[name]) for name, text in columns.items()))
    return shown


def memory(rows: Sequence[Row]) -> float:
    """Return MiB a simulation, with its 32 steps of a batch: the slope over their numbers."""
    if len(rows) < 2:
        return math.nan
    envs, peaks = ([row[name] for row in rows] for name in ("envs", "peak_mib"))
    return float(np.polyfit(envs, peaks, 1)[0])


def draw(envs: Sequence[Row], widths: Sequence[Row]) -> None:
    """Draw what an iteration costs over the number of simulations and over the width."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter

    figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
    titles = ("simulations", "simulations", "width of the first hidden layer")
    for axis, rows, name, title in zip(
        axes, (envs, envs, widths), ("envs", "envs", "width"), titles, strict=True
    ):
        x = [row[name] for row in rows]
        if axis is axes[0]:
            axis.plot(x, [row["steps_per_second"] for row in rows], "o-")
            axis.set_ylabel("control steps / s")
            axis.set_ylim(0, 1.1 * max(row["steps_per_second"] for row in rows))
        else:
            for part in ("rollout", "update"):
                axis.plot(x, [row[f"seconds_{part}"] for row in rows], "o-", label=part)
            axis.set_ylabel("seconds an iteration")
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_minor_formatter(NullFormatter())
            axis.yaxis.set_major_formatter("{x:g}")
            axis.legend(fontsize=8)
        axis.set_xscale("log", base=2)
        axis.set_xticks(x, [f"{value:.0f}" for value in x])
        axis.set_xlabel(title)
    figure.savefig(PICTURE, dpi=110)


def main(options: Options) -> None:
    base = Point(seconds=options.seconds)
    points = [
        *((replace(base, envs=n), p) for n in (128, 1024) for p in options.processes),
        *((replace(base, envs=n), 1) for n in options.envs),
        *((replace(base, hidden=(w, w // 2)), 1) for w in options.widths),
    ]
    rows = [run(*point) for point in track(points, "trainings")]
    split = 2 * len(options.processes), 2 * len(options.processes) + len(options.envs)
    processes, envs, widths = rows[: split[0]], rows[split[0] : split[1]], rows[split[1] :]
    seconds = {"seconds_rollout": "{:.3f}", "seconds_update": "{:.3f}"}
    speed = {"steps_per_second": "{:,.0f}", **seconds}
    sent = {"sent_mb": "{:.3f}", "least_mb": "{:.3f}"}
    shown = [
        row | {"sent_mb": row["sent_bytes"] / 1e6, "least_mb": row["least_bytes"] / 1e6}
        for row in processes
    ]
    console = Console()
    cores = f"{os.cpu_count()} cores"
    console.print(table(cores, shown, {"processes": "{}", "envs": "{:,}", **speed, **sent}))
    console.print(table(cores, envs, {"envs": "{:,}", **speed, "peak_mib": "{:,.0f}"}))
    console.print(table("256 simulations", widths, {"width": "{}", **seconds}))
    console.print(f"memory: {memory(envs):.2f} MiB a simulation and its 32 steps of a batch")
    found = {"processes": processes, "envs": envs, "widths": widths}
    record = {"options": asdict(options), **found, "mib_per_simulation": memory(envs)}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n")
    draw(envs, widths)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))

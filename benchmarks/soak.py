"""Whether a long training stays as it is: `python -m benchmarks.soak --minutes 60`.

Trains trot/AnymalWalk-v0 at full load, with evaluations, videos, checkpoints and W&B (offline) at
short intervals, and samples what the process holds: memory, threads and file descriptors from
/proc, steps from metrics.csv. Prints memory's slope (least squares, 95 % interval) and the rest at
the start and at the end, after a warm-up; writes benchmarks/soak.json and docs/images/soak.png.
Linux.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tyro
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from scipy import stats

from algos.runs.code_state import code_state

ROOT = Path(__file__).parent.parent
SETTINGS = [
    *("trot/AnymalWalk-v0", "--total-steps", "1000000000", "--wandb", "offline"),
    *("--checkpoint-interval", "5"),
]


@dataclass(frozen=True)
class Options:
    """How long, and how closely."""

    minutes: float = 60.0
    """Length of the training."""
    every: float = 10.0
    """Seconds between samples."""
    warm_up: float = 5.0
    """Minutes left out of the slope, at most a third of the training."""
    eval_interval: int = 40
    """Iterations between evaluations; one takes half a second on two idle cores."""
    video_interval: int = 200
    """Iterations between videos."""
    seed: int = 1
    """Seed of the training."""
    out: Path = ROOT / "benchmarks" / "soak.json"
    """Where the numbers go."""
    picture: Path = ROOT / "docs" / "images" / "soak.png"
    """Where the curves go."""


def arguments(options: Options) -> list[str]:
    """Return the training's command line."""
    names = ("seed", "eval_interval", "video_interval")
    given = [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in names]
    return [*SETTINGS, *given]


class Sample(NamedTuple):
    """What a process holds at a moment."""

    minutes: float
    rss: float
    """Resident memory (MiB)."""
    threads: int
    descriptors: int
    """Open files, pipes and sockets."""
    env_steps: int
    seconds: float
    """Spent collecting and learning, evaluations and videos aside."""


def sample(pid: int, start: float, run: Path) -> Sample:
    """Read what a training holds.

    Raises:
        OSError: it has ended.
    """
    process = Path("/proc") / str(pid)
    fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    steps, seconds = progress_of(run)
    return Sample(
        minutes=(time.monotonic() - start) / 60,
        rss=int(fields["VmRSS"].split()[0]) / 1024,
        threads=int(fields["Threads"]),
        descriptors=len(os.listdir(process / "fd")),
        env_steps=steps,
        seconds=seconds,
    )


def progress_of(run: Path) -> tuple[int, float]:
    """Return the steps of a run and the seconds that they took, from its metrics.csv."""
    path = run / "metrics.csv"
    if not path.is_file():
        return 0, 0.0
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("seconds")]
    return (int(rows[-1]["env_steps"]), float(rows[-1]["seconds"])) if rows else (0, 0.0)


def watch(options: Options, run: Path) -> list[Sample]:
    """Train for the time given and return the samples.

    Raises:
        ValueError: the training ended by itself.
    """
    samples, end = [], options.minutes * 60
    log = run.with_suffix(".log")
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *arguments(options), "--run-dir", str(run)],
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    start = time.monotonic()
    try:
        with Progress() as progress:
            task = progress.add_task("starting", total=end)
            while (now := time.monotonic() - start) < end:
                time.sleep(min(options.every, end - now))
                if process.poll() is not None:
                    raise ValueError(f"the training ended: {log.read_text()[-500:]}")
                samples.append(latest := sample(process.pid, start, run))
                text = f"{latest.rss:.0f} MiB, {latest.env_steps:,} steps"
                progress.update(task, completed=time.monotonic() - start, description=text)
        process.send_signal(signal.SIGINT)
        process.wait(120)
    finally:
        process.kill()
        process.wait()
    return samples


def summary(samples: list[Sample], warm_up: float) -> dict[str, Any]:
    """Return the slope of memory, and the other figures at the start and at the end."""
    table = {name: np.array([s[i] for s in samples]) for i, name in enumerate(Sample._fields)}
    minutes, rss = table["minutes"], table["rss"]
    after = minutes >= min(warm_up, minutes[-1] / 3)
    line = stats.linregress(minutes[after], rss[after])
    half = line.stderr * stats.t.ppf(0.975, after.sum() - 2)
    trained, seconds = table["env_steps"], table["seconds"]
    moved = np.flatnonzero(np.diff(seconds, prepend=0.0))  # the samples that saw new iterations
    quarter = max(len(moved) // 4, 1)
    speeds = {}
    for name, part in (("first", moved[: quarter + 1]), ("last", moved[-quarter - 1 :])):
        speeds[name] = float(np.ptp(trained[part]) / max(np.ptp(seconds[part]), 1e-9))
    held = {"rss_mib": rss} | {name: table[name] for name in ("threads", "descriptors")}
    return {
        **{name: _ends(values[after]) for name, values in held.items()},
        "rss_slope_mib_per_minute": {
            "mean": float(line.slope),
            "low": float(line.slope - half),
            "high": float(line.slope + half),
        },
        "steps_per_second": speeds,
        "env_steps": int(table["env_steps"][-1]),
    }


def _ends(values: np.ndarray) -> dict[str, float]:
    return {"first": float(values[0]), "last": float(values[-1]), "max": float(values.max())}


def draw(samples: list[Sample], found: dict[str, Any], path: Path) -> None:
    """Draw memory, counts and speed over time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    minutes = np.array([s.minutes for s in samples])
    figure, axes = pyplot.subplots(3, 1, figsize=(8, 6), sharex=True, layout="constrained")
    slope = found["rss_slope_mib_per_minute"]
    axes[0].plot(minutes, [s.rss for s in samples])
    axes[0].set_title(f"{slope['mean']:+.2f} MiB/min ({slope['low']:.2f} to {slope['high']:.2f})")
    axes[0].set_ylabel("memory (MiB)")
    for name in ("threads", "descriptors"):
        axes[1].plot(minutes, [getattr(s, name) for s in samples], label=name)
    axes[1].set_ylabel("open")
    axes[1].legend()
    steps, seconds = (np.diff([s[i] for s in samples]) for i in (4, 5))
    moved = seconds > 0
    axes[2].plot(minutes[1:][moved], steps[moved] / seconds[moved])
    axes[2].set_ylabel("steps/s")
    axes[2].set_xlabel("minutes")
    for axis in axes:
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main(options: Options) -> None:
    """Train, sample, print and write."""
    if options.minutes * 60 < 6 * options.every:
        raise SystemExit(f"--minutes is {options.minutes:g}; it must give six samples or more")
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        samples = watch(options, Path(folder) / "run")
    found = summary(samples, options.warm_up)
    slope = found["rss_slope_mib_per_minute"]
    table = Table("", "first", "last", "max")
    for name in ("rss_mib", "threads", "descriptors", "steps_per_second"):
        cells = [
            f"{found[name][k]:,.0f}" if k in found[name] else "" for k in ("first", "last", "max")
        ]
        table.add_row(name, *cells)
    console = Console()
    console.print(table)
    interval = f"95 %: {slope['low']:.2f} to {slope['high']:.2f}"
    console.print(f"memory: {slope['mean']:+.2f} MiB/min ({interval})", highlight=False)
    content = {
        "command": shlex.join(["python", "-m", "benchmarks.soak", *sys.argv[1:]]),
        "training": shlex.join(["python", "train.py", *arguments(options)]),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "commit": code_state()["commit"],
        **found,
        "samples": [list(s) for s in samples],
    }
    options.out.write_text(json.dumps(content, indent=2) + "\n")
    draw(samples, found, options.picture)


if __name__ == "__main__":
    try:
        main(tyro.cli(Options, description=__doc__))
    except ValueError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

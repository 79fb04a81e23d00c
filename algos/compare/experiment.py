"""Several seeds of one training, each in a process of its own, and what they come to."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from algos.compare import plots
from algos.compare.intervals import interval
from algos.runs.checkpoint import load_newest
from algos.runs.directory import RunDirectory, settings
from algos.runs.files import reading, writing
from algos.training.interrupt import stop_signals
from algos.usage import UsageError

EACH = 4
"""Largest number of seeds that a table has a column each of."""
RENEWED = ("total_steps", "device", "logger", "wandb")
"""Settings that a run which goes on takes from the present command."""


class SeedError(UsageError):
    """A seed's training failed, and has said why."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = 2 if code == 2 else 1
        """Of the program: the seed's own where the user can mend it."""


@dataclass(frozen=True)
class SeedRun:
    """The training of one seed.

    Args:
        seed: the seed.
        folder: its folder.
        config: its settings, as its config.json has them.
    """

    seed: int
    folder: RunDirectory
    config: dict[str, Any]

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return self.folder.last.exists()

    @property
    def finished(self) -> bool:
        """Whether the run has its steps, and the last of them are judged."""
        if not self.begun:
            return False
        content = load_newest(self.folder.last, self.folder.previous)
        return content["env_steps"] >= self.config["total_steps"] and not content.get("unjudged")

    def check(self) -> None:
        """Raise ValueError where the folder holds a run of other settings, or one at work."""
        with reading(self.folder.path):
            begun = self.folder.config.exists()
        if begun:
            with self.folder.lock():
                self._check()

    def _check(self) -> None:
        _, config = RunDirectory.open(self.folder.path)
        before, now = settings(config), settings(self.config)
        before["seed"], now["seed"] = config.get("seed"), self.seed
        changed = [n for n in now if n != "total_steps" and before.get(n, now[n]) != now[n]]
        if changed:
            name = changed[0]
            raise UsageError(
                f"{self.folder.path} was trained with {name} {before[name]}, not {now[name]}; "
                "choose another --run-dir"
            )

    def prepare(self) -> None:
        """Write the config.json that the training starts or goes on from."""
        config = self.config
        if self.begun:
            _, before = RunDirectory.open(self.folder.path)
            config = before | {name: config[name] for name in RENEWED}
        with writing(self.folder.path):
            self.folder.path.mkdir(parents=True, exist_ok=True)
        self.folder.write_config(config)


def run(base: Path, config: dict[str, Any], program: Sequence[str]) -> None:
    """Train every seed of a configuration from where it is, and compare those that are done.

    Args:
        base: folder of the runs, without the seed at its end.
        config: settings, as a run's config.json has them.
        program: command that goes on with the run of a folder.

    Raises:
        ValueError: a folder holds a run of other settings, or a training failed.
    """
    group = config["wandb_group"] or base.name
    runs = []
    for seed in config["seeds"]:
        path = base.with_name(f"{base.name}-s{seed}")
        own = {"seed": seed, "seeds": [], "jobs": 1, "run_dir": str(path), "wandb_group": group}
        runs.append(SeedRun(seed, RunDirectory(path), config | own))
        runs[-1].check()
    if not train(runs, program, config["jobs"]):
        print("Stopped, saved.\nGo on:  the same command again")
        return
    Console().print(summary(runs, config["env_id"]))
    picture = base.with_name(f"{base.name}-curves.png")
    plots.draw([training.folder.path for training in runs], picture)
    print(f"curves: {picture}")


def train(runs: Sequence[SeedRun], program: Sequence[str], jobs: int) -> bool:
    """Train what is not finished, `jobs` side by side; return False where Ctrl-C ended it before.

    Each training is told by SIGTERM to save and leave, and by another Ctrl-C to leave at once.
    With several side by side, what each prints goes to RUN/train.log.

    Raises:
        SeedError: a training failed.
    """
    waiting = [training for training in runs if not training.finished]
    running: dict[int, tuple[SeedRun, subprocess.Popen[str]]] = {}
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        again, stopped = stopped, True
        if again and number != signal.SIGINT:
            return
        for _, process in running.values():
            process.send_signal(signal.SIGINT if again else signal.SIGTERM)
        if again:
            raise KeyboardInterrupt

    old = {number: signal.signal(number, stop) for number in stop_signals()}
    try:
        while running or (waiting and not stopped):
            while waiting and len(running) < jobs and not stopped:
                training = waiting.pop(0)
                print(_headline(training, jobs > 1), flush=True)
                process = _start(program, training, jobs > 1)
                running[training.seed] = training, process
                if stopped:  # meanwhile
                    process.terminate()
            time.sleep(0.1)
            for training, process in [r for r in running.values() if r[1].poll() is not None]:
                del running[training.seed]
                if process.returncode and not stopped:
                    log = _end_of_log(training) if jobs > 1 else "; what it said stands above"
                    raise SeedError(f"seed {training.seed} failed{log}", process.returncode)
    finally:
        if running:
            stop(0, None)
        for _, process in running.values():
            process.wait()
        for number, handler in old.items():
            signal.signal(number, handler)
    return all(training.finished for training in runs)


def _headline(training: SeedRun, quiet: bool) -> str:
    verb = "going on with" if training.begun else "training"
    path = training.folder.path
    where = f", printing to {path}/train.log" if quiet else f" in {path}"
    return f"{verb} seed {training.seed}{where}"


def _start(program: Sequence[str], training: SeedRun, quiet: bool) -> subprocess.Popen[str]:
    """Start a training out of reach of the terminal's Ctrl-C, of which `train` tells it."""
    training.prepare()
    command = [*program, "--resume", str(training.folder.path)]
    own = {name: value for name, value in os.environ.items() if name != "WANDB_RUN_ID"}
    if not quiet:
        return subprocess.Popen(command, text=True, start_new_session=True, env=own)
    path = training.folder.path / "train.log"
    with writing(path):
        file = path.open("a")
    with file:
        return subprocess.Popen(
            command,
            text=True,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=own,
        )


def _end_of_log(training: SeedRun) -> str:
    path = training.folder.path / "train.log"
    lines = path.read_text(errors="replace").strip().splitlines() if path.is_file() else []
    return f": {lines[-1] if lines else 'without a word'} ({path})"


def summary(trainings: Sequence[SeedRun], title: str) -> Table:
    """Return the seeds' last evaluations, and their means with 95 % intervals.

    Measures of the task come first, the return last. Of more than EACH seeds the least and the
    most stand there, with their seeds.
    """
    seeds = [training.seed for training in trainings]
    runs = [plots.load(training.folder.path) for training in trainings]
    table = Table(title=title, box=SIMPLE, pad_edge=False)
    each = [f"seed {seed}" for seed in seeds] if len(seeds) <= EACH else ["least", "most"]
    for name in ("last evaluation", *(("mean", "95 % interval") if len(runs) > 1 else ()), *each):
        table.add_column(name, justify="left" if name == "last evaluation" else "right")
    for column, name in (plots.measures(runs) | {"eval/return_mean": "return"}).items():
        table.add_row(name, *_compared(column, runs, seeds))
    table.add_section()
    steps = [run.columns["env_steps"][-1] for run in runs]
    minutes = [run.columns["seconds"][-1] / 60 for run in runs]
    blank = [""] * (2 if len(runs) > 1 else 0)
    table.add_row("steps", *blank, *_each(steps, seeds, "{:,.0f}"))
    table.add_row("minutes", *blank, *_each(minutes, seeds, "{:.1f}"))
    return table


def _compared(column: str, runs: Sequence[plots.Run], seeds: Sequence[int]) -> list[str]:
    """Return the cells of a column: mean and interval of several runs that have it, and each's."""
    text = "{:.1f}" if column in plots.RETURNS else "{:.3f}"
    known = {run.path: run.last(column) for run in runs if math.isfinite(run.last(column))}
    cells = _each([run.last(column) for run in runs], seeds, text)
    if len(runs) == 1:
        return cells
    if not known:
        return ["", "", *cells]
    episodes = sum(run.episodes(column) for run in runs if run.path in known)
    mean, low, high = interval(column, np.array([*known.values()]), episodes)
    ends = f"{text.format(low)} to {text.format(high)}" if len(known) > 1 else ""
    return [text.format(mean), ends, *cells]


def _each(values: Sequence[float], seeds: Sequence[int], text: str) -> list[str]:
    """Return every seed's cell, or of many the least and the most."""
    if len(seeds) <= EACH:
        return [text.format(value) if math.isfinite(value) else "none" for value in values]
    known = sorted(
        (value, seed) for value, seed in zip(values, seeds, strict=True) if value == value
    )
    ends = (known[0], known[-1]) if known else ()
    return [f"{text.format(value)} (seed {seed})" for value, seed in ends] or ["none", "none"]

"""Several seeds of one training, each in a process of its own, and what they come to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from algos.compare import plots
from algos.runs.checkpoint import load_newest
from algos.runs.directory import RunDirectory, settings


@dataclass(frozen=True)
class Trial:
    """The training of one seed.

    Args:
        seed: the seed.
        run: its folder.
        config: its settings, as its config.json has them.
    """

    seed: int
    run: RunDirectory
    config: dict[str, Any]

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return self.run.last.exists()

    @property
    def finished(self) -> bool:
        """Whether the run has its steps."""
        steps = load_newest(self.run.last, self.run.previous)["env_steps"] if self.begun else 0
        return steps >= self.config["total_steps"]

    def check(self) -> None:
        """Raise ValueError where the folder holds a run of other settings, or one at work."""
        if self.run.config.exists():
            with self.run.lock():
                self._check()

    def _check(self) -> None:
        _, config = RunDirectory.open(self.run.path)
        before, now = settings(config), settings(self.config)
        before["seed"], now["seed"] = config.get("seed"), self.seed
        changed = [n for n in now if n != "total_steps" and before.get(n, now[n]) != now[n]]
        if changed:
            name = changed[0]
            raise ValueError(
                f"{self.run.path} was trained with {name} {before[name]}, not {now[name]}; "
                "choose another --run-dir"
            )


def run(
    base: Path, config: dict[str, Any], program: Sequence[str], arguments: Sequence[str]
) -> None:
    """Train every seed of a configuration from where it is, and compare those that are done.

    Args:
        base: folder of the runs, without the seed at its end.
        config: settings, as a run's config.json has them.
        program: command of one training.
        arguments: what the user gave it, with --seeds.

    Raises:
        ValueError: a folder holds a run of other settings, or a training failed.
    """
    trials = []
    for seed in config["seeds"]:
        folder = RunDirectory(base.with_name(f"{base.name}-s{seed}"))
        trials.append(Trial(seed, folder, config | {"seed": seed}))
        trials[-1].check()
    given = list(arguments)
    given.remove(config["env_id"])
    kept = without(given, "--seeds", "--seed", "--jobs", "--run-dir", "--wandb-group")
    group = config["wandb_group"] or base.name

    def command(trial: Trial) -> list[str]:
        path = str(trial.run.path)
        if not trial.begun:
            own = ["--seed", str(trial.seed), "--run-dir", path, "--wandb-group", group]
            return [*program, config["env_id"], *kept, *own]
        again = [f"--{n}={config[n]}" for n in ("total_steps", "device", "logger", "wandb")]
        return [*program, "--resume", path, *again]

    console = Console()
    if not train(trials, command, config["jobs"]):
        console.print("Stopped, saved.\nGo on:  the same command again", highlight=False)
        return
    console.print(summary(trials, config["env_id"]))
    picture = base.with_name(f"{base.name}-curves.png")
    plots.draw([trial.run.path for trial in trials], picture)
    console.print(f"curves: {picture}", soft_wrap=True, markup=False, highlight=False)


def train(trials: Sequence[Trial], command: Callable[[Trial], list[str]], jobs: int) -> bool:
    """Train what is not finished, `jobs` side by side; return False where Ctrl-C ended it before.

    Each training is told by SIGTERM to save and leave. With several side by side, what each
    prints goes to RUN/train.log.

    Raises:
        ValueError: a training failed.
    """
    console = Console()
    waiting = [trial for trial in trials if not trial.finished]
    running: dict[int, tuple[Trial, subprocess.Popen[str]]] = {}
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        for _, process in running.values():
            process.terminate()

    names = [n for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    old = {getattr(signal, n): signal.signal(getattr(signal, n), stop) for n in names}
    try:
        while running or (waiting and not stopped):
            while waiting and len(running) < jobs and not stopped:
                trial = waiting.pop(0)
                console.print(
                    _headline(trial, jobs > 1), soft_wrap=True, markup=False, highlight=False
                )
                running[trial.seed] = trial, _start(command(trial), trial, jobs > 1)
            time.sleep(0.1)
            for trial, process in [r for r in running.values() if r[1].poll() is not None]:
                del running[trial.seed]
                if process.returncode and not stopped:
                    log = _end_of_log(trial) if jobs > 1 else "; what it said stands above"
                    raise ValueError(f"seed {trial.seed} failed{log}")
    finally:
        if running:
            stop(0, None)
        for _, process in running.values():
            process.wait()
        for number, handler in old.items():
            signal.signal(number, handler)
    return all(trial.finished for trial in trials)


def _headline(trial: Trial, quiet: bool) -> str:
    verb = "going on with" if trial.begun else "training"
    where = f", printing to {trial.run.path}/train.log" if quiet else f" in {trial.run.path}"
    return f"{verb} seed {trial.seed}{where}"


def _start(command: list[str], trial: Trial, quiet: bool) -> subprocess.Popen[str]:
    """Start a training out of reach of the terminal's Ctrl-C, of which `train` tells it."""
    own = {name: value for name, value in os.environ.items() if name != "WANDB_RUN_ID"}
    if not quiet:
        return subprocess.Popen(command, text=True, start_new_session=True, env=own)
    trial.run.path.mkdir(parents=True, exist_ok=True)
    with (trial.run.path / "train.log").open("a") as file:
        return subprocess.Popen(
            command,
            text=True,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=own,
        )


def _end_of_log(trial: Trial) -> str:
    path = trial.run.path / "train.log"
    lines = path.read_text().strip().splitlines() if path.is_file() else []
    return f": {lines[-1] if lines else 'without a word'} ({path})"


def summary(trials: Sequence[Trial], title: str) -> Table:
    """Return each seed's last evaluation and when it was; their mean with its 95 % interval."""
    table = Table(title=title)
    for name in ("seed", "steps", "return of the last evaluation", "minutes"):
        table.add_column(name, justify="right")
    finals = []
    for trial in trials:
        run = plots.load(trial.run.path)
        steps, means = run.curve("eval/return_mean")
        minutes = f"{run.columns['seconds'][-1] / 60:.1f}"
        if not means.size:
            table.add_row(str(trial.seed), f"{run.columns['env_steps'][-1]:,.0f}", "none", minutes)
            continue
        finals.append(means[-1])
        cell = f"{means[-1]:.1f} ± {run.curve('eval/return_std')[1][-1]:.1f}"
        table.add_row(str(trial.seed), f"{steps[-1]:,.0f}", cell, minutes)
    if not finals:
        return table
    mean, half = plots.mean_interval(np.array(finals))
    interval = f" (95 %: {mean - half:.1f} to {mean + half:.1f})" if len(finals) > 1 else ""
    table.add_section()
    table.add_row("mean", "", f"{mean:.1f}{interval}", "")
    return table


def option(arguments: Sequence[str], name: str) -> str | None:
    """Return an option's value ahead of the full parse."""
    for argument, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument == name and not value.startswith("-"):
            return value
        if argument.startswith(f"{name}="):
            return argument.split("=", 1)[1]
    return None


def without(arguments: Sequence[str], *names: str) -> list[str]:
    """Return a command line without some options and all that follows them to the next one."""
    kept: list[str] = []
    dropping = False
    for argument in arguments:
        if argument.startswith("--"):
            dropping = argument.split("=")[0].replace("_", "-") in names
        if not dropping:
            kept.append(argument)
    return kept

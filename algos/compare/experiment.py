"""Several seeds of one training, each in a process of its own, and what they come to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from algos import terminal
from algos.compare import plots
from algos.compare.summary import summary
from algos.runs.checkpoint import load_newest
from algos.runs.directory import RunDirectory, settings
from algos.runs.files import reading, writing
from algos.terminal import absolute, stdout
from algos.training.interrupt import stop_signals
from algos.usage import UsageError

SAID = (1, 2)
"""Exit codes of trainings that tell what went wrong: in a traceback, in one line."""
GO_ON = "the same command again goes on where the seeds stopped"
RENEWED = (
    *("total_steps", "device", "torch_threads", "logger", "wandb", "wandb_project", "wandb_tags"),
    *("eval_interval", "eval_episodes", "checkpoint_interval", "video_interval", "video_seconds"),
)
"""Settings that a run which goes on takes from the present command."""


class SeedError(UsageError):
    """A seed's training failed, and how."""

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
            made = self.folder.config.exists()
        if made:
            with self.folder.lock():
                if self.folder.begun:
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
            self.folder.root.mkdir(parents=True, exist_ok=True)
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
        print("Stopped, saved.\nGo on:  the same command again", file=stdout())
        return
    folders = {training.seed: training.folder.path for training in runs}
    terminal.console().print(summary(folders, config["env_id"]))
    picture = base.with_name(f"{base.name}-curves.png")
    plots.draw([*folders.values()], absolute(picture))
    print(f"curves: {picture}", file=stdout())


def train(runs: Sequence[SeedRun], program: Sequence[str], jobs: int) -> bool:
    """Train what is not finished, `jobs` side by side; return False where Ctrl-C ended it before.

    Each training is told by SIGTERM to save and leave, and by another Ctrl-C to leave at once.
    With several side by side, what each prints goes to RUN/train.log.

    Raises:
        SeedError: a training failed, or, told when the others are done, one left before its end.
    """
    waiting = [training for training in runs if not training.finished]
    running: dict[int, Attempt] = {}
    left: list[str] = []
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        again, stopped = stopped, True
        if again and number != signal.SIGINT:
            return
        for attempt in running.values():
            attempt.process.send_signal(signal.SIGINT if again else signal.SIGTERM)
        if again:
            raise KeyboardInterrupt

    old = {number: signal.signal(number, stop) for number in stop_signals()}
    try:
        while running or (waiting and not stopped):
            while waiting and len(running) < jobs and not stopped:
                training = waiting.pop(0)
                print(_headline(training, jobs > 1), file=stdout(), flush=True)
                running[training.seed] = attempt = _start(program, training, jobs > 1)
                if stopped:  # meanwhile
                    attempt.process.terminate()
            time.sleep(0.1)
            for attempt in [a for a in running.values() if a.process.poll() is not None]:
                del running[attempt.training.seed]
                if not stopped:
                    attempt.require_success()
                    left += attempt.left()
    finally:
        if running:
            stop(0, None)
        for attempt in running.values():
            attempt.process.wait()
        for number, handler in old.items():
            signal.signal(number, handler)
    if left and not stopped:
        raise SeedError(f"{'; '.join(left)}; {GO_ON}", 1)
    return all(training.finished for training in runs)


def _headline(training: SeedRun, quiet: bool) -> str:
    verb = "going on with" if training.begun else "training"
    path = training.folder.path
    where = f", printing to {path}/train.log" if quiet else f" in {path}"
    return f"{verb} seed {training.seed}{where}"


def _start(program: Sequence[str], training: SeedRun, quiet: bool) -> Attempt:
    """Start a training out of reach of the terminal's Ctrl-C, of which `train` tells it."""
    training.prepare()
    command = [*program, "--resume", str(training.folder.path)]
    own = {name: value for name, value in os.environ.items() if name != "WANDB_RUN_ID"}
    how: dict[str, Any] = {"text": True, "start_new_session": True, "env": own}
    how["cwd"] = absolute(".")  # where modules of the user's own are found
    if not quiet:
        return Attempt(training, subprocess.Popen(command, **how))
    path = training.folder.path / "train.log"
    with writing(path):
        file = absolute(path).open("a")
    with file:
        begin = file.tell()
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, **how)
    return Attempt(training, process, path, begin)


@dataclass(frozen=True)
class Attempt:
    """A process that trains a seed.

    Args:
        training: the seed's.
        process: of the training.
        log: the file that it prints to, None for the terminal.
        begin: where in that file it began.
    """

    training: SeedRun
    process: subprocess.Popen[str]
    log: Path | None = None
    begin: int = 0

    def require_success(self) -> None:
        """Raise SeedError where the process, which has ended, failed."""
        code, seed = self.process.returncode, self.training.seed
        if code:
            raise SeedError(f"seed {seed} {self._failure(code)}; {GO_ON}", code)

    def left(self) -> list[str]:
        """Return, and show, what to say of steps left over; the environment may end a process."""
        if self.training.finished:
            return []
        told = f"seed {self.training.seed} ended before it had its steps, {self._where()}"
        print(told, file=stdout(), flush=True)
        return [told]

    def _where(self) -> str:
        return f"its log: {self.log}" if self.log else "what it said stands above"

    def _failure(self, code: int) -> str:
        name = _signal(code)
        how = f"was killed by {name}" if name else f"ended with exit code {code}"
        if name == "SIGKILL":
            how += " (out of memory? fewer --jobs need less)" if self.log else " (out of memory?)"
        if self.log is None:
            return f"{'failed' if code in SAID else how}; {self._where()}"
        last = self._last_word()
        if code in SAID and last:
            return f"failed: {last} ({self.log})"
        return f"{how}, {self._where()}"

    def _last_word(self) -> str:
        """Return the last line of an error that the log ends with, "" where it has none."""
        assert self.log is not None
        said = absolute(self.log).read_bytes()[self.begin :].decode(errors="replace").strip()
        *_, last = said.splitlines() or [""]
        return last if last.startswith("error: ") or "Traceback (most recent" in said else ""


def _signal(code: int) -> str | None:
    """Return the name of the signal that an exit code tells of: Python's -9, a shell's 137."""
    number = -code if code < 0 else code - 128
    return next((known.name for known in signal.Signals if known == number), None)

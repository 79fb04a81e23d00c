"""Trainings in processes of their own, for benchmarks that stop, kill, starve and watch them."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from algos.runs.fingerprint import Fingerprint, fingerprint

ROOT = Path(__file__).parent.parent
TRAIN = [sys.executable, str(ROOT / "train.py")]
LAWS = (
    *("--env.randomization.mass", "0.85", "1.15", "--env.randomization.com", "-0.02", "0.02"),
    *("--env.randomization.friction", "0.5", "1.25", "--env.randomization.gains", "0.9", "1.1"),
    *("--env.randomization.push", "0.5", "0.5", "--env.randomization.noise", "1"),
)
SETTINGS = [
    *("trot/AnymalWalk-v0", "--num-envs", "16", "--rollout-steps", "16", "--total-steps", "6144"),
    *("--checkpoint-interval", "3", "--eval-interval", "4", "--eval-episodes", "2"),
    *("--env.episode-length", "0.5", "--env.protocol.seconds", "0.5", "--video-interval", "0"),
    *LAWS,
    *("--env.randomization.push-interval", "0.2", "--wandb", "disabled"),
    *("--algo.hidden", "64", "32", "--algo.critic-hidden", "64", "32"),
]
"""24 iterations of a second or two in all, with everything random that can be."""


class Trainings:
    """Training processes, none of which outlives the benchmark."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = threading.Event()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `train.py` out of reach of the terminal's Ctrl-C."""
        if self._closed.is_set():
            raise RuntimeError("the benchmark is ending")
        process = subprocess.Popen(
            [*TRAIN, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._running.add(process)
        return process

    def end(self, process: subprocess.Popen[str], seconds: float = 180.0) -> tuple[int, str]:
        """Wait for a process; return its exit code and what it said on stderr."""
        _, said = process.communicate(timeout=seconds)
        self._running.discard(process)
        return process.returncode, said

    def close(self) -> None:
        """Kill what runs."""
        self._closed.set()
        for process in list(self._running):
            process.kill()


@dataclass
class Reference:
    """The training that nothing happens to, and one that was stopped half-way."""

    trainings: Trainings
    folder: Path
    span: float = 0.0
    """Seconds from config.json to the end."""
    start_up: float = 0.0
    """Seconds from the start of the process to config.json."""
    wanted: Fingerprint | None = None
    half: Path = field(default=Path())

    def make(self) -> None:
        """Train both."""
        begin, run = time.monotonic(), self.folder / "reference"
        process = self.trainings.start(*SETTINGS, "--run-dir", str(run))
        wait_until(process, lambda: (run / "config.json").exists())
        self.start_up = time.monotonic() - begin
        code, said = self.trainings.end(process)
        if code:
            raise ValueError(f"the reference training failed: {said}")
        self.span = time.monotonic() - begin - self.start_up
        self.wanted = fingerprint(run)
        self.half = self.folder / "half"
        process = self.trainings.start(*SETTINGS, "--run-dir", str(self.half))
        wait_until(process, lambda: rows(self.half) >= 12)
        process.terminate()
        self.trainings.end(process)

    def resumed(self, run: Path) -> str:
        """Go on with a run as a user would; return what is lost, empty where nothing is."""
        begun = (run / "config.json").exists()
        again = ["--resume", str(run)] if begun else [*SETTINGS, "--run-dir", str(run)]
        code, said = self.trainings.end(self.trainings.start(*again))
        if code:
            return f"exit code {code}: {said.strip()[-200:]}"
        assert self.wanted is not None
        found = fingerprint(run)
        parts = zip(found._fields, found, self.wanted, strict=True)
        return ", ".join(f"another {name}" for name, mine, his in parts if mine != his)


def rows(run: Path) -> int:
    """Return how many iterations metrics.csv has."""
    path = run / "metrics.csv"
    return max(path.read_text().count("\n") - 1, 0) if path.is_file() else 0


def wait_until(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Wait until something is so, or the process has ended."""
    while process.poll() is None and not reached():
        time.sleep(0.005)


Change = Callable[[subprocess.Popen[str]], None]
Disk = AbstractContextManager[tuple[Path, Change, Change]]
"""A folder for a run, what fills its disk for a process, and what makes room again."""


@contextmanager
def file_limit(run: Path) -> Iterator[tuple[Path, Change, Change]]:
    """A limit of the process: its files grow to no more than 4 KiB."""

    def limit(process: subprocess.Popen[str], soft: int) -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    yield run, lambda p: limit(p, 4096), lambda p: limit(p, resource.RLIM_INFINITY)


@contextmanager
def tmpfs(run: Path) -> Iterator[tuple[Path, Change, Change]]:
    """A small file system, which another file fills."""
    run.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(run)], check=True)
    filler = run / "filler"

    def fill(process: subprocess.Popen[str]) -> None:
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                return

    try:
        yield run / "run", fill, lambda process: filler.unlink()
    finally:
        subprocess.run(["umount", "--lazy", str(run)], check=True)

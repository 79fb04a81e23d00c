"""What can go wrong in a training, each fault as one function that brings it about."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.vector import VectorEnv, VectorWrapper

import train
from algos.training.trainer import Trainer
from algos.trpo.trpo import TRPO

HOLDER = """
import pathlib, sys, time
from algos.runs.directory import RunDirectory
with RunDirectory(pathlib.Path(sys.argv[1])).lock():
    print("locked", flush=True)
    time.sleep(600)
"""


@contextmanager
def another_training(run: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that trains in the folder, as far as others can tell."""
    command = [sys.executable, "-c", HOLDER, str(run)]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            yield process
        finally:
            process.kill()


@contextmanager
def small_disk(folder: Path, size: str = "24m") -> Iterator[Path]:
    """A file system of its own in the folder; skips where mounting is not allowed."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "trot-test", str(folder)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_disk(folder: Path) -> Path:
    """Leave not a byte on the folder's file system; return the file that takes it."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(2**16))
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"0")
    return ballast


def make_read_only(disk: Path) -> None:
    """Let nothing be written to a mounted file system any more, by root neither."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file can grow beyond a size (bytes): writes end within a row, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def delete(run: Path) -> None:
    """Delete the run's folder under the training's hands."""
    shutil.rmtree(run)


def replace_folder(run: Path) -> None:
    """Delete it and begin another run in its place."""
    run.rename(run.with_name("moved"))
    run.mkdir()
    (run / ".lock").touch()


def poison_policy(agent: TRPO) -> None:
    """A NaN among the policy's weights."""
    with torch.no_grad():
        next(agent.policy.parameters()).view(-1)[0] = torch.nan


def explode_critic(agent: TRPO) -> None:
    """A learning rate that takes the critic out of the finite numbers in one epoch."""
    agent.optimizer.lr = 1e38


class NonFinite(VectorWrapper):
    """Environments of which some give NaN rewards or observations from a step on."""

    def __init__(self, envs: VectorEnv, what: str, rows: slice, begin: int = 0) -> None:
        super().__init__(envs)
        self._what, self._rows, self._left = what, rows, begin

    def step(self, actions: np.ndarray) -> Any:
        """Step; the numbers of the chosen rows become NaNs."""
        observations, rewards, *rest = super().step(actions)
        self._left -= 1
        if self._left < 0:
            target = np.array(observations if self._what == "observations" else rewards)
            target[self._rows] = np.nan
            if self._what == "observations":
                observations = target
            else:
                rewards = target
        return (observations, rewards, *rest)


def give_nans(patch: pytest.MonkeyPatch, what: str, rows: slice, begin: int = 0) -> None:
    """Let the training environments give NaNs."""
    make = train.make_environment
    patch.setattr(train, "make_environment", lambda *a: NonFinite(make(*a), what, rows, begin))


def at_iteration(patch: pytest.MonkeyPatch, iteration: int, fault: Callable[[Any], Any]) -> None:
    """Bring a fault about in a trainer when it has collected and learned an iteration."""
    iterate = Trainer._iterate

    def faulty(trainer: Trainer) -> dict[str, float]:
        metrics = iterate(trainer)
        if trainer.iteration == iteration:
            fault(trainer)
        return metrics

    patch.setattr(Trainer, "_iterate", faulty)


def pid(error: BaseException) -> bool:
    """Whether an error names this process."""
    return f"process {os.getpid()} " in str(error)

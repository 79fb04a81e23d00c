"""A run's folder: config.json, git.json, metrics.csv, checkpoints/, videos/ and faults/."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from algos.runs.code_state import code_state
from algos.runs.files import DRAFT, WriteError, replacing, writing
from algos.runs.near import near
from algos.runs.shell import quoted
from algos.terminal import absolute
from algos.usage import UsageError

log = logging.getLogger(__name__)

RUNS = "runs"
"""Where runs are by default."""
MAX_FAULTS = 10
"""Records of faulty simulations that a run keeps."""
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Errors of file systems that have no locks."""


class RunDirectory:
    """Paths of a run and what is written there once.

    Args:
        path: the folder, as it is shown; `root` is where it is, whatever becomes of the current
            folder.

    Raises:
        ValueError: from `create`, where the folder already holds a run; from `open`, where it
            holds none.
        WriteError: from `create`, where the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = root = absolute(path)
        self.config = root / "config.json"
        self.metrics = root / "metrics.csv"
        self.last = root / "checkpoints" / "last.pt"
        self.previous = root / "checkpoints" / "previous.pt"
        self.best = root / "checkpoints" / "best.pt"
        self.videos = root / "videos"
        self.faults = root / "faults"
        self._lock, self._holder = root / ".lock", root / ".holder"
        self._locked: os.stat_result | None = None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other process from training here, until this one ends, however it does.

        Raises:
            ValueError: another process trains here.
            WriteError: the folder cannot be written.
        """
        lock = FileLock(self._lock, thread_local=False, fallback_to_soft=False)
        with writing(self.path):
            self.root.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise UsageError(
                    f"run directory {self.path} is in use: {self._holder_name()} trains there; "
                    "wait until it ends, stop it, or choose another --run-dir"
                ) from None
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                why = os.strerror(error.errno or 0)
                log.warning("%s cannot be locked (%s): train there once at a time", self.path, why)
        try:
            self._locked = self._lock.stat()
            with suppress(OSError):  # on a full disk the lock holds without a name
                self._holder.write_text(f"process {os.getpid()} on {socket.gethostname()}\n")
            yield
        finally:
            lock.release()

    def _holder_name(self) -> str:
        with suppress(OSError, UnicodeDecodeError):
            return self._holder.read_text().strip() or "another process"
        return "another process"

    def check(self) -> None:
        """Raise WriteError where the folder was deleted, or replaced, since `lock`."""
        with writing(self._lock):
            now = self._lock.stat()
        if self._locked is not None and not os.path.samestat(now, self._locked):
            raise WriteError(f"{self.path} is another folder than the one that this run began in")

    @classmethod
    def create(cls, path: Path, config: dict[str, Any]) -> RunDirectory:
        """Make the folder of a new run, with its configuration and the state of the code."""
        run = cls(path)
        if run.begun:
            raise UsageError(
                f"run directory {path} already holds a run; choose another --run-dir, or go on "
                f"with it by --resume {quoted(path)}"
            )
        with writing(path):
            run.videos.mkdir(parents=True, exist_ok=True)
            _write_json(run.root / "git.json", code_state())
            run.write_config(config)
        return run

    @classmethod
    def open(cls, path: Path) -> tuple[RunDirectory, dict[str, Any]]:
        """Return an earlier run and its configuration."""
        run = cls(path)
        try:
            config = json.loads(run.config.read_text(encoding="utf-8"))
            if not isinstance(config, dict):
                raise UsageError("it holds no settings")
            return run, config
        except (OSError, RecursionError, ValueError) as error:
            exists = os.path.exists(path)
            meant = map(str, path.parents[:2]) if exists else near(path, RUNS)
            runs = " or ".join(name for name in meant if os.path.isfile(f"{name}/config.json"))
            fix = f"did you mean {runs}?" if runs else "give a folder that train.py made"
            raise UsageError(
                f"{path} is no run: its config.json cannot be read ({error}); {fix}"
            ) from error

    def shown(self, file: Path) -> Path:
        """Return the path of one of the run's files as its folder's is shown."""
        return self.path / file.relative_to(self.root)

    def keep_fault(self, name: str, fault: Mapping[str, np.ndarray]) -> Path | None:
        """Write the record of a faulty simulation; return its file, None where there are enough."""
        kept = len(list(self.faults.glob("*.npz")))
        if kept >= MAX_FAULTS:
            return None
        path = self.faults / f"{name}-{kept}.npz"
        with writing(self.faults):
            self.faults.mkdir(exist_ok=True)
        with replacing(path) as file:
            np.savez_compressed(file, allow_pickle=False, **fault)
        return path

    def write_config(self, config: dict[str, Any]) -> None:
        """Write config.json; raise WriteError where that fails, and it is as it was."""
        _write_json(self.config, config)

    def holds(self, config: dict[str, Any]) -> bool:
        """Whether a run of these settings and this seed was begun here."""
        if not self.config.exists():
            return False
        _, before = RunDirectory.open(self.path)
        return before.get("seed") == config["seed"] and settings(before) == settings(config)

    @property
    def begun(self) -> bool:
        """Whether training has left something: a process may end before its first checkpoint."""
        rows = self.metrics.is_file() and self.metrics.stat().st_size > 0
        return rows or self.last.exists() or self.previous.exists()

    @property
    def prepared(self) -> bool:
        """Whether it has a configuration alone, with which a first process is to start."""
        return self.config.is_file() and not (self.root / "git.json").exists()

    def sweep(self) -> None:
        """Remove what a killed process was still writing."""
        for name in (".*.tmp", "checkpoints/.*.tmp", "faults/.*.tmp"):
            for path in self.root.glob(name):
                with writing(path):
                    path.unlink(missing_ok=True)
        for draft in self.videos.glob(f"{DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)


BOOKKEEPING = {
    *("seed", "seeds", "jobs", "run_dir", "device", "torch_threads", "eval_interval"),
    *("eval_episodes", "checkpoint_interval", "video_interval", "video_seconds"),
    *("logger", "wandb", "wandb_project", "wandb_group", "wandb_tags"),
}
"""Entries of a run's configuration that do not change what is learned, and the seed."""
WHOLE = "env_kwargs"
"""The entry that is compared as one value: what it lacks is another value of it, too."""


def settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return what seeds of one experiment have in common, as dotted names without nesting."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict) and name != WHOLE:
            flat |= {f"{name}.{inner}": v for inner, v in settings(value).items()}
        elif name not in BOOKKEEPING:
            flat[name] = value
    return flat


def _write_json(path: Path, content: Any) -> None:
    """Write a file that is at every moment the old or the new one."""
    with replacing(path) as file:
        file.write((json.dumps(content, indent=2) + "\n").encode())

"""A run's folder: config.json, git.json, metrics.csv, checkpoints/ and videos/."""

from __future__ import annotations

import json
import subprocess
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from algos.options import described, fits

T = TypeVar("T")


class RunDirectory:
    """Paths of a run and what is written there once.

    Args:
        path: the folder.

    Raises:
        ValueError: from `create`, where the folder already holds a run or cannot be written;
            from `open`, where it holds none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.csv"
        self.last = path / "checkpoints" / "last.pt"
        self.previous = path / "checkpoints" / "previous.pt"
        self.best = path / "checkpoints" / "best.pt"
        self.videos = path / "videos"

    @classmethod
    def create(cls, path: Path, config: dict[str, Any]) -> RunDirectory:
        """Make the folder of a new run, with its configuration and the state of the code."""
        run = cls(path)
        if run.config.exists():
            raise ValueError(
                f"run directory {path} already holds a run; choose another --run-dir, or go on "
                f"with it by --resume {path}"
            )
        try:
            run.videos.mkdir(parents=True, exist_ok=True)
            run.write_config(config)
            (path / "git.json").write_text(json.dumps(code_state(), indent=2) + "\n")
        except OSError as error:
            raise ValueError(f"run directory {path} cannot be written: {error.strerror}") from error
        return run

    @classmethod
    def open(cls, path: Path) -> tuple[RunDirectory, dict[str, Any]]:
        """Return an earlier run and its configuration."""
        run = cls(path)
        try:
            config = json.loads(run.config.read_text())
            if not isinstance(config, dict):
                raise ValueError("it holds no settings")
            return run, config
        except (OSError, RecursionError, ValueError) as error:
            raise ValueError(
                f"{path} is no run: its config.json cannot be read ({error}); give a folder that "
                "train.py made"
            ) from error

    def write_config(self, config: dict[str, Any]) -> None:
        """Write config.json."""
        self.config.write_text(json.dumps(config, indent=2) + "\n")


BOOKKEEPING = {
    *("seed", "seeds", "jobs", "run_dir", "device", "torch_threads", "eval_interval"),
    *("eval_episodes", "checkpoint_interval", "video_interval", "logger", "wandb"),
    *("wandb_project", "wandb_group", "wandb_tags"),
}
"""Entries of a run's configuration that do not change what is learned, and the seed."""


def settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return what seeds of one experiment have in common, as dotted names without nesting."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": v for inner, v in settings(value).items()}
        elif name not in BOOKKEEPING:
            flat[name] = value
    return flat


def code_state() -> dict[str, str | None]:
    """Return the commit and the uncommitted diff of this code, None where git cannot tell."""
    here = Path(__file__).parent
    return {"commit": _git(here, "rev-parse", "HEAD"), "diff": _git(here, "diff", "HEAD")}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def to_plain(value: Any) -> Any:
    """Return a configuration as what JSON can hold; functions are left out."""
    if is_dataclass(value):
        named = {f.name: getattr(value, f.name) for f in fields(value)}
        return {name: to_plain(v) for name, v in named.items() if not callable(v)}
    if isinstance(value, dict):
        return {name: to_plain(v) for name, v in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(default: T, plain: Any, where: str = "") -> T:
    """Return `default` with the values of `to_plain`'s output in place of its own.

    Args:
        default: a dataclass.
        plain: what JSON holds.
        where: name of the whole, with a dot at its end.

    Raises:
        ValueError: a name that `default` lacks, as in a configuration of other code, a value of
            another type than declared, or one that the dataclass refuses.
    """
    hints = get_type_hints(type(default))
    named = {f.name: getattr(default, f.name) for f in fields(default)}  # pyright: ignore[reportArgumentType]
    changes = {
        name: _read(value, named[name], hints[name], where + name)
        for name, value in _known(plain, named, where).items()
    }
    return replace(default, **changes)  # pyright: ignore[reportReturnType, reportArgumentType]


def _read(plain: Any, default: Any, hint: Any, name: str) -> Any:
    """Return a plain value as its field's declared type."""
    if is_dataclass(default) and plain is not None:
        return from_plain(default, plain, f"{name}.")
    if isinstance(default, dict) and default and all(map(is_dataclass, default.values())):
        known = _known(plain, default, f"{name}.").items()
        return default | {k: from_plain(default[k], v, f"{name}.{k}.") for k, v in known}
    value = tuple(plain) if isinstance(plain, list) else plain
    if isinstance(value, str) and Path in get_args(hint):
        value = Path(value)
    if not fits(value, hint):
        raise ValueError(f"{name} is {plain!r}; it must be {described(hint)}")
    return value


def _known(plain: Any, default: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a plain value that must be a mapping, of names that the default has."""
    if not isinstance(plain, dict):
        raise ValueError(f"{where.rstrip('.')} is {plain!r}; it must be settings by their names")
    if unknown := sorted(set(plain) - set(default)):
        raise ValueError(
            f"the run's configuration has {', '.join(where + n for n in unknown)}, which this code "
            "does not know; resume it with the code that made it (git.json names the commit)"
        )
    return plain

"""What a user has told Weights & Biases: its variables and its settings files."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from configparser import ConfigParser
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from pydantic import ValidationError

from algos.runs.shell import legible
from algos.terminal import absolute
from algos.typed import problem
from algos.usage import UsageError

NO = ("0", "false", "f", "no", "n", "off")
DISABLED = (*NO, "disabled", "disable", "none")
OFFLINE = ("offline", "dryrun", "dry_run", "dry-run")
"""What is taken for these two of W&B's modes, in any capitals."""
TIMEOUTS = ("WANDB_INIT_TIMEOUT", "WANDB_FINISH_TIMEOUT")
LABELS = {"project": "WANDB_PROJECT", "run_name": "WANDB_NAME"}
FOLDERS = ("WANDB_DIR", "WANDB_CONFIG_DIR")
"""Where W&B looks for settings files; a run's own files are in the run's folder."""
ELSEWHERE = ("anonymous", "ignore_globs", "root_dir", "settings_system")
"""Entries of a settings file that W&B reads in another way, or passes over."""
SECRET = ("KEY", "TOKEN", "HEADERS", "PROXY")
"""Parts of names whose values are not shown."""


def prepare() -> None:
    """Let W&B, before it is imported, be silent, report nothing and see what is meant."""
    for name in _variables():
        if not os.environ[name].strip():
            del os.environ[name]
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it awaits the network at exit
    os.environ.setdefault("WANDB_SILENT", "true")
    if "WANDB_MODE" in os.environ:
        os.environ["WANDB_MODE"] = _mode(os.environ["WANDB_MODE"])
    if not os.environ.get("HOME"):
        os.environ.pop("HOME", None)  # an empty one would be /
        with suppress(RuntimeError):  # of a user without an entry
            os.environ["HOME"] = str(Path.home())  # W&B's core looks nowhere else


def lend_home(own: Path) -> None:
    """Let W&B use a folder where the user, of a container for example, has no home or may not.

    Its core prints its whole log where it can make no cache.
    """
    home = Path(os.environ.setdefault("HOME", str(own)))
    given = os.environ.get("WANDB_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    if not (given or home.is_dir()) or not _can_be_made(Path(given or home / ".cache")):
        os.environ["WANDB_CACHE_DIR"] = str(own / ".cache")


def _can_be_made(cache: Path) -> bool:
    with suppress(OSError):
        there = next(path for path in (cache, *cache.parents) if path.exists())
        with TemporaryDirectory(dir=there):
            return True
    return False


def switched() -> Literal["disabled", "offline"] | None:
    """Return how a user has switched W&B off, None where nobody has; variables go before files."""
    if os.environ.get("WANDB_DISABLED", "no").strip().lower() not in NO:
        return "disabled"
    written = [files.mode for files in _files() if files.mode]
    mode = os.environ.get("WANDB_MODE", written[-1] if written else "")
    return mode if mode == "disabled" or mode == "offline" else None


def is_told(setting: str) -> bool:
    """Whether a user has told W&B what a run is called: by LABELS or in a settings file."""
    return bool(os.environ.get(LABELS[setting])) or any(f.entries.get(setting) for f in _files())


def refused() -> dict[str, str]:
    """Return what W&B cannot read of variables and settings files: their names, and why."""
    return {name: why for name in _variables() if (why := _refused_variable(name))} | {
        f"{file.path}": why for file in _files() if (why := file.refused())
    }


def require(flag: str, **setting: Any) -> None:
    """Raise UsageError where W&B refuses what an option gives for one of its settings."""
    import wandb

    if why := _why(partial(wandb.Settings, **setting)):
        raise UsageError(f"{flag} is {next(iter(setting.values()))!r}, which W&B refuses: {why}")


def seconds(variable: str, default: float) -> float:
    """Return a timeout that the user may have set."""
    return float(os.environ.get(variable, default))


def _variables() -> list[str]:
    return [name for name in os.environ if name.startswith("WANDB_")]


def _mode(written: str) -> str:
    """Return one of W&B's modes, however it is written; what is none stays."""
    mode = written.strip().lower()
    return "disabled" if mode in DISABLED else "offline" if mode in OFFLINE else mode


def _refused_variable(name: str) -> str | None:
    import wandb

    value = os.environ[name]
    why = _why(lambda: wandb.Settings().update_from_env_vars({name: value}))
    if legible(value) != value:
        why = "it is no UTF-8"
    elif not why and name in TIMEOUTS and not 0 <= float(value) < math.inf:
        why = "it must be a number of seconds"
    elif name in FOLDERS and not _may_be_folder(Path(value).expanduser()):
        why = "it is no folder that can be read"
    return f"{_shown(name, value)} ({why})" if why else None


def _may_be_folder(path: Path) -> bool:
    """Whether a folder can be read, or nothing is there."""
    path = absolute(path)
    return (os.access(path, os.R_OK | os.X_OK) and path.is_dir()) or not os.path.lexists(path)


def _shown(name: str, value: str) -> str:
    secret = any(part in name.upper() for part in SECRET)
    return name if secret else f"{name}={legible(value)}"


class _File:
    """One of W&B's settings files, which may be missing."""

    def __init__(self, path: Path):
        self.path = path
        self.entries: dict[str, str] = {}
        self._problem = _why(self._read)

    def _read(self) -> None:
        parser = ConfigParser()
        if (file := absolute(self.path)).exists():
            parser.read_string(file.read_text())
        if parser.has_section("default"):
            self.entries = dict(parser.items("default"))

    @property
    def mode(self) -> str:
        return _mode(self.entries.get("mode", ""))

    def refused(self) -> str | None:
        """Return the first entry that W&B refuses, with the whole file, and why."""
        import wandb

        if self._problem:
            return f"{self.path} ({self._problem})"
        for key, value in self.entries.items():
            if key in ELSEWHERE or (key == "mode" and self.mode in ("disabled", "offline")):
                continue
            if why := _why(partial(wandb.Settings, **{key: value})):
                return f"{_shown(key, value)} in {self.path} ({why})"
        return None


def _files() -> list[_File]:
    """Return the settings files, the one of the present folder or WANDB_DIR last: it goes first."""
    everywhere = Path(os.environ.get("WANDB_CONFIG_DIR", "~/.config/wandb")).expanduser()
    root = Path(os.environ.get("WANDB_DIR", "")).expanduser()
    here = root / (".wandb" if absolute(root / ".wandb").exists() else "wandb")
    return [_File(folder / "settings") for folder in (everywhere, here)]


def _why(read: Callable[[], object]) -> str | None:
    """Return why W&B refuses a setting, None where it reads it."""
    try:
        read()
    except ValidationError as error:
        return problem(error)
    except Exception as error:  # its own of many kinds
        return " ".join(str(error).split())
    return None

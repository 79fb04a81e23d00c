"""Robot models by their names in robot_descriptions, most of them from MuJoCo Menagerie.

The first use of a description clones its repository into robot_descriptions' cache; later ones
need no network. ROBOT_DESCRIPTIONS_CACHE names another cache, ROBOT_DESCRIPTION_COMMIT another
commit.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import mujoco

from robots import mjcf
from robots.usage import UsageError

_REACH_TIMEOUT = 20  # s, for the server to answer at all
_PATIENT_GIT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1000",  # bytes/s
    "GIT_HTTP_LOW_SPEED_TIME": "20",  # s below the limit before git gives up
}


def path(description: str) -> Path:
    """Return the MJCF file of a description, say `go1_mj_description`.

    Raises:
        ValueError: there is no such description, or it cannot be had; one line with cause and fix.
    """
    key = _repository_key(description)
    with _one_line(description, key):
        return Path(_fetch(description, key).MJCF_PATH)


def spec(description: str) -> mujoco.MjSpec:
    """Return a new spec of a description's robot alone, as `robots.mjcf.alone` makes it.

    Raises:
        ValueError: as `path`, or its file is broken; one line with cause and fix.
    """
    key = _repository_key(description)
    with _one_line(description, key):
        module = _fetch(description, key)
        try:
            return mjcf.alone(mjcf.load(Path(module.MJCF_PATH)))
        except FileNotFoundError as error:
            clone = module.REPOSITORY_PATH
            raise RuntimeError(f"{error}, delete {clone} to clone it anew") from error


def _repository_key(description: str) -> str:
    """Return robot_descriptions' name of the repository that a description stands in."""
    known = importlib.import_module("robot_descriptions").DESCRIPTIONS
    names = [name for name, about in known.items() if about.has_mjcf]
    if description not in names:
        near = get_close_matches(description, names) or [f"{description}_mj_description"]
        raise UsageError(
            f"description is {description!r}, and robot_descriptions has no MJCF of that name; "
            f"choose one from its list, such as {' or '.join(near)}"
        )
    return known[description].repository


@contextlib.contextmanager
def _one_line(description: str, key: str) -> Iterator[None]:
    """Turn whatever git, disk, network or parser raised into the one line that a user needs."""
    try:
        yield
    except Exception as error:
        raise UsageError(
            f"{description} cannot be had: {_first_cause(error)}; run once with a network and git, "
            f"or set ROBOT_DESCRIPTIONS_CACHE to a folder with a full clone in {key}/"
        ) from None


def _first_cause(error: Exception) -> str:
    """Return the line of an error that says what failed, git's `fatal:` line if it has one."""
    lines = [line.strip(" '") for line in str(error).splitlines() if line.strip(" '")]
    fatal = [line[line.index("fatal:") :] for line in lines if "fatal:" in line]
    return (fatal or lines or [type(error).__name__])[0].removeprefix("fatal: ")


def _fetch(description: str, key: str) -> Any:
    """Return the module of a description, whose import clones its repository."""
    git = shutil.which(os.environ.get("GIT_PYTHON_GIT_EXECUTABLE", "git"))
    if git is None:
        raise RuntimeError("git is not on PATH")
    repository = importlib.import_module("robot_descriptions._repositories").REPOSITORIES[key]
    with _git_without_prompts(), contextlib.redirect_stdout(sys.stderr):
        if not _is_cached(git, repository):
            _reach(git, repository.url)
        return importlib.import_module(f"robot_descriptions.{description}")


def _is_cached(git: str, repository: Any) -> bool:
    """Tell whether robot_descriptions' cache holds the commit, so that no network is needed."""
    cache = os.environ.get("ROBOT_DESCRIPTIONS_CACHE", "~/.cache/robot_descriptions")
    commit = os.environ.get("ROBOT_DESCRIPTION_COMMIT")
    folder = repository.cache_path
    clone = f"{folder}-{commit}/{folder}" if commit else folder
    git_dir = Path(cache).expanduser() / clone / ".git"
    revisions = ["HEAD", commit or repository.commit or "HEAD"]
    command = [git, f"--git-dir={git_dir}", "rev-parse", *revisions]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.returncode == 0 and len(set(found.stdout.split())) == 1


def _reach(git: str, url: str) -> None:
    """Ask the server for its head, so that an absent network fails soon and with git's words."""
    try:
        subprocess.run(
            [git, "ls-remote", url, "HEAD"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_REACH_TIMEOUT,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{url} did not answer in {_REACH_TIMEOUT} s") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(error.stderr) from None


@contextlib.contextmanager
def _git_without_prompts() -> Iterator[None]:
    """Keep git from asking or waiting for ever; what the user has set stays."""
    missing = {name: value for name, value in _PATIENT_GIT.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]

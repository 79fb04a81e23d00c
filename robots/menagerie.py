"""Meshed originals from MuJoCo Menagerie, through robot_descriptions.

The first use clones the menagerie into robot_descriptions' cache; later ones need no network.
ROBOT_DESCRIPTIONS_CACHE names another cache, ROBOT_DESCRIPTION_COMMIT another commit.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mujoco

from robots import anymal_c
from robots.collision import COLLISION_GROUP, set_collision
from robots.robot import Collision, Robot

_NAME = "anymal_c_menagerie"
_REMEDY = (
    "run once with a network and git, or set ROBOT_DESCRIPTIONS_CACHE to a folder with a full "
    "clone in mujoco_menagerie/; --robot anymal_c works offline"
)
_REACH_TIMEOUT = 20  # s, for the server to answer at all
_PATIENT_GIT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1000",  # bytes/s
    "GIT_HTTP_LOW_SPEED_TIME": "20",  # s below the limit before git gives up
}


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


def _first_cause(error: Exception) -> str:
    """Return the line of an error that says what failed, git's `fatal:` line if it has one."""
    lines = [line.strip(" '") for line in str(error).splitlines() if line.strip(" '")]
    fatal = [line[line.index("fatal:") :] for line in lines if "fatal:" in line]
    return (fatal or lines or [type(error).__name__])[0].removeprefix("fatal: ")


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


def _is_cached(git: str, default_commit: str | None) -> bool:
    """Tell whether robot_descriptions' cache holds the commit, so that no network is needed."""
    cache = os.environ.get("ROBOT_DESCRIPTIONS_CACHE", "~/.cache/robot_descriptions")
    commit = os.environ.get("ROBOT_DESCRIPTION_COMMIT")
    clone = f"mujoco_menagerie-{commit}/mujoco_menagerie" if commit else "mujoco_menagerie"
    git_dir = Path(cache).expanduser() / clone / ".git"
    revisions = ["HEAD", commit or default_commit or "HEAD"]
    command = [git, f"--git-dir={git_dir}", "rev-parse", *revisions]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.returncode == 0 and len(set(found.stdout.split())) == 1


def _fetch_model() -> Path:
    git = shutil.which(os.environ.get("GIT_PYTHON_GIT_EXECUTABLE", "git"))
    if git is None:
        raise RuntimeError("git is not on PATH")
    repositories = importlib.import_module("robot_descriptions._repositories")
    repository = repositories.REPOSITORIES["mujoco_menagerie"]
    with _git_without_prompts(), contextlib.redirect_stdout(sys.stderr):
        if not _is_cached(git, repository.commit):
            _reach(git, repository.url)
        description = importlib.import_module("robot_descriptions.anymal_c_mj_description")
    return Path(description.MJCF_PATH)


def _load(path: Path) -> mujoco.MjSpec:
    if not path.is_file():
        raise RuntimeError(f"{path} is missing, delete {path.parent.parent} to clone it anew")
    spec = mujoco.MjSpec.from_file(str(path))
    spec.meshdir = str(path.parent / spec.meshdir)
    spec.texturedir = str(path.parent / spec.texturedir)
    files = [Path(spec.meshdir) / mesh.file for mesh in spec.meshes]
    files += [Path(spec.texturedir) / texture.file for texture in spec.textures if texture.file]
    for file in files:
        if not file.is_file():
            raise RuntimeError(f"{file} is missing, delete {path.parent.parent} to clone it anew")
    return spec


def _strip(spec: mujoco.MjSpec) -> None:
    """Leave the robot alone: what the environments add themselves goes."""
    for element in (
        *spec.keys,
        *spec.sensors,
        *spec.actuators,
        *spec.tendons,
        *spec.equalities,
        *spec.cameras,
        *spec.lights,
        *spec.sites,
        *spec.worldbody.geoms,
    ):
        spec.delete(element)
    spec.option = mujoco.MjSpec().option


def _name_feet(spec: mujoco.MjSpec) -> None:
    for shank, foot in zip(ROBOT.shanks, ROBOT.feet, strict=True):
        spheres = [
            geom
            for geom in spec.body(shank).geoms
            if geom.type == mujoco.mjtGeom.mjGEOM_SPHERE and geom.group == COLLISION_GROUP
        ]
        if len(spheres) != 1:
            raise RuntimeError(f"{shank} has {len(spheres)} collision spheres where its foot is")
        spheres[0].name = foot


def build(collision: Collision) -> mujoco.MjSpec:
    """Return a new spec of the meshed ANYmal C.

    Raises:
        ValueError: the menagerie cannot be had; one line with cause and remedy.
    """
    try:
        spec = _load(_fetch_model())
        _strip(spec)
        _name_feet(spec)
    except Exception as error:
        # Whatever git, disk, network or parser raised, the user needs its one line.
        cause = _first_cause(error)
        raise ValueError(f"{_NAME} needs the MuJoCo Menagerie: {cause}; {_REMEDY}") from None
    set_collision(spec, collision)
    return spec


ROBOT: Robot = replace(
    anymal_c.ROBOT,
    name=_NAME,
    build=build,
    source="MuJoCo Menagerie, anybotics_anymal_c; drive numbers of legged_gym",
)

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robots import ROBOTS, Robot
from tests.robots import menagerie_stand_in
from tests.robots.synthetic import SYNTHETIC

MENAGERIE_URL = "https://github.com/deepmind/mujoco_menagerie.git"


@pytest.fixture(scope="session")
def figures() -> dict[str, Any]:
    """The published figures of ANYmal C; their source is a line of the file."""
    return json.loads((Path(__file__).parent / "anymal_c_figures.json").read_text())


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory, figures: dict[str, Any]) -> tuple[Path, str]:
    """A repository in the place of MuJoCo Menagerie, and its commit."""
    repository = tmp_path_factory.mktemp("menagerie")
    return repository, menagerie_stand_in.make(repository, figures)


@pytest.fixture
def redirect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], Path]:
    """Point robot_descriptions at a URL and commit, with an empty cache; return the cache."""

    def point_at(url: str, commit: str) -> Path:
        cache = tmp_path / "cache"
        monkeypatch.setenv("ROBOT_DESCRIPTIONS_CACHE", str(cache))
        monkeypatch.setenv("ROBOT_DESCRIPTION_COMMIT", commit)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{url}.insteadOf")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", MENAGERIE_URL)
        monkeypatch.delitem(
            sys.modules, "robot_descriptions.anymal_c_mj_description", raising=False
        )
        return cache

    return point_at


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A repository made of the real folders of MuJoCo Menagerie, where they are, and its commit.

    TROT_DATA names the folder that holds mujoco_menagerie/; the default is shared/data beside
    the repository.
    """
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("TROT_DATA", beside)) / "mujoco_menagerie"
    if not (folder / "anybotics_anymal_c").is_dir():
        pytest.skip("no mujoco_menagerie/anybotics_anymal_c (TROT_DATA names the folder over it)")
    repository = tmp_path_factory.mktemp("original") / "menagerie"
    shutil.copytree(folder, repository)
    return repository, menagerie_stand_in.commit(repository)


@pytest.fixture
def menagerie_cache(
    redirect: Callable[[str, str], Path], stand_in: tuple[Path, str]
) -> Iterator[Path]:
    """robot_descriptions serves the stand-in; yields its still empty cache."""
    repository, commit = stand_in
    yield redirect(repository.as_uri(), commit)
    sys.modules.pop("robot_descriptions.anymal_c_mj_description", None)


@pytest.fixture(params=[*ROBOTS, *SYNTHETIC])
def robot(request: pytest.FixtureRequest) -> Robot:
    """Every registered robot, the downloaded ones from the stand-in, and those made up."""
    if "menagerie" in request.param:
        request.getfixturevalue("menagerie_cache")
    return (ROBOTS | SYNTHETIC)[request.param]

"""A path that does not exist: which ones may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from algos.runs.directory import RunDirectory
from algos.runs.near import near

RUNS = ("CartPole-v1-s1", "walk-s1", "walk-s2", "stand")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs, and a folder beside them that is none."""
    monkeypatch.chdir(tmp_path)
    for name in RUNS:
        RunDirectory.create(Path("runs", name), {"seed": 1})
    Path("stands").mkdir()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("run/stand", ["runs/stand"]),
        ("Runs/stnad", ["runs/stand"]),
        ("runs/walk", ["runs/walk-s2", "runs/walk-s1"]),
        ("cartpole-v1-s1", ["runs/CartPole-v1-s1"]),
        ("stand", ["stands", "runs/stand"]),
        ("nothing/like/it", []),
        ("x" * 300, []),
    ],
)
def test_every_part_of_a_path_may_be_misspelt(given: str, meant: list[str]) -> None:
    assert near(Path(given), "runs") == meant


def test_an_absolute_path_keeps_its_root(tmp_path: Path) -> None:
    assert near(tmp_path / "run" / "stand") == [str(tmp_path / "runs" / "stand")]


def test_a_run_that_is_not_there_is_told_from_one_that_is() -> None:
    with pytest.raises(ValueError, match=r"stand is no run: .*; did you mean runs/stand\?$"):
        RunDirectory.open(Path("stand"))
    with pytest.raises(ValueError, match=r"stands is no run: .*; give a folder that train\.py"):
        RunDirectory.open(Path("stands"))


@pytest.mark.parametrize("part", ["checkpoints/last.pt", "checkpoints", "config.json"])
def test_a_part_of_a_run_leads_to_the_run(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine/walk/checkpoints").mkdir(parents=True)
    Path("mine/walk/config.json").write_text("{}")
    Path("mine/walk/checkpoints/last.pt").touch()
    with pytest.raises(ValueError, match=r"is no run: .*; did you mean mine/walk\?$"):
        RunDirectory.open(Path("mine/walk", part))

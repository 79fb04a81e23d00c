"""The seed and the settings decide a run: its metrics and its checkpoint, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import train
from algos.runs.checkpoint import load_checkpoint
from algos.runs.fingerprint import Fingerprint, digest, fingerprint, metrics
from algos.runs.fingerprint import main as fingerprint_main
from algos.runs.metrics import WALL_TIME

ROOT = Path(__file__).parent.parent
LAWS = (
    *("--env.randomization.mass", "0.85", "1.15", "--env.randomization.com", "-0.02", "0.02"),
    *("--env.randomization.friction", "0.5", "1.25", "--env.randomization.gains", "0.9", "1.1"),
    *("--env.randomization.push", "0.5", "0.5", "--env.randomization.noise", "1"),
)
QUIET = ["--wandb", "disabled", "--video-interval", "0", "--eval-interval", "0"]
NETWORKS = ["--algo.hidden", "16", "16", "--algo.critic-hidden", "16", "16"]
WALK = [
    *("trot/AnymalWalk-v0", "--num-envs", "12", "--rollout-steps", "8", "--total-steps", "576"),
    *("--env.episode-length", "0.3", "--env.protocol.seconds", "0.2", "--eval-episodes", "2"),
    *LAWS,
    *("--env.randomization.push-interval", "0.1"),
    *(*NETWORKS, *QUIET),
]
CARTPOLE = [
    *("CartPole-v1", "--num-envs", "3", "--rollout-steps", "32", "--total-steps", "384"),
    *("--eval-episodes", "2", *NETWORKS, *QUIET),
]


def trained(run: Path, *arguments: str) -> Fingerprint:
    train.main([*arguments, "--run-dir", str(run)])
    return fingerprint(run)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "walk"
    trained(run, *WALK, "--env.simulation.nthread", "1")
    return run


@pytest.mark.slow
def test_another_process_does_the_same(walk: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "train.py"), *WALK, "--env.simulation.nthread", "1"]
    subprocess.run([*command, "--run-dir", str(tmp_path / "twin")], check=True, cwd=tmp_path)
    assert fingerprint(tmp_path / "twin") == fingerprint(walk)
    assert fingerprint(walk).env_steps == 576
    assert len(metrics(walk / "metrics.csv")) == 6


@pytest.mark.slow
def test_the_number_of_simulation_threads_changes_nothing(walk: Path, tmp_path: Path) -> None:
    found = trained(tmp_path / "threads", *WALK, "--env.simulation.nthread", "2")
    assert found == fingerprint(walk)


def same_but_judged(judged: Path, plain: Path) -> None:
    """Assert that two runs differ in nothing but what evaluations of one of them found."""
    contents = [load_checkpoint(run / "checkpoints" / "last.pt") for run in (judged, plain)]
    for part in ("algo", "collector"):
        assert digest(contents[0][part]) == digest(contents[1][part])
    rows = [metrics(run / "metrics.csv") for run in (judged, plain)]
    assert [any(name.startswith("eval/") for name in row) for row in rows[0]] == [True] * 6
    for row, other in zip(*rows, strict=True):
        names = {name for name in (*row, *other) if not name.startswith("eval/")}
        assert {n: row[n] for n in names} == {n: other[n] for n in names}


@pytest.mark.slow
def test_evaluations_change_nothing(walk: Path, tmp_path: Path) -> None:
    trained(tmp_path / "judged", *WALK, "--eval-interval", "1")
    same_but_judged(tmp_path / "judged", walk)


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_videos_change_nothing(walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "VIDEO", replace(train.VIDEO, size=(64, 36)))
    run = tmp_path / "with_videos"
    often = ("--video-interval", "2", "--video-seconds", "0.1")
    trained(run, *WALK, "--eval-interval", "1", *often)
    assert len(list((run / "videos").glob("*.mp4"))) == 3
    same_but_judged(run, walk)


@pytest.mark.slow
def test_a_task_of_gymnasium_twice(tmp_path: Path) -> None:
    first, second = (trained(tmp_path / name, *CARTPOLE) for name in ("a", "b"))
    assert first == second
    other = trained(tmp_path / "c", *CARTPOLE, "--seed", "2")
    assert first.state != other.state
    assert first.metrics != other.metrics


@pytest.mark.slow
def test_fingerprints_see_a_bit_and_not_the_clock(
    walk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    content = load_checkpoint(walk / "checkpoints" / "last.pt")["algo"]
    before = digest(content)
    assert digest(dict(reversed(content.items()))) == before
    mean: torch.Tensor = content["normalizer"]["mean"]
    mean[0] = torch.nextafter(mean[0], mean[0] + 1)
    assert digest(content) != before
    fingerprint_main((walk, walk))
    assert capsys.readouterr().out.count(fingerprint(walk).state[:16]) == 2
    names = set(metrics(walk / "metrics.csv")[-1])
    assert not any(WALL_TIME.fullmatch(name) for name in names)
    assert {"iteration", "env_steps", "kl", "episode_return", "eval/return_mean"} <= names

"""Which folder a command line means."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import train
from algos.runs.directory import RunDirectory
from algos.training.command_line import locate
from algos.usage import UsageError
from trot.training import defaults


@pytest.mark.parametrize("folder", ["/", ".", "..", "runs/.."])
def test_an_experiment_has_a_name_that_its_seeds_are_added_to(folder: str) -> None:
    config = replace(defaults("CartPole-v1"), seeds=(1, 2), run_dir=Path(folder))
    with pytest.raises(UsageError, match=r"--run-dir is .* no name of its own: .* give a name"):
        locate(config)
    assert locate(replace(config, seeds=())).path == Path(folder)


def test_an_experiment_is_told_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    config = replace(defaults("CartPole-v1"), seeds=(1, 2))
    assert locate(config).path == Path("runs/CartPole-v1")
    for there, seen in {"a/../b": Path("b"), "../here": tmp_path / "here"}.items():
        assert locate(replace(config, run_dir=Path(there))).path == seen


def test_a_trial_is_one_of_a_sweep_that_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "abc")
    monkeypatch.setenv("WANDB_SWEEP_ID", "")
    assert locate(defaults("CartPole-v1")).path == Path("runs/CartPole-v1-s1")
    monkeypatch.setenv("WANDB_SWEEP_ID", "x")
    assert locate(defaults("CartPole-v1")).path == Path("runs/CartPole-v1-s1-abc")


@pytest.mark.slow
def test_a_run_in_a_folder_of_any_name_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    config, run, _ = train.parse(["CartPole-v1", "--run-dir", str(folder / "run")])
    RunDirectory.create(run.path, train.to_plain(config))
    again, found, _ = train.parse(["--resume", str(folder / "run")])
    assert (again, found.path) == (config, run.path)


def test_a_folder_that_is_taken_tells_the_command_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = RunDirectory.create(Path("-my run"), {})
    run.metrics.write_text("iteration\n1\n")
    with pytest.raises(UsageError, match=r"by --resume './-my run'$"):
        RunDirectory.create(run.path, {})

"""Trainings under faults: they survive, or end with one clear line and lose next to nothing."""

from __future__ import annotations

import csv
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control import CartPoleEnv

import play
import train
from algos.compare.experiment import SeedRun
from algos.rollout.repeatable import EpisodeError
from algos.runs.checkpoint import is_finite, load_checkpoint
from algos.runs.directory import MAX_FAULTS, RunDirectory
from algos.runs.files import WriteError, append, replacing
from algos.training import trainer
from envs.judge.replay import Replay, load
from tests import faults

ROOT = Path(__file__).parent.parent
SMALL = ["--num-envs", "4", "--rollout-steps", "8", "--video-interval", "0", "--logger", "none"]
OFTEN = [*SMALL, "--checkpoint-interval", "1", "--eval-interval", "0", "--eval-episodes", "1"]
WALK = ["trot/AnymalWalk-v0", *OFTEN, "--env.protocol.seconds", "0.2"]
CARTPOLE = ["CartPole-v1", *OFTEN]
STEPS = 32  # of an iteration


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def files(run: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}


def start(run: Path, iterations: int, task: list[str] = CARTPOLE) -> None:
    train.main([*task, "--total-steps", str(iterations * STEPS), "--run-dir", str(run)])


@pytest.fixture(scope="module")
def cartpole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "cartpole"
    start(run, 2)
    return run


# One run directory, two processes


@pytest.mark.slow
def test_a_run_trains_in_one_process_at_a_time_and_a_kill_frees_it(
    cartpole_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(cartpole_run, run)
    more = ["--resume", str(run), "--total-steps", str(3 * STEPS)]
    with faults.another_training(run) as other:
        before = files(run)
        for arguments in (more, [*CARTPOLE, "--run-dir", str(run)]):
            with pytest.raises(ValueError, match=rf"{run} is in use: process {other.pid} on"):
                train.main(arguments)
        config, _, _ = train.parse([*CARTPOLE, "--seed", "1"])
        with pytest.raises(ValueError, match=f"process {other.pid} on"):
            SeedRun(1, RunDirectory(run), train.to_plain(config)).check()
        assert files(run) == before
        assert play.find_subject(play.Play(str(run), evaluate=True)).content is not None
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        train.main(more)
    assert len(rows(run)) == 3


def test_a_file_system_without_locks_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def flock(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with RunDirectory(tmp_path).lock(), RunDirectory(tmp_path).lock():
        assert "cannot be locked (No locks available)" in caplog.text


def test_the_lock_goes_with_the_training(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    with run.lock():
        with pytest.raises(ValueError, match="is in use") as caught, RunDirectory(tmp_path).lock():
            pass
        assert faults.pid(caught.value)
    with run.lock():
        run.check()


# Disks


def test_a_row_or_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    table, checkpoint = tmp_path / "metrics.csv", tmp_path / "last.pt"
    table.write_bytes(b"a,b\n" * 100)
    checkpoint.write_bytes(b"old")
    with faults.file_size_limit(402):
        with pytest.raises(WriteError, match=r"metrics\.csv cannot be written: File too large"):
            append(table, b"1,2\n")
        with pytest.raises(WriteError, match=r"last\.pt cannot"), replacing(checkpoint) as file:
            file.write(bytes(1000))
    assert table.read_bytes() == b"a,b\n" * 100
    assert files(tmp_path) == {"metrics.csv": table.read_bytes(), "last.pt": b"old"}


@pytest.mark.slow
@pytest.mark.root
def test_a_full_disk_stops_a_run_that_then_goes_on_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    start(whole, 6, WALK)
    with faults.small_disk(tmp_path / "disk") as disk, monkeypatch.context() as patch:
        run = disk / "run"
        faults.at_iteration(patch, 4, lambda trainer: faults.fill_disk(disk))
        remedy = rf"cannot be written: No space left on device; .* --resume {run}$"
        with pytest.raises(WriteError, match=remedy):
            start(run, 6, WALK)
        assert not [name for name in files(run) if "tmp" in name or "spare" in name]
        for name, iteration in (("last", 3), ("previous", 2)):
            content = load_checkpoint(run / "checkpoints" / f"{name}.pt")
            assert content["iteration"] == iteration
        assert [row["iteration"] for row in rows(run)] in (["1", "2", "3"], ["1", "2", "3", "4"])
        (disk / "ballast").unlink()
        patch.undo()
        train.main(["--resume", str(run)])
        assert same_training(run, whole)


def same_training(one: Path, other: Path) -> bool:
    """Whether two runs have the same numbers but for what was timed."""
    found = [load_checkpoint(run / "checkpoints" / "last.pt")["algo"] for run in (one, other)]
    tables = [
        [{n: v for n, v in row.items() if "second" not in n} for row in rows(run)]
        for run in (one, other)
    ]
    policies = [content["policy"] for content in found]
    equal = all(torch.equal(policies[0][name], value) for name, value in policies[1].items())
    return equal and tables[0] == tables[1]


@pytest.mark.slow
@pytest.mark.root
def test_a_full_disk_ends_the_program_with_one_line(tmp_path: Path) -> None:
    with faults.small_disk(tmp_path / "disk") as disk:
        run = disk / "run"
        command = [sys.executable, str(ROOT / "train.py"), *CARTPOLE, "--run-dir", str(run)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not ((run / "metrics.csv").is_file() and rows(run)):
            time.sleep(0.1)
        faults.fill_disk(disk)
        _, output = process.communicate(timeout=60)
        assert process.returncode == 2
        (line,) = output.decode().splitlines()
        assert line.startswith(f"error: {run}/")
        assert line.endswith(f"--resume {run}")


@pytest.mark.slow
@pytest.mark.root
def test_a_read_only_run_is_refused(cartpole_run: Path, tmp_path: Path) -> None:
    with faults.small_disk(tmp_path / "disk") as disk:
        run = disk / "run"
        shutil.copytree(cartpole_run, run)
        faults.make_read_only(disk)
        for arguments in (["--resume", str(run)], [*CARTPOLE, "--run-dir", str(disk / "new")]):
            with pytest.raises(WriteError, match="cannot be written: Read-only file system"):
                train.main(arguments)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "message"),
    [(faults.delete, "No such file or directory"), (faults.replace_folder, "is another folder")],
)
def test_a_run_directory_that_goes_away_ends_the_run(
    fault: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    faults.at_iteration(monkeypatch, 2, lambda trainer: fault(run))
    with pytest.raises(WriteError, match=message):
        start(run, 4)
    assert not run.exists() or list(files(run)) == [".lock"]


# Environments of one's own


@pytest.mark.slow
@pytest.mark.parametrize(
    "error", [ValueError("shapes"), OSError("robot unplugged"), KeyError("leg"), RuntimeError()]
)
def test_what_an_environment_raises_is_left_as_it_is(
    cartpole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def step(*arguments: Any) -> Any:
        raise error

    monkeypatch.setattr(CartPoleEnv, "step", step)
    with pytest.raises(type(error)) as caught:
        start(tmp_path / "new", 2)
    assert caught.value is error
    shutil.copytree(cartpole_run, tmp_path / "run")
    with pytest.raises(EpisodeError) as caught:
        train.main(["--resume", str(tmp_path / "run"), "--total-steps", str(3 * STEPS)])
    assert caught.value.__cause__ is error


@pytest.mark.slow
@pytest.mark.parametrize("method", ["__init__", "step"])
def test_memory_that_runs_out_keeps_its_traceback_and_says_what_to_do(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise MemoryError("my map")

    monkeypatch.setattr(CartPoleEnv, method, fail)
    with pytest.raises(MemoryError, match="my map") as caught:
        start(tmp_path / "run", 1)
    assert caught.traceback[-1].name == "fail"
    remedy = "MemoryError: my map: take a smaller --num-envs or --rollout-steps"
    assert caught.value.__notes__ == [remedy]


@pytest.mark.slow
def test_where_a_video_failed_is_told_and_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(*arguments: Any) -> None:
        raise ValueError("shapes")

    monkeypatch.setattr(train, "make_video_writer", lambda config: write)
    start(tmp_path / "run", 2, [*CARTPOLE, "--video-interval", "1"])
    line = write.__code__.co_firstlineno + 1
    assert (
        f"no more videos in this run: ValueError: shapes ({__file__}:{line})"
        in capsys.readouterr().out
    )
    assert len(rows(tmp_path / "run")) == 2


# Numbers


@pytest.mark.slow
@pytest.mark.parametrize("what", ["rewards", "observations"])
def test_training_goes_on_without_the_environments_that_give_nans(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.give_nans(monkeypatch, what, slice(0, 1), begin=10)
    start(tmp_path / "run", 4)
    table = rows(tmp_path / "run")
    assert [float(row["omitted_environments"]) for row in table] == [0, 1, 1, 1]
    counts = [float(row[f"nonfinite_{what}"]) for row in table]
    entry = 4 if what == "observations" else 1
    late = 5 if what == "observations" else 6  # observations are kept from the next step on
    assert counts == [0, late * entry, 8 * entry, 8 * entry]
    assert all(np.isfinite(float(row["kl"])) for row in table)
    assert is_finite(load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["algo"])


@pytest.mark.slow
def test_training_stops_where_every_update_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.give_nans(monkeypatch, "rewards", slice(None), begin=16)
    cause = r"10 updates in a row were refused; .* 32 non-finite rewards and 0 non-finite obs"
    with pytest.raises(ValueError, match=cause):
        start(tmp_path / "run", 100)
    table = rows(tmp_path / "run")
    assert len(table) == 2 + trainer.MAX_REFUSED
    assert [float(row["critic_refused"]) for row in table] == [0.0] * 2 + [1.0] * 10


@pytest.mark.slow
def test_training_stops_where_the_critic_explodes_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.at_iteration(monkeypatch, 2, lambda trainer: faults.explode_critic(trainer._agent))
    with pytest.raises(ValueError, match="returns that are beyond the critic"):
        start(tmp_path / "run", 100)
    table = rows(tmp_path / "run")
    assert [float(row["critic_refused"]) for row in table] == [0.0] * 2 + [1.0] * 10
    assert all(row["kl"] for row in table)  # the policy went on learning
    assert is_finite(load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["algo"])


@pytest.mark.slow
def test_a_policy_with_a_nan_is_never_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.at_iteration(monkeypatch, 3, lambda trainer: faults.poison_policy(trainer._agent))
    with pytest.raises(ValueError, match=r"iteration 3: .* not finite, so last\.pt was not saved"):
        start(tmp_path / "run", 5)
    content = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")
    assert content["iteration"] == 2
    assert is_finite(content["algo"])


@pytest.mark.slow
def test_simulations_that_diverge_in_a_training_can_be_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    wild = ["--env.randomization.mass", "0.85", "1.15", "--env.randomization.push", "100", "100"]
    wild += ["--env.randomization.push-interval", "0.2"]
    start(run, 8, [*WALK, *wild])
    table, records = rows(run), sorted((run / "faults").iterdir())
    assert 1 <= len(records) <= MAX_FAULTS
    assert sum(float(row["diverged"]) for row in table) >= len(records)
    assert f"python play.py --replay-nan {records[0]}" in capsys.readouterr().out
    for path in records:
        assert "bitwise those recorded" in Replay(load(path)).explain()
    play.main(["--replay-nan", str(records[0])])
    assert "it diverges at" in capsys.readouterr().out

"""Several seeds by one command: trained, resumed, stopped and compared."""

from __future__ import annotations

import ast
import csv
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import train
from algos.compare import experiment
from algos.runs.checkpoint import load_checkpoint, save_checkpoint
from algos.runs.directory import RunDirectory
from algos.trpo.config import TRPOConfig
from trot import training

ROOT = Path(__file__).parent.parent
CARTPOLE = ["CartPole-v1", "--num-envs", "4", "--rollout-steps", "32", "--eval-episodes", "1"]
QUIET = ["--video-interval", "0", "--logger", "none"]


def steps(run: Path) -> list[int]:
    with (run / "metrics.csv").open(newline="") as file:
        return [int(row["env_steps"]) for row in csv.DictReader(file)]


WRITES = "import sys; open({!r}, 'a').write(str(sys.argv[1:]) + '\\n')"
"""A program that notes its arguments."""


def program(tmp_path: Path, code: str) -> list[str]:
    """Return the command of a stand-in for train.py."""
    script = tmp_path / "program.py"
    script.write_text(code)
    return [sys.executable, str(script)]


def config(**changes: Any) -> dict[str, Any]:
    settings, _, _ = train.parse([*CARTPOLE, *QUIET, "--seeds", "1", "2"])
    return train.to_plain(settings) | changes


@pytest.mark.slow
def test_seeds_are_trained_once_resumed_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "cart"
    command = [*CARTPOLE, *QUIET, "--run-dir", str(base), "--jobs", "2"]
    train.main([*command, "--total-steps", "256", "--seeds", "1", "2"])
    runs = [tmp_path / f"cart-s{seed}" for seed in (1, 2)]
    assert [steps(run) for run in runs] == [[128, 256], [128, 256]]
    assert [training.RunDirectory.open(run)[1]["seed"] for run in runs] == [1, 2]
    assert {training.RunDirectory.open(run)[1]["wandb_group"] for run in runs} == {"cart"}
    output = capsys.readouterr().out
    assert output.count("training seed") == 2
    assert "95 %" in output
    assert (tmp_path / "cart-curves.png").is_file()

    saved = [(run / "checkpoints" / "last.pt").stat().st_mtime_ns for run in runs]
    train.main([*command, "--total-steps", "256", "--seeds", "1", "2"])
    assert saved == [(run / "checkpoints" / "last.pt").stat().st_mtime_ns for run in runs]
    assert "seed 1," not in capsys.readouterr().out  # nothing was left to train

    told = tmp_path / "told"
    writes = program(tmp_path, WRITES.format(str(told)))
    with pytest.raises(experiment.SeedError, match="ended before it had its steps"):
        experiment.run(base, config(jobs=1, total_steps=384, seeds=[2]), writes)
    resumed, run, begun = train.parse(ast.literal_eval(told.read_text()))
    assert run.path == runs[1]
    assert begun
    assert (resumed.total_steps, resumed.seed) == (384, 2)


@pytest.mark.slow
def test_a_run_of_other_settings_is_left_alone(tmp_path: Path) -> None:
    run, _, _ = train.parse([*CARTPOLE])
    training.RunDirectory.create(tmp_path / "cart-s1", train.to_plain(run))
    (tmp_path / "cart-s1" / "metrics.csv").write_text("iteration\n1\n")
    command = [*CARTPOLE, *QUIET, "--run-dir", str(tmp_path / "cart"), "--seeds", "1"]
    with pytest.raises(ValueError, match=r"cart-s1 was trained with algo\.gamma 0\.99, not 0\.9"):
        train.main([*command, "--algo.gamma", "0.9"])
    (tmp_path / "cart-s1" / "metrics.csv").unlink()  # nothing is trained: it may begin anew
    other = train.to_plain(train.parse([*CARTPOLE, "--algo.gamma", "0.9"])[0])
    experiment.SeedRun(1, RunDirectory(tmp_path / "cart-s1"), other).check()


@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "train.py"), *CARTPOLE, *QUIET, "--seeds", "1", "2"]
    process = subprocess.Popen(
        [*command, "--total-steps", "10000000", "--run-dir", str(tmp_path / "cart")],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    run = tmp_path / "cart-s1"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not ((run / "metrics.csv").is_file() and steps(run)):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "the same command again" in output
    assert "Traceback" not in output
    assert load_checkpoint(run / "checkpoints" / "last.pt")["env_steps"] == steps(run)[-1]
    assert not (tmp_path / "cart-s2").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("jobs", "words"), [(1, "seed 1 failed; what"), (2, "failed: error: no such")]
)
def test_a_seed_that_fails_ends_the_experiment(tmp_path: Path, jobs: int, words: str) -> None:
    fails = program(tmp_path, "import sys; print('error: no such thing'); sys.exit(2)")
    with pytest.raises(ValueError, match=words):
        experiment.run(tmp_path / "x", config(jobs=jobs), fails)


@pytest.mark.parametrize(("ends", "code"), [("raise ValueError('shapes')", 1), ("exit(2)", 2)])
def test_a_seed_that_fails_gives_its_exit_code_and_its_last_word(
    tmp_path: Path, ends: str, code: int
) -> None:
    fails = program(tmp_path, f"import sys; sys.stdout.buffer.write(b'runs/\\xe9 ')\n{ends}")
    run = experiment.SeedRun(1, RunDirectory(tmp_path / "x-s1"), {"total_steps": 1})
    with pytest.raises(experiment.SeedError, match="shapes" if code == 1 else "seed 1") as e:
        experiment.train([run], fails, jobs=2)
    assert e.value.exit_code == code


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ("os.kill(os.getpid(), 9)", "seed 1 was killed by SIGKILL (out of memory?"),
        ("os._exit(137)", "seed 1 was killed by SIGKILL (out of memory?"),
        ("os.kill(os.getpid(), 11)", "seed 1 was killed by SIGSEGV"),
        ("os._exit(3)", "seed 1 ended with exit code 3"),
    ],
)
def test_a_seed_that_dies_without_a_word_is_explained(
    tmp_path: Path, jobs: int, ends: str, words: str
) -> None:
    log = tmp_path / "x-s1" / "train.log"
    log.parent.mkdir()
    log.write_text("error: of the attempt before\n")
    dies = program(tmp_path, f"import os; print('40 %, 0:10 left', flush=True)\n{ends}")
    run = experiment.SeedRun(1, RunDirectory(log.parent), {"total_steps": 1})
    with pytest.raises(experiment.SeedError) as e:
        experiment.train([run], dies, jobs)
    assert words in str(e.value)
    assert (f"its log: {log}" if jobs > 1 else "stands above") in str(e.value)
    assert "the same command again goes on" in str(e.value)
    assert not {"attempt", "40"} & set(str(e.value).split())
    assert e.value.exit_code == 1


def test_a_bare_exit_is_not_explained_by_the_progress_before_it(tmp_path: Path) -> None:
    dies = program(tmp_path, "print('40 %, 0:10 left'); exit(1)")
    run = experiment.SeedRun(1, RunDirectory(tmp_path / "x-s1"), {"total_steps": 1})
    with pytest.raises(experiment.SeedError, match=r"^seed 1 ended with exit code 1, its log: "):
        experiment.train([run], dies, jobs=2)


@pytest.mark.parametrize("ends", ["exit(0)", "import os; os._exit(0)"])
def test_a_seed_that_leaves_before_its_end_has_failed(
    tmp_path: Path, ends: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = experiment.SeedRun(1, RunDirectory(tmp_path / "x-s1"), {"total_steps": 1})
    told = f"seed 1 ended before it had its steps, its log: {tmp_path}/x-s1/train.log"
    with pytest.raises(experiment.SeedError, match=f"^{re.escape(told)}; the same") as caught:
        experiment.train([run], program(tmp_path, ends), jobs=2)
    assert caught.value.exit_code == 1
    assert told in capsys.readouterr().out


HANGS_UP = """
import os, signal, sys, time
told = []
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, frame: told.append(number))
for number in {}:
    os.kill(os.getppid(), number)
    time.sleep(0.2)
print(*(int(number) for number in told), file=open(sys.argv[2] + "/told", "w"))
"""
"""A training whose terminal goes away, or whose user is impatient."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("numbers", "told"), [("(1, 1)", [15]), ("(15, 15)", [15]), ("(2, 2)", [15, 2])]
)
def test_a_seed_is_told_once_to_save_and_by_another_ctrl_c_to_leave(
    tmp_path: Path, numbers: str, told: list[int]
) -> None:
    run = experiment.SeedRun(1, RunDirectory(tmp_path / "x-s1"), {"total_steps": 1})
    stops = program(tmp_path, HANGS_UP.format(numbers))
    if told == [15]:
        assert not experiment.train([run], stops, jobs=1)
    else:
        with pytest.raises(KeyboardInterrupt):
            experiment.train([run], stops, jobs=1)
    assert [int(n) for n in (tmp_path / "x-s1" / "told").read_text().split()] == told


@pytest.mark.slow
def test_each_seed_starts_from_the_settings_that_its_parent_wrote(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = tmp_path / "told"
    writes = program(tmp_path, WRITES.format(str(told)))
    options = ["--wandb-tags", "a", "b", "--algo.gamma=0.9", "--seeds", "1", "2", "--jobs", "1"]
    parent, _, _ = train.parse(["CartPole-v1", *options, "--run_dir=x"])
    assert isinstance(parent.algo, TRPOConfig)
    with pytest.raises(experiment.SeedError, match=r"seed 1 ended .*seed 2 ended before"):
        experiment.run(tmp_path / "x", train.to_plain(parent), writes)
    for seed, line in zip((1, 2), told.read_text().splitlines(), strict=True):
        own, run, begun = train.parse(ast.literal_eval(line))
        path = tmp_path / f"x-s{seed}"
        same = {"seed": seed, "seeds": (), "jobs": 1, "run_dir": path, "wandb_group": "x"}
        assert own == replace(parent, **same)
        assert (run.path, begun) == (path, False)
    assert not caplog.records  # a first start is nothing to warn of


@pytest.mark.slow
def test_a_seed_that_goes_on_keeps_what_its_run_was_made_with(tmp_path: Path) -> None:
    """Settings of older code stand in its config.json, and there they stay."""
    made = RunDirectory.create(tmp_path / "x-s1", config(seed=1, old_setting=3))
    save_checkpoint(made.last, {"env_steps": 10})
    writes = program(tmp_path, WRITES.format(str(tmp_path / "told")))
    now = config(seeds=[1], total_steps=20, device="cpu", eval_interval=7, video_seconds=3.0)
    with pytest.raises(experiment.SeedError, match="ended before it had its steps"):
        experiment.run(tmp_path / "x", now, writes)
    _, kept = RunDirectory.open(made.path)
    assert (kept["old_setting"], kept["total_steps"], kept["device"]) == (3, 20, "cpu")
    assert (kept["eval_interval"], kept["video_seconds"]) == (7, 3.0)

"""Training in several processes, from the command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

import train
from algos.parallel import Group
from algos.runs.checkpoint import load_checkpoint
from algos.runs.fingerprint import fingerprint, metrics
from tests.launch import ROOT, together, torchrun_command

ITERATIONS = 12
TRAIN = [
    *("trot/AnymalStand-v0", "--num-envs", "8", "--rollout-steps", "16"),
    *("--total-steps", str(ITERATIONS * 8 * 16), "--checkpoint-interval", "1", "--logger", "none"),
    *("--video-interval", "0", "--eval-episodes", "1", "--algo.hidden", "16"),
    *("--env.episode-length", "0.3", "--env.protocol.seconds", "0.3"),
    *("--algo.critic-hidden", "16", "--algo.final-kl-fraction", "1", "--run-dir"),
]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two processes."""
    path = tmp_path_factory.mktemp("parallel") / "reference"
    together(2, train.main, [*TRAIN, str(path)])
    return path


def iterations(run: Path) -> list[int]:
    """The iterations that metrics.csv has a row of."""
    return [int(row["iteration"]) for row in metrics(run / "metrics.csv")]


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")
def test_a_killed_process_is_restarted_and_the_run_ends_as_if_nothing_had_been(
    reference: Path, tmp_path: Path
) -> None:
    run = tmp_path / "killed"
    command = torchrun_command(2, ["train.py", *TRAIN, str(run)], "--max-restarts=1")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as job:
        while not (run / "metrics.csv").exists() or len(metrics(run / "metrics.csv")) < 4:
            assert job.poll() is None, job.communicate()[1]
            time.sleep(0.01)
        os.kill(children(job.pid)[1], signal.SIGKILL)
        _, errors = job.communicate(timeout=120)
    assert job.returncode == 0, errors
    assert "another process of this training has ended" in errors
    assert "Traceback" not in errors
    assert iterations(run) == list(range(1, ITERATIONS + 1))
    assert fingerprint(run) == fingerprint(reference)


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(
    reference: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    shutil.copytree(reference, run)
    before = load_checkpoint(run / "checkpoints" / "last.pt")
    more = before["env_steps"] + 2 * 8 * 16
    train.main(["--resume", str(run), "--total-steps", str(more)])
    assert "had 2 processes and goes on with 1" in caplog.text
    after = load_checkpoint(run / "checkpoints" / "last.pt")
    assert after["iteration"] == ITERATIONS + 2
    assert after["others"] == []
    transitions = after["collector"]["envs"]["transitions"]
    assert transitions == before["collector"]["envs"]["transitions"] + 2 * 8 * 16
    assert iterations(run) == list(range(1, ITERATIONS + 3))


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        (["--num-envs", "7"], "--num-envs is 7; it must be a multiple of the 2 processes"),
        (["--seeds", "1", "2"], r"--seeds is \(1, 2\); it must be without torchrun"),
        (["--device", "cuda"], "--device is cuda, but torch sees 0 CUDA devices for 2 processes"),
    ],
)
def test_what_several_processes_cannot_do_is_refused(
    option: list[str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    config, *_ = train.parse(["CartPole-v1", *option])
    with pytest.raises(ValueError, match=problem):
        train.check_group(config, Group(size=2, local_size=2))


def test_a_curriculum_that_is_earned_is_one_process_s() -> None:
    config, *_ = train.parse(["trot/Run-v0", "--recipe", "earned"])
    train.check_curricula(config, Group())
    with pytest.raises(ValueError, match=r"curriculum of commands is earned .*without torchrun"):
        train.check_curricula(config, Group(size=2))

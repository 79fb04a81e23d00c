"""A training that is stopped or killed at any moment and resumed ends as if it had not been."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

import train
from algos.runs.fingerprint import Fingerprint, fingerprint
from algos.terminal import Signalled
from algos.training import launch
from algos.training.trainer import Trainer
from trot import training

ROOT = Path(__file__).parent.parent
LAWS = (
    *("--env.randomization.mass", "0.85", "1.15", "--env.randomization.com", "-0.02", "0.02"),
    *("--env.randomization.friction", "0.5", "1.25", "--env.randomization.gains", "0.9", "1.1"),
    *("--env.randomization.push", "0.5", "0.5", "--env.randomization.noise", "1"),
)
WALK = [
    *("trot/AnymalWalk-v0", "--num-envs", "8", "--rollout-steps", "8", "--total-steps", "768"),
    *("--checkpoint-interval", "3", "--eval-interval", "6", "--eval-episodes", "2"),
    *("--env.episode-length", "0.3", "--env.protocol.seconds", "0.3"),
    *LAWS,
    *("--env.randomization.push-interval", "0.1", "--env.simulation.nthread", "1"),
    *("--algo.hidden", "16", "16", "--algo.critic-hidden", "16", "16"),
    *("--algo.critic-epochs", "1", "--algo.critic-minibatches", "2"),
    *("--video-interval", "0", "--wandb", "disabled"),
]
ITERATIONS = 12

Moment = Callable[[Path], bool]


def rows(run: Path) -> int:
    path = run / "metrics.csv"
    return max(path.read_text().count("\n") - 1, 0) if path.is_file() else 0


def after(iterations: int) -> Moment:
    return lambda run: rows(run) >= iterations


def started(run: Path) -> bool:
    return (run / "config.json").exists()


def saving(run: Path) -> bool:
    return rows(run) > 2 and any((run / "checkpoints").glob(".*.tmp"))


VICTIMS: list[tuple[signal.Signals, str, Moment]] = [
    (signal.SIGKILL, "start-up", started),
    (signal.SIGKILL, "rollout or update", after(2)),
    (signal.SIGKILL, "checkpoint", saving),
    (signal.SIGTERM, "evaluation", after(5)),
    (signal.SIGKILL, "end", after(ITERATIONS)),
]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "reference"
    train.main([*WALK, "--run-dir", str(run)])
    return run


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[[list[str]], BaseProcess]]:
    """What trains in a process of its own, forked where torch and MuJoCo are imported already."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["train"])
    processes: list[BaseProcess] = []

    def begin(arguments: list[str]) -> BaseProcess:
        processes.append(context.Process(target=train.main, args=(arguments,)))
        processes[-1].start()
        return processes[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield begin
    for process in processes:
        process.kill()
        process.join()


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_end(
    reference: Path, tmp_path: Path, start: Callable[[list[str]], BaseProcess]
) -> None:
    chance, codes, wanted = random.Random(1), [], fingerprint(reference)
    for number, name, moment in VICTIMS:
        run = tmp_path / name
        process = start([*WALK, "--run-dir", str(run)])
        while process.is_alive() and not moment(run):
            time.sleep(0.001)
        time.sleep(chance.random() / 50)
        os.kill(process.pid or 0, number)  # nobody has waited for it, so the id is still its own
        process.join(60)
        codes.append(process.exitcode)
        train.main(["--resume", str(run)])
        assert fingerprint(run) == wanted, name
        left = [path.name for path in run.rglob("*")]
        assert not [name for name in left if name.startswith(".video") or name.endswith(".tmp")]
    assert codes.count(-signal.SIGKILL) >= 2  # the others may have been done already


def stopped_and_resumed(arguments: list[str], run: Path, stop: int) -> Fingerprint:
    """Train with a Ctrl-C at an iteration, and go on."""
    iterate = Trainer._iterate

    def interrupted(self: Trainer) -> dict[str, float]:
        metrics = iterate(self)
        if self.iteration == stop:
            signal.raise_signal(signal.SIGINT)
        return metrics

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_iterate", interrupted)
        train.main([*arguments, "--run-dir", str(run)])
    assert rows(run) == stop
    train.main(["--resume", str(run)])
    return fingerprint(run)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [5, 6])  # between checkpoints; at one and an evaluation
def test_ctrl_c_costs_nothing(reference: Path, tmp_path: Path, stop: int) -> None:
    assert stopped_and_resumed(WALK, tmp_path / "run", stop) == fingerprint(reference)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["CartPole-v1", "Hopper-v5"])
def test_nor_does_it_in_a_task_of_gymnasium(tmp_path: Path, env_id: str) -> None:
    arguments = [env_id, "--num-envs", "3", "--rollout-steps", "32", "--total-steps", "768"]
    arguments += ["--eval-episodes", "1", "--video-interval", "0", "--wandb", "disabled"]
    train.main([*arguments, "--run-dir", str(tmp_path / "whole")])
    found = stopped_and_resumed(arguments, tmp_path / "run", 5)
    assert found == fingerprint(tmp_path / "whole")


class Killed(Signalled):
    """Stands for a signal in the middle of something."""


@pytest.mark.slow
@pytest.mark.parametrize("again", ["--resume", "the same command"])
def test_a_run_that_died_before_its_first_checkpoint_starts_anew(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    run = tmp_path / "run"

    def die(*arguments: object) -> None:
        raise Killed

    monkeypatch.setattr(launch, "Collector", die)
    with pytest.raises(Killed):
        train.main([*WALK, "--run-dir", str(run)])
    monkeypatch.undo()
    assert json.loads((run / "config.json").read_text())["num_envs"] == 8
    assert not list((run / "checkpoints").glob("*"))
    train.main(["--resume", str(run)] if again == "--resume" else [*WALK, "--run-dir", str(run)])
    assert fingerprint(run) == fingerprint(reference)


@pytest.mark.slow
def test_the_video_that_a_kill_prevented_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writer(fate: BaseException | None) -> Callable[..., Callable[..., None]]:
        def write(act: object, path: Path) -> None:
            draft = path.parent / ".draft-x"
            draft.mkdir()
            if fate:
                raise fate
            draft.replace(path)

        return lambda config: write

    with_videos = [argument if argument != "0" else "6" for argument in WALK]
    monkeypatch.setattr(train, "make_video_writer", writer(Killed()))
    with pytest.raises(Killed):
        train.main([*with_videos, "--run-dir", str(tmp_path / "run")])
    monkeypatch.setattr(train, "make_video_writer", writer(None))
    train.main(["--resume", str(tmp_path / "run")])
    videos = sorted(p.name for p in (tmp_path / "run" / "videos").iterdir())
    assert videos == ["0000000384.mp4", "0000000768.mp4"]


def test_config_json_is_whole_at_every_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = training.RunDirectory.create(tmp_path / "run", {"seed": 1})

    def die(draft: Path, target: Path) -> None:
        raise Killed

    monkeypatch.setattr(os, "replace", die)
    with pytest.raises(Killed):
        run.write_config({"seed": 2})
    assert training.RunDirectory.open(run.path)[1] == {"seed": 1}
    run.sweep()
    assert sorted(p.name for p in run.path.iterdir()) == ["config.json", "git.json", "videos"]

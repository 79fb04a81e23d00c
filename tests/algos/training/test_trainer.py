"""Judging a policy costs no training: it is saved first, and judged where that was prevented."""

from __future__ import annotations

import csv
import signal
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import train
from algos.compare.experiment import SeedRun
from algos.runs.checkpoint import load_checkpoint
from algos.runs.directory import RunDirectory
from algos.runs.fingerprint import digest, fingerprint
from algos.runs.metrics import CSVLogger
from algos.terminal import Signalled
from algos.training import launch
from algos.training.progress import Progress
from algos.training.trainer import Trainer
from algos.usage import reason

SMALL = [
    *("--num-envs", "1", "--rollout-steps", "16", "--total-steps", "128", "--logger", "none"),
    *("--eval-episodes", "1", "--eval-interval", "4", "--checkpoint-interval", "4"),
    *("--algo.critic-epochs", "1", "--algo.hidden", "8", "--algo.critic-hidden", "8"),
]
CARTPOLE = ["CartPole-v1", *SMALL, "--video-interval", "0"]
ITERATIONS = 8


class Killed(Signalled):
    """Stands for a signal in the middle of something."""


class OneDevice(gymnasium.Env):
    """A machine that one program at a time is connected to."""

    observation_space = spaces.Box(-np.inf, np.inf, (3,), np.float64)
    action_space = spaces.Box(-1, 1, (1,))
    taken = False

    def __init__(self) -> None:
        if OneDevice.taken:
            raise ConnectionError("the device is in use\nby another client")
        OneDevice.taken = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(3), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        return self.np_random.normal(size=3), -float(action[0]), False, self.steps >= 10, {}

    def close(self) -> None:
        OneDevice.taken = False


@pytest.fixture
def one_device() -> Iterator[str]:
    gymnasium.register("test/OneDevice-v0", lambda **_: OneDevice())
    yield "test/OneDevice-v0"
    del gymnasium.registry["test/OneDevice-v0"]
    OneDevice.taken = False


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_what_is_not_judged_is_trained(
    one_device: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr(train, "make_video_writer", lambda config: fail)
    train.main([one_device, *SMALL, "--video-interval", "4", "--run-dir", str(tmp_path / "run")])
    assert [row["iteration"] for row in rows(tmp_path / "run")] == [*"12345678"]
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")["iteration"] == ITERATIONS
    output = capsys.readouterr().out
    reasons = {
        "evaluations": "ConnectionError: the device is in use by another client",
        "videos": "AssertionError",
    }
    for what, why in reasons.items():
        line = f"no more {what} in this run: {why} ({__file__}:"
        assert output.count(line) == 2  # when it fails, and at the end
        assert f"Failed: {line}" in output.partition("Trained 128 steps")[2]


@pytest.mark.slow
def test_a_mean_over_more_episodes_is_not_held_against_one_over_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    for steps, mean, episodes in ((128, 500.0, 1.0), (192, 20.0, 2.0), (256, 10.0, 2.0)):
        judged = {"return_mean": mean, "episodes": episodes}
        monkeypatch.setattr(train, "evaluate_policy", lambda *_, judged=judged: judged)
        begin = [*CARTPOLE, "--run-dir", str(run)]
        train.main(["--resume", str(run), "--total-steps", str(steps)] if steps > 128 else begin)
    best = load_checkpoint(run / "checkpoints" / "best.pt")
    assert 128 < best["env_steps"] <= 192
    with pytest.raises(ValueError, match="--wandb has no effect beside --logger none"):
        train.main(["--resume", str(run), "--total-steps", "300", "--wandb", "offline"])


def test_a_reason_is_one_line_and_never_empty() -> None:
    assert reason(AssertionError()) == "AssertionError"
    assert reason(OSError("a\n  b")) == "OSError: a b"
    assert len(reason(OSError("x" * 10_000))) < 300


class UnspeakableError(OSError):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise AttributeError("code")


def test_a_reason_is_told_of_an_error_that_cannot_be_shown() -> None:
    assert reason(UnspeakableError()) == "UnspeakableError"


class Shown:
    """Takes a progress's lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def attempt(error: BaseException) -> tuple[Any, Shown]:
    """Return what a training keeps of an evaluation that raises an error."""

    def fail() -> None:
        raise error

    shown, trainer = Shown(), SimpleNamespace(failures={})
    Trainer._attempt(cast(Trainer, trainer), "evaluations", fail, cast(Progress, shown))
    return trainer.failures, shown


@pytest.mark.parametrize("error", [CancelledError("socket"), BaseException("a panic"), OSError()])
def test_whatever_an_evaluation_raises_costs_no_training(error: BaseException) -> None:
    failures, shown = attempt(error)
    assert [*failures.values()] == shown.lines
    assert reason(error) in shown.lines[0]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Signalled(143), GeneratorExit()])
def test_what_asks_for_an_end_ends_an_evaluation(error: BaseException) -> None:
    with pytest.raises(type(error)):
        attempt(error)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "whole"
    train.main([*CARTPOLE, "--run-dir", str(run)])
    return run


def killed_at(steps: int, owner: object, name: str, patch: pytest.MonkeyPatch) -> None:
    """Kill the training in a function, after so many steps."""
    original: Callable[..., Any] = getattr(owner, name)
    trainers: list[Trainer] = []
    judge = Trainer._judge

    def noted(trainer: Trainer, *arguments: Any) -> None:
        trainers.append(trainer)
        judge(trainer, *arguments)

    def fatal(*arguments: Any) -> Any:
        if trainers and trainers[-1].env_steps == steps:
            raise Killed
        return original(*arguments)

    patch.setattr(Trainer, "_judge", noted)
    patch.setattr(owner, name, fatal)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("steps", "owner", "name"),
    [
        (64, train, "evaluate_policy"),
        (128, CSVLogger, "write"),  # the best policy is saved already
        (128, Trainer, "_check_refusals"),  # and the row is written
    ],
)
def test_a_kill_while_a_policy_is_judged_costs_only_that(
    whole: Path, tmp_path: Path, steps: int, owner: object, name: str
) -> None:
    run = RunDirectory(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        killed_at(steps, owner, name, patch)
        with pytest.raises(Killed):
            train.main([*CARTPOLE, "--run-dir", str(run.path)])
    assert load_checkpoint(run.last)["env_steps"] == steps
    assert not SeedRun(0, run, {"total_steps": 128}).finished
    train.main(["--resume", str(run.path)])
    assert SeedRun(0, run, {"total_steps": 128}).finished
    assert fingerprint(run.path) == fingerprint(whole)
    best = [load_checkpoint(RunDirectory(path).best) for path in (run.path, whole)]
    assert best[0]["env_steps"] == best[1]["env_steps"]
    assert digest(best[0]["algo"]) == digest(best[1]["algo"])


@pytest.mark.slow
@pytest.mark.parametrize("raised", [BrokenPipeError, KeyboardInterrupt])
def test_an_environment_that_ends_by_ctrl_c_too_costs_an_iteration(
    one_device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]
) -> None:
    """A terminal sends it to an environment's own processes as well."""
    run, step, taken = RunDirectory(tmp_path / "run"), OneDevice.step, [0]

    def interrupted(self: OneDevice, action: np.ndarray) -> tuple[Any, ...]:
        taken[0] += 1
        if taken[0] == 6 * 16 + 5:
            signal.raise_signal(signal.SIGINT)
            raise raised
        return step(self, action)

    monkeypatch.setattr(OneDevice, "step", interrupted)
    train.main([one_device, *SMALL, "--video-interval", "0", "--run-dir", str(run.path)])
    assert load_checkpoint(run.last)["iteration"] == 6
    monkeypatch.setattr(OneDevice, "step", step)
    train.main(["--resume", str(run.path)])
    assert [row["iteration"] for row in rows(run.path)] == [*"12345678"]


@pytest.mark.slow
def test_a_tracker_that_fails_is_in_the_closing_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(launch.Tracker):
        name = "board"

        def finish(self) -> None:
            self._guarded(lambda: 1 / 0)

    monkeypatch.setattr(launch, "make_tracker", lambda *_: Broken())
    train.main([*CARTPOLE, "--run-dir", str(tmp_path / "run")])
    assert "Failed: board failed, ZeroDivisionError: division by zero" in capsys.readouterr().out

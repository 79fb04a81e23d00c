"""train.py from its command line: run directory, resume, interruption, errors."""

import csv
import json
import logging
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import train
from algos.runs.checkpoint import load_checkpoint
from algos.runs.codec import from_plain, to_plain
from algos.usage import UsageError
from envs.sim.drives import PD
from trot import training

ROOT = Path(__file__).parent.parent
WALK = ["trot/AnymalWalk-v0", "--num-envs", "4", "--rollout-steps", "8", "--wandb", "disabled"]
QUICK = ["--video-interval", "0", "--eval-episodes", "1", "--env.protocol.seconds", "0.2"]


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def walk_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "walk"
    short = ["--total-steps", "96", "--env.episode-length", "0.1"]
    short += ["--algo.max-kl", "0.02", "--algo.final-kl-fraction", "0.1"]
    train.main([*WALK, *QUICK, *short, "--run-dir", str(run)])
    return run


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees a CUDA device")
def test_without_a_gpu_its_command_trains_on_the_cpu_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gpu = ["--physics", "warp", "--device", "cuda", "--total-steps", "64"]
    train.main([*WALK, *QUICK, *gpu, "--run-dir", str(tmp_path / "run")])
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    told = "--device cuda --physics warp: torch sees no CUDA device, so all is done on the CPU"
    assert said == [told]
    assert rows(tmp_path / "run")[-1]["env_steps"] == "64"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["CartPole-v1", "--physics", "warp"], "only trot/ tasks have warp"),
        (["CartPole-v1", "--physics", "batch"], "--physics has no effect"),
        ([*WALK, "--physics", "gpu"], "invalid choice|gpu"),
    ],
)
def test_engines_that_cannot_be_are_refused(arguments: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        train.main(arguments)


@pytest.mark.slow
def test_run_directory_holds_what_explains_and_continues_the_run(walk_run: Path) -> None:
    config = json.loads((walk_run / "config.json").read_text())
    assert config["env_id"] == "trot/AnymalWalk-v0"
    assert config["env"]["episode_length"] == 0.1
    assert set(json.loads((walk_run / "git.json").read_text())) == {"commit", "diff"}
    for name in ("last", "best"):
        content = load_checkpoint(walk_run / "checkpoints" / f"{name}.pt")
        assert content["env_steps"] == 96
    assert (walk_run / "videos").is_dir()


def test_metrics_have_a_row_an_iteration_with_every_reward_term(walk_run: Path) -> None:
    table = rows(walk_run)
    assert [row["env_steps"] for row in table] == ["32", "64", "96"]
    terms = json.loads((walk_run / "config.json").read_text())["env"]["rewards"]
    assert {"episode_return", "kl", *(f"episode/{term}" for term in terms)} <= set(table[-1])
    bounds = [float(row["max_kl"]) for row in table]
    assert bounds == pytest.approx([0.02, 0.02, 0.014])  # at 0, 1/3 and 2/3 of the training
    assert all(float(row["kl"]) <= bound for row, bound in zip(table, bounds, strict=True))


@pytest.mark.slow
def test_resumed_run_appends_to_its_own_metrics(walk_run: Path) -> None:
    train.main(["--resume", str(walk_run), "--total-steps", "160", "--wandb", "disabled"])
    assert [row["env_steps"] for row in rows(walk_run)] == ["32", "64", "96", "128", "160"]
    config = json.loads((walk_run / "config.json").read_text())
    assert (config["total_steps"], config["wandb"]) == (160, "disabled")


@pytest.mark.slow
def test_resume_keeps_the_runs_own_settings_and_says_when_it_is_done(
    walk_run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = (walk_run / "metrics.csv").read_bytes()
    train.main(["--resume", str(walk_run)])
    assert "has its steps already" in caplog.text
    assert (walk_run / "metrics.csv").read_bytes() == before
    assert not (walk_run / "wandb").exists()


def damage_config(run: Path, **changes: Any) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | changes))


def damage_checkpoints(run: Path) -> None:
    for path in (run / "checkpoints").glob("*.pt"):
        path.write_bytes(b"PK")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "config.json").write_text("[]"), "it holds no settings"),
        (lambda run: (run / "config.json").write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda run: (run / "config.json").write_text("{}"), "config.json is damaged"),
        (lambda run: damage_config(run, num_envs="many"), "config.json is damaged"),
        (lambda run: damage_config(run, num_envs=8), "does not fit .*config.json"),
        (lambda run: damage_config(run, env_id="CartPole-v1"), "damaged|does not fit"),
        (lambda run: shutil.rmtree(run / "checkpoints"), "no checkpoint to go on from"),
        (damage_checkpoints, "not readable"),
    ],
)
def test_damaged_run_is_named(
    walk_run: Path, tmp_path: Path, damage: Callable[[Path], Any], message: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(walk_run, run)
    damage(run)
    with pytest.raises(ValueError, match=message):
        train.main(["--resume", str(run), "--total-steps", "1000"])


@pytest.mark.slow
def test_a_damaged_last_checkpoint_costs_an_interval_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    often = [*QUICK, "--num-envs", "4", "--rollout-steps", "8", "--checkpoint-interval", "1"]
    arguments = ["trot/AnymalWalk-v0", *often, "--eval-interval", "0", "--wandb", "disabled"]
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    train.main([*arguments, "--total-steps", "128", "--run-dir", str(whole)])
    train.main([*arguments, "--total-steps", "128", "--run-dir", str(damaged)])
    last = damaged / "checkpoints" / "last.pt"
    last.write_bytes(last.read_bytes()[:-1000])
    train.main(["--resume", str(damaged)])
    assert "going on from previous.pt" in caplog.text
    found = [load_checkpoint(run / "checkpoints" / "last.pt") for run in (damaged, whole)]
    assert found[0]["env_steps"] == 128
    assert load_checkpoint(damaged / "checkpoints" / "previous.pt")["env_steps"] == 96
    assert (damaged / "checkpoints" / "last.damaged").exists()
    for name, tensor in found[1]["algo"]["policy"].items():
        assert torch.equal(found[0]["algo"]["policy"][name], tensor)
    assert [row["env_steps"] for row in rows(damaged)] == ["32", "64", "96", "128"]


@pytest.mark.slow
def test_tensorboard_shows_the_csv_and_changes_nothing(tmp_path: Path) -> None:
    short = ["CartPole-v1", "--num-envs", "2", "--rollout-steps", "16", "--eval-episodes", "1"]
    short += ["--video-interval", "0", "--total-steps", "64"]
    shown, plain = tmp_path / "shown", tmp_path / "plain"
    train.main([*short, "--logger", "tensorboard", "--run-dir", str(shown)])
    train.main(["--resume", str(shown), "--total-steps", "96"])
    train.main([*short, "--logger", "none", "--run-dir", str(plain)])
    events = EventAccumulator(str(shown / "tensorboard"))
    events.Reload()
    for name in ("kl", "eval/return_mean"):
        points = [(event.step, event.value) for event in events.Scalars(name)]
        table = [row for row in rows(shown) if row[name]]
        assert points == [(int(row["env_steps"]), pytest.approx(float(row[name]))) for row in table]
    for one, other in zip(rows(shown), rows(plain), strict=False):
        timed = {name for name in one if "second" in name}
        assert {n: v for n, v in one.items() if n not in timed} == {
            n: v for n, v in other.items() if n not in timed
        }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "env_id"),
    [
        (["--wandb-group", "trot/AnymalStand-v0", "trot/AnymalWalk-v0"], "trot/AnymalWalk-v0"),
        (["--wandb-group=trot/AnymalWalk-v0", "trot/AnymalStand-v0"], "trot/AnymalStand-v0"),
        (["--run-dir", "CartPole-v1", "Pendulum-v1"], "Pendulum-v1"),
        (["--seed", "3", "CartPole-v1", "--wandb-project", "Ant-v5"], "CartPole-v1"),
        (["CartPole-v1", "--wandb-tags", "Ant-v5", "Pendulum-v1"], "CartPole-v1"),
        (["--env.commands.interval", "1", "2", "trot/AnymalStand-v0"], "trot/AnymalStand-v0"),
        (["trot/AnymalStand-v0", "--env.rewards.pose.weight", "2"], "trot/AnymalStand-v0"),
        (["--env.gait.frequency", "0", "trot/AnymalStand-v0"], "trot/AnymalStand-v0"),
        (["--algo.min-std", "0.3", "CartPole-v1", "--algo.initial-std=0.3"], "CartPole-v1"),
        (["CartPole-v1", "--wandb-group", "--resume=x"], None),
    ],
)
def test_an_options_value_is_never_taken_for_the_id(
    arguments: list[str], env_id: str | None
) -> None:
    """Whatever stands around it, the id decides task, presets and sizes."""
    if env_id is None:
        with pytest.raises(UsageError, match="--wandb-group lacks a value"):
            train.parse(arguments)
        return
    config, _, _ = train.parse(arguments)
    known = training.defaults(env_id)
    assert config.env_id == env_id
    sizes = ("total_steps", "num_envs", "rollout_steps", "eval_interval")
    assert [getattr(config, n) for n in sizes] == [getattr(known, n) for n in sizes]
    assert (config.env is None) == (known.env is None)
    if config.env is not None and known.env is not None:
        assert list(config.env.rewards) == list(known.env.rewards)
        assert list(config.env.observations) == list(known.env.observations)
    assert replace(config.algo, **STDS) == replace(known.algo, **STDS)


STDS: dict[str, Any] = {"min_std": 0.1, "initial_std": 0.1}


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["--wandb-tags", "a", "b", "CartPole-v1"],
        ["--env.rewards.pose.weight", "2", "trot/AnymalStand-v0"],
        ["--algo.no-such-thing", "2", "CartPole-v1"],
        ["--seed", "2"],
    ],
)
def test_where_the_id_cannot_be_told_it_is_asked_to_come_first(arguments: list[str]) -> None:
    with pytest.raises(ValueError, match=r"it comes first: train\.py ID \[options\]"):
        train.parse(arguments)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], ["--algo STR", "--env.rewards.slip.weight", "8000000"]),
        (["trot/AnymalStand-v0"], ["--env.rewards.pose.weight", "1300000"]),
        (["CartPole-v1"], ["60000"]),
        (["--resume", "x"], ["Go on with an earlier run"]),
    ],
)
def test_help_shows_the_defaults_of_the_choice(
    arguments: list[str], shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        train.parse([*arguments, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for words in shown:
        assert words in text


def renamed(config: dict[str, Any]) -> None:
    rewards = config["env"]["rewards"]
    rewards["sliding"] = rewards.pop("slip")


def removed(config: dict[str, Any]) -> None:
    config["env"]["rewards"]["charm"] = {"weight": 0.5, "curriculum": False, "params": {}}


def lacking(config: dict[str, Any]) -> None:
    del config["algo"]["damping"], config["algorithm"]


def unknown(config: dict[str, Any]) -> None:
    config["algo"]["momentum"] = 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("age", "lines"),
    [
        (
            renamed,
            [
                "lacks env.rewards.slip: taking {'function': 'slip',",
                "has env.rewards.sliding {'function",
            ],
        ),
        (removed, ["has env.rewards.charm {'weight': 0.5, 'curriculum': False, 'params': {}}"]),
        (lacking, ["lacks algorithm: taking trpo", "lacks algo.damping: taking 0.1"]),
        (unknown, ["has algo.momentum 0.9, which this code does not know: leaving it out"]),
    ],
)
def test_resuming_a_run_of_older_code_tells_what_was_taken(
    walk_run: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    age: Callable[[dict[str, Any]], None],
    lines: list[str],
) -> None:
    run = tmp_path / "run"
    shutil.copytree(walk_run, run)
    plain = json.loads((run / "config.json").read_text())
    now, _, _ = train.parse(["--resume", str(run)])
    assert not caplog.records
    age(plain)
    (run / "config.json").write_text(json.dumps(plain))
    config, _, begun = train.parse(["--resume", str(run)])
    assert (config, begun) == (now, True)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(lines)
    for line, words in zip(told, lines, strict=True):
        assert line.startswith(f"{run}/config.json {words}")


@pytest.mark.slow
def test_existing_run_is_never_overwritten(walk_run: Path) -> None:
    before = (walk_run / "metrics.csv").read_bytes()
    with pytest.raises(ValueError, match="already holds a run"):
        train.main([*WALK, "--run-dir", str(walk_run)])
    assert (walk_run / "metrics.csv").read_bytes() == before


def test_configuration_survives_json() -> None:
    config = training.defaults("trot/AnymalWalk-v0")
    plain = json.loads(json.dumps(to_plain(config)))
    assert from_plain(training.defaults("trot/AnymalWalk-v0"), plain) == config


@pytest.mark.slow
def test_every_config_field_is_on_the_command_line() -> None:
    arguments = [
        *WALK,
        "--env.rewards.lin-vel.weight=2.5",
        *("--env.randomization.mass", "0.9", "1.2"),
        "--env.simulation.contact=elliptic",
        "--env.commands.entries.lin-vel-x.range",
        "-2",
        "2",
        "--env.start.params.tilt=0.3",
        "--env.terminations.tilt.params.limit=1.2",
        "--env.curricula.rewards.initial=0.5",
        "--env.drive.scale=0.5",
        "--algo.max-kl=0.01",
    ]
    config, _, _ = train.parse(arguments)
    assert config.env is not None
    assert config.env.rewards["lin_vel"].weight == 2.5
    assert config.env.randomization.mass == (0.9, 1.2)
    assert config.env.simulation.contact == "elliptic"
    assert config.env.commands.entries["lin_vel_x"].range == (-2.0, 2.0)
    assert config.env.start.params["tilt"] == 0.3
    assert config.env.terminations["tilt"].params["limit"] == 1.2
    assert config.env.curricula["rewards"].initial == 0.5
    assert config.env.drive == PD(scale=0.5)
    assert config.algo.max_kl == 0.01


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trot/AnymalWolk-v0"], "did you mean trot/AnymalWalk-v0"),
        ([], "give a Gymnasium id"),
        (
            ["CartPole-v1", "--algo", "magic"],
            "--algo is 'magic'; the algorithm must be one of trpo",
        ),
        (["CartPole-v1", "--num-envs", "0"], "num-envs"),
        (["trot/AnymalWalk-v0", "--robot", "spot"], "anymal_c"),
        (["CartPole-v1", "--robot", "anymal_c"], "no trot/ task"),
        (["CartPole-v1", "--seed", str(2**64)], "--seed is 18446744073709551616"),
        (["trot/AnymalWalk-v0", "--env.protocol.seconds", "0"], "--env.protocol.seconds is 0.0"),
        (
            ["trot/AnymalWalk-v0", "--env.rewards.slip.params", "foo", "1"],
            "parameter of slip is foo",
        ),
        (
            ["CartPole-v1", "--env.rewards.slip.weight", "1"],
            "CartPole-v1 has no option --env.rewards.slip.weight; it has no --env settings at all",
        ),
        (
            ["trot/AnymalStand-v0", "--env.rewards.clearance.weight", "1"],
            "--env.rewards has lin-vel, ",
        ),
        (["CartPole-v1", "--total-steps", "1e6.5"], "'1e6.5' is no whole number"),
        (["--resume", "x", "--seed", "3"], "--resume has no option --seed; it has --resume, "),
        (["--resume", "nowhere"], "nowhere is no run"),
        (["CartPole-v1", "--jobs", "2"], "--jobs has no effect without --seeds"),
        (["CartPole-v1", "--seed", "3", "--seeds", "1"], "--seed has no effect beside --seeds"),
        (
            ["CartPole-v1", "--logger", "tensorboard", "--wandb", "online"],
            "--wandb has no effect beside --logger tensorboard",
        ),
        (["--resume", "x", "--logger", "none", "--wandb", "offline"], "--wandb has no effect"),
        (
            ["trot/AnymalWalk-v0", "--env.randomization.push-interval", "2"],
            "--env.randomization.push-interval is 2.0",
        ),
        (["Ant-v5", "--rollout-steps", str(10**9)], "GiB of memory, and this machine has"),
        (["CartPole-v1", "--algo.hidden", *["16384"] * 9], "GiB of memory"),
    ],
)
@pytest.mark.usefixtures("signals")
def test_bad_input_is_one_clear_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
    monkeypatch.setattr(logging, "raiseExceptions", True)  # which the program changes
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert words in told
    assert (told[:7], told.count("\n")) == ("error: ", 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_ctrl_c_saves_and_the_run_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "cartpole"
    command = [sys.executable, str(ROOT / "train.py"), "CartPole-v1", "--run-dir", str(run)]
    command += ["--wandb", "disabled", "--video-interval", "0", "--eval-interval", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not ((run / "metrics.csv").is_file() and rows(run)):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    output = b""
    while b"Stopped" not in output and (line := process.stdout.readline()):
        output += line
    process.send_signal(signal.SIGTERM)  # when all is saved and said
    output += process.stdout.read()
    assert process.wait(timeout=60) == 0
    assert b"Traceback" not in output
    assert b"--resume" in output
    saved = load_checkpoint(run / "checkpoints" / "last.pt")["env_steps"]
    assert saved == int(rows(run)[-1]["env_steps"])
    train.main(["--resume", str(run), "--total-steps", str(saved + 1), "--wandb", "disabled"])
    assert int(rows(run)[-1]["env_steps"]) > saved

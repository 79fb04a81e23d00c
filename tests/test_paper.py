"""The paper's table beside ours: `play.py --paper`, of small policies that nobody has trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import play
import train
from algos.playing import sources
from envs import tasks
from envs.judge import paper, rising, speeds
from tests.envs.helpers import assert_same, made_up_recording
from tests.robots.synthetic import SYNTHETIC

QUICK = ["--num-envs", "4", "--rollout-steps", "4", "--total-steps", "16", "--wandb", "disabled"]
NO_JUDGING = ["--video-interval", "0", "--eval-interval", "0", "--eval-episodes", "1"]


def trained(task: str, folder: Path, *more: str) -> str:
    """A run of one iteration on ANYmal B."""
    short = ["--env.protocol.seconds", "0.5", "--algo.hidden", "8", "--algo.critic-hidden", "8"]
    command = [f"trot/{task}-v0", "--robot", "anymal_b", *QUICK, *NO_JUDGING, *short, *more]
    train.main([*command, "--run-dir", str(folder / task)])
    return str(folder / task)


def test_every_number_of_the_paper_is_measured_on_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"command_b.pt": "Command", "run_b.pt": "Run", "recover_b.pt": "Recover"}
    names["walk_b.pt"] = "Walk"
    assert play.PAPER.keys() == names.keys()
    runs = {task: trained(task, tmp_path) for task in names.values()}
    for file, task in names.items():
        play.main([runs[task], "--save", str(tmp_path / file)])
    monkeypatch.setattr(play, "PAPER", dict.fromkeys(names, 2))
    monkeypatch.setattr(play, "POLICIES", tmp_path)
    monkeypatch.setattr(speeds, "ROBOTS", 1)
    monkeypatch.setattr(speeds, "HELD", 1.0)
    capsys.readouterr()
    play.main(["--paper"])
    shown = capsys.readouterr().out
    for row in (row for skill in paper.SKILLS for row in skill):
        assert row.quantity.split(":")[0].split(" (")[0][:12] in shown
        assert row.paper[:5] in shown


def test_the_times_of_all_robots_count() -> None:
    recording = made_up_recording(100, 20)  # 2 s, tilted by 0.1 rad
    recording.base_tilt[:50, :8] = 1.0  # eight are up after 1 s
    recording.base_tilt[:, 19] = 3.0  # one never
    found = rising.times(recording).quantiles()
    assert found == {"upright": 0.95, "median": 0.0, "p95": np.inf}
    recording.base_tilt[:, 19] = 0.1
    recording.base_tilt[:50, 8:12] = 1.0
    assert rising.times(recording).quantiles() == {"upright": 1.0, "median": 1.0, "p95": 1.0}


def test_the_table_stands_alone() -> None:
    for more in (["--video", "a.mp4"], ["--seed", "3"]):
        with pytest.raises(ValueError, match=f"{more[0]} has no effect with --paper"):
            play.main(["--paper", *more])
    with pytest.raises(ValueError, match="--paper plays what it names alone: leave"):
        play.main(["--paper", str(play.POLICIES / "walk.pt")])


def test_a_run_is_judged_at_its_speeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speeds, "ROBOTS", 2)
    monkeypatch.setattr(speeds, "HELD", 1.0)
    run, file = trained("Run", tmp_path), tmp_path / "run.json"
    told = ["--evaluate", "--episodes", "2", "--json", str(file)]
    play.main([run, *told])
    found: dict[str, Any] = json.loads(file.read_text())
    assert [rung["command"] for rung in found["speeds"]] == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert found["held"] <= 1.0
    assert "forward (m/s)" in capsys.readouterr().out
    play.main([run, *told, "--command", "1", "0", "0"])
    assert "speeds" not in json.loads(file.read_text())


def test_a_policy_gets_up_and_hands_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walk, rise = trained("Walk", tmp_path), trained("Recover", tmp_path)
    file = tmp_path / "both.json"
    play.main([walk, "--recover", rise, "--evaluate", "--episodes", "2", "--json", str(file)])
    found = json.loads(file.read_text())
    assert found["walks_on"]["mean"] == 0.0
    assert "fall_rate" not in found  # no fall ends an episode
    assert found["base_tilt"]["mean"] > 0.1
    other = str(play.POLICIES / "walk.pt")
    with pytest.raises(ValueError, match=f"{other} is a policy of anymal_c, .* is of anymal_b"):
        play.main([other, "--recover", rise, "--evaluate"])
    with pytest.raises(ValueError, match="--recover is trot/Recover-v0; give a run"):
        play.main([walk, "--recover", "trot/Recover-v0", "--evaluate"])
    with pytest.raises(ValueError, match="--recover"):
        play.main(["CartPole-v1", "--recover", rise, "--evaluate", "--agent", "zero"])


def test_a_run_of_the_papers_recipe_goes_on_is_saved_and_judged_as_such(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopped, with starts from earlier states and a past, and resumed it is bitwise the same."""
    brief = ["--recipe", "paper", "--env.episode-length", "0.06", "--algo.final-kl-fraction", "1"]
    whole = trained("Command", tmp_path / "whole", *brief, "--total-steps", "128")
    parts = trained("Command", tmp_path / "parts", *brief, "--total-steps", "64")
    train.main(["--resume", parts, "--total-steps", "128"])
    assert not caplog.records
    assert_same(learned(whole), learned(parts))
    config = json.loads((Path(parts) / "config.json").read_text())
    assert config["recipe"] == "paper"
    assert config["env"]["curricula"]["rewards"] == {"initial": 0.3, "power": 0.997, "every": 8192}
    assert config["algo"]["gamma"] == 0.998
    saved, file, found = str(tmp_path / "saved.pt"), tmp_path / "a.json", []
    play.main([parts, "--save", saved])
    for source in (parts, saved):
        play.main([source, "--evaluate", "--episodes", "2", "--json", str(file)])
        found.append(json.loads(file.read_text()))
    assert found[0] == found[1]


def learned(run: str) -> dict[str, Any]:
    """The state of a run's environments, and its policy."""
    content = sources.load(run, "last")
    assert content is not None
    policy = {name: value.numpy() for name, value in content["algo"]["policy"].items()}
    return {"policy": policy, "envs": plain(content["collector"]["envs"])}


def plain(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: plain(value) for name, value in tree.items()}
    return tree.numpy() if hasattr(tree, "numpy") else tree


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trot/Walk-v0", "--recipe", "paper"], "--recipe is paper; it must be trot, which the ta"),
        (["trot/Run-v0", "--recipe", "own"], "--recipe is own; it must be trot or paper or earned"),
        (["CartPole-v1", "--recipe", "paper"], "--recipe is paper; CartPole-v1 is no trot/ task"),
    ],
)
def test_recipes_that_there_are_not_are_told(arguments: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train.parse(arguments)


def test_legs_that_the_paper_has_not_are_told() -> None:
    robot = SYNTHETIC["tumbler"]
    with pytest.raises(ValueError, match=r"tumbler has 2 joints a leg; .*take --recipe trot"):
        tasks.make("command", robot, "paper")

"""The paper's table beside ours: `play.py --paper`, of small policies that nobody has trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import play
import train
from envs.judge import paper, rising, speeds
from tests.envs.helpers import made_up_recording

QUICK = ["--num-envs", "4", "--rollout-steps", "4", "--total-steps", "16", "--wandb", "disabled"]
NO_JUDGING = ["--video-interval", "0", "--eval-interval", "0", "--eval-episodes", "1"]


def trained(task: str, folder: Path) -> str:
    """A run of one iteration on ANYmal B."""
    short = ["--env.protocol.seconds", "0.5", "--algo.hidden", "8", "--algo.critic-hidden", "8"]
    command = [f"trot/{task}-v0", "--robot", "anymal_b", *QUICK, *NO_JUDGING, *short]
    train.main([*command, "--run-dir", str(folder / task)])
    return str(folder / task)


def test_every_number_of_the_paper_is_measured_on_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"command_b.pt": "Walk", "run_b.pt": "Run", "recover_b.pt": "Recover"}
    names["walk_b.pt"] = "Walk"
    assert play.PAPER.keys() == names.keys()
    runs = {task: trained(task, tmp_path) for task in dict.fromkeys(names.values())}
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
    with pytest.raises(ValueError, match="--recover is trot/Recover-v0; give a run"):
        play.main([walk, "--recover", "trot/Recover-v0", "--evaluate"])
    with pytest.raises(ValueError, match="--recover"):
        play.main(["CartPole-v1", "--recover", rise, "--evaluate", "--agent", "zero"])

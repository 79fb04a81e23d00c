"""Robots that no line of the code names go all the way: training, evaluation, video, report."""

from __future__ import annotations

import json
from pathlib import Path

import imageio
import pytest

import play
import train
from algos.runs.fingerprint import metrics
from envs.judge import trials
from robots import ROBOTS
from tests.robots.synthetic import SYNTHETIC

SHORT = [
    *("--num-envs", "4", "--rollout-steps", "8", "--total-steps", "64", "--eval-episodes", "2"),
    *("--env.episode-length", "0.2", "--env.protocol.seconds", "0.2", "--video-interval", "0"),
    *("--wandb", "disabled", "--algo.hidden", "16", "--algo.critic-hidden", "16"),
]


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_robot_goes_all_the_way(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot, run = SYNTHETIC[name], tmp_path / "run"
    monkeypatch.setitem(ROBOTS, name, robot)
    for constant, value in {"SETTLE": 0.1, "WATCH": 0.2, "RECOVERY": 0.1, "PUSHED": 1}.items():
        monkeypatch.setattr(trials, constant, value)
    monkeypatch.setattr(play, "REPORT_VIDEO", play.Video(seconds=0.1, size=(160, 120)))
    train.main(["trot/Walk-v0", "--robot", name, *SHORT, "--run-dir", str(run)])
    assert len(metrics(run / "metrics.csv")) == 2

    judged, video, report = (tmp_path / f for f in ("judged.json", "video.mp4", "report.html"))
    play.main([str(run), "--evaluate", "--episodes", "2", "--json", str(judged)])
    assert json.loads(judged.read_text())["episodes"] == 2
    play.main([str(run), "--video", str(video), "--seconds", "0.1", "--size", "160", "120"])
    with imageio.get_reader(video) as reader:
        assert reader.count_frames() == 5
    play.main([str(run), "--report", str(report), "--episodes", "2", "--seconds", "0.2"])
    page = report.read_text(encoding="utf-8")
    for joint in robot.joints:
        assert joint in page
    for leg in robot.legs:
        assert leg in page

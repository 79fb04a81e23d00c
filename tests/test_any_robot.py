"""Robots that no line of the code names go all the way: training, evaluation, video, report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import imageio
import mujoco
import numpy as np
import pytest

import play
import robots
import train
from algos.runs.fingerprint import metrics
from envs.judge import trials
from envs.mdp.rewards import Reward, pose
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from envs.task import TaskConfig
from envs.tasks import TASKS
from envs.tasks.walk import walk
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS, Motor, Robot
from robots.collision import VISUAL_GROUP
from tests.robots.synthetic import SYNTHETIC

SHORT = [
    *("--num-envs", "4", "--rollout-steps", "8", "--total-steps", "64", "--eval-episodes", "2"),
    *("--env.episode-length", "0.2", "--env.protocol.seconds", "0.2", "--video-interval", "0"),
    *("--wandb", "disabled", "--algo.hidden", "16", "--algo.critic-hidden", "16"),
]


def test_a_model_s_file_is_all_that_a_training_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = ROBOTS["anymal_c"]
    world = scene.describe(robot, Simulation(), PD())
    stance = [0, 0, robot.nominal_height, 1, 0, 0, 0, *robot.nominal_pose]
    world.add_key(name="home", qpos=stance)
    (tmp_path / "elsewhere").mkdir()
    file, run = tmp_path / "dog.xml", tmp_path / "run"
    file.write_text(world.to_xml())
    monkeypatch.chdir(tmp_path)
    train.main(["trot/Walk-v0", "--robot", "dog.xml", *SHORT, "--run-dir", str(run)])
    monkeypatch.chdir(tmp_path / "elsewhere")
    train.main(["--resume", str(run), "--total-steps", "128"])
    told = ["--evaluate", "--episodes", "2", "--json", str(tmp_path / "judged.json")]
    play.main([str(run), *told])
    play.main([str(run), "--robot", "../dog.xml", *told])
    file.unlink()
    with pytest.raises(ValueError, match=r"'dog': .*dog\.xml.*; put the file there, or correct"):
        robots._read.__wrapped__(str(file))


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
@pytest.mark.parametrize("name", ["tumbler"])
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


def test_a_robot_without_looks_is_shown_by_what_collides() -> None:
    for robot in SYNTHETIC.values():
        spec = robot.spec()
        shown = [geom for geom in spec.geoms if geom.group == VISUAL_GROUP]
        assert 2 * len(shown) == len(spec.geoms)
        masses = [robot.build().compile().body_subtreemass[0], spec.compile().body_subtreemass[0]]
        assert masses[0] == pytest.approx(masses[1])


def test_a_leg_may_be_a_single_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thigh and shank are then the same body."""
    text = """<mujoco><compiler angle="radian"/><worldbody><body name="trunk"><freejoint/>
    <geom type="box" size="0.1 0.1 0.03" mass="2" group="3"/>{legs}</body></worldbody></mujoco>"""
    leg = """<body name="{n}" pos="{x} {y} 0"><joint name="{n}_j" axis="0 1 0" range="-1 1"/>
    <geom name="{n}_foot" type="sphere" size="0.02" pos="0 0 -0.2" mass="0.1" group="3"/></body>"""
    places = {"a": (0.1, 0.1), "b": (0.1, -0.1), "c": (-0.1, 0.1), "d": (-0.1, -0.1)}
    model = text.format(legs="".join(leg.format(n=n, x=x, y=y) for n, (x, y) in places.items()))
    names = tuple(places)
    robot = Robot(
        "stilts",
        lambda: mujoco.MjSpec.from_string(model),
        base="trunk",
        legs=names,
        joints=tuple(f"{n}_j" for n in names),
        hips=(),
        thighs=names,
        shanks=names,
        feet=tuple(f"{n}_foot" for n in names),
        nominal_pose=(0.0,) * 4,
        nominal_height=0.22,
        leg_length=0.2,
        motors=(Motor(20.0, 0.5, 10.0, 20.0, 0.01),) * 4,
        source="made up",
    )
    monkeypatch.setitem(ROBOTS, "stilts", robot)
    env = LocomotionVectorEnv(2, robot="stilts")
    env.reset(seed=0)
    env.step(np.zeros((2, 4)))
    for _ in range(25):
        env.step(np.zeros((2, 4)))
    assert env.state.foot_contact.all()
    assert env.state.leg_contact.tolist() == [[False] * 8] * 2


@pytest.mark.slow
def test_a_run_goes_on_with_a_reward_that_it_did_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    train.main(["trot/Walk-v0", *SHORT, "--run-dir", str(run)])

    def longer(robot: Robot) -> TaskConfig:
        task = walk(robot)
        return replace(task, rewards=task.rewards | {"new": Reward(pose, 1.0, params=WIDE)})

    monkeypatch.setitem(TASKS, "walk", longer)
    train.main(["--resume", str(run), "--total-steps", "96"])
    assert "lacks env.rewards.new: taking" in caplog.text
    assert len(metrics(run / "metrics.csv")) == 3


WIDE = {"bound": 0.1, "margin": 0.5}

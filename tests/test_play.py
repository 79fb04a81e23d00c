"""play.py from its command line: videos, evaluations, errors."""

from __future__ import annotations

import copy
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import imageio
import numpy as np
import pytest
import rich
from gymnasium.vector import VectorEnv
from PIL import Image, ImageSequence
from rich.console import Console

import play
from algos.rollout.environments import make_vec
from algos.runs import provenance
from algos.runs.checkpoint import load_checkpoint, save_checkpoint
from algos.runs.codec import to_plain
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO
from envs import playable, tasks
from envs.render import gl
from envs.show.rendering import rendering_env
from envs.show.video import Actor, Fall
from envs.sim.drives import PD
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS, get_robot
from tests.robots.synthetic import SYNTHETIC
from trot import subject

ROOT = Path(__file__).parent.parent
WALK = "trot/AnymalWalk-v0"
SHORT = ["--evaluate", "--episodes", "2", "--seconds", "0.2"]


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    """A policy-only checkpoint of a walk whose actions were given another scale."""
    env = LocomotionVectorEnv(1)
    config = TRPOConfig(hidden=(16,), critic_hidden=(8,))
    agent = TRPO(
        env.single_observation_space, env.single_action_space, config, symmetry=env.symmetry
    )
    task = replace(tasks.make("walk", get_robot("anymal_c")), drive=PD(scale=0.123))
    state = agent.state_dict()
    return {
        "env_id": WALK,
        "robot": "anymal_c",
        "algorithm": "trpo",
        "algo_config": to_plain(config),
        "algo": {"policy": state["policy"], "normalizer": state["normalizer"]},
        "env": to_plain(task),
        "play": playable.describe(task),
    }


@pytest.fixture
def checkpoint(content: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "run" / "checkpoints" / "last.pt"
    save_checkpoint(path, content)
    return path


def metadata(path: Path) -> dict[str, Any]:
    with imageio.get_reader(path) as reader:
        return reader.get_meta_data()


@pytest.mark.usefixtures("opengl")
@pytest.mark.parametrize(
    ("env_id", "size", "fps"),
    [
        ("CartPole-v1", (600, 400), 50),
        pytest.param("Ant-v5", (480, 480), 20, marks=pytest.mark.slow),
        pytest.param(WALK, (160, 120), 50, marks=pytest.mark.slow),
    ],
)
def test_video_plays_anywhere_in_real_time(
    env_id: str,
    size: tuple[int, int],
    fps: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "new" / "video.mp4"
    agent = ["--agent", "random", "--seed", "1", "--seconds", "0.4"]
    sized = ["--size", "160", "120"] if env_id == WALK else []  # others have sizes of their own
    play.main([env_id, *agent, *sized, "--video", str(path)])
    assert capsys.readouterr().out == f"video: {path}\n"  # no terminal, no bar
    found = metadata(path)
    assert found["codec"] == "h264"
    assert found["pix_fmt"].startswith("yuv420p")
    assert (tuple(found["size"]), found["fps"]) == (size, fps)
    assert found["duration"] == pytest.approx(0.4, abs=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
@pytest.mark.parametrize("env_id", ["Ant-v5", "Hopper-v5", "HalfCheetah-v5", "Swimmer-v5"])
def test_the_camera_follows_a_robot_of_gymnasium(env_id: str) -> None:
    env = rendering_env(make_vec, env_id, "anymal_c", None, n=1, size=(0, 0), seconds=1.0)
    env.reset(seed=1)
    simulation: Any = env.unwrapped.envs[0].unwrapped  # pyright: ignore[reportAttributeAccessIssue]
    here = orange(env)
    position = simulation.data.qpos.copy()
    position[0] += 8.0
    simulation.set_state(position, simulation.data.qvel)
    assert orange(env) > here / 2 > 1000
    env.close()


def orange(env: VectorEnv) -> int:
    """Return how many pixels have the colour of Gymnasium's robots."""
    frames = env.render()
    assert frames is not None
    red, _, blue = np.moveaxis(np.asarray(frames[0], int), -1, 0)
    return int((red - blue > 50).sum())


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_slow_motion_shows_every_step_for_longer(tmp_path: Path) -> None:
    path, agent = tmp_path / "slow.mp4", ["--agent", "random", "--seconds", "0.4"]
    play.main([WALK, *agent, "--size", "160", "120", "--slow", "0.25", "--video", str(path)])
    found = metadata(path)
    assert found["duration"] == pytest.approx(1.6, abs=0.1)
    assert found["fps"] == 12.5  # 50 control steps a second, a quarter as fast


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
@pytest.mark.parametrize("arguments", [["--video", "pole.mp4", "--gif"], ["--video", "pole.gif"]])
def test_a_gif_plays_in_real_time(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    play.main(["CartPole-v1", "--agent", "random", "--seconds", "0.4", *arguments])
    assert {p.name for p in tmp_path.iterdir()} == {arguments[1], "pole.gif"}
    with Image.open("pole.gif") as gif:
        assert gif.size == (480, 320)
        frames = list(ImageSequence.Iterator(gif))
        assert sum(frame.info["duration"] for frame in frames) == pytest.approx(400, abs=60)
        assert gif.info["loop"] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_a_grid_shows_robots_with_commands_of_their_own(tmp_path: Path) -> None:
    path, size = tmp_path / "grid.mp4", ["--size", "240", "160", "--seconds", "0.1"]
    play.main([WALK, "--agent", "zero", *size, "--grid", "2x3", "--video", str(path)])
    frame = imageio.mimread(path)[-1]
    assert frame.shape == (160, 240, 3)
    tiles = [frame[y : y + 80, x : x + 80].astype(int) for y in (0, 80) for x in (0, 80, 160)]
    assert all(np.abs(a - b).max() > 50 for a, b in combinations(tiles, 2))


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_compared_policies_share_start_and_commands(checkpoint: Path, tmp_path: Path) -> None:
    path, size = tmp_path / "two.mp4", ["--size", "320", "120", "--seconds", "0.1"]
    again = tmp_path / "again.pt"
    again.write_bytes(checkpoint.read_bytes())
    play.main(["--compare", str(checkpoint), str(again), *size, "--video", str(path)])
    frame = imageio.mimread(path)[-1].astype(int)
    difference = np.abs(frame[:, :160] - frame[:, 160:])
    assert frame.std() > 20
    assert difference[:100].mean() < 5  # h264's rounding
    assert difference[100:].max() > 100  # their names


def test_labels_tell_policies_apart() -> None:
    assert play.labels(["runs/lr0.1", "old/kl0.2.pt"]) == ["lr0.1", "kl0.2"]
    assert play.labels(["a/walk.pt", "b/walk.pt"]) == ["a/walk.pt", "b/walk.pt"]
    assert play.labels(["a/walk.pt"]) == [""]


def test_names_may_look_like_markup(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "[/red][bold].pt"
    play.main([str(checkpoint), "--save", str(saved)])
    assert str(saved) in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("source", ["run", "file"])
def test_trained_policy_is_judged_in_its_own_task(source: str, checkpoint: Path) -> None:
    given = checkpoint if source == "file" else checkpoint.parent.parent
    out = checkpoint.parent / "judged.json"
    play.main([str(given), *SHORT, "--seed", "7", "--json", str(out)])
    results = json.loads(out.read_text())
    assert (results["episodes"], results["seed"]) == (2, 7)
    assert results["lin_vel_error"]["low"] <= results["lin_vel_error"]["high"]
    found = play.find_subject(play.Play(str(given), evaluate=True))
    assert found.task is not None
    assert found.task.drive == PD(scale=0.123)


@pytest.mark.slow
def test_a_policy_plays_on_when_rewards_of_its_task_are_gone(
    content: dict[str, Any], tmp_path: Path
) -> None:
    """What training alone needed may be of any code; how it was judged and what it sees stay."""
    content = copy.deepcopy(content)
    env = content["env"]
    env["rewards"]["sliding"] = env["rewards"].pop("slip")
    env["rewards"]["lin_vel"]["params"] = {"breadth": 0.5}
    env["curriculum"], env["randomization"] = {"initial": 0.1}, {"mass": False}
    env["protocol"]["seconds"] = 0.5
    path = tmp_path / "old.pt"
    save_checkpoint(path, content)
    task = play.find_subject(play.Play(str(path), evaluate=True)).task
    assert task is not None
    assert task.drive == PD(scale=0.123)
    assert task.episode_length == 0.5
    assert list(task.rewards) == list(tasks.make("walk", get_robot("anymal_c")).rewards)
    play.main([str(path), "--evaluate", "--episodes", "2", "--json", str(tmp_path / "a.json")])
    assert json.loads((tmp_path / "a.json").read_text())["episodes"] == 2


def test_a_policy_of_other_commands_plays_though_no_reward_can_be_paid(
    content: dict[str, Any], tmp_path: Path
) -> None:
    content = copy.deepcopy(content)
    play_content = content["play"]
    play_content["commands"] = {"speed": {"range": [0.0, 1.0], "unit": "m/s"}}
    play_content["observations"].pop("command")
    width = len(content["algo"]["normalizer"]["mean"])
    path = tmp_path / "other.pt"
    save_checkpoint(path, content)
    found = play.find_subject(play.Play(str(path), evaluate=True))
    made = found.make(2)
    assert made.single_observation_space.shape == (width - 3,)
    made.reset(seed=0)
    _, reward, *_ = made.step(np.zeros((2, 12)))
    assert not reward.any()


def test_options_shape_the_task(checkpoint: Path) -> None:
    options = play.Play(
        str(checkpoint), viewer=True, contact="elliptic", command=(0.5, 0.0, -0.2), seconds=3.0
    )
    task = play.find_subject(options).task
    assert task is not None
    assert task.simulation.contact == "elliptic"
    ranges = [entry.range for entry in task.commands.entries.values()]
    assert ranges == [(0.5, 0.5), (0.0, 0.0), (-0.2, -0.2)]
    assert task.episode_length == 3.0


def given(*arguments: str) -> TaskConfig:
    """Return the task of what a command line names."""
    options, override = subject.read(list(arguments))
    task = play.find_subject(options, override=override).task
    assert task is not None
    return task


@pytest.mark.slow
def test_a_task_s_settings_stand_above_what_the_checkpoint_says(checkpoint: Path) -> None:
    judged = given(str(checkpoint), "--evaluate")
    changes = ["--env.randomization.push", "0.5", "1", "--env.simulation.collision", "full"]
    changed = given(str(checkpoint), "--evaluate", *changes)
    assert changed.randomization == replace(judged.randomization, push=(0.5, 1.0))
    assert changed.simulation.collision == "full"
    assert changed.drive == judged.drive == PD(scale=0.123)
    assert (
        replace(changed, randomization=judged.randomization, simulation=judged.simulation) == judged
    )


@pytest.mark.slow
def test_a_task_s_settings_may_stand_before_the_source(checkpoint: Path) -> None:
    task = given("--env.simulation.contact", "elliptic", str(checkpoint), "--evaluate")
    assert task.simulation.contact == "elliptic"


@pytest.mark.slow
def test_the_protocol_s_settings_shape_what_it_judges(checkpoint: Path) -> None:
    arguments = [str(checkpoint), "--evaluate", "--env.protocol.seconds", "2"]
    assert given(*arguments).episode_length == 2.0
    assert given(*arguments, "--env.episode-length", "3").episode_length == 3.0


@pytest.mark.slow
def test_an_evaluation_is_under_the_settings_given(checkpoint: Path, tmp_path: Path) -> None:
    """A push of 20 m/s is felt; the same command without it is what it was."""
    found = []
    for name, more in (("a", []), ("b", ["--env.randomization.push", "20", "20"]), ("c", [])):
        out = tmp_path / f"{name}.json"
        interval = ["--env.randomization.push-interval", "0.02"] if more else []
        play.main([str(checkpoint), *SHORT, "--json", str(out), *more, *interval])
        found.append(json.loads(out.read_text()))
    assert found[0] == found[2]
    assert found[1]["settings"] == {
        "env.randomization.push": [20.0, 20.0],
        "env.randomization.push_interval": 0.02,
    }
    assert found[1]["lin_vel_error"]["mean"] > 5 * found[0]["lin_vel_error"]["mean"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env.drive.scale", "0.3"], "--env.drive is another than in training"),
        (["--env.observations.gravity.scale", "2"], "--env.observations.gravity is another"),
        (["--env.rewards.slp.weight", "1"], r"did you mean --env\.rewards\.slip\.weight"),
        (["--env.randomization.push", "2", "1"], r"push is \(2\.0, 1\.0\)"),
        (["--env.curricula.rewards.initial", "1"], "has no option"),
        (["--episods", "3"], "has no option --episods; did you mean --episodes"),
        (["--episodes", "1e2.5"], "'1e2.5' is no whole number"),
        (["again"], "'again' is one argument too many"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    checkpoint: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        given(str(checkpoint), "--evaluate", *arguments)


def test_one_policy_is_played_unless_several_are_compared() -> None:
    with pytest.raises(ValueError, match=r"what is 'b\.pt'\? one run, file or id; --compare takes"):
        play.main(["a.pt", "b.pt", "--video", "c.mp4"])


@pytest.mark.slow
def test_without_a_policy_any_setting_may_be() -> None:
    arguments = [WALK, "--agent", "zero", "--evaluate", "--env.drive.scale", "0.3"]
    assert given(*arguments).drive == PD(scale=0.3)


@pytest.mark.slow
def test_a_misspelt_option_is_told_before_what_it_leaves_undone(checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="did you mean --video"):
        play.main([str(checkpoint), "--vidoe", "a.mp4"])
    with pytest.raises(ValueError, match="nothing to do"):
        play.main([str(checkpoint), "--env.randomization.push", "0.5", "1"])


def test_help_is_of_playing_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        play.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "--evaluate" in shown
    assert "--env.rewards" not in shown


@pytest.mark.parametrize("other", ["CartPole-v1", "trot/AnymalStand-v0"])
def test_policies_of_different_tasks_are_not_compared(checkpoint: Path, other: str) -> None:
    compare = [str(checkpoint), "--compare", other, "--agent", "random", "--video", "a.mp4"]
    with pytest.raises(ValueError, match=f"of {WALK} and {other}: make a video of each"):
        play.main(compare)


def test_a_robot_of_another_shape_is_refused(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot, _ = SYNTHETIC.values()
    monkeypatch.setitem(ROBOTS, robot.name, robot)
    with pytest.raises(ValueError, match=f"robot of 4 legs, and {robot.name} has 2: choose"):
        play.main([str(checkpoint), *SHORT, "--robot", robot.name])


def test_a_policy_of_other_observations_is_refused_in_one_line(
    content: dict[str, Any], tmp_path: Path
) -> None:
    content = copy.deepcopy(content)
    content["play"]["observations"].pop("gravity")
    save_checkpoint(tmp_path / "a.pt", content)
    message = f"takes 56 observations, and here are 53; it learned in {WALK} on anymal_c, play it"
    with pytest.raises(ValueError, match=message):
        play.main([str(tmp_path / "a.pt"), *SHORT])


@pytest.mark.slow
def test_a_saved_policy_judges_like_its_run(checkpoint: Path, tmp_path: Path) -> None:
    saved, results = tmp_path / "policy.pt", [tmp_path / "run.json", tmp_path / "saved.json"]
    play.main([str(checkpoint), *SHORT, "--json", str(results[0]), "--save", str(saved)])
    play.main([str(saved), *SHORT, "--json", str(results[1])])
    assert results[0].read_text() == results[1].read_text()


def test_a_saved_policy_knows_its_seed_and_commit(checkpoint: Path, tmp_path: Path) -> None:
    run = tmp_path / "origin"
    (run / "checkpoints").mkdir(parents=True)
    shutil.copyfile(checkpoint, run / "checkpoints" / "last.pt")
    (run / "config.json").write_text('{"seed": 7}')
    (run / "git.json").write_text(json.dumps({"commit": "0123456789abcdef", "diff": "+1"}))
    play.main([str(run), "--save", str(tmp_path / "alone.pt")])
    again = provenance.tell(tmp_path / "alone.pt", load_checkpoint(tmp_path / "alone.pt"))[0]
    assert again["Training seed"] == "7"
    assert again["Commit"] == "0123456789ab with uncommitted changes"


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_dm_control_renders_without_a_display_in_real_time(tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    arguments = ["dm_control/cartpole-balance-v0", "--agent", "random", "--seconds", "0.1"]
    bare = {n: v for n, v in os.environ.items() if n not in ("MUJOCO_GL", "DISPLAY")}
    command = [sys.executable, str(ROOT / "play.py"), *arguments, "--video", str(video)]
    done = subprocess.run(command, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert metadata(video)["fps"] == 50  # of 100 control steps a second every other


@pytest.mark.usefixtures("opengl")
def test_compared_ids_are_labelled_by_who_acts(
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown: list[Actor] = []

    def write_video(path: Path, actors: list[Actor], *_: Any, **__: Any) -> list[Fall]:
        path.touch()
        shown.extend(actors)
        return [Fall("random", 1.0), Fall("random", 2.5)]

    monkeypatch.setattr(play, "write_video", write_video)
    compare = [str(checkpoint), "--compare", WALK, "--video", str(tmp_path / "a.mp4")]
    play.main([*compare, "--agent", "random"])
    assert [actor.label for actor in shown] == ["random", "random"]
    assert capsys.readouterr().out.splitlines()[1:] == ["random: 2 falls, the first after 1.0 s"]


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_a_robot_that_falls_in_a_video_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, size = tmp_path / "a.mp4", ["--size", "64", "64", "--seconds", "2"]
    play.main([WALK, "--agent", "random", *size, "--video", str(path)])
    _, told = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"{WALK}: a fall after [01]\.\d s", told)


@pytest.mark.parametrize(
    ("more", "told"),
    [([], "20 s"), (["--seconds", "3"], "3 s"), (["--seconds", "2", "--slow", "0.25"], "8 s")],
)
def test_a_video_s_bar_says_how_long_it_is(
    more: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []

    def write_video(path: Path, *_: Any, title: str) -> list[Fall]:
        path.touch()
        titles.append(title)
        return []

    monkeypatch.setattr(play, "write_video", write_video)
    path = tmp_path / "pole.mp4"
    play.main(["CartPole-v1", "--agent", "zero", "--video", str(path), *more])
    assert titles == [f"pole.mp4, {told} long"]


def test_any_id_is_judged_by_its_returns(tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    arguments = ["--agent", "zero", "--evaluate", "--episodes", "3", "--json", str(out)]
    play.main(["CartPole-v1", *arguments])
    results = json.loads(out.read_text())
    assert results["episodes"] == 3
    assert 8 <= results["return_mean"] <= 11  # pushed left all the time, the pole is down by then


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["runs/none", "--evaluate"],
            "'runs/none' is no run's folder, no checkpoint file and no environment id",
        ),
        ([str(ROOT / "policies" / "wlak.pt"), "--evaluate"], "policies/walk.pt"),
        ([str(ROOT / "polices" / "walk"), "--evaluate"], "policies/walk.pt"),
        (["CartPol-v1", "--agent", "zero", "--evaluate"], "did you mean CartPole-v1"),
        (["a" * 300, "--evaluate"], "cannot be read: File name too long"),
        (["CartPole-v1", "--agent", "zero", "--device", "cuda", "--evaluate"], "--device has no"),
        (["trot/AnymalWlk-v0", "--evaluate"], "did you mean trot/AnymalWalk-v0"),
        (["dm_control/quadrped-walk-v0", "--agent", "zero", "--evaluate"], "quadruped-walk"),
        ([WALK, "--evaluate"], "--agent zero or random"),
        ([WALK, "--agent", "trained", "--evaluate"], "--agent zero or random"),
        ([WALK, "--agent", "zero", "--video", "a.avi"], "must end in .mp4 or .gif"),
        ([WALK, "--agent", "zero", "--video", "/proc/none/a.mp4"], "cannot be written"),
        ([WALK, "--agent", "zero", *SHORT, "--robot", "spot"], "robot is 'spot'"),
        (["CartPole-v1", "--agent", "zero", "--evaluate", "--randomize"], "for trot/ tasks"),
        ([WALK, "--agent", "zero", "--evaluate", "--episodes", "100000"], "GiB of memory, and"),
    ],
)
def test_bad_input_is_named(arguments: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        play.main(arguments)


def test_a_policy_of_other_spaces_is_refused(content: dict[str, Any], tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.pt", content | {"env_id": "CartPole-v1"})
    with pytest.raises(ValueError, match="does not fit"):
        play.main([str(tmp_path / "a.pt"), "--evaluate"])


def test_a_checkpoint_without_a_policy_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.pt", {"env_id": WALK})
    with pytest.raises(ValueError, match="lacks algo"):
        play.main([str(tmp_path / "a.pt"), "--evaluate"])


@pytest.mark.parametrize(
    ("display", "found"),
    [(None, "there is none"), ("localhost:10.0", "DISPLAY=localhost:10.0 cannot draw")],
)
def test_viewer_without_a_display_is_refused(
    display: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux runs without a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.setattr(gl, "_works", lambda backend: False)
    with pytest.raises(ValueError, match=f"needs a display, and {found}; give --web or --video"):
        play.main([WALK, "--agent", "zero", "--viewer"])


def test_a_run_s_checkpoints_can_be_watched_in_turn(checkpoint: Path) -> None:
    options = play.Play(str(checkpoint.parent.parent), web=True)
    agents, first = play.live_agents(options, play.find_subject(options))
    assert (list(agents), first) == (["last", "zero", "random"], "last")
    assert agents["last"]()(np.zeros((1, 56), np.float32)).shape == (1, 12)
    checkpoint.with_name("best.pt").write_bytes(checkpoint.read_bytes())
    assert play.live_agents(options, play.find_subject(options))[1] == "best"


def test_an_evaluation_is_written_before_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise OSError("no terminal")

    monkeypatch.setattr(Console, "print", fail)
    path = tmp_path / "pole.json"
    with pytest.raises(OSError, match="no terminal"):
        play.main(["CartPole-v1", "--agent", "zero", "--evaluate", "--json", str(path)])
    assert json.loads(path.read_text())["episodes"] == 100


@pytest.mark.usefixtures("signals")
def test_errors_leave_one_line_and_code_2(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    monkeypatch.setattr(sys, "argv", ["play.py", str(checkpoint), "--evaluate"])
    monkeypatch.setattr(rich, "reconfigure", lambda **_: None)  # it would outlast the program
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "play.py"), run_name="__main__")
    assert ended.value.code == 2
    out, told = capsys.readouterr()
    assert out == ""
    assert told.startswith("error: checkpoint")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--web", "--gif"], "--gif has no effect without --video"),
        (["--evaluate", "--size", "64", "64"], "--size has no effect without --video"),
        (["--evaluate", "--host", "0.0.0.0"], "--host has no effect without --web"),
        (["--evaluate", "--port", "0"], "--port has no effect without --web"),
        (["--video", "a.mp4", "--json", "a.json"], "--json has no effect without --evaluate"),
        (["--web", "--episodes", "3"], "--episodes has no effect without --evaluate or --report"),
        (["--save", "a.pt", "--seed", "3"], "--seed has no effect without --video or --evaluate"),
        (["--export", "a.onnx", "--agent", "zero"], "--agent has no effect without --video"),
        (["--save", "a.pt", "--contact", "elliptic"], "--contact has no effect without --video"),
        (["--save", "a.pt", "--env.randomization.push", "0.5", "1"], "--env… has no effect withou"),
        (["--evaluate", "--checkpoint", "last"], f"--checkpoint has no effect with {WALK}"),
        (["--evaluate", "--wrapper", "gymnasium.wrappers:ClipAction"], "--wrapper is for single"),
    ],
)
def test_an_option_without_effect_is_refused(arguments: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        play.main([WALK, *arguments])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--evaluate", "--seconds", "3"], "--seconds has no effect without --video"),
        (["--video", "a.mp4", "--size", "64", "64"], "--size: for trot/ tasks, not for 'CartP"),
        (["--evaluate", "--checkpoint", "last"], "--checkpoint has no effect with CartPole-v1"),
    ],
)
def test_nor_is_one_without_effect_on_other_ids(arguments: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        play.main(["CartPole-v1", "--agent", "zero", *arguments])


def test_a_file_alone_has_no_other_checkpoint(checkpoint: Path) -> None:
    more = ["--save", "a.pt", "--checkpoint", "last"]
    with pytest.raises(ValueError, match=r"--checkpoint has no effect with .*\.pt: only a run has"):
        play.main([str(checkpoint), *more])
    run = str(checkpoint.parent.parent)
    options, _ = subject.read([str(checkpoint), "--compare", run, "--video", "a.mp4", *more[2:]])
    assert options.checkpoint == "last"


@pytest.mark.parametrize("live", ["--web", "--viewer"])
@pytest.mark.parametrize(
    "file", [["--video", "a.mp4"], ["--report", "a.html"], ["--evaluate"], ["--save", "a.pt"]]
)
def test_what_lasts_until_it_is_ended_stands_alone(live: str, file: list[str]) -> None:
    """Else what comes first, or the page, would seem to be ignored."""
    with pytest.raises(ValueError, match=f"{live} lasts until you end it: give {file[0]} in a"):
        play.main([WALK, live, *file])


@pytest.mark.parametrize("more", [["--evaluate"], ["--web"], ["--seed", "3"], ["--seconds", "1"]])
def test_a_recorded_simulation_takes_no_option_without_effect(more: list[str]) -> None:
    with pytest.raises(ValueError, match=f"{more[0]} has no effect with --replay-nan"):
        play.main(["--replay-nan", "fault.npz", *more])


@pytest.mark.parametrize(
    "arguments",
    [
        [WALK],
        ["--evaluate"],
        [WALK, "--evaluate", "--episodes", "0"],
        [WALK, "--video", "a.mp4", "--slow", "0"],
        [WALK, "--video", "a.mp4", "--grid", "3"],
        [WALK, "--video", "a.mp4", "--grid", "2x2", "--command-schedule", "a.csv"],
        [WALK, "--video", "a.mp4", "--compare", WALK, "--grid", "2x2"],
        [WALK, "--evaluate", "--compare", WALK],
        [WALK, "--evaluate", "--gif"],
        [WALK, "--video", "a.gif", "--gif"],
        [WALK, "--evaluate", "--slow", "0.5"],
        [WALK, "--web", "--port", "-1"],
        [WALK, "--web", "--viewer"],
        [WALK, "--web", "--compare", WALK],
    ],
)
def test_senseless_options_are_refused(arguments: list[str]) -> None:
    with pytest.raises(ValueError, match=r"--|nothing to play"):
        play.main(arguments)

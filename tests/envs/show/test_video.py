"""Videos of environments that render what one can compute: time and commands in each frame."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import imageio
import numpy as np
import pytest
import torch
from gymnasium.vector import VectorEnv
from PIL import Image

from envs.mdp.commands import Command, Commands, velocity
from envs.show import video as module
from envs.show.command_schedule import usual
from envs.show.video import Actor, Video, video_bytes, write_video
from envs.show.video.ffmpeg import encoding, run
from envs.show.video.frames import picture
from envs.vector import LocomotionVectorEnv
from robots.usage import UsageError
from tests.envs.helpers import quiet, task

SIZE = (64, 32)


class Clock(VectorEnv):
    """Renders its number of steps as brightness, 20 a step, a frame for each environment."""

    def __init__(self, n: int, size: tuple[int, int], seconds: float, fps: Any = 25) -> None:
        self.num_envs, self.size, self.seconds = n, size, seconds
        self.metadata = {"render_fps": fps}

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        self.steps, self.seed = 0, seed
        return np.zeros((self.num_envs, 1)), {}

    def step(self, actions: np.ndarray) -> Any:
        self.steps += int(actions[0])
        return np.zeros((self.num_envs, 1)), 0, 0, 0, {}

    def render(self) -> Any:
        width, height = self.size
        return [np.full((height, width, 3), 20 * self.steps, np.uint8)] * self.num_envs


def ones(observations: np.ndarray) -> np.ndarray:
    return np.ones(len(observations))


def brightness(path: Path) -> list[np.ndarray]:
    """Return the mean of every half of every frame, left and right."""
    frames = np.array(imageio.mimread(path), float)[..., :3]
    return list(np.stack(np.split(frames, 2, axis=2)).mean(axis=(2, 3, 4)).T)


@pytest.mark.slow
def test_a_frame_shows_the_environment_ahead_of_each_step(tmp_path: Path) -> None:
    path, video = tmp_path / "a.mp4", Video(seconds=0.24, size=SIZE)
    write_video(path, [Actor(Clock, ones)], video)
    shown = brightness(path)
    np.testing.assert_allclose(shown, [[20 * i] * 2 for i in range(6)], atol=3)


@pytest.mark.slow
def test_fast_environments_leave_frames_out(tmp_path: Path) -> None:
    path, video = tmp_path / "a.mp4", Video(seconds=0.06, size=SIZE)
    write_video(path, [Actor(partial(Clock, fps=100), ones)], video)
    with imageio.get_reader(path) as reader:
        assert reader.get_meta_data()["fps"] == 50
    np.testing.assert_allclose(brightness(path), [[0, 0], [40, 40], [80, 80]], atol=3)


@pytest.mark.parametrize(
    ("given", "rate"), [("30", 30), (np.float32(12.5), 12.5), (1000, 1000), (None, 50), (0.5, 0.5)]
)
def test_a_rate_that_can_be_is_taken(
    given: Any, rate: float, caplog: pytest.LogCaptureFixture
) -> None:
    assert module._rate(Clock(1, SIZE, 1.0, given)) == rate
    assert not caplog.records


@pytest.mark.parametrize(
    "given", ["fast", 1e9, float("nan"), 0, -3, [30, 30], pytest.param(10**400, id="huge")]
)
def test_no_rate_becomes_a_usual_one_and_is_told_once(
    given: Any, caplog: pytest.LogCaptureFixture
) -> None:
    module._warn.cache_clear()
    assert [module._rate(Clock(1, SIZE, 1.0, given)) for _ in range(2)] == [50, 50]
    (told,) = (record.getMessage() for record in caplog.records)
    assert told == f"render_fps is {given!r:.40}: videos take 50 steps for a second"


def test_a_rate_that_no_clock_has_makes_a_video_all_the_same(tmp_path: Path) -> None:
    actor = Actor(partial(Clock, fps=1e9), ones)
    write_video(tmp_path / "a.mp4", [actor], Video(seconds=0.04, size=SIZE))
    np.testing.assert_allclose(brightness(tmp_path / "a.mp4"), [[0, 0], [20, 20]], atol=3)


def test_frames_that_no_video_holds_are_refused_before_a_step(tmp_path: Path) -> None:
    class Wide(Clock):
        def render(self) -> Any:
            return [np.zeros((16, 10_000, 3), np.uint8)] * self.num_envs

        def step(self, actions: np.ndarray) -> Any:
            raise AssertionError

    with pytest.raises(UsageError, match=r"frames of 20000 × 16 pixels .* at most 16384 a side"):
        write_video(tmp_path / "a.mp4", [Actor(Wide, ones)] * 2, Video(size=SIZE))
    assert not list(tmp_path.iterdir())


def test_actors_stand_side_by_side(tmp_path: Path) -> None:
    path, video = tmp_path / "a.mp4", Video(seconds=0.08, size=SIZE)
    twice = Actor(Clock, lambda o: 2 * ones(o))
    write_video(path, [Actor(Clock, ones), twice], video)
    np.testing.assert_allclose(brightness(path), [[0, 0], [20, 40]], atol=3)


def test_more_than_two_actors_stand_in_rows(tmp_path: Path) -> None:
    path, video = tmp_path / "a.mp4", Video(seconds=0.08, size=(64, 64))
    actors = [Actor(Clock, lambda o, k=k: k * ones(o)) for k in (1, 2, 3)]
    write_video(path, actors, video)
    last = np.array(imageio.mimread(path), float)[-1, ..., :3]
    assert last.shape[:2] == (64, 64)
    quarters = last.reshape(2, 32, 2, 32, 3).mean(axis=(1, 3, 4))
    np.testing.assert_allclose(quarters, [[20, 40], [60, 0]], atol=3)


@pytest.mark.parametrize(
    ("actors", "shape"), [(2, (1, 2)), (3, (2, 2)), (4, (2, 2)), (5, (2, 3)), (13, (4, 4))]
)
def test_rows_are_about_as_many_as_columns(actors: int, shape: tuple[int, int]) -> None:
    assert module._square(actors) == shape


def test_actors_of_different_rates_are_refused(tmp_path: Path) -> None:
    actors = [Actor(Clock, ones), Actor(partial(Clock, fps=50), ones)]
    with pytest.raises(ValueError, match="Hz do not go into one video"):
        write_video(tmp_path / "a.mp4", actors)


@pytest.mark.slow
def test_a_gif_leaves_nothing_else_behind(tmp_path: Path) -> None:
    write_video(tmp_path / "a.gif", [Actor(Clock, ones)], Video(seconds=0.08, size=SIZE))
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]
    np.testing.assert_allclose(brightness(tmp_path / "a.gif"), [[0, 0], [20, 20]], atol=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["walk:2/a.mp4", "~/100%d -x.mp4", "-a:b.gif"])
def test_what_means_something_to_ffmpeg_is_a_path_all_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    write_video(path, [Actor(Clock, ones)], Video(seconds=0.08, size=SIZE))
    np.testing.assert_allclose(brightness(path.absolute()), [[0, 0], [20, 20]], atol=4)


def test_without_ffmpeg_s_help_there_is_a_reason_of_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("Broken pipe\n\nFFMPEG COMMAND:\nffmpeg …")

    monkeypatch.setattr(module, "_write", broken)
    assert video_bytes([Actor(Clock, ones)]) == "Broken pipe"


def test_a_video_that_was_cut_short_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ffmpeg says nothing of what ended it."""
    write, path = module._write, tmp_path / "a.mp4"

    def cut(*arguments: Any) -> None:
        write(*arguments)
        path.write_bytes(path.read_bytes()[:500])

    monkeypatch.setattr(module, "_write", cut)
    with pytest.raises(OSError, match="could not be written: ffmpeg ended before"):
        write_video(path, [Actor(Clock, ones)], Video(seconds=0.08, size=SIZE))


def test_ffmpeg_says_nothing_of_a_draft_that_is_taken_away(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "draft" / "a.mp4"
    path.parent.mkdir()

    def act(observations: np.ndarray) -> np.ndarray:
        shutil.rmtree(path.parent, ignore_errors=True)
        return ones(observations)

    with pytest.raises(OSError, match=r"a\.mp4 could not be written"):
        write_video(path, [Actor(Clock, act)], Video(seconds=0.08, size=SIZE))
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_of_the_terminal_reaches_no_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in a session of its own, which a stand-in tells."""
    session = script(tmp_path / "ffmpeg", "cut -d' ' -f6 /proc/$$/stat")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", session)
    assert int(run().stdout) != os.getsid(0)


SHORT = Video(seconds=0.08, size=SIZE)


def script(path: Path, text: str) -> str:
    """Write a program in ffmpeg's place."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_an_ffmpeg_that_cannot_be_run_is_named(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/gone/ffmpeg")
    with pytest.raises(
        UsageError,
        match=r"IMAGEIO_FFMPEG_EXE=/gone/ffmpeg cannot be run \(No such file.*; unset it$",
    ):
        write_video(tmp_path / f"a{suffix}", [Actor(Clock, ones)], SHORT)


def test_without_ffmpeg_the_package_that_brings_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> None:
        raise RuntimeError("No ffmpeg exe could be found. Install ffmpeg on your system, or …")

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", none)
    monkeypatch.setattr("imageio_ffmpeg._io.get_ffmpeg_exe", none)
    with pytest.raises(UsageError, match=r"there is no ffmpeg; pip install .*imageio-ffmpeg"):
        write_video(tmp_path / "a.mp4", [Actor(Clock, ones)], SHORT)


def test_a_broken_ffmpeg_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = "echo configuration: --enable-gpl >&2; echo libx264.so.164: cannot open >&2; exit 127"
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", script(tmp_path / "ffmpeg", log))
    with pytest.raises(UsageError, match=r"is broken \(libx264.so.164: cannot open\)"):
        write_video(tmp_path / "a.mp4", [Actor(Clock, ones)], SHORT)


@pytest.mark.parametrize(
    ("number", "cause"),
    [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk is full"), (errno.EROFS, "Read")],
)
def test_a_disk_says_itself_that_it_is_full(
    number: int, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("envs.show.video.ffmpeg.tempfile.TemporaryFile", refuse)
    with (
        pytest.raises(UsageError, match=f"video a.mp4 could not be written: {cause}"),
        encoding(tmp_path / "a.mp4"),
    ):
        raise OSError("Broken pipe\n\nFFMPEG COMMAND:\nffmpeg …")


def showing(*frames: Any) -> Actor:
    """Render given frames, one a step."""

    class Showing(Clock):
        def render(self) -> Any:
            return [frames[self.steps]]

    return Actor(Showing, ones)


GREY = np.full((32, 64), 120, np.uint8)


@pytest.mark.parametrize(
    "frame",
    [
        GREY[:, :, None],
        np.dstack([GREY] * 3 + [np.zeros_like(GREY)]),
        np.full((32, 64, 3), 120 / 255, np.float32),
        np.full((32, 64, 3), 120.0),
        np.full((32, 64, 3), 120),
        [np.zeros((32, 64, 3), np.uint8), np.dstack([GREY] * 3)],
        np.stack([np.zeros((32, 64, 3), np.uint8), np.dstack([GREY] * 3)]),
        GREY.tolist(),
        torch.as_tensor(GREY),
        Image.fromarray(GREY),
    ],
)
def test_pictures_of_other_kinds_are_converted(frame: Any) -> None:
    np.testing.assert_array_equal(picture(frame), np.full((32, 64, 3), 120))


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (None, "None"),
        ("+--+", r"'\+--\+'"),
        ([], r"an array \(0,\)"),
        (np.zeros((3, 32, 64)), r"an array \(3, 32, 64\) of float64"),
        (np.zeros(5), r"an array \(5,\)"),
    ],
)
def test_what_is_no_picture_is_told(frame: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"render\(\) returned {told}.*; a video needs"):
        write_video(tmp_path / "a.mp4", [showing(frame)], SHORT)


@pytest.mark.slow
def test_frames_that_change_their_size_fit_into_the_first(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [showing(GREY, np.full((64, 64, 3), 200, np.uint8))], SHORT)
    np.testing.assert_allclose(brightness(tmp_path / "a.mp4"), [[120, 120], [100, 100]], atol=4)


def test_an_environment_without_render_is_told(tmp_path: Path) -> None:
    def refuse(self: Clock) -> None:
        raise NotImplementedError

    actor = Actor(type("Blind", (Clock,), {"render": refuse}), ones)
    with pytest.raises(UsageError, match="has no render"):
        write_video(tmp_path / "a.mp4", [actor], SHORT)


def test_what_is_drawn_into_frames_knows_the_time_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 control steps a second 50 are filmed; contacts and camera go by the frame."""
    config = quiet()
    fast = replace(config, simulation=replace(config.simulation, timestep=0.005, substeps=1))
    env = LocomotionVectorEnv(1, config=fast)
    monkeypatch.setattr(env, "render", lambda: [np.zeros((32, 32, 3), np.uint8)])
    actor = Actor(lambda *_: env, lambda observations: np.zeros((len(observations), 12)))
    assert env.frame_interval == 0.005
    write_video(tmp_path / "a.mp4", [actor], Video(seconds=0.1))
    assert env.frame_interval == pytest.approx(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("actors", "video", "command"),
    [
        (2, Video(seconds=0.04), (0.5, 0.0, 0.0)),
        (2, Video(seconds=0.04, scheduled=False), (0.0, 0.0, 0.0)),
        (1, Video(seconds=0.04, grid=(1, 2)), (0.0, 0.0, 0.0)),
    ],
)
def test_the_schedule_commands_single_robots_alike(
    actors: int,
    video: Video,
    command: tuple[float, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their task has one command alone, to stand."""
    made: list[LocomotionVectorEnv] = []

    def make(n: int, size: tuple[int, int], seconds: float) -> LocomotionVectorEnv:
        made.append(LocomotionVectorEnv(n, config=quiet()))
        frames = [np.zeros((32, 32, 3), np.uint8)] * n
        monkeypatch.setattr(made[-1], "render", lambda: frames)
        return made[-1]

    video = replace(video, schedule=lambda _: usual(task().commands))
    actor = Actor(make, lambda observations: np.zeros((len(observations), 12)))
    write_video(tmp_path / "a.mp4", [actor] * actors, video)
    for env in made:
        np.testing.assert_allclose(env.state.command, [command] * env.num_envs)


@pytest.mark.slow
def test_robots_with_other_commands_follow_their_own_and_those_with_the_same_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first the schedule goes forward at half the largest speed."""
    height = {"height": Command((0.3, 0.6), "m")}
    fast, slow = velocity((-2.0, 2.0)), velocity((-1.0, 1.0))
    made: list[LocomotionVectorEnv] = []

    def actor(entries: dict[str, Command]) -> Actor:
        seen = {name: term for name, term in task().observations.items() if name != "command"}
        config = quiet("stand", commands=Commands(entries), observations=seen)

        def make(n: int, size: tuple[int, int], seconds: float) -> LocomotionVectorEnv:
            made.append(LocomotionVectorEnv(n, config=config))
            frames = [np.zeros((32, 32, 3), np.uint8)] * n
            monkeypatch.setattr(made[-1], "render", lambda: frames)
            return made[-1]

        return Actor(make, lambda observations: np.zeros((len(observations), 12)))

    actors = [actor(entries) for entries in (fast, slow, height, height | slow, {})]
    write_video(tmp_path / "a.mp4", actors, Video(seconds=0.04))
    told = [env.state.command[0].tolist() for env in made]
    assert told == [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.3], [0.3, 0.5, 0.0, 0.0], []]

"""Videos of policies in vector environments."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import imageio
import numpy as np
from gymnasium.vector import VectorEnv
from rich import get_console
from rich.markup import escape
from rich.progress import track

from envs.bounds import WIDEST
from envs.mdp.commands import Commands
from envs.render.gl import OpenGLError
from envs.show.command_schedule import Schedule, usual
from envs.show.video.ffmpeg import encoding, last_line, run
from envs.show.video.frames import fitted
from envs.show.video.tiles import tiled
from envs.vector import LocomotionVectorEnv
from robots.usage import UsageError

_logger = logging.getLogger(__name__)

MAX_FPS = 50
"""Frames are left out until a video has at most this many a second."""
RATES = 0.1, 10_000.0
"""Least and largest rate of an environment's steps (1/s)."""
GIF_FPS, GIF_WIDTH = 25, 480
"""Largest rate (1/s) and width (pixels) of a GIF."""


@dataclass(frozen=True)
class Video:
    """How a video is made."""

    seconds: float = 20.0
    """Time that passes in the environments (s)."""
    seed: int = 1
    """Seed of the environments' reset."""
    size: tuple[int, int] = (1280, 720)
    """Width and height (pixels) of all tiles together, where the environments can choose it."""
    speed: float = 1.0
    """Below 1 for slow motion."""
    scheduled: bool = True
    """Whether the command schedule commands trot/ robots, all alike; a grid's draw their own."""
    schedule: Callable[[Commands], Schedule] = usual
    """Which one, by the robots' commands."""
    grid: tuple[int, int] = (1, 1)
    """Rows and columns of environments under one policy."""


@dataclass(frozen=True)
class Actor:
    """A policy and its environments."""

    make: Callable[[int, tuple[int, int], float], VectorEnv]
    """Makes that many environments with `render_mode="rgb_array"`, frames of a width and height
    (pixels) and episodes of so many seconds, where they can choose."""
    act: Callable[[np.ndarray], np.ndarray]
    """Observations (n, O) to the environments' actions."""
    label: str = ""
    """Written over its frames."""


class Fall(NamedTuple):
    """A robot that fell in a video."""

    label: str
    """Of its actor."""
    seconds: float
    """When (s)."""


def write_video(
    path: Path, actors: Sequence[Actor], video: Video = Video(), title: str | None = None
) -> list[Fall]:
    """Write a video of actors side by side, in rows where they are more than two, or of one in a
    grid; a finished episode starts anew.

    Args:
        path: the file, .mp4 or .gif, in a folder that exists.
        actors: who is shown, from the same seed.
        video: how.
        title: of a progress bar on the terminal; None for none.

    Returns:
        The falls of trot/ robots, in their order.

    Raises:
        ValueError: actors of different control rates, or environments that render nothing.
        OSError: ffmpeg failed, as on a full disk, or there is none.
    """
    path = path.absolute()  # so that ffmpeg takes neither `-` for an option nor `:` for a protocol
    if path.suffix == ".gif":
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            whole = Path(folder) / "video.mp4"
            falls = write_video(whole, actors, video, title)
            write_gif(whole, path)
            return falls
    rows, columns = video.grid if len(actors) == 1 else _square(len(actors))
    n = rows * columns if len(actors) == 1 else 1
    size = video.size[0] // columns // 2 * 2, video.size[1] // rows // 2 * 2
    with ExitStack() as stack:
        environments = []
        for actor in actors:
            environments.append(actor.make(n, size, video.seconds))
            stack.callback(environments[-1].close)
        falls = _write(path, actors, environments, video, columns, title)
    _check_whole(path)
    return falls


def video_bytes(actors: Sequence[Actor], video: Video = Video()) -> bytes | str:
    """Return an mp4 file's bytes, or why this machine cannot make a video."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        try:
            write_video(path, actors, video)
        except (OpenGLError, UsageError, OSError) as error:
            return str(error).partition("\n")[0]  # ffmpeg's command and log may follow
        return path.read_bytes()


def _write(
    path: Path,
    actors: Sequence[Actor],
    environments: Sequence[VectorEnv],
    video: Video,
    columns: int,
    title: str | None,
) -> list[Fall]:
    """Step the actors' environments together and write their frames; return who fell."""
    rates = {_rate(envs) for envs in environments}
    if len(rates) > 1:
        told = " and ".join(f"{rate:g}" for rate in sorted(rates))
        raise UsageError(f"control rates of {told} Hz do not go into one video: make one of each")
    fps = rates.pop()
    stride = math.ceil(fps * video.speed / MAX_FPS)
    for envs in environments:
        if isinstance(envs, LocomotionVectorEnv):
            envs.frame_interval = stride / fps
    labels = [actor.label for actor in actors]
    commanded = _commanded(environments, video.schedule) if video.scheduled else []
    observations = [envs.reset(seed=video.seed)[0] for envs in environments]
    steps: Iterable[int] = range(max(round(video.seconds * fps), 1))
    if title is not None and get_console().is_terminal:  # elsewhere it would be an empty line
        steps = track(steps, escape(title), transient=True)
    size: tuple[int, int] | None = None
    falls: list[Fall] = []
    with _writer(path, fps * video.speed / stride) as file:
        for i in steps:
            for k, robot, schedule in commanded:
                observations[k] = robot.set_command(schedule(i / fps))
            if i % stride == 0:
                frame = tiled(environments, labels, columns)
                size = size or _size(frame)  # of the first, as the file has one
                frame = fitted(frame, *size)
                with encoding(path):
                    file.append_data(frame)
            for k, (actor, envs) in enumerate(zip(actors, environments, strict=True)):
                observations[k], _, ended, *_ = envs.step(actor.act(observations[k]))
                if isinstance(envs, LocomotionVectorEnv):
                    falls += [Fall(actor.label, (i + 1) / fps)] * int(ended.sum())
    return falls


def _square(tiles: int) -> tuple[int, int]:
    """Return how many rows and columns hold so many tiles, about as many of each."""
    columns = math.ceil(math.sqrt(tiles))
    return math.ceil(tiles / columns), columns


def _rate(envs: VectorEnv) -> float:
    """Return how many steps an environment takes in a second (1/s), as its metadata says."""
    given = envs.metadata.get("render_fps")
    if given is None:
        return MAX_FPS
    with suppress(ArithmeticError, TypeError, ValueError):
        low, high = RATES
        if low <= float(given) <= high:
            return float(given)
    _warn(f"render_fps is {given!r:.40}: videos take {MAX_FPS} steps for a second")
    return MAX_FPS


@cache
def _warn(problem: str) -> None:
    """Say once what environments say wrongly of themselves."""
    _logger.warning("%s", problem)


def _size(frame: np.ndarray) -> tuple[int, int]:
    """Return height and width of a video's frames (pixels).

    Raises:
        UsageError: no video is so large.
    """
    height, width = frame.shape[:2]
    if max(height, width) > WIDEST:
        raise UsageError(
            f"frames of {width} × {height} pixels do not go into a video, which has at most "
            f"{WIDEST} a side: render smaller ones, or show fewer"
        )
    return height, width


def _commanded(
    environments: Sequence[VectorEnv], schedule: Callable[[Commands], Schedule]
) -> list[tuple[int, LocomotionVectorEnv, Schedule]]:
    """The single robots with their places, each with the first one's schedule, or its own where
    entries differ.
    """
    single = [
        (k, env)
        for k, env in enumerate(environments)
        if isinstance(env, LocomotionVectorEnv) and env.num_envs == 1
    ]
    own = [robot.config.commands for _, robot in single]
    shared = [own[0] if commands.names == own[0].names else commands for commands in own]
    return [(*one, schedule(commands)) for one, commands in zip(single, shared, strict=True)]


def write_gif(video: Path, path: Path) -> None:
    """Make a GIF of a video, small enough for a page, with a palette of its own.

    Raises:
        ValueError: ffmpeg could not.
    """
    video, path = video.absolute(), path.absolute()
    palette = "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=bayer:bayer_scale=5"
    scale = f"scale='min({GIF_WIDTH},iw)':-1:flags=lanczos"
    with encoding(path):
        with imageio.get_reader(video) as reader:
            fps = min(reader.get_meta_data()["fps"], GIF_FPS)
        filters = ("-filter_complex", f"fps={fps},{scale},{palette}")
        done = run("-y", "-i", f"file:{video}", *filters, "-loop", "0", f"file:{path}")
    if done.returncode:
        raise UsageError(f"GIF {path.name} could not be made: {last_line(done.stderr)}")


def _writer(path: Path, fps: float) -> Any:
    return imageio.get_writer(
        path,
        format="FFMPEG",  # pyright: ignore[reportArgumentType]
        fps=fps,
        codec="libx264",
        pixelformat="yuv420p",
        macro_block_size=2,
        ffmpeg_log_level="quiet",  # Ctrl-C takes the draft away while it is still written
        output_params=["-crf", "20", "-movflags", "+faststart"],
    )


def _check_whole(path: Path) -> None:
    """Raise VideoError unless ffmpeg can read what it wrote: it ends quietly on a full disk."""
    with encoding(path):
        done = run("-i", f"file:{path}", "-f", "null", "-")
        if done.returncode:
            raise RuntimeError(done.stderr)

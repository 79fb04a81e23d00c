"""Videos of policies in vector environments."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio
import imageio_ffmpeg
import numpy as np
from gymnasium.vector import VectorEnv
from PIL import Image, ImageDraw, ImageFont
from rich.markup import escape
from rich.progress import track

from algos.runs.files import check_writable, whole

SUFFIXES = (".mp4", ".gif")
MAX_FPS = 50
"""Frames are left out until a video has at most this many a second."""
GIF_FPS, GIF_WIDTH = 25, 480
"""Largest rate (1/s) and width (pixels) of a GIF."""


@dataclass(frozen=True)
class Film:
    """How a video is made."""

    seconds: float = 20.0
    """Time that passes in the environments (s)."""
    seed: int = 1
    """Seed of the environments' reset."""
    size: tuple[int, int] = (1280, 720)
    """Width and height (pixels) of all tiles together, where the environments can choose it."""
    speed: float = 1.0
    """Below 1 for slow motion."""
    tour: bool = True
    """Whether the players are led through a round of commands, the same for all."""
    grid: tuple[int, int] = (1, 1)
    """Rows and columns of environments under one policy."""


@dataclass(frozen=True)
class Player:
    """A policy and its environments."""

    make: Callable[[int, tuple[int, int], float], VectorEnv]
    """Makes that many environments with `render_mode="rgb_array"`, frames of a width and height
    (pixels) and episodes of so many seconds, where they can choose."""
    act: Callable[[np.ndarray], np.ndarray]
    """Observations (n, O) to the environments' actions."""
    label: str = ""
    """Written over its frames."""


Lead = Callable[[float], None]
"""Called with the time (s) ahead of every step."""


def record_video(
    path: str | Path,
    players: Sequence[Player],
    film: Film = Film(),
    lead: Callable[[Sequence[VectorEnv]], Lead | None] | None = None,
    progress: bool = False,
) -> None:
    """Write a video of players side by side, or of one in a grid; a finished episode starts anew.

    The file appears when it is whole.

    Args:
        path: the file, ending in .mp4 or .gif; its folder is made if it is missing.
        players: who is shown, from the same seed.
        film: how.
        lead: returns what leads the players' environments on the film's tour.
        progress: whether a progress bar shows on the terminal.

    Raises:
        ValueError: another file type, a file that cannot be written, or players of different
            control rates.
        OSError: ffmpeg failed, as on a full disk; what was at `path` is still there.
    """
    path = Path(path)
    check_writable(path, *SUFFIXES)
    rows, columns = film.grid if len(players) == 1 else (1, len(players))
    n = rows * columns // len(players)
    size = film.size[0] // columns // 2 * 2, film.size[1] // rows // 2 * 2
    with ExitStack() as stack:
        cast = []
        for player in players:
            environments = player.make(n, size, film.seconds)
            stack.callback(environments.close)
            cast.append((player, environments))
        guide = lead([e for _, e in cast]) if lead and film.tour and n == 1 else None
        draft = stack.enter_context(whole(path))
        film_at = draft.with_suffix(".mp4")
        _film(film_at, cast, film, columns, guide, path.name if progress else None)
        _check_whole(film_at, path)
        if path.suffix == ".gif":
            write_gif(film_at, draft)


def _film(
    path: Path,
    cast: Sequence[tuple[Player, VectorEnv]],
    film: Film,
    columns: int,
    guide: Lead | None,
    title: str | None,
) -> None:
    """Step the environments together and write their frames, with a progress bar if titled."""
    rates = {envs.metadata.get("render_fps") or MAX_FPS for _, envs in cast}
    if len(rates) > 1:
        raise ValueError(f"control rates of {rates} Hz do not go into one video")
    fps = rates.pop()
    stride = math.ceil(fps * film.speed / MAX_FPS)
    observations = [envs.reset(seed=film.seed)[0] for _, envs in cast]
    steps: range = range(max(round(film.seconds * fps), 1))
    with _writer(path, fps * film.speed / stride) as video:
        for i in track(steps, escape(title or ""), disable=title is None, transient=True):
            if guide is not None:
                guide(i / fps)
            if i % stride == 0:
                video.append_data(_tiled(cast, columns))
            for k, (player, envs) in enumerate(cast):
                observations[k], *_ = envs.step(player.act(observations[k]))


def write_gif(video: Path, path: Path) -> None:
    """Make a GIF of a video, small enough for a page, with a palette of its own.

    Raises:
        ValueError: ffmpeg could not.
    """
    palette = "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=bayer:bayer_scale=5"
    scale = f"scale='min({GIF_WIDTH},iw)':-1:flags=lanczos"
    with imageio.get_reader(video) as reader:
        fps = min(reader.get_meta_data()["fps"], GIF_FPS)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    command += ["-i", f"file:{video}", "-filter_complex", f"fps={fps},{scale},{palette}"]
    command += ["-loop", "0", f"file:{path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"GIF {path} could not be made: {done.stderr.strip()[-300:]}")


def _writer(path: Path, fps: float) -> Any:
    return imageio.get_writer(
        path,
        format="FFMPEG",  # pyright: ignore[reportArgumentType]
        fps=fps,
        codec="libx264",
        pixelformat="yuv420p",
        macro_block_size=2,
        output_params=["-crf", "20", "-movflags", "+faststart"],
    )


def _check_whole(draft: Path, path: Path) -> None:
    """Raise OSError unless ffmpeg can read what it wrote: it ends quietly on a full disk."""
    try:
        imageio_ffmpeg.count_frames_and_secs(str(draft))
    except (OSError, RuntimeError) as error:
        raise OSError(f"video {path} could not be written: is the disk full?") from error


def _tiled(cast: Sequence[tuple[Player, VectorEnv]], columns: int) -> np.ndarray:
    """The pictures of all players row by row, (height, width, 3) uint8."""
    tiles = [tile for player, envs in cast for tile in _frames(envs, player.label)]
    height, width = np.max([tile.shape[:2] for tile in tiles], axis=0)
    rows = math.ceil(len(tiles) / columns)
    picture = np.zeros((rows * height, columns * width, 3), np.uint8)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        picture[row * height :, column * width :][: tile.shape[0], : tile.shape[1]] = tile
    return picture


def _frames(envs: VectorEnv, label: str) -> list[np.ndarray]:
    frames = envs.render()
    if not frames:
        raise ValueError("the environment renders nothing: make it with render_mode='rgb_array'")
    return [_labelled(np.asarray(frame), label) for frame in frames]


def _labelled(frame: np.ndarray, label: str) -> np.ndarray:
    """The frame with a label at the bottom right."""
    if not label:
        return frame
    image = Image.fromarray(np.ascontiguousarray(frame))
    draw, size = ImageDraw.Draw(image, "RGBA"), max(image.height // 28, 8)
    font, place = ImageFont.load_default(size), (image.width - size, image.height - size)
    box = draw.textbbox(place, label, font, anchor="rd")
    edge = size / 3
    outer = (box[0] - edge, box[1] - edge, box[2] + edge, box[3] + edge)
    draw.rounded_rectangle(outer, radius=edge, fill=(20, 24, 28, 170))
    draw.text(place, label, "white", font, anchor="rd")
    return np.asarray(image)

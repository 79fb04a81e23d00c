"""Videos of policies in vector environments."""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio
import imageio_ffmpeg
import numpy as np
from gymnasium.vector import VectorEnv
from PIL import Image, ImageDraw, ImageFont
from rich.progress import track

SUFFIXES = (".mp4", ".gif")
MAX_FPS = 50
"""Frames are left out until a video has at most this many a second."""
GIF_FPS, GIF_WIDTH = 25, 480
"""Largest rate (1/s) and width (pixels) of a GIF."""


@dataclass(frozen=True)
class Player:
    """A policy in its environments."""

    envs: VectorEnv
    """With `render_mode="rgb_array"`; every one of them is shown."""
    act: Callable[[np.ndarray], np.ndarray]
    """Observations (n, O) to the environments' actions."""
    label: str = ""
    """Written over its frames."""


def record_video(
    path: str | Path,
    players: Sequence[Player],
    seconds: float,
    seed: int | None = None,
    before_step: Callable[[float], None] | None = None,
    progress: bool = False,
    speed: float = 1.0,
    columns: int = 1,
) -> None:
    """Write a video of players in step, tile by tile; a finished episode starts anew.

    The file appears when it is whole.

    Args:
        path: the file, ending in .mp4 or .gif; its folder is made if it is missing.
        players: who is shown, from the same seed.
        seconds: time that passes in the environments.
        seed: seed of the environments' reset.
        before_step: called with the time (s) ahead of every step.
        progress: whether a progress bar shows on the terminal.
        speed: below 1 for slow motion.
        columns: tiles side by side.

    Raises:
        ValueError: another file type, a file that cannot be written, or players of different
            control rates.
        OSError: ffmpeg failed, as on a full disk; what was at `path` is still there.
    """
    path = Path(path)
    check_writable(path, *SUFFIXES)
    rates = {player.envs.metadata.get("render_fps") or MAX_FPS for player in players}
    if len(rates) > 1:
        raise ValueError(f"control rates of {rates} Hz do not go into one video")
    fps = rates.pop()
    stride = math.ceil(fps * speed / MAX_FPS)
    observations = [player.envs.reset(seed=seed)[0] for player in players]
    steps: range = range(max(round(seconds * fps), 1))
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".video-") as folder:
        draft = Path(folder) / "draft.mp4"
        with _writer(draft, fps * speed / stride) as video:
            for i in track(steps, f"{path.name}", disable=not progress, transient=True):
                if before_step is not None:
                    before_step(i / fps)
                if i % stride == 0:
                    video.append_data(_tiled(players, columns))
                for k, player in enumerate(players):
                    observations[k], *_ = player.envs.step(player.act(observations[k]))
        _check_whole(draft, path)
        if path.suffix == ".gif":
            write_gif(draft, path)
        else:
            draft.replace(path)


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


def check_writable(path: Path, *suffixes: str) -> None:
    """Raise ValueError unless the file has such a suffix and can be written; make its folder."""
    if path.suffix not in suffixes:
        raise ValueError(f"output file {path} must end in {' or '.join(suffixes)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        path.open("ab").close()
        if new:
            path.unlink()
    except OSError as error:
        raise ValueError(f"output file {path} cannot be written: {error.strerror}") from error


def _tiled(players: Sequence[Player], columns: int) -> np.ndarray:
    """The pictures of all players row by row, (height, width, 3) uint8."""
    tiles = [tile for player in players for tile in _frames(player)]
    height, width = np.max([tile.shape[:2] for tile in tiles], axis=0)
    rows = math.ceil(len(tiles) / columns)
    picture = np.zeros((rows * height, columns * width, 3), np.uint8)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        picture[row * height :, column * width :][: tile.shape[0], : tile.shape[1]] = tile
    return picture


def _frames(player: Player) -> list[np.ndarray]:
    frames = player.envs.render()
    if not frames:
        raise ValueError("the environment renders nothing: make it with render_mode='rgb_array'")
    return [_labelled(np.asarray(frame), player.label) for frame in frames]


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

"""Videos of a policy in a vector environment."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio
import numpy as np
from gymnasium.vector import VectorEnv
from rich.progress import track

SUFFIXES = (".mp4", ".gif")
MAX_FPS = 30
"""Frames are left out until a video has at most this many a second."""


def record_video(
    path: str | Path,
    envs: VectorEnv,
    act: Callable[[np.ndarray], np.ndarray],
    seconds: float,
    seed: int | None = None,
    before_step: Callable[[float], None] | None = None,
    progress: bool = False,
    speed: float = 1.0,
) -> None:
    """Write a video of the first environment; a finished episode starts anew.

    Args:
        path: the file, ending in .mp4 or .gif; its folder is made if it is missing.
        envs: a vector environment with `render_mode="rgb_array"`.
        act: observations (n, O) to the environment's actions.
        seconds: time that passes in the environment.
        seed: seed of the environments' reset.
        before_step: called with the time (s) ahead of every step.
        progress: whether a progress bar shows on the terminal.
        speed: below 1 for slow motion.

    Raises:
        ValueError: another file type, or a file that cannot be written.
    """
    path = Path(path)
    check_writable(path, *SUFFIXES)
    fps = envs.metadata.get("render_fps") or MAX_FPS
    stride = math.ceil(fps * speed / MAX_FPS)
    observations, _ = envs.reset(seed=seed)
    steps: range = range(max(round(seconds * fps), 1))
    with _writer(path, fps * speed / stride) as video:
        for i in track(steps, f"{path.name}", disable=not progress, transient=True):
            if before_step is not None:
                before_step(i / fps)
            if i % stride == 0:
                video.append_data(_frame(envs))
            observations, *_ = envs.step(act(observations))


def _writer(path: Path, fps: float) -> Any:
    if path.suffix == ".gif":
        return imageio.get_writer(path, mode="I", duration=1000 / fps, loop=0)
    return imageio.get_writer(
        path,
        format="FFMPEG",  # pyright: ignore[reportArgumentType]
        fps=fps,
        codec="libx264",
        pixelformat="yuv420p",
        macro_block_size=2,
        output_params=["-crf", "20", "-movflags", "+faststart"],
    )


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


def _frame(envs: VectorEnv) -> np.ndarray:
    """The picture of the first environment, (height, width, 3) uint8."""
    frames = envs.render()
    if not frames:
        raise ValueError("the environment renders nothing: make it with render_mode='rgb_array'")
    return np.asarray(frames[0])

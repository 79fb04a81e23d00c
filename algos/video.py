"""Videos of a policy in a vector environment."""

from collections.abc import Callable
from pathlib import Path

import imageio
import numpy as np
from gymnasium.vector import VectorEnv
from rich.progress import track

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
) -> None:
    """Write an mp4 of the first environment, in real time; a finished episode starts anew.

    Args:
        path: the file, ending in .mp4; its folder is made if it is missing.
        envs: a vector environment with `render_mode="rgb_array"`.
        act: observations (n, O) to the environment's actions.
        seconds: length of the video.
        seed: seed of the environments' reset.
        before_step: called with the time (s) ahead of every step.
        progress: whether a progress bar shows on the terminal.

    Raises:
        ValueError: another file type, or a file that cannot be written.
    """
    path = Path(path)
    check_writable(path, ".mp4")
    fps = envs.metadata.get("render_fps") or MAX_FPS
    stride = -(-fps // MAX_FPS)
    observations, _ = envs.reset(seed=seed)
    steps: range = range(max(round(seconds * fps), 1))
    with imageio.get_writer(
        path,
        format="FFMPEG",  # pyright: ignore[reportArgumentType]
        fps=fps / stride,
        codec="libx264",
        pixelformat="yuv420p",
        macro_block_size=2,
        output_params=["-crf", "20", "-movflags", "+faststart"],
    ) as video:
        for i in track(steps, f"{path.name}", disable=not progress, transient=True):
            if before_step is not None:
                before_step(i / fps)
            if i % stride == 0:
                video.append_data(_frame(envs))
            observations, *_ = envs.step(act(observations))


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

"""Frames of several environments in one picture, each with its label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from PIL import Image, ImageDraw, ImageFont

from envs.show.video.frames import picture
from robots.usage import UsageError


def tiled(environments: Sequence[VectorEnv], labels: Sequence[str], columns: int) -> np.ndarray:
    """Return the frames of all environments row by row, (height, width, 3) uint8.

    Args:
        environments: each renders one frame for every simulation.
        labels: one for all frames of an environment.
        columns: frames in a row of the picture.

    Raises:
        ValueError: an environment renders nothing, or no pictures.
    """
    pairs = zip(environments, labels, strict=True)
    tiles = [tile for envs, label in pairs for tile in _frames(envs, label)]
    height, width = np.max([tile.shape[:2] for tile in tiles], axis=0)
    rows = math.ceil(len(tiles) / columns)
    picture = np.zeros((rows * height, columns * width, 3), np.uint8)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        picture[row * height :, column * width :][: tile.shape[0], : tile.shape[1]] = tile
    return picture


def _frames(envs: VectorEnv, label: str) -> list[np.ndarray]:
    try:
        frames: Any = envs.render()
    except NotImplementedError as error:
        raise UsageError("the environment has no render(), of which a video is made") from error
    if isinstance(frames, np.ndarray) and frames.ndim < 4:
        frames = [frames]
    if frames is None or not len(frames):
        raise UsageError("the environment renders nothing: make it with render_mode='rgb_array'")
    return [_labelled(picture(frame), label) for frame in frames]


def _labelled(frame: np.ndarray, label: str) -> np.ndarray:
    """The frame with a label at the bottom right."""
    if not label:
        return frame
    image = Image.fromarray(np.ascontiguousarray(frame))
    draw = ImageDraw.Draw(image, "RGBA")
    size = max(min(image.height // 28, image.width // 32), 8)
    font, place = ImageFont.load_default(size), (image.width - size, image.height - size)
    box = draw.textbbox(place, label, font, anchor="rd")
    edge = size / 3
    outer = (box[0] - edge, box[1] - edge, box[2] + edge, box[3] + edge)
    draw.rounded_rectangle(outer, radius=edge, fill=(20, 24, 28, 170))
    draw.text(place, label, "white", font, anchor="rd")
    return np.asarray(image)

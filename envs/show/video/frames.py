"""What environments render, as pictures of one kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageOps

from robots.usage import UsageError


def picture(frame: Any) -> np.ndarray:
    """Return what an environment rendered, (height, width, 3) uint8.

    Grey becomes colour, transparency goes, floats and bools up to 1 become 0 to 255, and of several
    frames the last is taken.

    Raises:
        ValueError: it is no picture.
    """
    if isinstance(frame, list | tuple) and frame and isinstance(frame[-1], np.ndarray):
        frame = frame[-1]
    if hasattr(frame, "__array_interface__") or hasattr(frame, "__array__"):
        frame = np.asarray(frame)
    if not isinstance(frame, np.ndarray | list | tuple):
        raise _no_picture(" ".join(f"{frame!r:.40}".split()))
    pixels = np.asarray(frame)
    pixels = pixels[-1] if pixels.ndim == 4 and len(pixels) else pixels
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if (
        pixels.ndim != 3
        or not pixels.size
        or pixels.shape[2] > 4
        or pixels.dtype.kind not in "buif"
    ):
        raise _no_picture(f"an array {pixels.shape} of {pixels.dtype}")
    colours = pixels[:, :, :3] if pixels.shape[2] > 2 else pixels[:, :, :1].repeat(3, axis=2)
    return _bytes(colours)


def _bytes(colours: np.ndarray) -> np.ndarray:
    if colours.dtype == np.uint8:
        return colours
    brightest = 1 if colours.dtype.kind == "b" else np.nanmax(colours)
    share = colours.dtype.kind in "bf" and brightest <= 1
    return (
        np.nan_to_num(colours * 255.0 if share else colours).clip(0, 255).round().astype(np.uint8)
    )


def _no_picture(what: str) -> UsageError:
    return UsageError(
        f"the environment's render() returned {what}; a video needs arrays of height × width × 3"
    )


def fitted(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a picture in another size, as large as fits and black round it."""
    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(ImageOps.pad(image, (width, height)))

"""Textures small enough for a browser that waits for them."""

from __future__ import annotations

import mujoco
import numpy as np
from PIL import Image

LARGEST = 256
"""Side of a texture on the page (pixels); a robot fills a few hundred of them."""


def shrink(model: mujoco.MjModel) -> None:
    """Shrink a model's two-dimensional textures to LARGEST, in place.

    Menagerie's have 2048 × 2048 pixels, a dozen megabytes of PNG a robot, and several of memory
    each in the browser.
    """
    (flat,) = np.nonzero(model.tex_type == mujoco.mjtTexture.mjTEXTURE_2D)
    for texture in flat:
        width, height = int(model.tex_width[texture]), int(model.tex_height[texture])
        channels, start = int(model.tex_nchannel[texture]), int(model.tex_adr[texture])
        if max(width, height) <= LARGEST:
            continue
        pixels = model.tex_data[start : start + width * height * channels]
        image = Image.fromarray(pixels.reshape(height, width, channels).squeeze())
        image.thumbnail((LARGEST, LARGEST), Image.Resampling.BOX)
        small = np.asarray(image).ravel()
        model.tex_width[texture], model.tex_height[texture] = image.size
        model.tex_data[start : start + small.size] = small

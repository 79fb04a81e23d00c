"""Textures that are small and look the same."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from mjviser.conversions import _extract_texture_image

from envs.show.web import textures


@pytest.mark.parametrize(
    ("width", "height", "shrunk"), [(512, 1024, (128, 256)), (64, 32, (64, 32))]
)
def test_a_texture_is_shrunk_and_shows_the_same(
    width: int, height: int, shrunk: tuple[int, int]
) -> None:
    """Left is red, right is blue, and below all is dark; another texture stays what it is."""
    spec = mujoco.MjSpec()
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2, 0] = picture[: height // 2, width // 2 :, 2] = 200
    for name in ("one", "other"):
        texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D)
        texture.width, texture.height, texture.nchannel = width, height, 3
        texture.data = picture.tobytes()
    model = spec.compile()
    textures.shrink(model)
    for index in range(2):
        image = _extract_texture_image(model, index)
        assert image is not None
        assert image.size == shrunk
        pixels = np.flipud(np.asarray(image))  # MuJoCo's rows begin at the bottom
        columns, rows = shrunk[0] // 4, shrunk[1] // 4
        assert pixels[rows, columns].tolist() == [200, 0, 0]
        assert pixels[rows, 3 * columns].tolist() == [0, 0, 200]
        assert not pixels[3 * rows].any()

"""What tests of several folders share."""

from __future__ import annotations

import pytest

from envs.render import gl


@pytest.fixture(scope="module")
def opengl() -> None:
    """Skip where the machine cannot render."""
    try:
        gl.choose_backend()
    except gl.OpenGLError as error:
        pytest.skip(str(error))

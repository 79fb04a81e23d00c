"""What tests of several folders share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from envs.render import gl


@pytest.fixture(scope="module")
def opengl() -> None:
    """Skip where the machine cannot render."""
    try:
        gl.choose_backend()
    except gl.OpenGLError as error:
        pytest.skip(str(error))


@pytest.fixture
def signals() -> Iterator[None]:
    """Give the handlers of signals back that a program takes."""
    old = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in old.items():
        signal.signal(number, handler)

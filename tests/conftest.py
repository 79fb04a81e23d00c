"""What tests of several folders share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import cache

import pytest

from algos import terminal
from envs.render import gl


def pytest_configure() -> None:
    """Hear the signals that `nohup`, or a script's background, has the suite inherit as ignored."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, None)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler or signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what only root may do."""
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason="only root may do this"))


@pytest.fixture(scope="module")
def opengl() -> None:
    """Skip where the machine cannot render."""
    try:
        gl.choose_backend()
    except gl.OpenGLError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def onnx_operators() -> Iterator[None]:
    """Have torch gather ONNX's operators once, not for each file anew, which takes a second."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    once = staticmethod(cache(ONNXRegistry.from_torchlib))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", once)
        yield


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back the handlers of signals, the streams and the folder that a program takes."""
    monkeypatch.setattr(terminal, "_streams", {})
    monkeypatch.setattr(terminal, "_folder", None)
    old = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in old.items():
        signal.signal(number, handler)

"""MuJoCo's viewer: keys of a real keyboard, on a display in memory."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mujoco
import pytest

from envs.show.live import ACTIONS
from envs.show.viewer import KEYS

ROOT = Path(__file__).parents[3]
DRIVER = """
import numpy as np
from envs.show import viewer
from envs.show.live import Live
from envs.vector import LocomotionVectorEnv

live = Live(
    LocomotionVectorEnv(1),
    {"zero": lambda: lambda observation: np.zeros((1, 12))},
    "zero",
    seed=0,
    command=(0.0, 0.0, 0.0),
)
steer = live.steer
live.steer = lambda command: (steer(command), print("steered", *live.command, flush=True))
viewer.watch(live)
"""
"""Opens the viewer, and prints every command that the keys give."""
UP, LEFT, NINE = 0xFF52, 0xFF51, ord("9")
"""X11's names of keys."""


class Keyboard:
    """Presses keys of an X server, as a user would (its XTEST extension)."""

    def __init__(self, display: str) -> None:
        names = ctypes.util.find_library("X11"), ctypes.util.find_library("Xtst")
        if not all(names):
            pytest.skip("no libX11 and libXtst to press keys with")
        self._x11, self._xtst = (ctypes.CDLL(name) for name in names)
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x11.XOpenDisplay(display.encode()))

    def press(self, symbol: int) -> None:
        code = self._x11.XKeysymToKeycode(self._display, ctypes.c_ulong(symbol))
        for down in (1, 0):
            self._xtst.XTestFakeKeyEvent(self._display, code, down, 0)
        self._x11.XFlush(self._display)


@pytest.fixture
def display() -> Iterator[str]:
    """The name of an X server that draws into memory."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb (apt-get install xvfb)")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    number = server.stdout.readline().strip()
    if not number:
        server.wait()
        pytest.skip("Xvfb does not start here")
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.browser
def test_keys_steer_the_robot(display: str, tmp_path: Path) -> None:
    keyboard, log = Keyboard(display), tmp_path / "log"
    environment = os.environ | {"DISPLAY": display, "MUJOCO_GL": "glfw"}
    with log.open("w") as out:
        viewer = subprocess.Popen(
            [sys.executable, "-c", DRIVER], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    try:
        _wait(log, "keys:", viewer)
        seen, deadline = "", time.monotonic() + 60
        while "steered" not in seen and time.monotonic() < deadline:  # until it has its window
            keyboard.press(UP)
            time.sleep(0.5)
            seen = log.read_text()
        keyboard.press(LEFT)
        keyboard.press(NINE)
        last = _wait(log, " -0.04 0.12", viewer).splitlines()[-1].split()
        assert float(last[1]) >= 0.1
        assert last[2:] == ["-0.04", "0.12"]
    finally:
        viewer.kill()
        viewer.wait()


def _wait(log: Path, text: str, process: subprocess.Popen[bytes]) -> str:
    """Wait for a text in a log; skip where the display has no OpenGL for the window."""
    deadline = time.monotonic() + 60
    while text not in (seen := log.read_text()):
        if "GLFW" in seen or "GLX" in seen:
            pytest.skip(f"no OpenGL on Xvfb: {seen.strip().splitlines()[-1]}")
        assert process.poll() is None, seen
        assert time.monotonic() < deadline, f"no {text!r} in {seen!r}"
        time.sleep(0.1)
    return seen


def test_every_key_has_its_own_action_and_leaves_the_viewer_s_alone() -> None:
    codes = [code for code, _ in KEYS.values()]
    assert len(set(codes)) == len(codes)
    assert {name for _, name in KEYS.values()} == set(ACTIONS)
    taken = {row[2] for row in (*mujoco.mjVISSTRING, *mujoco.mjRNDSTRING)} | set("012345")
    assert not {chr(code) for code in codes if code < 128} & taken

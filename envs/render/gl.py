"""Which OpenGL backend renders: the user's choice, the display's, or a headless one that works."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from contextlib import suppress
from functools import cache


class OpenGLError(RuntimeError):
    """Rendering is not possible on this machine as it is."""


_HEADLESS = {"egl": "EGL", "osmesa": "OSMesa"}
_OFF = ("disable", "disabled", "off", "false", "0")
"""Values of MUJOCO_GL with which MuJoCo leaves OpenGL alone."""
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
_GLFW = ("glfw", "glx", "enable", "enabled", "on", "true", "1")
"""Values of MUJOCO_GL with which MuJoCo draws on the display."""
_STEERING = ("PYOPENGL", "EGL", "LIBGL", "GLX", "MESA", "GALLIUM")
"""What is in the names of environment variables that keep a backend from its library or device."""
_PROBE = """
import mujoco
mujoco.Renderer(mujoco.MjModel.from_xml_string("<mujoco/>"), 8, 8).render()
"""
_PATIENCE = {"glfw": 20.0}
"""Time for a backend to draw (s), where a display elsewhere may never answer."""
_LONG = 300.0
"""The same for the others, which a busy machine slows down."""


def import_mujoco() -> None:
    """Import MuJoCo, without OpenGL where MUJOCO_GL names a backend that cannot be loaded.

    What draws nothing needs none, and for what draws `choose_backend` finds another.
    """
    asked, platform = os.environ.get("MUJOCO_GL"), os.environ.get("PYOPENGL_PLATFORM")
    try:
        importlib.import_module("mujoco")
    except Exception:  # MuJoCo's or PyOpenGL's, which share no class
        if asked is None:
            raise
        _forget_pyopengl(platform)
        os.environ["MUJOCO_GL"] = _OFF[0]
        importlib.import_module("mujoco")
        os.environ["MUJOCO_GL"] = asked


def _forget_pyopengl(platform: str | None) -> None:
    """Undo an import of PyOpenGL, which stays with the platform of its first."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "OpenGL"]:
        del sys.modules[name]
    os.environ.pop("PYOPENGL_PLATFORM", None)
    if platform is not None:
        os.environ["PYOPENGL_PLATFORM"] = platform


def choose_backend() -> str:
    """Return a backend of MuJoCo's that draws on this machine, and set MUJOCO_GL to it.

    On Linux the one that MUJOCO_GL or a display asks for is tried, then EGL, then OSMesa, each in
    a process of its own, since a backend that failed cannot be unloaded. A line on stderr says
    so where the one that was asked for does not draw. Elsewhere MuJoCo's own choice is left alone.

    Raises:
        OpenGLError: none draws, or MUJOCO_GL forbids it.
    """
    chosen = os.environ.get("MUJOCO_GL", "").strip().lower()
    if chosen in _OFF:
        raise OpenGLError(f"MUJOCO_GL={chosen} rules rendering out: unset it")
    if sys.platform != "linux":
        return chosen
    asked, by = _asked(chosen)
    for backend in dict.fromkeys([*asked, *_HEADLESS]):
        if not _works(backend):
            continue
        if asked and backend not in asked:
            print(f"{by} cannot draw; {_HEADLESS[backend]} draws instead", file=sys.stderr)
        if backend in _HEADLESS:
            os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame's, for classic control
        os.environ["MUJOCO_GL"] = backend
        return backend
    if hindrance := _hindrance():
        raise OpenGLError(f"no OpenGL for rendering while {hindrance} is set: unset it")
    raise OpenGLError(
        f"no OpenGL for rendering{f' ({by} cannot draw)' if asked else ' without a display'}: "
        "install EGL (apt-get install libegl1 libgl1-mesa-dri) or OSMesa (apt-get install "
        "libosmesa6)"
    )


def display_works() -> bool:
    """Whether there is a display, and windows with OpenGL can be opened on it."""
    return sys.platform != "linux" or (bool(named_display()) and _works("glfw"))


def named_display() -> str:
    """Return the display that the environment names, as NAME=value, "" for none."""
    return next((f"{name}={os.environ[name]}" for name in _DISPLAYS if name in os.environ), "")


def _asked(chosen: str) -> tuple[list[str], str]:
    """Return the backend that is asked for, if any, and which variable asks for it."""
    if chosen:
        return ["glfw" if chosen in _GLFW else chosen], f"MUJOCO_GL={chosen}"
    display = named_display()
    return ["glfw"] if display else [], display


def prepare(env_id: str) -> None:
    """Choose ahead of dm_control, which takes a backend of its own when it is imported."""
    if env_id.startswith("dm_control/"):
        with suppress(OpenGLError):
            choose_backend()


def _hindrance() -> str:
    """Return the variables without which a backend draws, as NAME=value, "" for none."""
    backend = os.environ.get("MUJOCO_GL")
    steering = [
        name
        for name, value in os.environ.items()
        if any(word in name for word in _STEERING) and value != backend  # MuJoCo sets PyOpenGL's
    ]
    for names in (*((name,) for name in steering), tuple(steering)):
        if names and any(_works(backend, names) for backend in _HEADLESS):
            return " and ".join(f"{name}={os.environ[name]}" for name in names)
    return ""


@cache
def _works(backend: str, without: tuple[str, ...] = ()) -> bool:
    """Whether MuJoCo can draw with a backend, and without some of the environment's variables."""
    kept = {name: value for name, value in os.environ.items() if name not in without}
    environment = kept | {"MUJOCO_GL": backend}
    command, patience = [sys.executable, "-c", _PROBE], _PATIENCE.get(backend, _LONG)
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0

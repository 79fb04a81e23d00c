"""Which OpenGL backend renders: the user's choice, the display's, or a headless one."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from contextlib import suppress


class OpenGLError(RuntimeError):
    """Rendering is not possible on this machine as it is."""


_PROBE = "import mujoco; context = mujoco.GLContext(8, 8); context.make_current(); context.free()"


def check_backend() -> None:
    """Import MuJoCo, which loads the backend that MUJOCO_GL names.

    Raises:
        ImportError: MUJOCO_GL names a backend that is unknown or not installed.
    """
    try:
        importlib.import_module("mujoco")
    except Exception as error:
        if "MUJOCO_GL" not in os.environ:
            raise
        raise ImportError(
            f"MUJOCO_GL={os.environ['MUJOCO_GL']} does not work on this machine ({error}): unset "
            "it to let Trot choose, or install its library (apt-get install libegl1 "
            "libgl1-mesa-dri for egl, libosmesa6 for osmesa)"
        ) from None


def choose_backend() -> str:
    """Return MuJoCo's backend, and set MUJOCO_GL to it where the machine has no display.

    A MUJOCO_GL that the user set is kept. Without it and without a display EGL is tried, then
    OSMesa, each in a process of its own, since a backend that failed cannot be unloaded. The
    empty string is MuJoCo's default for a display.

    Raises:
        OpenGLError: no display, and neither headless backend works.
    """
    chosen = os.environ.get("MUJOCO_GL", "").strip().lower()
    display = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if chosen or display:
        return chosen
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame draws Gymnasium's classic tasks
    for backend in ("egl", "osmesa"):
        if _works(backend):
            os.environ["MUJOCO_GL"] = backend
            return backend
    raise OpenGLError(
        "no OpenGL for rendering without a display: install EGL (apt-get install libegl1 "
        "libgl1-mesa-dri) or OSMesa (apt-get install libosmesa6)"
    )


def prepare(env_id: str) -> None:
    """Choose ahead of dm_control, which takes a backend of its own when it is imported."""
    if env_id.startswith("dm_control/"):
        with suppress(OpenGLError):
            choose_backend()


def _works(backend: str) -> bool:
    """Whether MuJoCo can make a context of this backend."""
    environment = os.environ | {"MUJOCO_GL": backend}
    done = subprocess.run([sys.executable, "-c", _PROBE], env=environment, capture_output=True)
    return done.returncode == 0

"""Frames of the simulations, one OpenGL context for all of them."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import mujoco
import numpy as np

from envs.mdp.state import State
from envs.render.camera import TrackingCamera, reach
from envs.render.gl import OpenGLError, choose_backend
from envs.render.overlay import ContactHistory, write_overlay
from envs.render.velocities import Ground, draw_velocities
from envs.sim.physics import Physics
from robots.robot import Robot

SAMPLES, SHADOW_SIZE, SLICES, STACKS = 0, 1024, 16, 8
"""Multisampling, width of the shadow map (pixels), facets of round geoms. Without a GPU a frame
takes a quarter of the time that MuJoCo's defaults (4, 4096, 28, 16) take."""
SOFT = 960
"""Width of a frame (pixels) from which shadows have soft edges: each light takes half as long
as all the rest of a frame without a GPU."""
_LIGHT_DISTANCE, _LIT = 4.0, 1.3
"""From the base to the lights (m), and where shadows are cast around it (reaches)."""


class BatchRenderer:
    """Renders n simulations, one OpenGL context for all of them.

    Args:
        physics: the simulations; only read.
        n: their number.
        model: with their coordinates and the geoms to be shown.
        robot: the robot in them.
        dt: time between frames (s).
        ground: its height, above which the camera stands.
        width, height: size of a frame (pixels).

    Raises:
        OpenGLError: no OpenGL backend works here.
    """

    def __init__(
        self,
        physics: Physics,
        n: int,
        model: mujoco.MjModel,
        robot: Robot,
        dt: float,
        ground: Ground,
        width: int = 1280,
        height: int = 720,
    ) -> None:
        self._physics, self._model, self._ground = physics, model, ground
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        quality = model.vis.quality
        quality.offsamples, quality.shadowsize = SAMPLES, SHADOW_SIZE
        quality.numslices, quality.numstacks = SLICES, STACKS
        self._reach = reach(model, robot)
        model.vis.map.shadowclip = _LIT * self._reach / model.stat.extent
        if width < SOFT:
            _merge_lights(model)
        self._data = mujoco.MjData(model)
        self._base = model.body(robot.base).id
        self._cameras = [TrackingCamera(dt, self._reach, width / height) for _ in range(n)]
        feet, self._legs = len(robot.feet), robot.legs
        self._contacts = [ContactHistory(dt, feet) for _ in range(n)]
        self._option, self._scene = mujoco.MjvOption(), mujoco.MjvScene(model, 1000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._context_gl, self._context = contexts(model, width, height)
        self._viewport = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), np.uint8)

    def frames(self, state: State) -> tuple[np.ndarray, ...]:
        """Return a frame (height, width, 3) uint8 for every simulation."""
        self._context_gl.make_current()
        return tuple(self._frame(i, state) for i in range(len(self._cameras)))

    def _frame(self, i: int, state: State) -> np.ndarray:
        data = self._pose(i)
        axis = data.xmat[self._base].reshape(3, 3)[:, 0]
        heading = float(np.arctan2(axis[1], axis[0]))
        position = data.xpos[self._base]
        below = np.array([*position[:2], self._ground(position[:2])])
        self._cameras[i].follow(below, heading)
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._option,
            None,
            self._cameras[i].camera,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )
        command, actual = state.velocity_command[i], state.velocity[i]
        draw_velocities(self._scene, position, heading, command, actual, self._ground, self._reach)
        mujoco.mjr_render(self._viewport, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._viewport, self._context)
        self._contacts[i].add(state.foot_contact[i], data.time)
        pattern, pixels = self._contacts[i].pattern, self._pixels[::-1]
        gait = self._contacts[i].told(state, i) if state.has_velocity_command else ""
        return write_overlay(pixels, command, actual, data.time, pattern, self._legs, gait)

    def _pose(self, i: int) -> mujoco.MjData:
        """Return the shown model's data in the pose of simulation i, the lights overhead."""
        data = self._data
        self._physics.pose(i, data)
        mujoco.mj_kinematics(self._model, data)
        mujoco.mj_comPos(self._model, data)
        mujoco.mj_camlight(self._model, data)
        data.light_xpos[:] = data.xpos[self._base] - _LIGHT_DISTANCE * data.light_xdir
        return data

    def close(self) -> None:
        """Free the OpenGL context."""
        self._context_gl.make_current()
        self._context.free()
        self._context_gl.free()


def _merge_lights(model: mujoco.MjModel) -> None:
    """Have the first light shine straight down for all of them."""
    model.light_diffuse[0], model.light_specular[0] = (
        model.light_diffuse.sum(0),
        model.light_specular.sum(0),
    )
    model.light_dir[0] = [0.0, 0.0, -1.0]
    model.light_active[1:] = 0


def contexts(model: mujoco.MjModel, width: int, height: int) -> tuple[Any, mujoco.MjrContext]:
    """Make the chosen backend's context, also where MuJoCo was imported with another one."""
    backend = choose_backend()
    module = f"mujoco.{backend}" if sys.platform == "linux" else "mujoco.gl_context"
    try:
        context_gl = importlib.import_module(module).GLContext(width, height)
        context_gl.make_current()
        context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, context)
    except Exception as error:  # MuJoCo's, PyOpenGL's or GLFW's, which share no class
        raise OpenGLError(f"OpenGL backend {backend or 'of the display'}: {error}") from error
    return context_gl, context

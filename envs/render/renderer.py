"""Frames of the simulations: a tracking camera, and the velocities drawn over the robot."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import mujoco
import numpy as np

from envs.mdp.state import State
from envs.render.gl import OpenGLError, choose_backend
from envs.render.overlay import ACTUAL, COMMANDED, ContactHistory, write_overlay
from envs.sim.physics import Physics
from robots.robot import Robot

SAMPLES, SHADOW_SIZE, SLICES, STACKS = 0, 2048, 16, 8
"""Multisampling, width of the shadow map (pixels), facets of round geoms. Without a GPU a frame
takes a quarter of the time that MuJoCo's defaults (4, 4096, 28, 16) take."""
_LIGHT_DISTANCE = 4.0
"""From the base to the light (m): shadows are cast around where it points."""
_ARROW_HEIGHTS = (0.46, 0.36)
"""Of the commanded and the actual arrow above the base (m)."""
_ARROW_SCALE = 0.8
"""Length of an arrow for 1 m/s (m)."""
_ARC_RADII = (0.85, 0.75)
"""Of the commanded and the actual arc on the ground (m)."""
_ARC_SCALE = 0.8
"""Angle of an arc for 1 rad/s (rad)."""
_ARC_POINTS = 13
_SHORTEST = 0.05
"""Speeds below this are not drawn (m/s, rad/s)."""


class TrackingCamera:
    """Follows the base smoothly, from the robot's front left.

    Args:
        dt: time between frames (s).
        distance: from the robot (m).
    """

    POSITION_LAG, HEADING_LAG = 0.25, 1.5
    """Time constants of the low-pass filters on position and heading (s)."""
    JUMP = 1.0
    """A base that moves further than this between frames was reset (m): the camera jumps too."""

    def __init__(self, dt: float, distance: float = 2.5) -> None:
        self._gains = 1 - np.exp(-dt / np.array([self.POSITION_LAG, self.HEADING_LAG]))
        self._position = np.full(2, np.inf)
        self._heading = 0.0
        self.camera = mujoco.MjvCamera()
        self.camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        self.camera.distance = distance
        self.camera.elevation = -20

    def follow(self, position: np.ndarray, heading: float) -> None:
        """Move towards a base at position (m), (2,), with a heading (rad)."""
        if np.linalg.norm(position - self._position) > self.JUMP:
            self._position, self._heading = position.copy(), heading
        turn = (heading - self._heading + np.pi) % (2 * np.pi) - np.pi
        self._position += self._gains[0] * (position - self._position)
        self._heading += self._gains[1] * turn
        self.camera.lookat = [*self._position, 0.45]
        self.camera.azimuth = np.degrees(self._heading) + 180 - 50


class BatchRenderer:
    """Renders n simulations, one OpenGL context for all of them.

    Args:
        physics: the simulations; only read.
        n: their number.
        model: with their coordinates and the geoms to be shown.
        robot: the robot in them.
        dt: time between frames (s).
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
        width: int = 1280,
        height: int = 720,
    ) -> None:
        self._physics, self._model = physics, model
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        quality = model.vis.quality
        quality.offsamples, quality.shadowsize = SAMPLES, SHADOW_SIZE
        quality.numslices, quality.numstacks = SLICES, STACKS
        self._data = mujoco.MjData(model)
        self._base = model.body(robot.base).id
        self._cameras = [TrackingCamera(dt) for _ in range(n)]
        feet, self._legs = len(robot.feet), robot.legs
        self._contacts = [ContactHistory(dt, feet) for _ in range(n)]
        self._option, self._scene = mujoco.MjvOption(), mujoco.MjvScene(model, 1000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._context_gl = _gl_context(width, height)
        self._context_gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
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
        self._cameras[i].follow(position[:2], heading)
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._option,
            None,
            self._cameras[i].camera,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )
        actual = np.array([*state.lin_vel_b[i, :2], state.ang_vel_b[i, 2]])
        draw_velocities(self._scene, position, heading, state.command[i], actual)
        mujoco.mjr_render(self._viewport, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._viewport, self._context)
        self._contacts[i].add(state.foot_contact[i], data.time)
        pattern, pixels = self._contacts[i].pattern, self._pixels[::-1]
        return write_overlay(pixels, state.command[i], actual, data.time, pattern, self._legs)

    def _pose(self, i: int) -> mujoco.MjData:
        """Return the shown model's data in the pose of simulation i, the light overhead."""
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


def draw_velocities(
    scene: mujoco.MjvScene,
    position: np.ndarray,
    heading: float,
    command: np.ndarray,
    actual: np.ndarray,
) -> None:
    """Add an arrow over the robot for each planar velocity, an arc round it for each yaw rate.

    Args:
        scene: drawn into.
        position: of the base (m), (3,).
        heading: of the base (rad).
        command, actual: forward and leftward speed (m/s) and yaw rate (rad/s), (3,).
    """
    for start, end, pointed, colour in velocity_strokes(position, heading, command, actual):
        if pointed:
            _arrow(scene, start, end, colour)
        else:
            _connect(scene, mujoco.mjtGeom.mjGEOM_CAPSULE, 0.012, start, end, colour)


def velocity_strokes(
    position: np.ndarray, heading: float, command: np.ndarray, actual: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, bool, tuple[float, float, float]]]:
    """Yield `draw_velocities`' strokes: start and end (m), (3,), whether an arrow, colour."""
    for velocity, colour, height, radius in zip(
        (command, actual), (COMMANDED, ACTUAL), _ARROW_HEIGHTS, _ARC_RADII, strict=True
    ):
        speed = float(np.hypot(velocity[0], velocity[1]))
        if speed > _SHORTEST:
            start = position + np.array([0.0, 0.0, height])
            angle = heading + float(np.arctan2(velocity[1], velocity[0]))
            yield start, start + _ARROW_SCALE * speed * _direction(angle), True, colour
        if abs(velocity[2]) > _SHORTEST:
            centre = np.array([position[0], position[1], 0.02])
            angles = heading + _ARC_SCALE * velocity[2] * np.linspace(0.0, 1.0, _ARC_POINTS)
            arc = [centre + radius * _direction(angle) for angle in angles]
            for start, end in pairwise(arc[:-4]):
                yield start, end, False, colour
            yield arc[-5], arc[-1], True, colour


def _gl_context(width: int, height: int) -> Any:
    """Make the chosen backend's context, also where MuJoCo was imported with another one."""
    backend = choose_backend()
    module = f"mujoco.{backend}" if backend in ("egl", "osmesa") else "mujoco.gl_context"
    try:
        return importlib.import_module(module).GLContext(width, height)
    except Exception as error:
        raise OpenGLError(f"OpenGL backend {backend or 'of the display'}: {error}") from error


def _direction(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle), 0.0])


def _arrow(
    scene: mujoco.MjvScene, start: np.ndarray, end: np.ndarray, colour: tuple[float, ...]
) -> None:
    width = min(0.018, 0.14 * float(np.linalg.norm(end - start)))
    _connect(scene, mujoco.mjtGeom.mjGEOM_ARROW, width, start, end, colour)


def _connect(
    scene: mujoco.MjvScene,
    kind: mujoco.mjtGeom,
    width: float,
    start: np.ndarray,
    end: np.ndarray,
    colour: tuple[float, ...],
) -> None:
    """Add a geom from start to end to the scene."""
    geom = scene.geoms[scene.ngeom]
    rgba = np.array([*colour, 1.0], np.float32)
    mujoco.mjv_initGeom(geom, kind, np.zeros(3), np.zeros(3), np.zeros(9), rgba)
    mujoco.mjv_connector(geom, kind, width, start, end)
    geom.emission = 0.4
    scene.ngeom += 1

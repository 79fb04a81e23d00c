"""Commanded and actual velocities, drawn over the robot as arrows and arcs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import mujoco
import numpy as np

from envs.render.overlay import ACTUAL, COMMANDED

_ARROW_HEIGHTS = (0.46, 0.36)
"""Of the commanded and the actual arrow above the base (m)."""
_ARROW_SCALE = 0.8
"""Length of an arrow for 1 m/s (m)."""
_ARC_HEIGHT = 0.02
"""Of the arcs above the ground (m)."""
_ARC_RADII = (0.85, 0.75)
"""Of the commanded and the actual arc on the ground (m)."""
_ARC_SCALE = 0.8
"""Angle of an arc for 1 rad/s (rad)."""
_ARC_POINTS = 13
_SHORTEST = 0.05
"""Speeds below this are not drawn (m/s, rad/s)."""

Ground = Callable[[np.ndarray], np.ndarray]
"""Height of the ground (m), (…), below points (x, y) (m), (…, 2)."""


def draw_velocities(
    scene: mujoco.MjvScene,
    position: np.ndarray,
    heading: float,
    command: np.ndarray,
    actual: np.ndarray,
    ground: Ground,
) -> None:
    """Add an arrow over the robot for each planar velocity, an arc round it for each yaw rate.

    Args:
        scene: drawn into.
        position: of the base (m), (3,).
        heading: of the base (rad).
        command, actual: forward and leftward speed (m/s) and yaw rate (rad/s), (3,).
        ground: its height; arcs follow it.
    """
    for start, end, pointed, colour in velocity_strokes(position, heading, command, actual, ground):
        if pointed:
            _arrow(scene, start, end, colour)
        else:
            _connect(scene, mujoco.mjtGeom.mjGEOM_CAPSULE, 0.012, start, end, colour)


def velocity_strokes(
    position: np.ndarray, heading: float, command: np.ndarray, actual: np.ndarray, ground: Ground
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
            angles = heading + _ARC_SCALE * velocity[2] * np.linspace(0.0, 1.0, _ARC_POINTS)
            centre = np.array([position[0], position[1], 0.0])
            arc = np.array([centre + radius * _direction(angle) for angle in angles])
            arc[:, 2] = ground(arc[:, :2]) + _ARC_HEIGHT
            for start, end in pairwise(arc[:-4]):
                yield start, end, False, colour
            yield arc[-5], arc[-1], True, colour


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

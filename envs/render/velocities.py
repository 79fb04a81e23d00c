"""Commanded and actual velocities, drawn on the ground round the robot as arrows and arcs.

There they can be read from any side: seen from afar, what hangs in the air beside a robot is a dot
once it points at the camera. Lengths are in reaches of the robot (`envs.render.camera.reach`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import mujoco
import numpy as np

from envs.render.overlay import ACTUAL, COMMANDED

_LIFT = 0.02
"""Of arrows and arcs above the ground."""
_AHEAD = 0.85
"""Of the arrows, from the point below the base: before the robot nothing of it hides them."""
_ARROW_SCALE = 0.5
"""Length of an arrow for 1 m/s."""
_FASTEST = 1.5
"""Speed (m/s) whose arrow still lies in the picture: where one is faster, both are shortened."""
_APART = 0.11
"""From the middle to the commanded arrow on its left, and to the actual one on its right."""
_ARC_RADII = (1.1, 0.93)
"""Of the commanded and the actual arcs."""
_ARC_SCALE = 1.0
"""Angle of an arc for 1 rad/s (rad)."""
_ARC_STARTS = (np.pi / 2, -np.pi / 2)
"""Of a turn's two arcs, from the heading (rad): on either side, since one may be hidden."""
_ARC_POINTS = 13
_HEAD_POINTS = 5
"""Points of an arc that its head takes."""
_ARC_WIDTH, _ARROW_WIDTH = 0.025, 0.05
"""Radii of an arc and of an arrow's shaft."""
_SLENDER = 0.14
"""Largest radius of a shaft by the arrow's length."""
_FLAT = 0.3
"""Height of an arrow by its width: a head that points away must not look like a ball."""
_SHORTEST = 0.15
"""Speeds below this are not drawn (m/s, rad/s): they would be dots."""

Ground = Callable[[np.ndarray], np.ndarray]
"""Height of the ground (m), (…), below points (x, y) (m), (…, 2)."""


def draw_velocities(
    scene: mujoco.MjvScene,
    position: np.ndarray,
    heading: float,
    command: np.ndarray,
    actual: np.ndarray,
    ground: Ground,
    reach: float,
) -> None:
    """Add an arrow before the robot for each planar velocity, arcs round it for each yaw rate.

    Args:
        scene: drawn into.
        position: of the base (m), (3,).
        heading: of the base (rad).
        command, actual: forward and leftward speed (m/s) and yaw rate (rad/s), (3,).
        ground: its height; arrows and arcs follow it.
        reach: the robot's (m).
    """
    for start, end, pointed, colour in velocity_strokes(
        position, heading, command, actual, ground, reach
    ):
        width = (_ARROW_WIDTH if pointed else _ARC_WIDTH) * reach
        _connect(scene, pointed, width, start, end, colour)


def velocity_strokes(
    position: np.ndarray,
    heading: float,
    command: np.ndarray,
    actual: np.ndarray,
    ground: Ground,
    reach: float,
) -> Iterator[tuple[np.ndarray, np.ndarray, bool, tuple[float, float, float]]]:
    """Yield `draw_velocities`' strokes: start and end (m), (3,), whether an arrow, colour."""

    def on_ground(points: np.ndarray) -> np.ndarray:
        """Points round the robot (reaches), (n, 2), to points on the ground (m), (n, 3)."""
        around = position[:2] + reach * points
        return np.column_stack([around, ground(around) + _LIFT * reach])

    fastest = max(_FASTEST, *(float(np.hypot(v[0], v[1])) for v in (command, actual)))
    scale = _ARROW_SCALE * _FASTEST / fastest
    for velocity, colour, side, radius in zip(
        (command, actual), (COMMANDED, ACTUAL), (_APART, -_APART), _ARC_RADII, strict=True
    ):
        speed = float(np.hypot(velocity[0], velocity[1]))
        if speed > _SHORTEST:
            forward = _direction(heading)
            along = _direction(heading + float(np.arctan2(velocity[1], velocity[0])))
            across = side * np.array([-along[1], along[0]])
            tail = (_AHEAD + scale * max(-velocity[0], 0.0)) * forward + across
            start, end = on_ground(tail + np.outer([0.0, scale * speed], along))
            yield start, end, True, colour
        if abs(velocity[2]) > _SHORTEST:
            turn = _ARC_SCALE * velocity[2] * np.linspace(0.0, 1.0, _ARC_POINTS)
            for start_angle in _ARC_STARTS:
                angles = heading + start_angle + turn
                arc = on_ground(radius * np.array([_direction(angle) for angle in angles]))
                for start, end in pairwise(arc[: 1 - _HEAD_POINTS]):
                    yield start, end, False, colour
                yield arc[-_HEAD_POINTS], arc[-1], True, colour


def _direction(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle)])


def _connect(
    scene: mujoco.MjvScene,
    pointed: bool,
    width: float,
    start: np.ndarray,
    end: np.ndarray,
    colour: tuple[float, ...],
) -> None:
    """Add a flat arrow or a line from start to end to the scene."""
    geom, kind = scene.geoms[scene.ngeom], mujoco.mjtGeom
    shape = kind.mjGEOM_ARROW if pointed else kind.mjGEOM_CAPSULE
    rgba = np.array([*colour, 1.0], np.float32)
    mujoco.mjv_initGeom(geom, shape, np.zeros(3), np.zeros(3), np.zeros(9), rgba)
    width = min(width, _SLENDER * float(np.linalg.norm(end - start))) if pointed else width
    mujoco.mjv_connector(geom, shape, width, start, end)
    if pointed:
        geom.size[2] *= 2.0  # MuJoCo draws an arrow half as long
        along = geom.mat[:, 2]
        across = np.cross([0.0, 0.0, 1.0], along)
        across /= np.linalg.norm(across)
        geom.mat = np.column_stack([across, np.cross(along, across), along])
        geom.size[1] *= _FLAT
    geom.emission = 0.4
    scene.ngeom += 1

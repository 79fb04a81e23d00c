"""How robots of our own are painted: materials, and a brush that adds shapes to look at."""

from __future__ import annotations

from typing import Any, NamedTuple

import mujoco

from robots.collision import VISUAL_GROUP

Vec = tuple[float, float, float]


class Paint(NamedTuple):
    rgba: tuple[float, float, float, float]
    specular: float
    shininess: float


PAINTS = {
    "shell": Paint((0.62, 0.045, 0.03, 1), 0.4, 0.6),
    "body": Paint((0.12, 0.125, 0.135, 1), 0.3, 0.4),
    "leg": Paint((0.06, 0.06, 0.065, 1), 0.4, 0.5),
    "drive": Paint((0.34, 0.35, 0.37, 1), 0.5, 0.6),
    "rubber": Paint((0.02, 0.02, 0.02, 1), 0.05, 0.1),
    "glass": Paint((0.03, 0.06, 0.11, 1), 1.0, 0.95),
    "metal": Paint((0.6, 0.61, 0.63, 1), 0.7, 0.8),
}


def add_paints(spec: mujoco.MjSpec) -> None:
    """Add the materials that the parts refer to."""
    for name, paint in PAINTS.items():
        spec.add_material(
            name=name, rgba=paint.rgba, specular=paint.specular, shininess=paint.shininess
        )


class Brush:
    """Adds visual geoms to a body, in axes turned by `quat` (wxyz) from the body's."""

    def __init__(self, body: mujoco.MjsBody, quat: tuple[float, ...] = (1, 0, 0, 0)) -> None:
        self._frame = body.add_frame(quat=quat)

    def _add(self, kind: mujoco.mjtGeom, paint: str, **shape: Any) -> None:
        self._frame.add_geom(
            type=kind,
            material=paint,
            group=VISUAL_GROUP,
            contype=0,
            conaffinity=0,
            mass=0,
            **shape,
        )

    def box(self, paint: str, center: Vec, half: Vec, pitch: float = 0) -> None:
        """Add a box turned by `pitch` (rad) about y."""
        self._add(mujoco.mjtGeom.mjGEOM_BOX, paint, pos=center, size=half, euler=(0, pitch, 0))

    def ball(self, paint: str, center: Vec, half: Vec) -> None:
        """Add an ellipsoid."""
        self._add(mujoco.mjtGeom.mjGEOM_ELLIPSOID, paint, pos=center, size=half)

    def rod(self, paint: str, start: Vec, end: Vec, radius: float) -> None:
        """Add a capsule; its round ends reach a radius beyond the two points."""
        size = (radius, 0, 0)
        self._add(mujoco.mjtGeom.mjGEOM_CAPSULE, paint, fromto=(*start, *end), size=size)

    def disc(self, paint: str, start: Vec, end: Vec, radius: float) -> None:
        """Add a cylinder with flat ends at the two points."""
        size = (radius, 0, 0)
        self._add(mujoco.mjtGeom.mjGEOM_CYLINDER, paint, fromto=(*start, *end), size=size)

"""The ground: its geoms, and its height below a point, from which all heights are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import mujoco
import numpy as np

from envs.bounds import require

PREFIX = "trot/"
"""What the names of the world's own elements begin with, so that a robot may use any other."""
GROUND = f"{PREFIX}ground"
"""Name of the geom that carries the robot."""
GROUND_GROUP = 1
"""Its geom group, which it has to itself: rays look for it there."""
MATERIAL = f"{PREFIX}grid"
"""Name of its material, with lines 1 m apart."""


@dataclass(frozen=True)
class Terrain:
    """Ground without end; by default flat, at height 0."""

    name: ClassVar[str]
    """Name in `envs.sim.TERRAINS`."""

    def attach(self, spec: mujoco.MjSpec) -> None:
        """Add the ground to a world that has `MATERIAL`."""
        add_plane(spec)

    def height(self, position: np.ndarray) -> np.ndarray:
        """Return the height of the ground (m), (…), below points (x, y) (m), (…, 2)."""
        return np.zeros(position.shape[:-1])


@dataclass(frozen=True)
class Flat(Terrain):
    """A plane at height 0."""

    name: ClassVar[str] = "flat"


@dataclass(frozen=True)
class Slope(Terrain):
    """A plane that rises along x."""

    name: ClassVar[str] = "slope"
    angle: float = 0.1
    """Angle between the ground and the horizontal (rad)."""

    def __post_init__(self) -> None:
        require(abs(self.angle) <= 1, "slope angle", self.angle, "in [-1, 1] rad")

    def attach(self, spec: mujoco.MjSpec) -> None:
        """Add the tilted plane."""
        add_plane(spec).quat = [np.cos(self.angle / 2), 0, -np.sin(self.angle / 2), 0]

    def height(self, position: np.ndarray) -> np.ndarray:
        """Return the height of the ground (m), (…), below points (x, y) (m), (…, 2)."""
        return np.tan(self.angle) * position[..., 0]


def add_plane(spec: mujoco.MjSpec) -> mujoco.MjsGeom:
    """Add the endless plane through the origin that the robot stands on, and return it."""
    return spec.worldbody.add_geom(
        name=GROUND,
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0, 0, 0.05],
        material=MATERIAL,
        group=GROUND_GROUP,
        contype=1,
        conaffinity=1,
    )

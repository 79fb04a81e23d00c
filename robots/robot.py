"""What a robot is: a model and the named numbers that its users need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import mujoco

Collision = Literal["feet_and_body", "full"]


@dataclass(frozen=True)
class Robot:
    """A legged robot; every per-joint tuple follows the order of `joints`.

    The spec holds the robot alone: a free-floating base, no ground, no actuators, no sensors.
    The environments add those from the numbers below, so that two models of one robot
    (primitive or meshed) behave alike.
    """

    name: str
    build: Callable[[Collision], mujoco.MjSpec]
    """Makes a new spec of the robot at a collision level."""
    base: str
    """Body that carries the free joint."""
    legs: tuple[str, ...]
    """Leg prefixes, LF RF LH RH."""
    joints: tuple[str, ...]
    """Actuated hinge joints, leg by leg (LF RF LH RH), HAA HFE KFE within a leg."""
    feet: tuple[str, ...]
    """Foot collision geoms (spheres), one a leg, in leg order."""
    thighs: tuple[str, ...]
    """Thigh bodies, in leg order."""
    shanks: tuple[str, ...]
    """Shank bodies, in leg order; each also carries its foot geom."""
    nominal_pose: tuple[float, ...]
    """Joint positions of the nominal stance (rad)."""
    nominal_height: float
    """Height of the base frame above flat ground in the nominal stance (m)."""
    kp: float
    """Joint stiffness of the default PD drive (N·m/rad)."""
    kd: float
    """Joint damping of the default PD drive (N·m·s/rad)."""
    torque_limit: float
    """Largest joint torque of the drive (N·m)."""
    speed_limit: float
    """Largest joint speed of the drive (rad/s)."""
    armature: float
    """Rotor inertia reflected to the joint (kg·m²)."""
    source: str
    """Where the numbers come from."""

    def __post_init__(self) -> None:
        if len(self.nominal_pose) != len(self.joints):
            raise ValueError(
                f"Robot {self.name!r}: nominal_pose has {len(self.nominal_pose)} values for "
                f"{len(self.joints)} joints; give one (rad) for each joint in `joints`"
            )
        for field in ("feet", "thighs", "shanks"):
            if len(getattr(self, field)) != len(self.legs):
                raise ValueError(
                    f"Robot {self.name!r}: {field} has {len(getattr(self, field))} names for "
                    f"{len(self.legs)} legs; give one for each leg in `legs`"
                )
        for field in ("nominal_height", "kp", "torque_limit", "speed_limit"):
            if not getattr(self, field) > 0:
                raise ValueError(
                    f"Robot {self.name!r}: {field} is {getattr(self, field)}; give a positive value"
                )
        for field in ("kd", "armature"):
            if not getattr(self, field) >= 0:
                raise ValueError(
                    f"Robot {self.name!r}: {field} is {getattr(self, field)}; give zero or more"
                )

    def spec(self, collision: Collision = "feet_and_body") -> mujoco.MjSpec:
        """Return a new spec of the robot.

        Args:
            collision: `feet_and_body` lets feet, shanks, thighs and base touch the ground;
                `full` adds the hips and the robot's contacts with itself.

        Raises:
            ValueError: an unknown collision level.
        """
        if collision not in get_args(Collision):
            raise ValueError(f"collision is {collision!r}; choose from {get_args(Collision)}")
        return self.build(collision)

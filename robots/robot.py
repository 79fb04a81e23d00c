"""What a robot is: a model and the named numbers that its users need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal, NoReturn, get_args

import mujoco

from robots.check import check_spec

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
        """Raise ValueError where the numbers or the counts do not make a robot."""
        if not self.legs:
            self._refuse("legs is empty", "name at least one")
        if len(self.nominal_pose) != len(self.joints):
            counts = f"nominal_pose has {len(self.nominal_pose)} values for {len(self.joints)}"
            self._refuse(f"{counts} joints", "give one (rad) for each joint in `joints`")
        if len(self.joints) % len(self.legs):
            counts = f"joints has {len(self.joints)} names for {len(self.legs)} legs"
            self._refuse(counts, "give every leg as many")
        for field in ("feet", "thighs", "shanks"):
            names = getattr(self, field)
            if len(names) != len(self.legs):
                counts = f"{field} has {len(names)} names for {len(self.legs)} legs"
                self._refuse(counts, "give one for each leg in `legs`")
        for field in ("legs", "joints", "feet", "thighs", "shanks"):
            names = getattr(self, field)
            if len(set(names)) < len(names):
                self._refuse(f"{field} repeats a name in {names}", "give each its own")
        for field in ("nominal_height", "kp", "torque_limit", "speed_limit"):
            if not 0 < getattr(self, field) < inf:
                self._refuse(f"{field} is {getattr(self, field)}", "give a positive value")
        for field in ("kd", "armature"):
            if not 0 <= getattr(self, field) < inf:
                self._refuse(f"{field} is {getattr(self, field)}", "give zero or more")

    def _refuse(self, problem: str, remedy: str) -> NoReturn:
        raise ValueError(f"Robot {self.name!r}: {problem}; {remedy}")

    def spec(self, collision: Collision = "feet_and_body") -> mujoco.MjSpec:
        """Return a new spec of the robot.

        Args:
            collision: `feet_and_body` lets feet, shanks, thighs and base touch the ground;
                `full` adds the hips and the robot's contacts with itself.

        Raises:
            ValueError: an unknown collision level, or a model that cannot be read or lacks what
                the robot's names say.
        """
        if collision not in get_args(Collision):
            raise ValueError(f"collision is {collision!r}; choose from {get_args(Collision)}")
        try:
            spec = self.build(collision)
        except (OSError, mujoco.FatalError) as error:
            self._refuse(f"its model cannot be read ({error})", "correct its file")
        except ValueError as error:
            if self.name in str(error):
                raise
            problem = " ".join(str(error).split())
            self._refuse(f"its model cannot be read ({problem})", "correct its file")
        check_spec(self, spec)
        return spec

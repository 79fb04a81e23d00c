"""What a robot is: a model and the named numbers that its users need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from math import inf
from typing import Any, NoReturn, get_args

import mujoco
import numpy as np

from robots.check import check_spec
from robots.collision import Collision, dress, set_collision
from robots.usage import UsageError

_A_SPEC = "a mujoco.MjSpec, such as MjSpec.from_file's"


@dataclass(frozen=True)
class Motor:
    """The drive of one joint, at the joint."""

    kp: float
    """Stiffness of the default PD drive (N·m/rad)."""
    kd: float
    """Damping of the default PD drive (N·m·s/rad)."""
    torque_limit: float
    """Largest torque (N·m)."""
    speed_limit: float
    """Largest speed (rad/s); shown beside what a policy asks for, not simulated."""
    armature: float
    """Rotor inertia reflected to the joint (kg·m²)."""

    def __post_init__(self) -> None:
        """Raise ValueError where a number makes no motor."""
        for name in ("kp", "torque_limit", "speed_limit"):
            _require_positive("Motor", name, getattr(self, name))
        for name in ("kd", "armature"):
            if not 0 <= getattr(self, name) < inf:
                raise UsageError(f"Motor: {name} is {getattr(self, name)}; give zero or more")


@dataclass(frozen=True)
class Robot:
    """A legged robot: what its bodies are called, what they do, and the numbers of its drives.

    Any number of legs, each with equally many joints. A leg is a chain from the base to its foot:
    bodies before the thigh are hips, of which there may be none; thigh and shank are two bodies,
    or the same one where a leg is a single link; the foot is a geom of the shank.

    The spec holds the robot alone: a free-floating base, no ground, no actuators, no sensors.
    The environments add those from the numbers below, so that two models of one robot
    (primitive or meshed) behave alike.
    """

    name: str
    build: Callable[[], mujoco.MjSpec]
    """Makes a new spec of the robot, collision geoms in COLLISION_GROUP."""
    base: str
    """Body that carries the free joint."""
    legs: tuple[str, ...]
    """What the legs are called; LF RF LH RH where there are four."""
    joints: tuple[str, ...]
    """Actuated hinge joints, leg by leg, from the base outwards within a leg."""
    hips: tuple[str, ...]
    """Bodies between base and thigh, leg by leg; () where legs have none."""
    thighs: tuple[str, ...]
    """Thigh bodies, one a leg, in leg order."""
    shanks: tuple[str, ...]
    """Shank bodies, one a leg, in leg order; each also carries its foot geom."""
    feet: tuple[str, ...]
    """Foot collision geoms, one a leg, in leg order: of the shapes of `robots.shapes.FEET`."""
    nominal_pose: tuple[float, ...]
    """Joint positions of the nominal stance (rad), in the order of `joints`."""
    nominal_height: float
    """Height of the base frame above flat ground in the nominal stance (m)."""
    leg_length: float
    """A stretched leg, hip to foot (m); tasks scale their lengths by it."""
    motors: tuple[Motor, ...]
    """Drives, in the order of `joints`."""
    source: str
    """Where the numbers come from."""
    mass: float | None = None
    """By which, and by the leg length, tasks scale what they command and pay for (kg); None takes
    their numbers as they are, which are ANYmal C's."""

    def __post_init__(self) -> None:
        """Raise ValueError where the numbers or the counts do not make a robot."""
        self._take_sequences()
        if not callable(self.build):
            self._refuse(f"build is {self.build!r}", f"give a function that returns {_A_SPEC}")
        if not self.legs:
            self._refuse("legs is empty", "name at least one")
        for field in ("nominal_pose", "motors"):
            self._require_counts(field, "values", self.joints, "joints")
        for field in ("feet", "thighs", "shanks"):
            self._require_counts(field, "names", self.legs, "legs")
        for field in ("joints", "hips"):
            if len(getattr(self, field)) % len(self.legs):
                counts = f"{field} has {len(getattr(self, field))} names for {len(self.legs)} legs"
                self._refuse(counts, "give every leg as many")
        for field in ("legs", "joints", "hips", "thighs", "shanks", "feet"):
            names = getattr(self, field)
            if len(set(names)) < len(names):
                self._refuse(f"{field} repeats a name in {names}", "give each its own")
        for joint, position in zip(self.joints, self.nominal_pose, strict=True):
            if not -inf < position < inf:
                self._refuse(f"nominal_pose has {joint!r} at {position}", "give an angle (rad)")
        for field in ("nominal_height", "leg_length"):
            _require_positive(f"Robot {self.name!r}", field, getattr(self, field))
        if self.mass is not None:
            _require_positive(f"Robot {self.name!r}", "mass", self.mass)

    def _take_sequences(self) -> None:
        """Make tuples of lists and arrays, so that robots are compared and hashed as values."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not str(field.type).startswith("tuple"):
                continue
            if isinstance(value, str) or not isinstance(value, Iterable):
                self._refuse(f"{field.name} is {value!r}", "give a tuple")
            object.__setattr__(self, field.name, tuple(value))

    def _require_counts(self, field: str, kind: str, owners: tuple[str, ...], name: str) -> None:
        count = len(getattr(self, field))
        if count != len(owners):
            problem = f"{field} has {count} {kind} for {len(owners)} {name}"
            self._refuse(problem, f"give one for each of `{name}`, in their order")

    def _refuse(self, problem: str, remedy: str) -> NoReturn:
        raise UsageError(f"Robot {self.name!r}: {problem}; {remedy}")

    @property
    def kp(self) -> np.ndarray:
        """Stiffness of the joints' PD drives (N·m/rad), (joints,)."""
        return np.array([motor.kp for motor in self.motors])

    @property
    def kd(self) -> np.ndarray:
        """Damping of the joints' PD drives (N·m·s/rad), (joints,)."""
        return np.array([motor.kd for motor in self.motors])

    @property
    def torque_limit(self) -> np.ndarray:
        """Largest torques of the joints (N·m), (joints,)."""
        return np.array([motor.torque_limit for motor in self.motors])

    @property
    def speed_limit(self) -> np.ndarray:
        """Largest speeds of the joints (rad/s), (joints,)."""
        return np.array([motor.speed_limit for motor in self.motors])

    @property
    def armature(self) -> np.ndarray:
        """Rotor inertias reflected to the joints (kg·m²), (joints,)."""
        return np.array([motor.armature for motor in self.motors])

    def spec(self, collision: Collision = "feet_and_body") -> mujoco.MjSpec:
        """Return a new spec of the robot.

        Args:
            collision: `feet` lets only those touch the ground; `feet_and_body` shanks, thighs
                and base as well; `full` adds the hips and the robot's contacts with itself.

        Raises:
            ValueError: an unknown collision level, or a model that cannot be read or lacks what
                the robot's names say.
        """
        if collision not in get_args(Collision):
            raise UsageError(f"collision is {collision!r}; choose from {get_args(Collision)}")
        try:
            return self._checked(collision)
        except UnicodeDecodeError as error:
            problem = f"its model has a name, {error.object!r:.40}, that is no UTF-8"
            self._refuse(problem, "save its file as UTF-8")
        except (OSError, ValueError, mujoco.FatalError) as error:
            if isinstance(error, UsageError) and self.name in str(error):
                raise
            problem = " ".join(str(error).split())
            self._refuse(f"its model cannot be read ({problem})", "correct its file")

    def _checked(self, collision: Collision) -> mujoco.MjSpec:
        spec = self.build()
        if not isinstance(spec, mujoco.MjSpec):
            self._refuse(f"build returned {spec!r}", f"return {_A_SPEC}")
        check_spec(self, spec)
        set_collision(spec, self.hips, self.feet, collision)
        dress(spec)
        return spec


def _require_positive(owner: str, name: str, value: Any) -> None:
    if not 0 < value < inf:
        raise UsageError(f"{owner}: {name} is {value}; give a positive value")

"""What the environments ask of a physics engine: n simulations behind named, framed quantities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import mujoco
import numpy as np


class Physics(Protocol):
    """n simulations of one model; quantities are (n, …) and current after every call.

    `_w` is the world frame, `_b` the base frame; heights are above the ground below the point.
    Arrays may be live views: read them before the next step.
    """

    engine: str
    """Name of the engine, see `envs.sim.engines`."""
    model: mujoco.MjModel
    """The nominal model."""

    @property
    def state(self) -> np.ndarray:
        """All that the next steps depend on, a live view, (n, S) of the engine's floats."""
        ...

    def apply(self, control: np.ndarray) -> None:
        """Set the drives' controls (rad or N·m), (n, joints)."""
        ...

    def step(self, substep: Callable[[], np.ndarray] | None = None) -> np.ndarray:
        """Advance one control step; return which simulations diverged, (n,) bool.

        Args:
            substep: gives the controls (n, joints) of each physics step, None where they stay.
        """
        ...

    def push(self, ids: np.ndarray, velocity: np.ndarray) -> None:
        """Add a horizontal velocity (m/s), (len(ids), 2), to the bases of simulations ids."""
        ...

    def set_rows(
        self,
        ids: np.ndarray,
        base_pose: np.ndarray,
        base_velocity: np.ndarray,
        joint_pos: np.ndarray,
        joint_vel: np.ndarray,
    ) -> None:
        """Put simulations ids into a state: (k, 7) pose wxyz, (k, 6), (k, joints), (k, joints)."""
        ...

    def lift(self, ids: np.ndarray) -> None:
        """Raise the bases of simulations ids until no foot is inside the ground."""
        ...

    def restore(self, state: np.ndarray) -> None:
        """Put all simulations back into a copy of `state`."""
        ...

    def expand(self, field: str) -> np.ndarray:
        """Give a field of the model a value a simulation; return them, live, (n, …)."""
        ...

    def set_const(self, ids: np.ndarray | None = None) -> None:
        """Derive what follows from expanded masses and places, in simulations ids or all."""
        ...

    def ray(self, start: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return how far each ray gets to the ground (m), (n, rays), -1 where it meets none.

        Args:
            start: world positions (m), (n, rays, 3).
            direction: world directions of length 1, (n, rays, 3).
        """
        ...

    def pose(self, i: int, data: mujoco.MjData) -> None:
        """Write coordinates, velocities and time of simulation i into data of an equal robot."""
        ...

    @property
    def warnings(self) -> np.ndarray:
        """MuJoCo's warnings of each kind since the last reset, (n, kinds)."""
        ...

    @property
    def base_pos_w(self) -> np.ndarray:
        """Position of the base frame (m), (n, 3)."""
        ...

    @property
    def base_quat_w(self) -> np.ndarray:
        """Orientation of the base, wxyz, (n, 4)."""
        ...

    @property
    def base_height(self) -> np.ndarray:
        """Height of the base frame above the ground (m), (n,)."""
        ...

    @property
    def lin_vel_b(self) -> np.ndarray:
        """Base linear velocity (m/s), (n, 3)."""
        ...

    @property
    def ang_vel_b(self) -> np.ndarray:
        """Base angular velocity (rad/s), (n, 3)."""
        ...

    @property
    def gravity_b(self) -> np.ndarray:
        """Unit vector along gravity, (n, 3)."""
        ...

    @property
    def joint_pos(self) -> np.ndarray:
        """Joint positions (rad), (n, joints)."""
        ...

    @property
    def joint_vel(self) -> np.ndarray:
        """Joint velocities (rad/s), (n, joints)."""
        ...

    @property
    def torque(self) -> np.ndarray:
        """Joint torques of the drives in the last substep (N·m), (n, joints); 0 before any."""
        ...

    @property
    def power(self) -> np.ndarray:
        """Mechanical power, Σ max(τ q̇, 0) over the joints (W), (n,): mean over the physics steps
        of the last control step; 0 before any."""
        ...

    @property
    def effort(self) -> np.ndarray:
        """|τ| of the drives (N·m), (n, joints): mean over the physics steps of the last control
        step; 0 before any."""
        ...

    @property
    def foot_height(self) -> np.ndarray:
        """Height of the underside of the feet above the ground (m), (n, feet)."""
        ...

    @property
    def foot_vel_w(self) -> np.ndarray:
        """Linear velocity of the feet's points, `shapes.tip` (m/s), (n, feet, 3)."""
        ...

    @property
    def foot_contact(self) -> np.ndarray:
        """Whether each foot touches something, (n, feet) bool."""
        ...

    @property
    def leg_contact(self) -> np.ndarray:
        """Whether each thigh, then each shank (its foot apart), touches something, bool."""
        ...

    @property
    def base_contact(self) -> np.ndarray:
        """Whether the base touches something, (n,) bool."""
        ...

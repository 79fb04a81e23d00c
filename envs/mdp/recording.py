"""What an evaluation records of its robots, control step by control step."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from envs.mdp.commands import VELOCITY
from envs.mdp.state import State

WALKING_SPEED = 0.3
"""Gait and cost of transport are measured while the commanded planar speed exceeds this (m/s)."""


@dataclass
class Recording:
    """T control steps of n robots; rows of a robot after its fall mean nothing."""

    dt: float
    """Control step (s)."""
    mass: float
    """Mass of the robot's nominal model (kg)."""
    leg_length: float
    """A stretched leg (m)."""
    command_names: tuple[str, ...]
    """Names of the command's entries."""
    nominal_pose: tuple[float, ...]
    """Joint positions of the nominal stance (rad)."""
    alive: np.ndarray
    """Whether the robot was up to the end of the step, (T, n) bool."""
    command: np.ndarray
    """Command in force during the step, (T, n, entries)."""
    velocity: np.ndarray
    """Forward and leftward speed (m/s) and yaw rate (rad/s) in the base frame, (T, n, 3)."""
    joint_pos: np.ndarray
    """Joint positions (rad), (T, n, joints)."""
    joint_vel: np.ndarray
    """Joint velocities (rad/s), (T, n, joints)."""
    torque: np.ndarray
    """Joint torques of the drives at the end of the step (N·m), (T, n, joints)."""
    effort: np.ndarray
    """Mean |τ| over the physics steps of the step (N·m), (T, n, joints)."""
    power: np.ndarray
    """Mechanical power, Σ max(τ q̇, 0) over the joints, as drives do not recuperate: its mean over
    the physics steps of the step (W), (T, n)."""
    base_height: np.ndarray
    """Height of the base frame above the ground (m), (T, n)."""
    base_tilt: np.ndarray
    """Angle between the base's z axis and the vertical (rad), (T, n)."""
    base_vel_z: np.ndarray
    """Upward velocity of the base (m/s), (T, n)."""
    foot_contact: np.ndarray
    """(T, n, feet) bool."""
    foot_height: np.ndarray
    """Height of the feet's underside above the ground (m), (T, n, feet)."""
    foot_speed: np.ndarray
    """Horizontal speed of the foot centres (m/s), (T, n, feet)."""
    foot_vel_z: np.ndarray
    """Upward velocity of the foot centres (m/s), (T, n, feet)."""

    @property
    def velocity_command(self) -> np.ndarray:
        """Commanded forward and leftward speed and yaw rate, (T, n, 3).

        An entry that is not commanded is 0, and NaN where no velocity is.
        """
        if self.command_names == VELOCITY:
            return self.command
        nothing = 0.0 if set(VELOCITY) & set(self.command_names) else np.nan
        command = np.full(self.velocity.shape, nothing)
        for axis, name in enumerate(VELOCITY):
            if name in self.command_names:
                command[..., axis] = self.command[..., self.command_names.index(name)]
        return command

    @property
    def walking(self) -> np.ndarray:
        """Whether the robot is up and told to walk faster than WALKING_SPEED, (T, n) bool."""
        return self.alive & (planar(self.velocity_command) > WALKING_SPEED)

    def rows(self, rows: slice) -> Recording:
        """Return the recording of these control steps alone."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays = {n: v[rows] for n, v in values.items() if isinstance(v, np.ndarray)}
        return replace(self, **arrays)


def row(state: State) -> dict[str, np.ndarray]:
    """Return the fields of one control step of a Recording that come from its state."""
    return {
        "velocity": state.velocity,
        "joint_pos": state.joint_pos,
        "joint_vel": state.joint_vel,
        "torque": state.torque,
        "effort": state.effort,
        "power": state.power,
        "base_height": state.base_height,
        "base_tilt": np.arccos(np.clip(-state.gravity_b[:, 2], -1.0, 1.0)),
        "base_vel_z": -np.einsum("ij,ij->i", state.gravity_b, state.lin_vel_b),
        "foot_contact": state.foot_contact,
        "foot_height": state.foot_height,
        "foot_speed": planar(state.foot_vel_w),
        "foot_vel_z": state.foot_vel_w[..., 2],
    }


def planar(vectors: np.ndarray) -> np.ndarray:
    """Length of the first two components, (..., k) -> (...)."""
    return np.hypot(vectors[..., 0], vectors[..., 1])

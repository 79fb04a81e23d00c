"""The state of n simulations, read once after every control step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOVING = 0.1
"""Norm of a command above which the robot is meant to step (m/s and rad/s; legged_gym)."""


@dataclass
class State:
    """Arrays over n simulations; `_w` is the world frame, `_b` the base frame.

    Foot arrays follow the robot's legs (LF RF LH RH), joint arrays its joints.
    """

    dt: float
    """Control step (s)."""
    nominal_pose: np.ndarray
    """Joint positions of the nominal stance (rad), (joints,)."""
    base_height: np.ndarray
    """Height of the base frame (m), (n,)."""
    lin_vel_b: np.ndarray
    """Base linear velocity (m/s), (n, 3)."""
    ang_vel_b: np.ndarray
    """Base angular velocity (rad/s), (n, 3)."""
    gravity_b: np.ndarray
    """Unit vector along gravity, (n, 3); (0, 0, -1) when level."""
    joint_pos: np.ndarray
    """Joint positions (rad), (n, joints)."""
    joint_vel: np.ndarray
    """Joint velocities (rad/s), (n, joints)."""
    joint_acc: np.ndarray
    """Mean joint accelerations over the control step (rad/s²), (n, joints)."""
    torque: np.ndarray
    """Joint torques of the drives in the last substep (N·m), (n, joints)."""
    foot_height: np.ndarray
    """Height of the underside of the feet above the ground (m), (n, feet)."""
    foot_vel_w: np.ndarray
    """Linear velocity of the feet (m/s), (n, feet, 3)."""
    foot_contact: np.ndarray
    """Whether a foot touches the ground, (n, feet) bool."""
    touchdown: np.ndarray
    """Whether a foot came down in this control step, (n, feet) bool."""
    air_time: np.ndarray
    """Time since the foot left the ground, at touchdown the swing's length (s), (n, feet)."""
    foot_phase: np.ndarray
    """Where each foot is in the gait's cycle (rad): stance up to pi, then swing, (n, feet)."""
    leg_contact: np.ndarray
    """Whether a thigh or a shank (but not its foot) touches something, (n, 2 × feet) bool."""
    base_contact: np.ndarray
    """Whether the base touches something, (n,) bool."""
    command: np.ndarray
    """Commanded forward and leftward speed (m/s) and yaw rate (rad/s), (n, 3)."""
    action: np.ndarray
    """Action of this control step, in [-1, 1], (n, joints)."""
    previous_action: np.ndarray
    """Action of the control step before, (n, joints)."""
    terminated: np.ndarray
    """Whether the episode ended here as a fall, (n,) bool."""

    @property
    def moving(self) -> np.ndarray:
        """Whether the command is to move rather than to stand, (n,) bool."""
        return np.einsum("ij,ij->i", self.command, self.command) > MOVING**2

"""The state of n simulations, read once after every control step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from envs.bounds import require
from envs.mdp.commands import VELOCITY

MOVING = 0.1
"""Norm of a velocity command above which the robot is meant to step (m/s and rad/s; legged_gym)."""


@dataclass(frozen=True)
class State:
    """Arrays over n simulations, of its own; `_w` is the world frame, `_b` the base frame.

    Foot arrays follow the robot's legs, joint arrays its joints. Heights are above the ground
    below the point that is measured.
    """

    dt: float
    """Control step (s)."""
    timestep: float
    """Physics step (s)."""
    nominal_pose: np.ndarray
    """Joint positions of the nominal stance (rad), (joints,)."""
    nominal_height: float
    """Height of the base frame in the nominal stance (m)."""
    leg_length: float
    """Length of a stretched leg (m)."""
    command_names: tuple[str, ...]
    """Names of the command's entries."""
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
    power: np.ndarray
    """Mechanical power, Σ max(τ q̇, 0) over the joints (W), mean over the control step, (n,)."""
    effort: np.ndarray
    """|τ| of the drives (N·m), mean over the control step, (n, joints)."""
    foot_height: np.ndarray
    """Height of the underside of the feet (m), (n, feet)."""
    foot_vel_w: np.ndarray
    """Linear velocity of the feet (m/s), (n, feet, 3)."""
    foot_contact: np.ndarray
    """Whether a foot touches something, (n, feet) bool."""
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
    """Command in force, (n, entries), as `command_names` says."""
    action: np.ndarray
    """Action of this control step, in [-1, 1], (n, joints)."""
    previous_action: np.ndarray
    """Action of the control step before, (n, joints)."""
    joint_target: np.ndarray
    """Joint targets of the drives (rad), (n, joints), where a term needs any of the past; as are
    the three that follow, see `envs.mdp.memory.past`."""
    previous_torque: np.ndarray
    """Torques of the control step before (N·m), (n, joints)."""
    past_error: np.ndarray
    """Joint targets less positions (rad) 1, 2, … physics steps ago, (n, steps, joints)."""
    past_joint_vel: np.ndarray
    """Joint velocities (rad/s) then, (n, steps, joints)."""
    terminated: np.ndarray
    """Whether the episode ended here, other than by its time limit, (n,) bool."""

    def commanded(self, *names: str) -> np.ndarray:
        """Return entries of the command by name, (n, names).

        Raises:
            ValueError: the task commands none of that name.
        """
        for name in names:
            need = f"one of this task's: {', '.join(self.command_names) or 'it has none'}"
            require(name in self.command_names, "command", repr(name), need)
        index = [self.command_names.index(name) for name in names]
        return self.command.take(index, axis=1)  # row by row, as rows are summed

    @property
    def has_velocity_command(self) -> bool:
        """Whether the task commands any velocity."""
        return bool(set(VELOCITY) & set(self.command_names))

    @cached_property
    def velocity_command(self) -> np.ndarray:
        """Commanded forward and leftward speed (m/s) and yaw rate (rad/s), (n, 3); 0 if none is."""
        if self.command_names == VELOCITY:
            return self.command
        velocity = np.zeros((len(self.command), len(VELOCITY)))
        for axis, name in enumerate(VELOCITY):
            if name in self.command_names:
                velocity[:, axis] = self.command[:, self.command_names.index(name)]
        return velocity

    @property
    def velocity(self) -> np.ndarray:
        """Actual forward and leftward speed (m/s) and yaw rate (rad/s), (n, 3)."""
        return np.column_stack([self.lin_vel_b[:, :2], self.ang_vel_b[:, 2]])

    @cached_property
    def moving(self) -> np.ndarray:
        """Whether the command is to move rather than to stand, (n,) bool."""
        command = self.velocity_command
        return np.einsum("ij,ij->i", command, command) > MOVING**2

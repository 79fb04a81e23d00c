"""What drives do between the instants at which a policy acts."""

from __future__ import annotations

import numpy as np


class Meter:
    """Means over the physics steps of a control step.

    A policy moves the drives' targets once in a control step, so that torques and speeds at its
    end are no fair sample of those within it.

    Args:
        n: number of simulations.
        joints: of a robot.
    """

    def __init__(self, n: int, joints: int) -> None:
        self.power = np.zeros(n)
        """Mechanical power, Σ max(τ q̇, 0) over the joints (W), (n,)."""
        self.effort = np.zeros((n, joints))
        """|τ| (N·m), (n, joints)."""
        self._before, self._steps = np.zeros((n, joints)), 0

    def begin(self, joint_vel: np.ndarray) -> None:
        """A control step begins at joint velocities (rad/s), (n, joints)."""
        self.power, self.effort = np.zeros_like(self.power), np.zeros_like(self.effort)
        self._before, self._steps = joint_vel, 0

    def add(self, torque: np.ndarray, joint_vel: np.ndarray) -> None:
        """A physics step was taken under torques (N·m), to joint velocities, (n, joints) each.

        Its work is torque × mean of the velocities before and after, what the kinetic energy gets.
        The velocities are kept: they must not change hereafter.
        """
        work = np.maximum(torque * (self._before + joint_vel) / 2, 0.0).sum(axis=1)
        self._steps += 1
        self.power += (work - self.power) / self._steps
        self.effort += (np.abs(torque) - self.effort) / self._steps
        self._before = joint_vel

"""Costs of Hwangbo et al. 2019 (arXiv 1901.08652), as reward functions of State: each (n,).

S3 of its supplementary prints them, and its public environment (`ANYmal_minimal.hpp`) differs. For
walking and running these are the environment's, save for the kernel's gain, which grows there with
k: the printed torque and smoothness costs of the first, noisy policies are hundreds a second, where
tracking is worth four. For getting up, which the environment lacks, they are the printed ones.
Costs are positive here, and have negative weights; kernels are what is paid.
"""

from __future__ import annotations

import numpy as np

from envs.mdp.memory.past import remembers
from envs.mdp.state import State
from envs.mdp.term import LARGEST, bounded

_FLAT = 100.0  # the kernel's argument beyond which it is 0 to the last bit, lest exp overflow


def kernel(x: np.ndarray) -> np.ndarray:
    """Return 1 / (e^x + 2 + e^-x), the paper's -K: 0.25 at 0, with no slope at any distance."""
    e = np.exp(np.minimum(np.abs(x), _FLAT))
    return 1.0 / (e + 2.0 + 1.0 / e)


@bounded(gain=(0.0, LARGEST), vertical=(0.0, LARGEST))
def lin_vel_kernel(state: State, *, gain: float, vertical: float) -> np.ndarray:
    """The kernel at gain × ‖(Δv_x, Δv_y, vertical × v_z)‖, Δ from the command (m/s)."""
    error = state.lin_vel_b - np.pad(state.velocity_command[:, :2], ((0, 0), (0, 1)))
    return kernel(gain * np.linalg.norm(error * [1.0, 1.0, vertical], axis=1))


@bounded(gain=(0.0, LARGEST))
def yaw_rate_kernel(state: State, *, gain: float) -> np.ndarray:
    """The kernel at gain × |Δω_z|, Δ from the command (rad/s)."""
    return kernel(gain * (state.velocity_command[:, 2] - state.ang_vel_b[:, 2]))


def torque_norm(state: State) -> np.ndarray:
    """‖τ‖, N·m."""
    return np.linalg.norm(state.torque, axis=1)


@bounded(linear=(0.0, LARGEST))
def joint_speed(state: State, *, linear: float) -> np.ndarray:
    """Σ (q̇² + linear |q̇|) / min(0.09 + 2.5 |c|, 1), c the velocity command: dearer at rest."""
    speed, asked = np.abs(state.joint_vel), np.linalg.norm(state.velocity_command, axis=1)
    return (speed * (speed + linear)).sum(axis=1) / np.minimum(0.09 + 2.5 * asked, 1.0)


@bounded(target=(0.0, LARGEST))
def swing_height(state: State, *, target: float) -> np.ndarray:
    """Σ (target - z)² ‖v_xy‖ over the feet that swing, m³/s."""
    low = (target - state.foot_height) ** 2 * _foot_speed(state)
    return (low * ~state.foot_contact).sum(axis=1)


def slip_speed(state: State) -> np.ndarray:
    """Σ ‖v_xy‖ over the feet in contact, m/s."""
    return (_foot_speed(state) * state.foot_contact).sum(axis=1)


def gravity_offset(state: State) -> np.ndarray:
    """‖(0, 0, -1) - φ_g‖, φ_g gravity's direction in the base: 0 level, 2 upside down."""
    return np.linalg.norm(state.gravity_b - [0.0, 0.0, -1.0], axis=1)


def gravity_offset_squared(state: State) -> np.ndarray:
    """‖(0, 0, -1) - φ_g‖²: 0 level, 4 upside down."""
    return gravity_offset(state) ** 2


def action_step(state: State) -> np.ndarray:
    """‖a_t - a_{t-1}‖."""
    return np.linalg.norm(state.action - state.previous_action, axis=1)


@remembers("torque")
def torque_step(state: State) -> np.ndarray:
    """‖τ_t - τ_{t-1}‖², (N·m)²."""
    return ((state.torque - state.previous_torque) ** 2).sum(axis=1)


@bounded(limit=(0.0, LARGEST))
def fast_joints(state: State, *, limit: float) -> np.ndarray:
    """Σ q̇² of the joints that are faster than limit (rad/s)."""
    speed = np.abs(state.joint_vel)
    return (speed**2 * (speed > limit)).sum(axis=1)


def abduction_kernel(state: State) -> np.ndarray:
    """Σ kernel(q) over each leg's first joint, where the base rolls less than π/4."""
    return _folded(state, 0, 0.0)


@bounded(angle=(0.0, np.pi))
def flexion_kernel(state: State, *, angle: float) -> np.ndarray:
    """Σ kernel(q ∓ angle) over each leg's second joint, bent as in the nominal pose, where the base
    rolls less than π/4.
    """
    return _folded(state, 1, angle)


@bounded(angle=(0.0, np.pi))
def knee_kernel(state: State, *, angle: float) -> np.ndarray:
    """Σ kernel(q ∓ angle) over each leg's third joint, bent as in the nominal pose, where the base
    rolls less than π/4.
    """
    return _folded(state, 2, angle)


def contact_speed(state: State) -> np.ndarray:
    """Mean ‖v‖² of the feet in contact, (m/s)²; those of other contacts are not sensed."""
    squared = (state.foot_vel_w**2).sum(axis=2) * state.foot_contact
    return squared.sum(axis=1) / np.maximum(state.foot_contact.sum(axis=1), 1)


def _folded(state: State, joint: int, angle: float) -> np.ndarray:
    """Return Σ kernel over the legs of a joint's distance from an angle (rad), (n,)."""
    per_leg = state.joint_pos.shape[1] // state.foot_contact.shape[1]
    one = slice(joint, None, per_leg)
    off = state.joint_pos[:, one] - np.sign(state.nominal_pose[one]) * angle
    turned = (off + np.pi) % (2 * np.pi) - np.pi  # joints without stops may have turned round
    roll = np.arctan2(state.gravity_b[:, 1], -state.gravity_b[:, 2])
    return kernel(turned).sum(axis=1) * (np.abs(roll) < np.pi / 4)


def _foot_speed(state: State) -> np.ndarray:
    """Horizontal speed of the feet (m/s), (n, feet)."""
    return np.hypot(state.foot_vel_w[..., 0], state.foot_vel_w[..., 1])

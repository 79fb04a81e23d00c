"""The torque-speed curve of electric motors."""

from __future__ import annotations

import numpy as np

Number = np.ndarray | np.floating


def torque_range(
    speed: np.ndarray, limit: Number, stall: Number, no_load: Number
) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and largest torques (N·m) of DC motors at a speed.

    At a fixed voltage a DC motor's torque falls linearly with its speed, from the stall torque at
    rest to nothing at the no-load speed (Lynch and Park, Modern Robotics, 2017, section 8.9.1);
    the power stage's current limits it to less:

        stall × (-1 - q̇ / no_load) <= τ <= stall × (1 - q̇ / no_load),  |τ| <= limit

    as IsaacLab's `DCMotor` has it. A motor that is turned faster than it can turn brakes.

    Args:
        speed: of the joints (rad/s), (…, joints).
        limit: largest torques (N·m), (joints,) or one number, as are the others.
        stall: torques at rest, were there no such limit (N·m).
        no_load: speeds at which the torque is zero (rad/s).
    """
    share = speed / no_load
    low = np.clip(stall * (-1.0 - share), -limit, limit)
    return low, np.clip(stall * (1.0 - share), -limit, limit)

"""A fixed schedule of commands that shows what a policy can do, for videos and live views."""

from __future__ import annotations

import numpy as np

from envs.vector import LocomotionVectorEnv

COMMANDS = (
    (0.5, 0.0, 0.0),
    (1.0, 0.0, 0.0),
    (0.6, 0.0, 0.6),
    (0.0, 1.0, 0.0),
    (0.0, -1.0, 0.0),
    (0.0, 0.0, -1.0),
    (-0.7, 0.0, 0.0),
    (0.0, 0.0, 0.0),
)
"""Forward, leftward and turning speed, as shares of the task's largest ones."""
HOLD = 2.5
"""How long each of them holds (s)."""


def largest_command(env: LocomotionVectorEnv) -> np.ndarray:
    """Return the task's largest forward and leftward speed (m/s) and yaw rate (rad/s), (3,)."""
    commands = env.config.commands
    return np.array([commands.lin_vel_x[1], commands.lin_vel_y[1], commands.yaw_rate[1]])


def command_at(time: float, largest: np.ndarray) -> np.ndarray:
    """Return the schedule's command (3,) at a time (s), over and over, given the largest (3,)."""
    return np.array(COMMANDS[int(time / HOLD) % len(COMMANDS)]) * largest

"""Velocity commands: what each robot is told to do, and for how long."""

from __future__ import annotations

import numpy as np

from envs.task import Commands


def sample(config: Commands, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw n commands (vx, vy, yaw rate), (n, 3), and how long each holds (s), (n,)."""
    ranges = np.array([config.lin_vel_x, config.lin_vel_y, config.yaw_rate])
    command = rng.uniform(ranges[:, 0], ranges[:, 1], (n, 3))
    command[rng.random(n) < config.standing_share] = 0.0
    return command, rng.uniform(*config.interval, n)

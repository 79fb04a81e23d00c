"""A fixed schedule of commands that shows what a policy can do, for videos and live views."""

from __future__ import annotations

import numpy as np

from envs.mdp.commands import VELOCITY, Commands

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


def command_at(time: float, commands: Commands) -> np.ndarray:
    """Return the schedule's command (entries,) at a time (s), over and over.

    It is as near to the shares as the ranges allow; entries other than velocities are to be 0.
    """
    shown = COMMANDS[int(time / HOLD) % len(COMMANDS)]
    shares: dict[str, float] = dict(zip(VELOCITY, shown, strict=True))
    low, high = commands.ranges.T
    return np.clip(np.array([shares.get(name, 0.0) for name in commands.names]) * high, low, high)

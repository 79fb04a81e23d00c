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

    Entries other than velocities are as near to 0 as their ranges allow.
    """
    command = np.clip(0.0, *commands.ranges.T)
    shares = COMMANDS[int(time / HOLD) % len(COMMANDS)]
    for name, share in zip(VELOCITY, shares, strict=True):
        if name in commands.names:
            command[commands.names.index(name)] = share * commands.entries[name].range[1]
    return command

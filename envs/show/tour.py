"""A round of commands that shows what a policy can do, for videos and the viewer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from envs.vector import LocomotionVectorEnv

STOPS = (
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
STOP_SECONDS = 2.5
"""How long each of them holds (s)."""


def guide(envs: Sequence[LocomotionVectorEnv]) -> Callable[[float], None]:
    """Return what gives every simulation the command of a time (s), round after round.

    Several environments get the same ones, by the limits of the first.
    """
    commands = envs[0].config.commands
    largest = np.array([commands.lin_vel_x[1], commands.lin_vel_y[1], commands.yaw_rate[1]])

    def lead(time: float) -> None:
        stop = STOPS[int(time / STOP_SECONDS) % len(STOPS)]
        for env in envs:
            env.set_command(np.array(stop) * largest)

    return lead

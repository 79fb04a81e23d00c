"""Free gait: follow commanded speeds at little effort, stepping as it likes."""

from __future__ import annotations

from dataclasses import replace

from envs.mdp.commands import Commands, velocity
from envs.mdp.curriculum import Curriculum
from envs.mdp.gaits.gait import Gait
from envs.task import Protocol, TaskConfig
from envs.tasks.walk import OBSERVATIONS, walk
from robots.robot import Robot

TIMED = ("gait", "clearance", "air_time")
"""Walking's rewards that say when and how feet are to be lifted."""


def free_gait(robot: Robot) -> TaskConfig:
    """Return walking without a clock: speed is paid for and power costs, steps are its own."""
    task = walk(robot)
    weights = {"power": -0.006, "slip": -1.0, "lin_vel_z": -0.2, "termination": -15.0}
    paid = {
        n: replace(r, weight=weights.get(n, r.weight))
        for n, r in task.rewards.items()
        if n not in TIMED
    }
    # From the start: no clock has the robot lift its feet, and it would learn to stand.
    paid["lin_vel_deviation"] = replace(paid["lin_vel_deviation"], curriculum=False)
    return replace(
        task,
        rewards=paid,
        observations={n: o for n, o in OBSERVATIONS.items() if not n.startswith("clock")},
        gait=Gait(),
        commands=Commands(
            velocity(lin_vel_x=(-0.5, 1.8), lin_vel_y=(-0.2, 0.2), yaw_rate=(-0.6, 0.6)),
            interval=(2.0, 6.0),
            standing_share=0.05,
        ),
        curricula={
            "rewards": Curriculum(initial=0.02, hold=1e6, ramp=1e6),
            "commands": Curriculum(initial=0.4, hold=0.5e6, ramp=2e6),
        },
        protocol=Protocol(speeds=(0.3, 0.6, 0.9, 1.2, 1.5, 1.8)),
    )

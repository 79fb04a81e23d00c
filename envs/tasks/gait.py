"""Gait: step as commanded, in any gait, while following commanded speeds."""

from __future__ import annotations

from dataclasses import replace

from envs.mdp import observations as obs
from envs.mdp import rewards
from envs.mdp.commands import Commands, velocity
from envs.mdp.gaits import commanded as gait_commands
from envs.mdp.gaits.commanded import Suited
from envs.mdp.gaits.library import gaits
from envs.mdp.observations import Observation
from envs.mdp.rewards import Reward
from envs.task import TaskConfig
from envs.tasks.walk import OBSERVATIONS, standing_height, walk
from robots.robot import Robot

SENSES = {n: o for n, o in OBSERVATIONS.items() if n != "command"} | {
    "velocity_command": Observation(obs.velocity_command, "velocity"),
    "gait_frequency": Observation(obs.gait_frequency, "scalar", scale=0.5),
    "duty": Observation(obs.duty, "scalar", scale=2.0),
    "swing_height": Observation(obs.swing_height, "scalar", scale=10.0),
    "body_height": Observation(obs.body_height, "scalar", scale=2.0),
}
"""The order of the footfalls is in the clocks, one a foot, which a mirror makes change places."""
USUAL = {4: "trot"}
"""The gait in force where none is asked for, by the number of legs."""


def gait(robot: Robot) -> TaskConfig:
    """Return the task of every gait: walking's terms, with the clock and the heights commanded."""
    task, legs, size = walk(robot), len(robot.legs), robot.leg_length
    usual = gaits(legs)[USUAL.get(legs, "alternating")]
    weights = {
        "lin_vel_deviation": -8.0,
        "yaw_rate_deviation": -3.0,
        "gait": 6.5,
        "lin_vel_z": -0.2,
        "ang_vel_xy": -0.02,
        "orientation": -2.0,
        "termination": -30.0,
        "power": -0.002,
        "slip": -1.0,
    }
    paid = {n: replace(r, weight=weights.get(n, r.weight)) for n, r in task.rewards.items()}
    del paid["air_time"]
    paid["clearance"] = Reward(rewards.commanded_clearance, -100.0)
    paid["base_height"] = Reward(rewards.commanded_height, -150.0)
    paid["swing_time"] = Reward(rewards.swing_time, -1.0, curriculum=True)
    speeds = velocity(lin_vel_x=(-1.0, 1.5), lin_vel_y=(-0.3, 0.3), yaw_rate=(-0.8, 0.8))
    steps = gait_commands.entries(robot.legs, size, standing_height(robot), usual)
    return replace(
        task,
        rewards=paid,
        observations=SENSES,
        gait=usual.clock(size),
        commands=Commands(
            speeds | steps,
            function=Suited(tuple(gaits(legs)), leg_length=size),
            interval=(1.5, 4.0),
            standing_share=0.03,
        ),
    )

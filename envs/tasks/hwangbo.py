"""The recipe `paper`: commands, running and getting up as Hwangbo et al. 2019 define them.

Source: the paper (arXiv 1901.08652) with its supplementary, and the environment published with it,
`ANYmal_minimal.hpp`. Where the two differ, the environment's costs are taken (`envs.mdp.hwangbo`
and TERMINAL say why) and otherwise the paper's numbers: episodes of 6 s, k_d 0.997.

What differs here. An action a has ±3 as its bounds, which Trot's unit box is: targets are
0.5 × 3 × box, and the first standard deviation 1.0 in a is 0.33 in the box. Masses vary in the
base alone. What a scale of each axis does to velocities there, the policy's normaliser does here.
Getting up: joint targets about the present position through PD drives (the learned drive there),
from the drop on (after 1.2 s of falling there); contacts of the body are counted, as neither
impulses nor contacts with itself are sensed; slip is that of the feet.
"""

from __future__ import annotations

import numpy as np

from envs.mdp import hwangbo, rewards, starts, terminations
from envs.mdp import observations as obs
from envs.mdp.commands import Commands, velocity
from envs.mdp.curriculum import Geometric
from envs.mdp.measures import referenced
from envs.mdp.observations import Observation
from envs.mdp.recovery import RECOVERY
from envs.mdp.rewards import Reward
from envs.mdp.starts import Start
from envs.mdp.terminations import Termination
from envs.sim.drives import Network, Relative
from envs.sim.randomization import Randomization
from envs.sim.scene import Simulation
from envs.task import Protocol, TaskConfig
from envs.tasks.run import SPEEDS
from envs.tasks.walk import HWANGBO_2019
from robots.robot import Robot
from robots.usage import UsageError

BOUND = 3.0
"""Largest |a| of an action a, whose unit is 0.5 rad of the joint target."""
SCALE = 0.5 * BOUND
TERMINAL = -3.0
"""What a fall is paid, as in the published environment; the paper says -1. With that, what noise
costs makes an early end cheap: after half a million transitions (ANYmal B, seed 111) a third of the
episodes ended in a fall, and after a million three of five; with -3, one in twenty after half a
million.
"""
EPISODE = 6.0
"""Length of an episode (s); it has one command."""
LAGS = {"10ms": 0.01, "20ms": 0.02}
"""How long ago the joints' history was (s)."""

OBSERVATIONS = {
    "command": Observation(obs.command, "command"),
    "base_height": Observation(obs.base_height, "scalar", scale=5.0),
    "gravity": Observation(obs.gravity, "polar"),
    "lin_vel": Observation(obs.lin_vel, "polar", scale=1 / 1.5, noise=0.08),
    "ang_vel": Observation(obs.ang_vel, "axial", scale=1 / 2.5, noise=0.16),
    "joint_pos": Observation(obs.joint_pos, "joint"),
    **{
        f"position_error_{name}": Observation(obs.past_position_error, "joint", params={"lag": lag})
        for name, lag in LAGS.items()
    },
    "joint_vel": Observation(obs.joint_vel, "joint", scale=0.1, noise=0.5),
    **{
        f"joint_vel_{name}": Observation(
            obs.past_joint_vel, "joint", scale=0.1, noise=0.5, params={"lag": lag}
        )
        for name, lag in LAGS.items()
    },
    "joint_target": Observation(obs.joint_target, "joint"),
}
"""97 numbers of a robot with twelve joints."""


def _locomotion(robot: Robot, commands: Commands, protocol: Protocol) -> TaskConfig:
    """Return what commands and running share."""
    _require_three_joints(robot)
    limits = {"abduction": 1.2, "flexion": 1.5, "straight": 0.05, "folded": 2.8}
    start = {"tilt": 0.06, "joint": 0.25, "turning": 0.4, "speed": 2.0}
    velocity_gains = {"gain": 4.0, "vertical": 0.35}
    return TaskConfig(
        rewards={
            "lin_vel": Reward(hwangbo.lin_vel_kernel, 10.0, params=velocity_gains),
            "yaw_rate": Reward(hwangbo.yaw_rate_kernel, 6.0, params={"gain": 1.0}),
            "termination": Reward(rewards.termination, TERMINAL),
            "torque": Reward(hwangbo.torque_norm, -0.05, curriculum=True),
            "joint_speed": Reward(
                hwangbo.joint_speed, -0.003, curriculum=True, params={"linear": 2 / 3}
            ),
            "swing_height": Reward(
                hwangbo.swing_height, -15.0, curriculum=True, params={"target": 0.07}
            ),
            "slip": Reward(hwangbo.slip_speed, -2.0, curriculum=True),
            "orientation": Reward(hwangbo.gravity_offset, -0.4, curriculum=True),
            "action_step": Reward(hwangbo.action_step, -0.5 * BOUND, curriculum=True),
        },
        observations=OBSERVATIONS,
        terminations={
            "base_contact": Termination(terminations.base_contact),
            "joint_limits": Termination(terminations.joint_limits, params=limits),
        },
        start=Start(starts.moving, params=start),
        revisit=0.5,
        commands=commands,
        drive=Network(scale=SCALE),
        randomization=Randomization(
            noise=1.0, mass=(0.85, 1.15), com=(-0.02, 0.02), joints=(-0.02, 0.02)
        ),
        curricula={"rewards": Geometric(initial=0.3, power=0.997)},
        episode_length=EPISODE,
        simulation=Simulation(timestep=0.0025, substeps=2),
        protocol=protocol,
        measures={**referenced(HWANGBO_2019, source="Hwangbo 2019")},
    )


def command(robot: Robot) -> TaskConfig:
    """Return the paper's random commands, 200 Hz control."""
    entries = velocity(lin_vel_x=(-1.0, 1.0), lin_vel_y=(-0.4, 0.4), yaw_rate=(-1.2, 1.2))
    commands = Commands(entries, interval=(EPISODE, EPISODE), standing_share=0.05)
    return _locomotion(robot, commands, Protocol())


def run(robot: Robot) -> TaskConfig:
    """Return the paper's high-speed locomotion, 200 Hz control."""
    entries = velocity(lin_vel_x=(-1.6, 1.6), lin_vel_y=(-0.2, 0.2), yaw_rate=(-0.3, 0.3))
    commands = Commands(entries, interval=(EPISODE, EPISODE), standing_share=0.05)
    return _locomotion(robot, commands, Protocol(speeds=SPEEDS))


def recover(robot: Robot) -> TaskConfig:
    """Return the paper's recovery from a fall, 20 Hz control; nothing ends an episode but time."""
    _require_three_joints(robot)
    height = {"height": 1.0 / robot.leg_length, "joint": 1.0, "velocity": 0.5}
    start = Start(starts.dropped, params=height)
    return TaskConfig(
        rewards={
            "orientation": Reward(hwangbo.gravity_offset_squared, -6.0),
            "torque": Reward(rewards.torque, -0.0005, curriculum=True),
            "fast_joints": Reward(
                hwangbo.fast_joints, -0.2, curriculum=True, params={"limit": 8.0}
            ),
            "joint_acc": Reward(rewards.joint_acc, -5e-7, curriculum=True),
            "abduction": Reward(hwangbo.abduction_kernel, 6.0, curriculum=True),
            "flexion": Reward(
                hwangbo.flexion_kernel, 7.0, curriculum=True, params={"angle": np.pi / 2}
            ),
            "knee": Reward(hwangbo.knee_kernel, 7.0, curriculum=True, params={"angle": 2.45}),
            "contact_speed": Reward(hwangbo.contact_speed, -6.0, curriculum=True),
            "body_contact": Reward(rewards.body_contact, -6.0, curriculum=True),
            "torque_step": Reward(hwangbo.torque_step, -0.0025, curriculum=True),
        },
        observations={name: term for name, term in OBSERVATIONS.items() if name != "command"},
        start=start,
        revisit=0.5,
        commands=Commands({}),
        drive=Relative(scale=SCALE),
        randomization=Randomization(
            noise=1.0,
            mass=(0.85, 1.15),
            com=(-0.02, 0.02),
            friction=(0.8, 2.0),
            joints=(-0.02, 0.02),
        ),
        curricula={"rewards": Geometric(initial=0.01, power=0.995)},
        episode_length=EPISODE,
        staggered=True,
        simulation=Simulation(timestep=0.0025, substeps=20, collision="full"),
        protocol=Protocol(seconds=6.0, start=start),
        measures=RECOVERY,
    )


def _require_three_joints(robot: Robot) -> None:
    """Raise ValueError for a robot whose legs are not of abduction, flexion and knee."""
    joints = len(robot.joints) / len(robot.legs)
    if joints != 3:
        raise UsageError(
            f"recipe is 'paper', and {robot.name} has {joints:g} joints a leg; it must have three, "
            "as the recipe's limits and postures have: take --recipe trot"
        )

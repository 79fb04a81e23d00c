"""The joint drives: what a normalised action does to the joints.

A drive attaches its actuators, turns an action into controls once a control step, may change them
in every physics step, and says how another program applies an exported policy's actions.
"""

from envs.sim.drives.dc_motor import DCMotor
from envs.sim.drives.delayed import Delayed
from envs.sim.drives.drive import (
    ControlLaw,
    Drive,
    Driven,
    Joints,
    Memory,
    PresentJoints,
    add_actuators,
)
from envs.sim.drives.ideal import PD, Relative, Torque
from envs.sim.drives.network import Network

__all__ = [
    "PD",
    "ControlLaw",
    "DCMotor",
    "Delayed",
    "Drive",
    "Driven",
    "Joints",
    "Memory",
    "Network",
    "PresentJoints",
    "Relative",
    "Torque",
    "add_actuators",
]

"""Learned models of a joint's drive: position errors and joint speeds in, torques out."""

from envs.sim.actuators.files import Actuator, pack, unpack

__all__ = ["Actuator", "pack", "unpack"]

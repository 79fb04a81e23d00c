"""Start functions: where and how a robot begins an episode, above flat ground at height 0."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from envs.mdp.term import Term, bounded
from robots.robot import Robot


class Rows(NamedTuple):
    """States of k robots, in MuJoCo's coordinates of a free joint and hinges."""

    base_pose: np.ndarray
    """Position (m) and orientation (wxyz), (k, 7)."""
    base_velocity: np.ndarray
    """Linear in the world frame (m/s), angular in the base frame (rad/s), (k, 6)."""
    joint_pos: np.ndarray
    """Joint positions (rad), (k, joints)."""
    joint_vel: np.ndarray
    """Joint velocities (rad/s), (k, joints)."""


@dataclass(frozen=True)
class Start(Term):
    """How episodes begin: function(robot, k, rng, **params) gives `Rows` of k robots."""


def nominal(robot: Robot, k: int, rng: np.random.Generator) -> Rows:
    """The nominal stance, at rest."""
    base = np.zeros((k, 7))
    base[:, 2], base[:, 3] = robot.nominal_height, 1.0
    joints = np.tile(np.array(robot.nominal_pose), (k, 1))
    return Rows(base, np.zeros((k, 6)), joints, np.zeros_like(joints))


@bounded(tilt=(0.0, np.pi), joint=(0.0, np.pi), velocity=(0.0, 100.0))
def scattered(
    robot: Robot,
    k: int,
    rng: np.random.Generator,
    *,
    tilt: float,
    joint: float,
    velocity: float,
) -> Rows:
    """Around the nominal stance: any heading; roll, pitch and joints normal with standard
    deviations tilt and joint (rad); base velocities uniform in ±velocity (m/s and rad/s).
    """
    from scipy.spatial.transform import Rotation  # takes a while, and every program imports this

    rows = nominal(robot, k, rng)
    roll, pitch = rng.normal(0.0, tilt, (2, k))
    angles = np.stack([roll, pitch, rng.uniform(-np.pi, np.pi, k)], axis=1)
    rows.base_pose[:, 3:7] = Rotation.from_euler("xyz", angles).as_quat(scalar_first=True)
    rows.base_velocity[:] = rng.uniform(-velocity, velocity, (k, 6))
    rows.joint_pos[:] += rng.normal(0.0, joint, rows.joint_pos.shape)
    return rows


@bounded(tilt=(0.0, np.pi), joint=(0.0, np.pi), turning=(0.0, 100.0), speed=(0.0, 100.0))
def moving(
    robot: Robot,
    k: int,
    rng: np.random.Generator,
    *,
    tilt: float,
    joint: float,
    turning: float,
    speed: float,
) -> Rows:
    """Around the nominal stance: any heading; roll, pitch and joints normal with standard
    deviations tilt and joint (rad), angular velocities and joint speeds with turning and speed
    (rad/s).
    """
    rows = scattered(robot, k, rng, tilt=tilt, joint=joint, velocity=0.0)
    rows.base_velocity[:, 3:] = rng.normal(0.0, turning, (k, 3))
    rows.joint_vel[:] = rng.normal(0.0, speed, rows.joint_vel.shape)
    return rows


@bounded(height=(0.0, 100.0), joint=(0.0, np.pi), velocity=(0.0, 100.0))
def dropped(
    robot: Robot,
    k: int,
    rng: np.random.Generator,
    *,
    height: float,
    joint: float,
    velocity: float,
) -> Rows:
    """Let go in any orientation, its base `height` leg lengths above the ground; joints uniform in
    ±joint (rad) of the nominal pose, within their ranges; base velocities uniform in ±velocity
    (m/s and rad/s).
    """
    from scipy.spatial.transform import Rotation  # takes a while, and every program imports this

    rows = nominal(robot, k, rng)
    rows.base_pose[:, 2] = height * robot.leg_length
    rows.base_pose[:, 3:7] = Rotation.random(k, rng=rng).as_quat(scalar_first=True)
    rows.base_velocity[:] = rng.uniform(-velocity, velocity, (k, 6))
    rows.joint_pos[:] += rng.uniform(-joint, joint, rows.joint_pos.shape)
    np.clip(rows.joint_pos, *_ranges(robot), out=rows.joint_pos)
    return rows


@cache
def _ranges(robot: Robot) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest joint positions (rad), (joints,) each."""
    model = robot.spec().compile()
    joints = [model.joint(name) for name in robot.joints]
    low, high = np.array(
        [j.range if model.jnt_limited[j.id] else (-np.inf, np.inf) for j in joints]
    ).T
    return low, high


NOMINAL = Start(nominal)
SCATTERED = Start(scattered, params={"tilt": 0.06, "joint": 0.1, "velocity": 0.5})
"""Tilt as in Hwangbo et al. 2019 (arXiv 1901.08652)."""

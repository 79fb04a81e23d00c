"""Observation functions of State, each (n, k), and the vector that they make up."""

from __future__ import annotations

import numpy as np

from envs.mdp.state import State
from envs.task import ObservationTerm


def lin_vel(state: State) -> np.ndarray:
    """Base linear velocity in the base frame (m/s), (n, 3)."""
    return state.lin_vel_b


def ang_vel(state: State) -> np.ndarray:
    """Base angular velocity in the base frame (rad/s), (n, 3)."""
    return state.ang_vel_b


def gravity(state: State) -> np.ndarray:
    """Unit gravity vector in the base frame, (n, 3)."""
    return state.gravity_b


def command(state: State) -> np.ndarray:
    """Commanded vx, vy (m/s) and yaw rate (rad/s), (n, 3)."""
    return state.command


def joint_pos(state: State) -> np.ndarray:
    """Joint positions from the nominal pose (rad), (n, joints)."""
    return state.joint_pos - state.nominal_pose


def joint_vel(state: State) -> np.ndarray:
    """Joint velocities (rad/s), (n, joints)."""
    return state.joint_vel


def action(state: State) -> np.ndarray:
    """The last action, in [-1, 1], (n, joints)."""
    return state.action


def clock_sin(state: State) -> np.ndarray:
    """Sine of each foot's place in the gait, 0 while told to stand, (n, feet)."""
    return np.sin(state.foot_phase) * state.moving[:, None]


def clock_cos(state: State) -> np.ndarray:
    """Cosine of each foot's place in the gait, 0 while told to stand, (n, feet)."""
    return np.cos(state.foot_phase) * state.moving[:, None]


def base_height(state: State) -> np.ndarray:
    """Height of the base above the ground (m), (n, 1)."""
    return state.base_height[:, None]


def layout(terms: dict[str, ObservationTerm], state: State) -> dict[str, slice]:
    """Return where each term stands in the observation vector."""
    slices, start = {}, 0
    for name, term in terms.items():
        width = term.function(state).shape[1]
        slices[name] = slice(start, start + width)
        start += width
    return slices


def observe(
    terms: dict[str, ObservationTerm],
    slices: dict[str, slice],
    state: State,
    rng: np.random.Generator | None,
) -> np.ndarray:
    """Return the scaled observation, (n, width) float32; with rng, sensor noise is added."""
    width = max(s.stop for s in slices.values())
    out = np.empty((len(state.base_height), width), np.float32)
    for name, term in terms.items():
        value = term.function(state)
        if rng is not None and term.noise > 0:
            value = value + rng.uniform(-term.noise, term.noise, value.shape)
        np.multiply(value, term.scale, out=out[:, slices[name]], casting="same_kind")
    return out

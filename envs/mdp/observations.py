"""Observation functions of State, each (n, k), and the vector that they make up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import tyro

from envs.bounds import require_choice, require_shape, require_within
from envs.mdp.commands import VELOCITY
from envs.mdp.memory.past import LONGEST, remembers, steps_back
from envs.mdp.state import State
from envs.mdp.term import LARGEST, Term, bounded

Kind = Literal["polar", "axial", "joint", "command", "velocity", "foot", "scalar"]
"""How a quantity transforms under the robot's mirrors; a velocity is forward, leftward, turning."""


@dataclass(frozen=True)
class Observation(Term):
    """One block of the observation vector: scale × function(state, **params), (n, k)."""

    kind: Annotated[Kind, tyro.conf.Fixed]
    """How the block transforms under the robot's mirrors."""
    scale: float = 1.0
    """Factor that brings the block to order 1."""
    noise: float = 0.0
    """Half-width of the uniform sensor noise, in the block's own unit, before scaling."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_choice("observation kind", self.kind, Kind)
        require_within("observation scale", self.scale, -LARGEST, LARGEST)
        require_within("observation noise", self.noise, 0, LARGEST)


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
    """The command in force, in the units of its entries, velocities 0 while told to stand,
    (n, entries)."""
    velocities = np.array([name in VELOCITY for name in state.command_names], bool)
    return np.where(velocities & ~state.moving[:, None], 0.0, state.command)


def velocity_command(state: State) -> np.ndarray:
    """Commanded forward and leftward speed (m/s) and yaw rate (rad/s), 0 while told to stand,
    (n, 3)."""
    return state.velocity_command * state.moving[:, None]


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


def gait_frequency(state: State) -> np.ndarray:
    """Commanded strides per second (Hz), (n, 1)."""
    return state.commanded("gait_frequency")


def duty(state: State) -> np.ndarray:
    """Commanded share of a stride that each foot is on the ground, (n, 1)."""
    return state.commanded("duty")


def swing_height(state: State) -> np.ndarray:
    """Commanded height of the feet's swings (m), (n, 1)."""
    return state.commanded("swing_height")


def body_height(state: State) -> np.ndarray:
    """Commanded height of the base (m), (n, 1)."""
    return state.commanded("body_height")


def base_height(state: State) -> np.ndarray:
    """Height of the base above the ground (m), (n, 1)."""
    return state.base_height[:, None]


@remembers("target")
def joint_target(state: State) -> np.ndarray:
    """Joint targets of the last action, from the nominal pose (rad), (n, joints)."""
    return state.joint_target - state.nominal_pose


@remembers("target")
@bounded(lag=(0.0, LONGEST))
def past_position_error(state: State, *, lag: float) -> np.ndarray:
    """Joint targets less positions, lag (s) ago (rad), (n, joints)."""
    return state.past_error[:, steps_back(lag, state.timestep) - 1]


@remembers("velocity")
@bounded(lag=(0.0, LONGEST))
def past_joint_vel(state: State, *, lag: float) -> np.ndarray:
    """Joint velocities, lag (s) ago (rad/s), (n, joints)."""
    return state.past_joint_vel[:, steps_back(lag, state.timestep) - 1]


def layout(terms: dict[str, Observation], state: State) -> dict[str, slice]:
    """Return where each term stands in the observation vector."""
    slices, start = {}, 0
    for name, term in terms.items():
        value = term(state)
        width = value.shape[-1] if getattr(value, "ndim", 0) == 2 else 1
        require_shape(f"observation {name}", value, (len(state.base_height), width))
        slices[name] = slice(start, start + width)
        start += width
    return slices


def observe(
    terms: dict[str, Observation],
    slices: dict[str, slice],
    state: State,
    rng: np.random.Generator | None = None,
    noise: float = 0.0,
) -> np.ndarray:
    """Return the scaled observation, (n, width) float32.

    Args:
        terms: the blocks by name.
        slices: of `layout`.
        state: what is observed.
        rng: where sensor noise is drawn from.
        noise: factor on the terms' noise; 0 draws none.
    """
    width = max(s.stop for s in slices.values())
    out = np.empty((len(state.base_height), width), np.float32)
    for name, term in terms.items():
        value = term(state)
        if rng is not None and noise * term.noise > 0:
            half = noise * term.noise
            value = value + rng.uniform(-half, half, value.shape)
        np.multiply(value, term.scale, out=out[:, slices[name]], casting="same_kind")
    return out

"""Termination functions of State: each (n,) bool, true where an episode ends as a fall.

Time-outs are truncations and live in the environment. Lengths are shares of the robot's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.mdp.state import State
from envs.mdp.term import Term, bounded


@dataclass(frozen=True)
class Termination(Term):
    """One reason to end an episode: function(state, **params), (n,) bool."""


def base_contact(state: State) -> np.ndarray:
    """The base touches something."""
    return state.base_contact


@bounded(limit=(1e-3, np.pi))
def tilted(state: State, *, limit: float) -> np.ndarray:
    """The base's z axis leans further than limit (rad) from the vertical."""
    return state.gravity_b[:, 2] > -np.cos(limit)


def low(state: State, *, share: float) -> np.ndarray:
    """The base is lower than this share of a stretched leg above the ground."""
    return state.base_height < share * state.leg_length


@bounded(abduction=(0.0, np.pi), flexion=(0.0, np.pi), straight=(0.0, np.pi), folded=(0.0, np.pi))
def joint_limits(
    state: State, *, abduction: float, flexion: float, straight: float, folded: float
) -> np.ndarray:
    """A leg's first joint is beyond ±abduction, its second beyond ±flexion, or its third not bent,
    as in the nominal pose, by more than straight and less than folded (rad).
    """
    n, legs = state.foot_contact.shape
    bent = (state.joint_pos * np.where(state.nominal_pose < 0, -1.0, 1.0)).reshape(n, legs, -1)
    first, second, third = bent[..., 0], bent[..., 1], bent[..., 2]
    out = (np.abs(first) > abduction) | (np.abs(second) > flexion)
    return np.any(out | (third < straight) | (third > folded), axis=1)


def terminated(terms: dict[str, Termination], state: State) -> np.ndarray:
    """Return where any of the terms holds, (n,) bool."""
    ended = np.zeros(len(state.base_height), bool)
    for term in terms.values():
        ended |= term(state)
    return ended

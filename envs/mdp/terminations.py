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


def terminated(terms: dict[str, Termination], state: State) -> np.ndarray:
    """Return where any of the terms holds, (n,) bool."""
    ended = np.zeros(len(state.base_height), bool)
    for term in terms.values():
        ended |= term(state)
    return ended

"""When an episode ends as a fall; time-outs are truncations and live in the environment."""

from __future__ import annotations

import numpy as np

from envs.mdp.state import State
from envs.task import Termination


def fallen(state: State, limits: Termination) -> np.ndarray:
    """Return which simulations have fallen, (n,) bool."""
    tilted = state.gravity_b[:, 2] > -np.cos(limits.max_tilt)
    low = state.base_height < limits.min_height
    fell = tilted | low
    return fell | state.base_contact if limits.base_contact else fell

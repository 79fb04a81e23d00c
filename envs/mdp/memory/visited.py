"""States of earlier trajectories, from which a share of the episodes begins."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from envs.mdp.starts import Rows
from envs.mdp.state import State

CAPACITY = 1000
"""States that are kept; each control step adds one, in place of the oldest."""


class Visited:
    """Where n simulations have been, one of them after the other, above flat ground's origin.

    Args:
        share: of the episodes that begin there.
        n, joints: numbers of simulations and joints.
    """

    def __init__(self, share: float, n: int, joints: int) -> None:
        self._share, self._n = share, n
        self._rows = Rows(*(np.zeros((CAPACITY, width)) for width in (7, 6, joints, joints)))
        self.clear()

    def clear(self) -> None:
        """Forget where simulations have been."""
        self._turn, self._seen = 0, 0

    def note(self, state: State, quat_w: np.ndarray) -> None:
        """Keep the state of the simulation whose turn it is, if it has not fallen.

        Args:
            state: after a control step.
            quat_w: orientations of the bases, wxyz, (n, 4).
        """
        i, self._turn = self._turn % self._n, self._turn + 1
        if not self._share or state.terminated[i]:
            return
        slot, lin_vel_w, rows = self._seen % CAPACITY, np.zeros(3), self._rows
        mujoco.mju_rotVecQuat(lin_vel_w, state.lin_vel_b[i], quat_w[i])
        rows.base_pose[slot, 2], rows.base_pose[slot, 3:] = state.base_height[i], quat_w[i]
        rows.base_velocity[slot, :3], rows.base_velocity[slot, 3:] = lin_vel_w, state.ang_vel_b[i]
        rows.joint_pos[slot], rows.joint_vel[slot] = state.joint_pos[i], state.joint_vel[i]
        self._seen += 1

    def draw(self, ids: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Rows]:
        """Return which of the simulations ids are to begin there, and where, a row each."""
        if not self._seen or not self._share:
            return ids[:0], Rows(*(array[:0] for array in self._rows))
        ids = ids[rng.random(len(ids)) < self._share]
        chosen = rng.integers(0, min(self._seen, CAPACITY), len(ids))
        return ids, Rows(*(array[chosen] for array in self._rows))

    def state_dict(self) -> dict[str, Any]:
        """Return copies of all that is kept, under `visited`, if anything is."""
        rows = {name: array.copy() for name, array in self._rows._asdict().items()}
        kept = {"rows": rows, "turn": self._turn, "seen": self._seen}
        return {"visited": kept} if self._share else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        if not self._share:
            return
        kept = state["visited"]
        for name, array in self._rows._asdict().items():
            array[:] = kept["rows"][name]
        self._turn, self._seen = int(kept["turn"]), int(kept["seen"])

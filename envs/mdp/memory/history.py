"""What a state needs of earlier control steps."""

from __future__ import annotations

import numpy as np

KEPT = (
    *("steps", "command", "command_left", "push_left", "action", "previous_action"),
    *("joint_vel", "joint_acc", "foot_contact", "touchdown", "air_time", "phase"),
)


class History:
    """Arrays with a row a simulation, advanced once a control step.

    Args:
        n: number of simulations.
        joints, feet, entries: numbers of joints, feet and the command's entries.
    """

    def __init__(self, n: int, joints: int, feet: int, entries: int) -> None:
        self.steps = np.zeros(n, np.int64)
        """Control steps of the episode so far."""
        self.command = np.zeros((n, entries))
        self.command_left, self.push_left = np.zeros(n), np.zeros(n)
        """Time until the next command and the next push (s)."""
        self.action, self.previous_action = np.zeros((n, joints)), np.zeros((n, joints))
        self.joint_vel, self.joint_acc = np.zeros((n, joints)), np.zeros((n, joints))
        self.foot_contact, self.touchdown = np.ones((n, feet), bool), np.zeros((n, feet), bool)
        self.air_time = np.zeros((n, feet))
        """Time since each foot left the ground, at touchdown the swing's length (s)."""
        self.phase = np.zeros(n)
        """Where the gait's clock is in its cycle, in [0, 1)."""

    def act(self, actions: np.ndarray) -> np.ndarray:
        """Take new actions (n, joints), clipped to [-1, 1], and return them."""
        self.previous_action = self.action
        self.action = np.clip(actions, -1.0, 1.0, dtype=float)
        return self.action

    def track(
        self,
        joint_vel: np.ndarray,
        foot_contact: np.ndarray,
        dt: float,
        frequency: np.ndarray | float,
        fresh: np.ndarray,
    ) -> None:
        """Advance by one control step.

        Args:
            joint_vel: joint velocities (rad/s), (n, joints).
            foot_contact: (n, feet) bool.
            dt: control step (s).
            frequency: of the gait (Hz), (n,) or one for all.
            fresh: simulations whose accelerations mean nothing, (n,) bool.
        """
        before = self.foot_contact
        self.joint_acc = (joint_vel - self.joint_vel) / dt
        self.joint_acc[fresh] = 0.0
        self.touchdown = foot_contact & ~before
        # A touchdown keeps its swing's length for one step.
        self.air_time = np.where(before, 0.0, self.air_time) + dt * ~foot_contact
        self.phase = (self.phase + dt * frequency) % 1.0
        self.joint_vel, self.foot_contact = joint_vel.astype(float), foot_contact  # as it is saved
        self.steps = self.steps + 1

    def restart(self, ids: np.ndarray, joint_vel: np.ndarray, phase: np.ndarray | float) -> None:
        """Begin new episodes in simulations ids, from joint velocities (len(ids), joints)."""
        self.steps[ids] = 0
        for array in (self.action, self.previous_action, self.joint_acc, self.air_time):
            array[ids] = 0.0
        self.phase[ids] = phase
        self.joint_vel[ids] = joint_vel
        self.foot_contact[ids], self.touchdown[ids] = True, False

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return copies of all arrays; checkpoints know them by a leading underscore."""
        return {f"_{name}": getattr(self, name).copy() for name in KEPT}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Restore what `state_dict` returned."""
        for name in KEPT:
            getattr(self, name)[:] = state[f"_{name}"]

"""What differs between simulations: start states, model parameters, pushes.

Every law stands in one line in `config.Randomization`.
"""

from __future__ import annotations

import mujoco
import numpy as np
from mujoco.batch import Batch

from envs.sim import rotations
from envs.task import Randomization
from robots.robot import Robot


def start_rows(
    robot: Robot, config: Randomization, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw n start states: base pose (n, 7), base velocity (n, 6), joint positions, velocities.

    The base velocity is linear in the world frame and angular in the base frame, as in MuJoCo's
    free joint.
    """
    joints = len(robot.joints)
    base = np.zeros((n, 7))
    base[:, 2], base[:, 3] = robot.nominal_height, 1.0
    velocity = np.zeros((n, 6))
    joint_pos = np.tile(np.array(robot.nominal_pose), (n, 1))
    if config.start_state:
        roll, pitch = rng.normal(0.0, config.start_tilt, (2, n))
        base[:, 3:7] = rotations.from_euler(roll, pitch, rng.uniform(-np.pi, np.pi, n))
        velocity = rng.uniform(-config.start_velocity, config.start_velocity, (n, 6))
        joint_pos += rng.normal(0.0, config.start_joint, (n, joints))
    return base, velocity, joint_pos, np.zeros((n, joints))


def pushes(config: Randomization, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n horizontal velocity jumps of push_speed (m/s), (n, 2)."""
    angle = rng.uniform(-np.pi, np.pi, n)
    return config.push_speed * np.stack([np.cos(angle), np.sin(angle)], axis=1)


EXPANDED = {
    "mass": ("body_mass", "body_inertia"),
    "com": ("body_ipos",),
    "friction": ("geom_friction",),
    "gains": ("actuator_gainprm", "actuator_biasprm"),
}
"""Model fields that each law makes per-simulation."""


class ModelRandomizer:
    """Redraws per-simulation model parameters, through the fields that the batch expands."""

    def __init__(self, batch: Batch, robot: Robot, config: Randomization) -> None:
        model: mujoco.MjModel = batch.model
        self._batch, self._config = batch, config
        self._base = model.body(robot.base).id
        self._feet = [model.geom(name).id for name in robot.feet]
        self._drives = [model.actuator(name).id for name in robot.joints]
        self._nominal_mass = float(model.body_mass[self._base])
        self._nominal_inertia = model.body_inertia[self._base].copy()
        self._nominal_com = model.body_ipos[self._base].copy()
        self._nominal_gain = model.actuator_gainprm[self._drives, 0].copy()
        self._nominal_bias = model.actuator_biasprm[self._drives, 1:3].copy()
        self._fields = {
            field: batch.expand(field)
            for law, fields in EXPANDED.items()
            if getattr(config, law)
            for field in fields
        }

    def redraw(self, ids: np.ndarray, rng: np.random.Generator) -> None:
        """Draw new parameters for the simulations ids."""
        config, n, rows = self._config, len(ids), ids[:, None]
        if config.mass:
            factor = rng.uniform(*config.mass_range, n)
            self._fields["body_mass"][ids, self._base] = self._nominal_mass * factor
            self._fields["body_inertia"][ids, self._base] = self._nominal_inertia * factor[:, None]
        if config.com:
            shift = rng.uniform(-config.com_shift, config.com_shift, (n, 3))
            self._fields["body_ipos"][ids, self._base] = self._nominal_com + shift
        if config.friction:
            sliding = rng.uniform(*config.friction_range, n)
            self._fields["geom_friction"][rows, self._feet, 0] = sliding[:, None]
        if config.gains:
            factor = rng.uniform(*config.gains_range, (n, len(self._drives)))
            bias = self._nominal_bias * factor[..., None]
            self._fields["actuator_gainprm"][rows, self._drives, 0] = self._nominal_gain * factor
            self._fields["actuator_biasprm"][rows, self._drives, 1:3] = bias
        if config.mass or config.com:
            self._batch.set_const(ids)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return copies of the per-simulation model fields."""
        return {name: field.copy() for name, field in self._fields.items()}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Restore what `state_dict` returned."""
        for name, field in self._fields.items():
            field[:] = state[name]
        if self._config.mass or self._config.com:
            self._batch.set_const()

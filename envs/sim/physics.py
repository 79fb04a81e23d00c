"""The batch of simulations behind named, framed quantities; ids are looked up once."""

from __future__ import annotations

import logging

import mujoco
import numpy as np
from mujoco.batch import Batch, SimulationError

from envs.sim.faults import Recorder
from envs.task import Simulation
from robots.robot import Robot

MAX_SPEED = 200.0
"""Speed of a coordinate (m/s, rad/s) that counts as a blow-up: 1 rad in a step of 5 ms."""
_KINEMATICS = int(mujoco.mjtStage.mjSTAGE_VEL)
_logger = logging.getLogger(__name__)


class Physics:
    """n simulations of one model; properties are (n, …) and current after every call.

    Arrays are live views where they can be: read them before the next step.
    """

    def __init__(self, model: mujoco.MjModel, robot: Robot, n: int, simulation: Simulation) -> None:
        _log_warnings()
        self.batch = Batch(model, n, simulation.nthread)
        self._substeps = simulation.substeps
        self._foot_radius = model.geom(robot.feet[0]).size[0]
        self._bind()
        joints = [model.joint(name) for name in robot.joints]
        self._joint_qpos = np.array([j.qposadr[0] for j in joints])
        self._joint_qvel = np.array([j.dofadr[0] for j in joints])
        free = model.joint(model.body(robot.base).jntadr[0])
        self._base_qpos = free.qposadr[0] + np.arange(7)
        self._base_qvel = free.dofadr[0] + np.arange(6)
        self._sensors = _sensor_slices(model, robot)
        self._fresh = np.ones(n, bool)
        self.batch.reset()
        self.recorder = Recorder(self.batch.state, model.nu)

    def _bind(self) -> None:
        """Bind every field before the first call: one bound later would read zeros."""
        self._qpos, self._qvel = self.batch.bind("qpos"), self.batch.bind("qvel")
        self._ctrl = self.batch.bind("ctrl")
        self._sensordata = self.batch.bind("sensordata")
        self._force = self.batch.bind("actuator_force")

    def apply(self, control: np.ndarray) -> None:
        """Set the drives' controls (rad or N·m), (n, joints)."""
        self._ctrl[:] = control

    def push(self, ids: np.ndarray, velocity: np.ndarray) -> None:
        """Add a horizontal velocity (m/s), (len(ids), 2), to the bases of simulations ids."""
        self._qvel[ids[:, None], self._base_qvel[:2]] += velocity
        self.recorder.push(ids, velocity)

    def step(self) -> np.ndarray:
        """Advance one control step; return which simulations diverged, (n,) bool.

        A simulation diverges when MuJoCo raises in it, warns (NaN or huge state, bad control),
        or leaves a speed above MAX_SPEED or not finite; the others are not touched by that.
        Until `set_rows` it counts as diverged.
        """
        self._fresh[:] = False
        failed: np.ndarray | list[int] = []
        self.recorder.before_step(self._ctrl)
        try:
            self.batch.step(nstep=self._substeps, stage=_KINEMATICS)
        except SimulationError as error:
            failed = error.ids
        self.recorder.after_step()
        diverged = self.batch.warning[:, :, 1].any(axis=1)  # (n, kinds, (last info, count))
        diverged |= ~(np.abs(self._qvel).max(axis=1) < MAX_SPEED)  # true of NaN as well
        diverged[failed] = True
        return diverged

    def set_rows(
        self,
        ids: np.ndarray,
        base_pose: np.ndarray,
        base_velocity: np.ndarray,
        joint_pos: np.ndarray,
        joint_vel: np.ndarray,
    ) -> None:
        """Put simulations ids into a state: (k, 7) pose wxyz, (k, 6), (k, joints), (k, joints)."""
        rows = ids[:, None]
        self.batch.reset(ids, stage=int(mujoco.mjtStage.mjSTAGE_NONE))
        self._qpos[rows, self._base_qpos] = base_pose
        self._qvel[rows, self._base_qvel] = base_velocity
        self._qpos[rows, self._joint_qpos] = joint_pos
        self._qvel[rows, self._joint_qvel] = joint_vel
        self.batch.forward(ids, stage=_KINEMATICS)
        self.recorder.begin(ids)
        self._fresh[ids] = True

    def lift(self, ids: np.ndarray) -> None:
        """Raise the bases of simulations ids until no foot is inside the ground."""
        sunken = np.maximum(0.0, -self.foot_height[ids].min(axis=1))
        if sunken.any():
            self._qpos[ids, self._base_qpos[2]] += sunken
            self.batch.forward(ids, stage=_KINEMATICS)
            self.recorder.begin(ids)

    def restore(self, state: np.ndarray) -> None:
        """Put all simulations back into a copy of `batch.state`."""
        self.batch.reset(stage=int(mujoco.mjtStage.mjSTAGE_NONE))
        self.batch.state[:] = state
        self.batch.forward(stage=_KINEMATICS)
        self.recorder.begin(slice(None))
        self._fresh[:] = True

    def _sensor(self, name: str) -> np.ndarray:
        return self._sensordata[:, self._sensors[name]]

    @property
    def base_pos_w(self) -> np.ndarray:
        """Position of the base frame (m), (n, 3)."""
        return self._qpos[:, self._base_qpos[:3]]

    @property
    def base_quat_w(self) -> np.ndarray:
        """Orientation of the base, wxyz, (n, 4)."""
        return self._qpos[:, self._base_qpos[3:]]

    @property
    def base_height(self) -> np.ndarray:
        """Height of the base frame above the ground (m), (n,)."""
        return self._qpos[:, self._base_qpos[2]]

    @property
    def lin_vel_b(self) -> np.ndarray:
        """Base linear velocity (m/s), (n, 3)."""
        return self._sensor("lin_vel_b")

    @property
    def ang_vel_b(self) -> np.ndarray:
        """Base angular velocity (rad/s), (n, 3)."""
        return self._sensor("ang_vel_b")

    @property
    def gravity_b(self) -> np.ndarray:
        """Unit vector along gravity, (n, 3)."""
        return -self._sensor("up_b")

    @property
    def joint_pos(self) -> np.ndarray:
        """Joint positions (rad), (n, joints)."""
        return self._qpos.take(self._joint_qpos, axis=1)  # row by row, as rows are summed

    @property
    def joint_vel(self) -> np.ndarray:
        """Joint velocities (rad/s), (n, joints)."""
        return self._qvel.take(self._joint_qvel, axis=1)

    @property
    def torque(self) -> np.ndarray:
        """Joint torques of the drives in the last substep (N·m), (n, joints); 0 before any.

        Below mjSTAGE_ACC the batch reports those of any other simulation.
        """
        return np.where(self._fresh[:, None], 0.0, self._force)

    @property
    def foot_height(self) -> np.ndarray:
        """Height of the underside of the feet (m), (n, feet)."""
        return self._sensor("foot_pos")[:, 2::3] - self._foot_radius

    @property
    def foot_vel_w(self) -> np.ndarray:
        """Linear velocity of the foot centres (m/s), (n, feet, 3)."""
        velocity = self._sensor("foot_vel")
        return velocity.reshape(len(velocity), -1, 3)

    @property
    def foot_contact(self) -> np.ndarray:
        """Whether each foot touches something, (n, feet) bool."""
        return self._sensor("foot_contact") > 0

    @property
    def leg_contact(self) -> np.ndarray:
        """Whether each thigh, then each shank (its foot apart), touches something, bool."""
        shank = self._sensor("shank_contact") > self._sensor("foot_contact")
        return np.concatenate([self._sensor("thigh_contact") > 0, shank], axis=1)

    @property
    def base_contact(self) -> np.ndarray:
        """Whether the base touches something, (n,) bool."""
        return self._sensor("base_contact")[:, 0] > 0


def _log_warnings() -> None:
    """Send MuJoCo's warnings to `logging`, in place of the console and MUJOCO_LOG.TXT.

    `Physics.step` reports the simulations that they are about. A handler that the user has
    installed stays.
    """
    if mujoco.get_mju_user_warning() is None:
        mujoco.set_mju_user_warning(_logger.info)


def _sensor_slices(model: mujoco.MjModel, robot: Robot) -> dict[str, slice]:
    """Return where each group of sensors stands in sensordata; a group's sensors are adjacent."""
    groups = {
        "lin_vel_b": ["lin_vel_b"],
        "ang_vel_b": ["ang_vel_b"],
        "up_b": ["up_b"],
        "foot_pos": [f"{foot}_pos" for foot in robot.feet],
        "foot_vel": [f"{foot}_vel" for foot in robot.feet],
        "foot_contact": [f"{foot}_contact" for foot in robot.feet],
        "thigh_contact": [f"{body}_contact" for body in robot.thighs],
        "shank_contact": [f"{body}_contact" for body in robot.shanks],
        "base_contact": [f"{robot.base}_contact"],
    }
    slices = {}
    for group, names in groups.items():
        first, last = model.sensor(names[0]), model.sensor(names[-1])
        slices[group] = slice(int(first.adr[0]), int(last.adr[0] + last.dim[0]))
    return slices

"""`Physics` on MuJoCo's C++ thread pool; ids are looked up once."""

from __future__ import annotations

import logging
from collections.abc import Callable

import mujoco
import numpy as np
from mujoco.batch import Batch, SimulationError

from envs.sim.faults import Observer
from envs.sim.scene import Simulation, sensor
from envs.sim.terrain import GROUND_GROUP, Flat, Terrain
from robots.robot import Robot

MAX_SPEED = 200.0
"""Speed of a coordinate (m/s, rad/s) that counts as a blow-up: 1 rad in a step of 5 ms."""
_GROUND_ALONE = np.arange(mujoco.mjNGROUP) == GROUND_GROUP
_KINEMATICS = int(mujoco.mjtStage.mjSTAGE_VEL)
_logger = logging.getLogger(__name__)


class BatchPhysics:
    """n simulations in `mujoco.batch.Batch`; what its members mean says `Physics`.

    Args:
        model: of `scene.build`.
        robot: the robot in it.
        n: number of simulations.
        simulation: how they are stepped.
        terrain: the ground in the model.

    `observer` may be replaced by one that takes notice.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        robot: Robot,
        n: int,
        simulation: Simulation,
        terrain: Terrain = Flat(),
    ) -> None:
        _log_warnings()
        self.model, self.observer = model, Observer()
        self._batch = Batch(model, n, simulation.nthread)
        self._substeps, self._ground = simulation.substeps, terrain.height
        self._foot_radius = np.array([model.geom(name).size[0] for name in robot.feet])
        self._bind()
        joints = [model.joint(name) for name in robot.joints]
        self._joint_qpos = np.array([j.qposadr[0] for j in joints])
        self._joint_qvel = np.array([j.dofadr[0] for j in joints])
        free = model.joint(model.body(robot.base).jntadr[0])
        self._base_qpos = free.qposadr[0] + np.arange(7)
        self._base_qvel = free.dofadr[0] + np.arange(6)
        self._sensors = _sensor_slices(model, robot)
        self._coordinates = mujoco.MjData(model)
        self._fresh = np.ones(n, bool)
        self._batch.reset()

    def _bind(self) -> None:
        """Bind every field before the first call: one bound later would read zeros."""
        self._qpos, self._qvel = self._batch.bind("qpos"), self._batch.bind("qvel")
        self._ctrl = self._batch.bind("ctrl")
        self._sensordata = self._batch.bind("sensordata")
        self._force = self._batch.bind("actuator_force")

    @property
    def state(self) -> np.ndarray:
        return self._batch.state

    def apply(self, control: np.ndarray) -> None:
        self._ctrl[:] = control

    def push(self, ids: np.ndarray, velocity: np.ndarray) -> None:
        self._qvel[ids[:, None], self._base_qvel[:2]] += velocity
        self.observer.push(ids, velocity)

    def step(self, substep: Callable[[], np.ndarray] | None = None) -> np.ndarray:
        """Advance one control step; return which simulations diverged, (n,) bool.

        A simulation diverges when MuJoCo raises in it, warns (NaN or huge state, bad control),
        or leaves a speed above MAX_SPEED or not finite; the others are not touched by that.
        Until `set_rows` it counts as diverged.
        """
        self._fresh[:] = False
        if substep is None:
            failed = self._advance(self._substeps)
        else:
            failed = []
            for _ in range(self._substeps):
                self.apply(substep())
                failed += self._advance(1)
        diverged = self.warnings.any(axis=1)
        diverged |= ~(np.abs(self._qvel).max(axis=1) < MAX_SPEED)  # true of NaN as well
        diverged[failed] = True
        return diverged

    def _advance(self, steps: int) -> list[int]:
        """Take physics steps under the present controls; return which simulations failed."""
        self.observer.before_step(self._ctrl)
        failed: list[int] = []
        try:
            self._batch.step(nstep=steps, stage=_KINEMATICS)
        except SimulationError as error:
            failed = list(error.ids)
        self.observer.after_step()
        return failed

    def set_rows(
        self,
        ids: np.ndarray,
        base_pose: np.ndarray,
        base_velocity: np.ndarray,
        joint_pos: np.ndarray,
        joint_vel: np.ndarray,
    ) -> None:
        rows = ids[:, None]
        self._batch.reset(ids, stage=int(mujoco.mjtStage.mjSTAGE_NONE))
        self._qpos[rows, self._base_qpos] = base_pose
        self._qvel[rows, self._base_qvel] = base_velocity
        self._qpos[rows, self._joint_qpos] = joint_pos
        self._qvel[rows, self._joint_qvel] = joint_vel
        self._batch.forward(ids, stage=_KINEMATICS)
        self.observer.begin(ids)
        self._fresh[ids] = True

    def lift(self, ids: np.ndarray) -> None:
        sunken = np.maximum(0.0, -self.foot_height[ids].min(axis=1))
        if sunken.any():
            self._qpos[ids, self._base_qpos[2]] += sunken
            self._batch.forward(ids, stage=_KINEMATICS)
            self.observer.begin(ids)

    def restore(self, state: np.ndarray) -> None:
        self._batch.reset(stage=int(mujoco.mjtStage.mjSTAGE_NONE))
        self._batch.state[:] = state
        self._batch.forward(stage=_KINEMATICS)
        self.observer.begin(slice(None))
        self._fresh[:] = True

    def expand(self, field: str) -> np.ndarray:
        return self._batch.expand(field)

    def set_const(self, ids: np.ndarray | None = None) -> None:
        self._batch.set_const(ids)

    def ray(self, start: np.ndarray, direction: np.ndarray) -> np.ndarray:
        distance, geom = self._batch.ray(start, direction, geomgroup=_GROUND_ALONE)[:2]
        return np.where(geom >= 0, distance, -1.0)

    def pose(self, i: int, data: mujoco.MjData) -> None:
        simulated = self._batch.get_data(i, self._coordinates)
        data.qpos, data.qvel, data.time = simulated.qpos, simulated.qvel, simulated.time

    @property
    def warnings(self) -> np.ndarray:
        return self._batch.warning[:, :, 1]  # (n, kinds, (last info, count))

    def _sensor(self, name: str) -> np.ndarray:
        return self._sensordata[:, self._sensors[name]]

    @property
    def base_pos_w(self) -> np.ndarray:
        return self._qpos[:, self._base_qpos[:3]]

    @property
    def base_quat_w(self) -> np.ndarray:
        return self._qpos[:, self._base_qpos[3:]]

    @property
    def base_height(self) -> np.ndarray:
        position = self.base_pos_w
        return position[:, 2] - self._ground(position[:, :2])

    @property
    def lin_vel_b(self) -> np.ndarray:
        return self._sensor("lin_vel_b")

    @property
    def ang_vel_b(self) -> np.ndarray:
        return self._sensor("ang_vel_b")

    @property
    def gravity_b(self) -> np.ndarray:
        return -self._sensor("up_b")

    @property
    def joint_pos(self) -> np.ndarray:
        return self._qpos.take(self._joint_qpos, axis=1)  # row by row, as rows are summed

    @property
    def joint_vel(self) -> np.ndarray:
        return self._qvel.take(self._joint_qvel, axis=1)

    @property
    def torque(self) -> np.ndarray:
        # Below mjSTAGE_ACC the batch reports those of any other simulation.
        return np.where(self._fresh[:, None], 0.0, self._force)

    @property
    def foot_height(self) -> np.ndarray:
        position = self._sensor("foot_pos").reshape(len(self._fresh), -1, 3)
        return position[:, :, 2] - self._foot_radius - self._ground(position[:, :, :2])

    @property
    def foot_vel_w(self) -> np.ndarray:
        return self._sensor("foot_vel").reshape(len(self._fresh), -1, 3)

    @property
    def foot_contact(self) -> np.ndarray:
        return self._sensor("foot_contact") > 0

    @property
    def leg_contact(self) -> np.ndarray:
        shank = self._sensor("shank_contact") > self._sensor("foot_contact")
        return np.concatenate([self._sensor("thigh_contact") > 0, shank], axis=1)

    @property
    def base_contact(self) -> np.ndarray:
        return self._sensor("base_contact")[:, 0] > 0


def _log_warnings() -> None:
    """Send MuJoCo's warnings to `logging`, in place of the console and MUJOCO_LOG.TXT.

    `BatchPhysics.step` reports the simulations that they are about. A handler that the user has
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
        "foot_pos": [sensor("foot_pos", foot) for foot in robot.feet],
        "foot_vel": [sensor("foot_vel", foot) for foot in robot.feet],
        "foot_contact": [sensor("foot_contact", foot) for foot in robot.feet],
        "thigh_contact": [sensor("contact", body) for body in robot.thighs],
        "shank_contact": [sensor("contact", body) for body in robot.shanks],
        "base_contact": [sensor("contact", robot.base)],
    }
    slices = {}
    for group, names in groups.items():
        first, last = model.sensor(names[0]), model.sensor(names[-1])
        slices[group] = slice(int(first.adr[0]), int(last.adr[0] + last.dim[0]))
    return slices

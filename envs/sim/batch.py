"""`Physics` on MuJoCo's C++ thread pool."""

from __future__ import annotations

import logging
from collections.abc import Callable

import mujoco
import numpy as np
from mujoco.batch import Batch, SimulationError

from envs.sim.quantities import Quantities
from envs.sim.scene import Simulation
from envs.sim.terrain import GROUND_GROUP, Flat, Terrain
from robots.robot import Robot

_GROUND_ALONE = np.arange(mujoco.mjNGROUP) == GROUND_GROUP
_NONE, _KINEMATICS = int(mujoco.mjtStage.mjSTAGE_NONE), int(mujoco.mjtStage.mjSTAGE_VEL)
_logger = logging.getLogger(__name__)


class BatchPhysics(Quantities):
    """n simulations in `mujoco.batch.Batch`; what its members mean says `Physics`.

    Args:
        model: of `scene.build`.
        robot: the robot in it.
        n: number of simulations.
        simulation: how they are stepped.
        terrain: the ground in the model.

    `observer` may be replaced by one that takes notice.
    """

    engine = "batch"

    def __init__(
        self,
        model: mujoco.MjModel,
        robot: Robot,
        n: int,
        simulation: Simulation,
        terrain: Terrain = Flat(),
    ) -> None:
        _log_warnings()
        self._batch = batch = Batch(model, n, simulation.nthread)
        self._substeps = simulation.substeps
        # Every field is bound before the first call: one bound later would read zeros.
        super().__init__(
            model,
            robot,
            terrain,
            ctrl=batch.bind("ctrl"),
            qpos=batch.bind("qpos"),
            qvel=batch.bind("qvel"),
            sensordata=batch.bind("sensordata"),
            force=batch.bind("actuator_force"),
        )
        self._coordinates = mujoco.MjData(model)
        batch.reset()

    @property
    def state(self) -> np.ndarray:
        return self._batch.state

    def step(self, substep: Callable[[], np.ndarray] | None = None) -> np.ndarray:
        """Advance one control step; return which simulations diverged, (n,) bool.

        A simulation diverges when MuJoCo raises in it, warns (NaN or huge state, bad control),
        or leaves a speed above MAX_SPEED or not finite; the others are not touched by that.
        Until `set_rows` it counts as diverged.
        """
        self._fresh[:] = False
        self._meter.begin(self.joint_vel)
        if substep is None:
            failed = self._advance(self._substeps)
        else:
            failed = []
            for _ in range(self._substeps):
                self.apply(substep())
                failed += self._advance(1)
        diverged = self.warnings.any(axis=1) | self._too_fast()
        diverged[failed] = True
        return diverged

    def _advance(self, steps: int) -> list[int]:
        """Take physics steps under the present controls; return which simulations failed."""
        self.observer.before_step(self._ctrl)
        failed: list[int] = []
        for left in reversed(range(steps)):
            try:
                self._batch.step(stage=_NONE if left else _KINEMATICS)
            except SimulationError as error:
                failed.extend(error.ids)
            self._meter.add(self._force, self.joint_vel)
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
        self._batch.reset(ids, stage=_NONE)
        self._place(ids, base_pose, base_velocity, joint_pos, joint_vel)
        self._batch.forward(ids, stage=_KINEMATICS)
        self.observer.begin(ids)

    def lift(self, ids: np.ndarray) -> None:
        if self._raise(ids):
            self._batch.forward(ids, stage=_KINEMATICS)
            self.observer.begin(ids)

    def restore(self, state: np.ndarray) -> None:
        self._batch.reset(stage=_NONE)
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


def _log_warnings() -> None:
    """Send MuJoCo's warnings to `logging`, in place of the console and MUJOCO_LOG.TXT.

    `BatchPhysics.step` reports the simulations that they are about. A handler that the user has
    installed stays.
    """
    if mujoco.get_mju_user_warning() is None:
        mujoco.set_mju_user_warning(_logger.info)

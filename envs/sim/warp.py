"""`Physics` on a GPU, through MuJoCo Warp: the same model, a copy of its state on the host.

The host's arrays are what the environment reads and writes; a control step sends the state to the
device, replays one CUDA graph of all its substeps, and fetches state, sensors and drive torques.
Numbers have 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mujoco
import mujoco_warp as mjw
import numpy as np
import warp as wp

from envs.sim.quantities import Quantities
from envs.sim.scene import Simulation
from envs.sim.terrain import GROUND_GROUP, Flat, Terrain
from envs.sim.warp_model import find_device, on_device, room, room_told, solved_by_newton
from robots.robot import Robot

wp.config.log_level = wp.LOG_WARNING  # else a line for each kernel
_STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)
_PARTS = {
    "TIME": "time",
    "QPOS": "qpos",
    "QVEL": "qvel",
    "ACT": "act",
    "HISTORY": "history",
    "WARMSTART": "qacc_warmstart",
    "CTRL": "ctrl",
}
"""What of a state changes: MuJoCo's names, and Warp's. Nobody applies forces of other kinds."""
_CONSTANTS = ("body_subtreemass", "body_invweight0", "dof_invweight0", "actuator_acc0")
_DERIVED: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("body_mass", "body_inertia", "body_ipos", "body_pos"), _CONSTANTS
)
"""Constants that follow from fields of the model, and so differ between simulations with them."""
_LOST = (
    mjw.OverflowType.NEFC
    | mjw.OverflowType.BROADPHASE
    | mjw.OverflowType.NARROWPHASE
    | mjw.OverflowType.NJMAX_NNZ
)
"""Overflows by which contacts are lost; the others are of iterations, or of what Trot has not."""
_GROUPS = wp.types.vector(length=mujoco.mjNGROUP, dtype=float)


class WarpPhysics(Quantities):
    """n simulations in MuJoCo Warp; what its members mean says `Physics`.

    Args:
        model: of `scene.build`. Warp has no projected Gauss-Seidel: it solves such a model by
            Newton's method.
        robot: the robot in it.
        n: number of simulations.
        simulation: how they are stepped.
        terrain: the ground in the model.
        device: Warp's name of it, `cuda:0` for example.

    Raises:
        ValueError: the model has something that Warp lacks, or there is no such device.
        MemoryError: the device has too little.

    `observer` may be replaced by one that takes notice.
    """

    engine = "warp"

    def __init__(
        self,
        model: mujoco.MjModel,
        robot: Robot,
        n: int,
        simulation: Simulation,
        terrain: Terrain = Flat(),
        device: str = "cuda",
    ) -> None:
        self._device, self._substeps = find_device(device), simulation.substeps
        self._graphs: dict[Any, Any] = {}
        self._expanded: dict[str, np.ndarray] = {}
        contacts, rows = room(model, robot)
        solved = solved_by_newton(model)
        with wp.ScopedDevice(self._device), room_told():
            self._model = on_device(solved, robot)
            self._data = mjw.make_data(solved, nworld=n, nconmax=contacts, njmax=rows)
        self._reset_row = np.zeros(mujoco.mj_stateSize(model, _STATE))
        mujoco.mj_getState(model, mujoco.MjData(model), self._reset_row, _STATE)
        self.state = np.tile(self._reset_row.astype(np.float32), (n, 1))
        columns = _columns(model, self.state)
        self._parts = [
            (view, _Mirror(getattr(self._data, _PARTS[kind]))) for kind, view in columns.items()
        ]
        self._overflow = _Mirror(self._data.overflow)
        self._sensed, self._forces = (
            _Mirror(array) for array in (self._data.sensordata, self._data.actuator_force)
        )
        self._within = [
            (_Mirror(self._data.actuator_force), _Mirror(self._data.qvel))
            for _ in range(self._substeps)
        ]
        super().__init__(
            model,
            robot,
            terrain,
            ctrl=columns["CTRL"],
            qpos=columns["QPOS"],
            qvel=columns["QVEL"],
            sensordata=self._sensed.host,
            force=self._forces.host,
        )
        self._refresh()

    def step(self, substep: Callable[[], np.ndarray] | None = None) -> np.ndarray:
        """Advance one control step; return which simulations diverged, (n,) bool.

        A simulation diverges when a control is not finite, when contacts were too many for the
        room that it has, or when a speed is above MAX_SPEED or not finite; the others are not
        touched by that.
        """
        self._fresh[:] = False
        diverged = np.zeros(len(self._fresh), bool)
        self._meter.begin(self.joint_vel)
        for _ in range(self._substeps if substep else 1):
            if substep:
                self.apply(substep())
            diverged |= ~np.isfinite(self._ctrl).all(axis=1)
            self.observer.before_step(self._ctrl)
            steps = 1 if substep else self._substeps
            self._replay(self._step, steps)
            for force, speed in self._within[:steps]:
                self._meter.add(force.host, speed.host.take(self._joint_qvel, axis=1))
            self.observer.after_step()
            diverged |= self.warnings.any(axis=1)
        return diverged | self._too_fast()

    def set_rows(
        self,
        ids: np.ndarray,
        base_pose: np.ndarray,
        base_velocity: np.ndarray,
        joint_pos: np.ndarray,
        joint_vel: np.ndarray,
    ) -> None:
        self.state[ids] = self._reset_row
        self._place(ids, base_pose, base_velocity, joint_pos, joint_vel)
        self._refresh()
        self.observer.begin(ids)

    def lift(self, ids: np.ndarray) -> None:
        if self._raise(ids):
            self._refresh()
            self.observer.begin(ids)

    def restore(self, state: np.ndarray) -> None:
        self.state[:] = state
        self._fresh[:] = True
        self._refresh()
        self.observer.begin(slice(None))

    def expand(self, field: str) -> np.ndarray:
        if field not in self._expanded:
            nominal = getattr(self.model, field)
            rows = np.repeat(nominal[None].astype(np.float32), len(self._fresh), axis=0)
            self._expanded[field] = rows
            for name in (field, *_DERIVED.get(field, ())):
                self._give_rows(name)
        return self._expanded[field]

    def _give_rows(self, field: str) -> None:
        """Give a field of the device's model a row a simulation."""
        shared = getattr(self._model, field)
        rows = np.repeat(shared.numpy()[:1], len(self._fresh), axis=0)
        own = wp.array(rows, dtype=shared.dtype, device=self._device)
        setattr(self._model, field, own)
        self._graphs.clear()  # they hold the shared one

    def _send_model(self) -> None:
        """Copy the fields that differ between simulations to the device."""
        for name, rows in self._expanded.items():
            own = getattr(self._model, name)
            wp.copy(own, wp.array(rows, dtype=own.dtype, device="cpu"))

    def set_const(self, ids: np.ndarray | None = None) -> None:
        self._send_model()
        self._replay(self._set_const)

    def _set_const(self) -> None:
        mjw.set_const(self._model, self._data, restore=False)

    def ray(self, start: np.ndarray, direction: np.ndarray) -> np.ndarray:
        n, rays = start.shape[:2]
        groups = _GROUPS(*(float(group == GROUND_GROUP) for group in range(mujoco.mjNGROUP)))
        with wp.ScopedDevice(self._device):
            origin, along = (wp.array(a, dtype=wp.vec3) for a in (start, direction))
            distance, geom = wp.empty((n, rays), dtype=float), wp.empty((n, rays), dtype=int)
            nobody, normal = wp.full(rays, -1, dtype=int), wp.zeros_like(origin)
            what: Any = self._model, self._data, origin, along, groups, True, nobody
            found: Any = distance, geom, normal
            mjw.rays(*what, *found)
            return np.where(geom.numpy() >= 0, distance.numpy(), -1.0)

    def pose(self, i: int, data: mujoco.MjData) -> None:
        data.qpos, data.qvel, data.time = self._qpos[i], self._qvel[i], self.state[i, 0]

    @property
    def warnings(self) -> np.ndarray:
        return (self._overflow.host & int(_LOST))[:, None]

    def _step(self, steps: int) -> None:
        """Take physics steps, and fetch what has become of the state."""
        m, d = self._model, self._data
        self._send()
        d.overflow.zero_()
        for each in self._within[:steps]:
            mjw.step(m, d)
            for mirror in each:
                mirror.fetch()
        for _, mirror in self._parts:
            mirror.fetch()
        self._forces.fetch()
        self._overflow.fetch()
        self._sense()

    def _sense(self) -> None:
        """Bring positions, velocities, contacts and sensors up to the device's state."""
        m, d = self._model, self._data
        mjw.fwd_kinematics(m, d)
        mjw.collision(m, d)
        mjw.com_vel(m, d)
        d.sensordata.zero_()
        mjw.sensor_pos(m, d)
        mjw.sensor_vel(m, d)
        self._sensed.fetch()

    def _send(self) -> None:
        for _, mirror in self._parts:
            mirror.send()

    def _send_and_sense(self) -> None:
        self._send()
        self._sense()

    def _refresh(self) -> None:
        """Read the sensors at the host's state, under the simulations' own models."""
        self._send_model()
        self._replay(self._send_and_sense)

    def _replay(self, work: Callable[..., None], *args: int) -> None:
        """Do work of the device; from the second time on as one CUDA graph, where it has those."""
        key = (work.__name__, *args)
        for view, mirror in self._parts:
            mirror.host[:] = view
        with wp.ScopedDevice(self._device):
            if key in self._graphs:
                wp.capture_launch(self._graphs[key])
            else:
                work(*args)  # loads the kernels, which a capture cannot
                if self._device.is_cuda:
                    with wp.ScopedCapture() as capture:
                        work(*args)
                    self._graphs[key] = capture.graph
            wp.synchronize_device(self._device)
        for view, mirror in self._parts:
            view[:] = mirror.host


class _Mirror:
    """An array of the device and its copy on the host."""

    def __init__(self, array: Any) -> None:
        pinned = bool(array.device.is_cuda)
        self._copy = wp.zeros(array.shape, dtype=array.dtype, device="cpu", pinned=pinned)
        self._array, self.host = array, self._copy.numpy()

    def send(self) -> None:
        wp.copy(self._array, self._copy)

    def fetch(self) -> None:
        wp.copy(self._copy, self._array)


def _columns(model: mujoco.MjModel, state: np.ndarray) -> dict[str, np.ndarray]:
    """Return views of the parts of states (n, S) that change, by MuJoCo's names of them."""
    views = {}
    for kind in _PARTS:
        bit = int(getattr(mujoco.mjtState, f"mjSTATE_{kind}"))
        before = mujoco.mj_stateSize(model, _STATE & (bit - 1))
        width = mujoco.mj_stateSize(model, bit)
        views[kind] = state[:, before] if kind == "TIME" else state[:, before : before + width]
    return {kind: view for kind, view in views.items() if view.size}

"""The named, framed quantities of `Physics`, out of MuJoCo's arrays with a row a simulation."""

from __future__ import annotations

import mujoco
import numpy as np

from envs.sim.faults import Observer
from envs.sim.meter import Meter
from envs.sim.scene import sensor
from envs.sim.terrain import Terrain
from robots import shapes
from robots.robot import Robot

MAX_SPEED = 200.0
"""Speed of a coordinate (m/s, rad/s) that counts as a blow-up: 1 rad in a step of 5 ms."""


class Quantities:
    """What an engine's arrays say of the robots, and take; what the members mean says `Physics`.

    Args:
        model: of `scene.build`.
        robot: the robot in it; its ids are looked up once.
        terrain: the ground in the model.
        ctrl, qpos, qvel, sensordata, force: MuJoCo's arrays, live, (n, …).
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        robot: Robot,
        terrain: Terrain,
        *,
        ctrl: np.ndarray,
        qpos: np.ndarray,
        qvel: np.ndarray,
        sensordata: np.ndarray,
        force: np.ndarray,
    ) -> None:
        self.model = model
        self.observer = Observer()
        self._meter = Meter(len(qpos), len(robot.joints))
        self._ctrl, self._qpos, self._qvel = ctrl, qpos, qvel
        self._sensordata, self._force = sensordata, force
        self._ground = terrain.height
        self._feet = [int(model.geom(name).id) for name in robot.feet]
        self._foot_radius = model.geom_size[self._feet, 0]
        self._round = feet_are_round(model, robot)
        self._tips = [] if self._round else [_tip(model, foot) for foot in robot.feet]
        joints = [model.joint(name) for name in robot.joints]
        self._joint_qpos = np.array([j.qposadr[0] for j in joints])
        self._joint_qvel = np.array([j.dofadr[0] for j in joints])
        free = model.joint(model.body(robot.base).jntadr[0])
        self._base_qpos = free.qposadr[0] + np.arange(7)
        self._base_qvel = free.dofadr[0] + np.arange(6)
        self._sensors = _sensor_columns(model, robot)
        pairs = zip(robot.thighs, robot.shanks, strict=True)
        self._single_links = np.array([thigh == shank for thigh, shank in pairs])
        self._fresh = np.ones(len(qpos), bool)  # not stepped since they were put somewhere

    def apply(self, control: np.ndarray) -> None:
        self._ctrl[:] = control

    def push(self, ids: np.ndarray, velocity: np.ndarray) -> None:
        self._qvel[ids[:, None], self._base_qvel[:2]] += velocity
        self.observer.push(ids, velocity)

    def _place(
        self,
        ids: np.ndarray,
        base_pose: np.ndarray,
        base_velocity: np.ndarray,
        joint_pos: np.ndarray,
        joint_vel: np.ndarray,
    ) -> None:
        """Write coordinates and velocities; arguments as of `Physics.set_rows`."""
        rows = ids[:, None]
        self._qpos[rows, self._base_qpos] = base_pose
        self._qvel[rows, self._base_qvel] = base_velocity
        self._qpos[rows, self._joint_qpos] = joint_pos
        self._qvel[rows, self._joint_qvel] = joint_vel
        self._fresh[ids] = True

    def _raise(self, ids: np.ndarray) -> bool:
        """Raise bases whose feet are inside the ground; return whether there were any."""
        sunken = np.maximum(0.0, -self.foot_height[ids].min(axis=1))
        self._qpos[ids, self._base_qpos[2]] += sunken
        return bool(sunken.any())

    def _too_fast(self) -> np.ndarray:
        """Return which simulations have a speed above MAX_SPEED or not finite, (n,) bool."""
        return ~(np.abs(self._qvel).max(axis=1) < MAX_SPEED)  # true of NaN as well

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
        # Before their first step simulations have those of what was in their row before.
        return np.where(self._fresh[:, None], 0.0, self._force)

    @property
    def power(self) -> np.ndarray:
        return np.where(self._fresh, 0.0, self._meter.power)

    @property
    def effort(self) -> np.ndarray:
        return np.where(self._fresh[:, None], 0.0, self._meter.effort)

    @property
    def foot_height(self) -> np.ndarray:
        position = self._sensor("foot_pos").reshape(len(self._fresh), -1, 3)
        return position[:, :, 2] - self._foot_reach - self._ground(position[:, :, :2])

    @property
    def _foot_reach(self) -> np.ndarray:
        """How far undersides of the feet are below their points (m), (feet,) or (n, feet)."""
        if self._round:
            return self._foot_radius
        up = self._sensor("foot_up").reshape(len(self._fresh), -1, 3)
        feet = enumerate(zip(self._feet, self._tips, strict=True))
        each = [
            shapes.reach(self.model, foot, up[:, i]) + up[:, i] @ tip for i, (foot, tip) in feet
        ]
        return np.stack(each, axis=1)

    @property
    def foot_vel_w(self) -> np.ndarray:
        return self._sensor("foot_vel").reshape(len(self._fresh), -1, 3)

    @property
    def foot_contact(self) -> np.ndarray:
        return self._sensor("foot_contact") > 0

    @property
    def leg_contact(self) -> np.ndarray:
        shank = self._sensor("shank_contact") > self._sensor("foot_contact")
        thigh = (self._sensor("thigh_contact") > 0) & ~self._single_links
        return np.concatenate([thigh, shank], axis=1)

    @property
    def base_contact(self) -> np.ndarray:
        return self._sensor("base_contact")[:, 0] > 0


def _tip(model: mujoco.MjModel, foot: str) -> np.ndarray:
    """Return where a leg stands on its foot (m), (3,) in the frame of the foot's shape."""
    geom, frame = model.geom(foot), np.empty(9)
    mujoco.mju_quat2Mat(frame, geom.quat)
    return (model.site(sensor("foot", foot)).pos - geom.pos) @ frame.reshape(3, 3)


def feet_are_round(model: mujoco.MjModel, robot: Robot) -> bool:
    """Whether all feet are spheres, whose undersides are where they are however they are turned."""
    kinds = [model.geom(name).type[0] for name in robot.feet]
    return all(kind == mujoco.mjtGeom.mjGEOM_SPHERE for kind in kinds)


def _sensor_columns(model: mujoco.MjModel, robot: Robot) -> dict[str, slice | np.ndarray]:
    """Return where each group of sensors stands in sensordata: side by side, as a rule."""
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
    if not feet_are_round(model, robot):
        groups["foot_up"] = [sensor("foot_up", foot) for foot in robot.feet]
    found: dict[str, slice | np.ndarray] = {}
    for group, names in groups.items():
        sensors = [model.sensor(name) for name in names]
        columns = np.concatenate([s.adr[0] + np.arange(s.dim[0]) for s in sensors])
        adjacent = (np.diff(columns) == 1).all()
        found[group] = slice(columns[0], columns[-1] + 1) if adjacent else columns
    return found

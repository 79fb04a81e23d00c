"""The batch's named quantities against MuJoCo itself, and the limits of the drives."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import envs
from envs.mdp.starts import NOMINAL
from envs.sim import scene
from envs.sim.batch import BatchPhysics
from envs.sim.drives import PD, Drive, Torque
from envs.sim.faults import Recorder
from envs.sim.scene import ContactModel, Simulation
from envs.sim.terrain import GROUND
from envs.vector import LocomotionVectorEnv
from robots import Collision, Robot, get_robot
from tests.envs.helpers import (
    JOINTS,
    OFFLINE_ROBOTS,
    batch_of,
    quiet,
    run,
    simulation,
    snapshot,
    task,
)
from tests.robots.synthetic import SYNTHETIC

robots = pytest.mark.parametrize("robot", OFFLINE_ROBOTS)


def limited(env: LocomotionVectorEnv, target: np.ndarray, data: mujoco.MjData) -> np.ndarray:
    """Torque (N·m) of the PD law at joint targets (rad) clipped to the joint range."""
    robot, model = env.robot, env.physics.model
    q = np.array([data.joint(name).qpos[0] for name in robot.joints])
    qd = np.array([data.joint(name).qvel[0] for name in robot.joints])
    low, high = np.array([model.joint(name).range for name in robot.joints]).T
    torque = robot.kp * (np.clip(target, low, high) - q) - robot.kd * qd
    return np.clip(torque, -robot.torque_limit, robot.torque_limit)


@robots
def test_a_control_step_equals_a_loop_over_mj_step(robot: str) -> None:
    config = task(robot=robot, drive=PD(scale=2.0))
    env = LocomotionVectorEnv(3, robot=robot, config=config)
    env.reset(seed=0)
    model, rng = env.physics.model, np.random.default_rng(0)
    joints = [model.joint(name) for name in env.robot.joints]
    for _ in range(15):
        starts = [batch_of(env.physics).get_data(i) for i in range(3)]
        action = rng.uniform(-1, 1, (3, JOINTS))
        _, _, terminated, truncated, _ = env.step(action)
        target = np.array(env.robot.nominal_pose) + 2.0 * action
        for i in np.flatnonzero(~(terminated | truncated)).tolist():
            data, torque = starts[i], np.zeros(JOINTS)
            data.ctrl[:] = target[i]
            for _ in range(config.simulation.substeps):
                torque = limited(env, target[i], data)
                mujoco.mj_step(model, data)
            np.testing.assert_array_equal(batch_of(env.physics).get_data(i).qpos, data.qpos)
            np.testing.assert_allclose(env.state.torque[i], torque, atol=1e-9)
            q = [data.qpos[joint.qposadr[0]] for joint in joints]
            np.testing.assert_array_equal(env.state.joint_pos[i], q)


@robots
def test_quantities_are_mujocos_own(robot: str) -> None:
    env = LocomotionVectorEnv(4, robot=robot, config=task(robot=robot, drive=PD(scale=0.7)))
    env.reset(seed=1)
    model, touching = env.physics.model, 0
    run(env, 40, np.random.default_rng(1))
    state = snapshot(env.state)
    for i in range(4):
        data = batch_of(env.physics).get_data(i)
        mujoco.mj_forward(model, data)
        rotation = data.body(env.robot.base).xmat.reshape(3, 3)  # base to world
        free = model.body(env.robot.base).dofadr[0]
        np.testing.assert_allclose(state["lin_vel_b"][i], rotation.T @ data.qvel[free : free + 3])
        np.testing.assert_allclose(state["ang_vel_b"][i], data.qvel[free + 3 : free + 6])
        np.testing.assert_allclose(state["gravity_b"][i], rotation.T @ [0, 0, -1], atol=1e-12)
        assert state["base_height"][i] == data.body(env.robot.base).xpos[2]
        pairs = [{model.geom(g).name for g in contact.geom} for contact in data.contact]
        for k, foot in enumerate(env.robot.feet):
            geom, velocity = model.geom(foot), np.zeros(6)
            under = data.geom(foot).xpos[2] - geom.size[0]
            assert state["foot_height"][i, k] == pytest.approx(under)
            kind = mujoco.mjtObj.mjOBJ_GEOM
            mujoco.mj_objectVelocity(model, data, kind, geom.id, velocity, 0)
            np.testing.assert_allclose(state["foot_vel_w"][i, k], velocity[3:], atol=1e-9)
            down = {foot, GROUND} in pairs
            assert state["foot_contact"][i, k] == down
            touching += down
    assert 0 < touching < 16  # both cases are seen


@robots
def test_contacts_of_legs_and_base_are_told_apart(robot: str) -> None:
    """Sunk into the ground in several poses, each body reports its own contacts."""
    env = LocomotionVectorEnv(6, robot=robot, config=task(robot=robot))
    env.reset(seed=0)
    rng, n = np.random.default_rng(0), 6
    pose = np.zeros((n, 7))
    pose[:, 2] = [0.1, 0.2, 0.3, 0.35, 0.4, 2.0]
    pose[:, 3:] = Rotation.from_euler("xyz", rng.uniform(-0.4, 0.4, (n, 3))).as_quat(
        scalar_first=True
    )
    joints = np.array(env.robot.nominal_pose) + rng.normal(0, 0.6, (n, JOINTS))
    env.physics.set_rows(np.arange(n), pose, np.zeros((n, 6)), joints, np.zeros((n, JOINTS)))
    model, physics, robot_ = env.physics.model, env.physics, env.robot
    bodies = [*robot_.thighs, *robot_.shanks]
    for i in range(n):
        data = batch_of(physics).get_data(i)
        mujoco.mj_forward(model, data)
        hit = {g for contact in data.contact for g in contact.geom}
        names = {model.geom(g).name for g in hit}
        not_feet = {g for g in hit if model.geom(g).name not in robot_.feet}
        hit_bodies = {model.body(model.geom_bodyid[g]).name for g in not_feet}
        assert physics.foot_contact[i].tolist() == [foot in names for foot in robot_.feet]
        assert physics.leg_contact[i].tolist() == [body in hit_bodies for body in bodies]
        assert physics.base_contact[i] == (robot_.base in hit_bodies)
    assert physics.leg_contact.any()
    assert not physics.leg_contact.all()
    assert physics.base_contact.any()
    assert not physics.base_contact.all()


@robots
@pytest.mark.parametrize("drive", [PD(scale=3.0), Torque()], ids=["pd", "torque"])
def test_no_control_exceeds_the_torque_limit(robot: str, drive: Drive) -> None:
    env = LocomotionVectorEnv(4, robot=robot, config=task(robot=robot, drive=drive))
    env.reset(seed=0)
    rng, largest = np.random.default_rng(0), np.zeros(JOINTS)
    for _ in range(20):
        env.physics.apply(rng.uniform(-1e3, 1e3, (4, JOINTS)))
        env.physics.step()
        largest = np.maximum(largest, np.abs(env.physics.torque).max(axis=0))
    np.testing.assert_allclose(largest, env.robot.torque_limit)


@robots
def test_pd_targets_are_clipped_to_the_joint_range(robot: str) -> None:
    env = LocomotionVectorEnv(1, robot=robot, config=quiet(**simulation(substeps=1)))
    env.reset(seed=0)
    ends = np.array([env.physics.model.joint(name).range[1] for name in env.robot.joints])
    up, rest = np.array([[0, 0, 2.0, 1, 0, 0, 0]]), np.zeros((1, JOINTS))
    env.physics.set_rows(np.arange(1), up, np.zeros((1, 6)), ends[None] - 0.3, rest)
    data, target = batch_of(env.physics).get_data(0), np.full(JOINTS, 100.0)
    expected = limited(env, target, data)
    env.physics.apply(target[None])
    env.physics.step()
    np.testing.assert_allclose(env.physics.torque[0], expected)
    assert (np.abs(expected) < env.robot.torque_limit).any()  # else the range plays no part


@pytest.mark.slow
@robots
@pytest.mark.parametrize("contact", get_args(ContactModel))
@pytest.mark.parametrize("collision", get_args(Collision))
def test_every_contact_and_collision_model_stands(
    robot: str, contact: ContactModel, collision: Collision
) -> None:
    settings = simulation(contact=contact, collision=collision)
    env = LocomotionVectorEnv(2, robot=robot, config=quiet(**settings))
    env.reset(seed=0)
    for _ in range(100):
        _, _, terminated, _, _ = env.step(np.zeros((2, JOINTS), np.float32))
        assert not terminated.any()
    assert env.state.foot_contact.all()
    drop = env.robot.nominal_height - env.state.base_height
    assert (np.abs(drop) < 0.08).all()  # m; the legs give under the weight
    assert np.abs(env.state.lin_vel_b).max() < 0.02


@robots
def test_elliptic_contacts_are_the_published_ones(robot: str) -> None:
    definition = get_robot(robot)
    training, elliptic = (
        scene.build(definition, Simulation(contact=contact), PD())
        for contact in get_args(ContactModel)
    )
    assert elliptic.opt.cone == mujoco.mjtCone.mjCONE_ELLIPTIC
    assert elliptic.opt.impratio == 100
    assert training.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL
    assert training.opt.impratio == 1
    published = definition.spec().compile()
    for foot in definition.feet:
        assert elliptic.geom(foot).condim == published.geom(foot).condim
        np.testing.assert_array_equal(elliptic.geom(foot).solimp, published.geom(foot).solimp)
        assert training.geom(foot).condim == 3


ENGINE = re.compile(r"mujoco\.batch|\bBatch\b")


def test_only_the_simulations_room_names_the_engine() -> None:
    root = Path(envs.__file__).parents[1]
    files = [p for room in ("envs", "algos", "robots") for p in (root / room).rglob("*.py")]
    named = [p for p in [*files, *root.glob("*.py")] if ENGINE.search(p.read_text())]
    assert {path.parent.relative_to(root).as_posix() for path in named} == {"envs/sim"}


def test_physics_needs_nobody_who_takes_notice() -> None:
    """Alone and with a recorder it does the same, bitwise."""
    robot, n = get_robot("anymal_c"), 3
    model = scene.build(robot, Simulation(), PD())
    alone, watched = (BatchPhysics(model, robot, n, Simulation()) for _ in range(2))
    recorder = watched.observer = Recorder(watched.state, model.nu)
    rng, rows = np.random.default_rng(0), np.array([0, 2])
    for step in range(10):
        control = np.array(robot.nominal_pose) + rng.normal(0, 0.3, (n, JOINTS))
        velocity = rng.normal(0, 1, (2, 2))
        for physics in (alone, watched):
            if step % 4 == 0:
                physics.set_rows(rows, *NOMINAL(robot, 2, rng))
                physics.lift(rows)
            physics.push(rows, velocity)
            physics.apply(control)
            physics.step()
        np.testing.assert_array_equal(alone.state, watched.state)
    lengths = [len(recorder.record(i)["controls"]) for i in range(n)]
    assert lengths == [2, 10, 2]  # since the reset at step 8, or from the start


def test_fresh_simulations_report_no_torque() -> None:
    env = LocomotionVectorEnv(3, config=quiet())
    env.reset(seed=0)
    assert not env.state.torque.any()
    env.step(np.zeros((3, JOINTS), np.float32))
    assert env.state.torque.any(axis=1).all()
    batch_of(env.physics).bind("qpos")[1, 2] = 0.1  # a fall
    env.step(np.zeros((3, JOINTS), np.float32))
    assert env.state.torque.any(axis=1).tolist() == [True, False, True]


def test_each_foot_has_a_radius_of_its_own() -> None:
    """Hind feet twice as large reach deeper; a lifted robot stands on them."""

    def build() -> mujoco.MjSpec:
        spec = SYNTHETIC["pony"].build()
        for foot in SYNTHETIC["pony"].feet[2:]:
            spec.geom(foot).size = [0.046, 0, 0]
        return spec

    robot = replace(SYNTHETIC["pony"], build=build)
    physics = BatchPhysics(scene.build(robot, Simulation(), PD()), robot, 1, Simulation())
    rows = np.arange(1)
    physics.set_rows(rows, *NOMINAL(robot, 1, np.random.default_rng(0)))
    np.testing.assert_allclose(physics.foot_height[0], [0, 0, -0.023, -0.023], atol=1e-9)
    physics.lift(rows)
    np.testing.assert_allclose(physics.foot_height[0], [0.023, 0.023, 0, 0], atol=1e-9)


@pytest.mark.parametrize("robot", SYNTHETIC.values(), ids=SYNTHETIC)
def test_each_joint_has_a_motor_of_its_own(robot: Robot) -> None:
    model = scene.build(robot, Simulation(), PD())
    assert len(set(robot.motors)) == 2
    for joint, motor in zip(robot.joints, robot.motors, strict=True):
        drive = model.actuator(joint)
        assert drive.gainprm[0] == motor.kp
        assert drive.biasprm[1:3].tolist() == [-motor.kp, -motor.kd]
        assert drive.forcerange.tolist() == [-motor.torque_limit, motor.torque_limit]
        assert model.dof_armature[model.joint(joint).dofadr[0]] == motor.armature

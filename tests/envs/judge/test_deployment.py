"""What another program is told of a policy is what the simulation does."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v2 as imageio
import mujoco
import numpy as np
import pytest

from envs.judge.deployment import control_law, description
from envs.sim import DRIVES
from envs.sim.drives import PD, Relative, Torque
from envs.sim.terrain import Slope
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS, Robot, get_robot
from tests.envs.delay import Delay
from tests.envs.helpers import JOINTS, batch_of, quiet
from tests.robots import dogs
from tests.robots.synthetic import SYNTHETIC


@pytest.mark.parametrize("name", [n for n, kind in DRIVES.items() if not kind.every_substep])
def test_the_drive_that_is_described_gives_the_controls(name: str) -> None:
    """A program that knows the description alone, on the model in it."""
    env = LocomotionVectorEnv(1, config=quiet(drive=DRIVES[name]()))
    env.reset(seed=0)
    told = json.loads(json.dumps(description(env), allow_nan=False))
    model = mujoco.MjModel.from_xml_string(told["mjcf"])
    qpos = [model.joint(joint).qposadr[0] for joint in told["joints"]]
    drive, data = told["drive"], mujoco.MjData(model)
    assert drive["name"] == name
    assert not drive["every_substep"]
    data.qpos[:] = batch_of(env.physics).get_data(0).qpos
    for action in np.random.default_rng(0).uniform(-0.3, 0.3, (5, JOINTS)):
        control = np.array(drive["offset"]) + np.array(drive["scale"]) * action
        control += data.qpos[qpos] if drive["added_to"] == "joint_pos" else 0.0
        for joint, value in zip(told["joints"], control, strict=True):
            data.actuator(joint).ctrl = value
        for _ in range(told["substeps"]):
            mujoco.mj_step(model, data)
        env.step(action[None])
        found = batch_of(env.physics).get_data(0).qpos
        np.testing.assert_allclose(found, data.qpos, atol=1e-6)  # MJCF is text: 6 digits or so


@pytest.mark.slow
def test_only_a_law_of_the_action_alone_can_be_built_into_a_policy() -> None:
    laws = {
        drive: control_law(LocomotionVectorEnv(1, config=quiet(drive=drive)))
        for drive in (PD(), Torque(), Relative())
    }
    assert [law is None for law in laws.values()] == [False, False, True]


def test_a_drive_that_acts_every_substep_is_said_to() -> None:
    told = description(LocomotionVectorEnv(1, config=quiet(drive=Delay(delay=2))))["drive"]
    assert (told["name"], told["every_substep"], told["delay"]) == ("delay", True, 2)
    assert told["offset"] == list(get_robot("anymal_c").nominal_pose)


def test_the_model_that_is_described_needs_no_file(tmp_path: Path) -> None:
    """Looks of a file go, what they weigh stays, and what collides keeps its shape."""
    corners = [f"v {x} {y} {z}" for x in (0, 8) for y in (-2, 2) for z in (-1, 1)]
    faces = ["1 2 4", "1 4 3", "5 7 8", "5 8 6", "1 5 6", "1 6 2"]
    faces += ["3 4 8", "3 8 7", "1 3 7", "1 7 5", "2 6 8", "2 8 4"]
    shape = "\n".join([*corners, *(f"f {face}" for face in faces)])
    (tmp_path / "shoe.obj").write_text(shape)
    imageio.imwrite(tmp_path / "paint.png", np.zeros((4, 4, 3), np.uint8))
    assets = """<asset><mesh name="shoe" file="shoe.obj" scale=".01 .01 .01"/>
        <mesh name="hat" file="shoe.obj" scale=".02 .02 .02"/>
        <texture name="paint" type="2d" file="paint.png"/>
        <material name="paint" texture="paint"/></asset>"""
    foot = '<geom name="{n}_foot" type="mesh" mesh="shoe" pos="-.04 0 -.2" euler="0 5 0"/>'
    hat = """<body name="hat"><geom type="mesh" mesh="hat" pos="0 0 .1" mass="2" contype="0"
        conaffinity="0" material="paint"/></body>"""
    text = dogs.mjcf(foot=foot, extra=hat).replace(dogs.SHOE, assets)
    (tmp_path / "dog.xml").write_text(text)
    robot = str(tmp_path / "dog.xml")
    env = LocomotionVectorEnv(1, robot=robot, config=quiet(robot=robot))
    env.reset(seed=0)
    told = description(env)["mjcf"]
    for name in ("dog.xml", "shoe.obj", "paint.png"):
        (tmp_path / name).unlink()
    model, own = mujoco.MjModel.from_xml_string(told), env.physics.model
    assert model.nmesh == 1
    for name in ("body_mass", "body_ipos", "body_inertia", "dof_M0"):
        np.testing.assert_allclose(getattr(model, name), getattr(own, name), atol=1e-6)
    data, ours = mujoco.MjData(model), mujoco.MjData(own)
    data.qpos[:] = ours.qpos[:] = batch_of(env.physics).get_data(0).qpos
    for each in (data, ours):
        each.qpos[2] -= 1e-3  # of feet that just touch the ground rounding decides whether they do
        each.ctrl[:] = env.robot.nominal_pose
    for _ in range(50):
        mujoco.mj_step(model, data)
        mujoco.mj_step(own, ours)
    assert data.ncon == ours.ncon >= 4
    np.testing.assert_allclose(data.qpos, ours.qpos, atol=1e-4)


@pytest.mark.parametrize("robot", SYNTHETIC.values(), ids=SYNTHETIC)
def test_numbers_are_told_joint_by_joint(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROBOTS, robot.name, robot)
    config = quiet("walk", robot.name, terrain=Slope(0.1))
    told = description(LocomotionVectorEnv(1, robot=robot.name, config=config))
    assert told["kp"] == [motor.kp for motor in robot.motors]
    assert told["kd"] == [motor.kd for motor in robot.motors]
    assert told["torque_limit"] == [motor.torque_limit for motor in robot.motors]
    assert len(told["gait_offsets"]) == len(robot.legs)
    assert told["control_rate"] == pytest.approx(50.0)
    assert [block["term"] for block in told["observation"]] == list(config.observations)
    stops = [block["stop"] for block in told["observation"]]
    assert [block["start"] for block in told["observation"]] == [0, *stops[:-1]]
    assert [(c["entry"], c["unit"]) for c in told["command"]] == [
        ("lin_vel_x", "m/s"),
        ("lin_vel_y", "m/s"),
        ("yaw_rate", "rad/s"),
    ]

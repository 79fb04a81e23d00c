"""What another program is told of a policy is what the simulation does."""

from __future__ import annotations

import json

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

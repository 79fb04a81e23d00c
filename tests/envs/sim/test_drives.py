"""What an action does to each joint, by hand; drives that act every physics step and remember."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import mujoco
import numpy as np
import pytest

from envs.sim import DRIVES, scene
from envs.sim.drives import PD, DCMotor, Delayed, Drive, Network, Relative, Torque
from envs.sim.randomization import Randomization
from envs.sim.scene import Simulation
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS, Motor, get_robot
from tests.envs.helpers import JOINTS, WILD, assert_same, batch_of, quiet, run, simulation, task
from tests.envs.networks import NETWORKS, tiny


class Still(NamedTuple):
    """Joints that stand where they are said to."""

    pos: np.ndarray
    vel: np.ndarray


MIXED = replace(
    get_robot("anymal_c"),
    name="mixed",
    motors=tuple(
        Motor(
            kp=50.0 + 5 * k,
            kd=1.0 + 0.1 * k,
            torque_limit=20.0 + 3 * k,
            speed_limit=7.0,
            armature=0.01 * (k + 1),
        )
        for k in range(JOINTS)
    ),
)
"""ANYmal C with another motor in every joint."""
K = np.arange(JOINTS)
ONE_SUBSTEP = simulation(substeps=1)


@pytest.fixture(autouse=True)
def _mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROBOTS, MIXED.name, MIXED)


def env_of(drive: Drive, robot: str = "mixed", n: int = 2, **changes: Any) -> LocomotionVectorEnv:
    env = LocomotionVectorEnv(n, robot=robot, config=quiet(drive=drive, **changes))
    env.reset(seed=0)
    return env


def actions(n: int, steps: int, largest: float = 1.0) -> np.ndarray:
    """Random actions, (steps, n, joints)."""
    return np.random.default_rng(0).uniform(-largest, largest, (steps, n, JOINTS))


@pytest.mark.parametrize("drive", [PD(), Relative()])
def test_the_motors_of_each_joint_reach_the_model(drive: Drive) -> None:
    model = scene.build(MIXED, Simulation(), drive)
    assert [model.actuator(k).name for k in K] == list(MIXED.joints)
    np.testing.assert_array_equal(model.actuator_gainprm[:, 0], 50.0 + 5 * K)
    np.testing.assert_array_equal(model.actuator_biasprm[:, 1], -(50.0 + 5 * K))
    np.testing.assert_allclose(model.actuator_biasprm[:, 2], -(1.0 + 0.1 * K))
    limit = 20.0 + 3 * K
    np.testing.assert_array_equal(model.actuator_forcerange, np.column_stack([-limit, limit]))
    dofs = [model.joint(name).dofadr[0] for name in MIXED.joints]
    np.testing.assert_allclose(model.dof_armature[dofs], 0.01 * (K + 1))
    ranges = [model.joint(name).range for name in MIXED.joints]
    np.testing.assert_array_equal(model.actuator_ctrlrange, ranges)
    np.testing.assert_array_equal(model.dof_damping[dofs], 0.0)  # kd is in the drive


def test_torque_motors_are_limited_joint_by_joint() -> None:
    model = scene.build(MIXED, Simulation(), Torque())
    limit = 20.0 + 3 * K
    np.testing.assert_array_equal(model.actuator_ctrlrange, np.column_stack([-limit, limit]))
    np.testing.assert_array_equal(model.actuator_gainprm[:, 0], 1.0)
    np.testing.assert_array_equal(model.actuator_biasprm[:, :3], 0.0)


def test_a_pd_target_is_the_nominal_pose_plus_the_scaled_action() -> None:
    """At rest in the nominal pose the torque is kp × scale × action, up to its limit."""
    env = env_of(PD(scale=0.3), **ONE_SUBSTEP)
    action = actions(2, 1)[0]
    env.step(action)
    limit = 20.0 + 3 * K
    expected = np.clip((50.0 + 5 * K) * 0.3 * action, -limit, limit)
    np.testing.assert_allclose(env.state.torque, expected, rtol=1e-9)
    assert (np.abs(expected) < limit).any()


def test_a_relative_target_is_the_present_position_plus_the_scaled_action() -> None:
    """At rest in another pose the torque is the same: the pose plays no part."""
    env = env_of(Relative(scale=0.2), **ONE_SUBSTEP)
    robot = env.robot
    pose = np.tile([0, 0, 2.0, 1, 0, 0, 0], (2, 1))
    joints = np.array(robot.nominal_pose) + np.random.default_rng(1).uniform(-0.2, 0.2, (2, JOINTS))
    env.physics.set_rows(np.arange(2), pose, np.zeros((2, 6)), joints, 0 * joints)
    action = actions(2, 1)[0]
    env.step(action)
    np.testing.assert_allclose(env.state.torque, (50.0 + 5 * K) * 0.2 * action, rtol=1e-9)


def test_a_relative_target_is_taken_once_a_control_step() -> None:
    """Against a loop over mj_step, whose target stays where it was at the first substep."""
    env = env_of(Relative(scale=0.5), **simulation(substeps=4))
    model = env.physics.model
    qpos = [model.joint(name).qposadr[0] for name in env.robot.joints]
    for action in actions(2, 8):
        data = batch_of(env.physics).get_data(1)
        data.ctrl[:] = data.qpos[qpos] + 0.5 * action[1]
        for _ in range(4):
            mujoco.mj_step(model, data)
        env.step(action)
        np.testing.assert_array_equal(batch_of(env.physics).get_data(1).qpos, data.qpos)


def test_a_torque_is_the_action_times_the_joints_limit() -> None:
    env = env_of(Torque())
    action = actions(2, 1)[0]
    env.step(action)
    np.testing.assert_allclose(env.state.torque, (20.0 + 3 * K) * action, rtol=1e-12)


@pytest.mark.parametrize("drive", [kind() for kind in DRIVES.values()], ids=DRIVES)
def test_the_law_of_a_drive_says_its_controls(drive: Drive) -> None:
    joints = Still(pos=np.full((3, JOINTS), 0.7), vel=np.full((3, JOINTS), 9.0))
    law = drive.law(MIXED)
    assert law is not None
    [action] = actions(3, 1)
    expected = law.offset + law.scale * action + (0.7 if law.added_to == "joint_pos" else 0.0)
    np.testing.assert_allclose(drive.control(action, MIXED, joints, {}), expected)
    assert law.unit == ("N·m" if isinstance(drive, Torque) else "rad")


def test_drives_are_registered_under_their_names() -> None:
    assert all(kind.name == name for name, kind in DRIVES.items())
    assert {"pd", "relative", "torque", "delayed", "dc_motor", "network"} == set(DRIVES)


AT_ONCE = {name: kind() for name, kind in DRIVES.items()} | {"delayed": Delayed(delay=(0.0, 0.0))}
"""Drives that act in the first physics step."""


@pytest.mark.parametrize("name", AT_ONCE)
def test_every_drive_of_every_joint_is_used(name: str) -> None:
    """An action of one joint alone turns that joint alone at once."""
    env = env_of(AT_ONCE[name], n=JOINTS, **ONE_SUBSTEP)
    env.step(0.05 * np.eye(JOINTS))
    np.testing.assert_array_equal(env.state.torque != 0, np.eye(JOINTS, dtype=bool))


# Delays: they act every physics step, keep the targets that are on their way, and are saved.


def late(steps: int) -> Delayed:
    """A delay of some physics steps in every episode."""
    return Delayed(delay=(steps * 0.005, steps * 0.005))


def states(drive: Drive, acts: np.ndarray) -> np.ndarray:
    """The simulations' states after each control step, (steps, n, S)."""
    env, seen = env_of(drive, "anymal_c", acts.shape[1], terminations={}), []
    for action in acts:
        env.step(action)
        seen.append(env.physics.state.copy())
    return np.array(seen)


def test_no_delay_is_the_pd_drive_bitwise() -> None:
    acts = actions(3, 20, 0.5)
    np.testing.assert_array_equal(states(late(0), acts), states(PD(), acts))


@pytest.mark.parametrize("k", [1, 3])
def test_a_delay_of_whole_control_steps_is_that_of_the_actions(k: int) -> None:
    acts = actions(3, 20, 0.5)
    after = np.concatenate([np.zeros((k, 3, JOINTS)), acts[:-k]])
    np.testing.assert_array_equal(states(late(4 * k), acts), states(PD(), after))


def test_a_delay_within_a_control_step_arrives_at_its_substep() -> None:
    """Against a loop over mj_step: three substeps under the old target, one under the new."""
    env = env_of(late(3), "anymal_c", terminations={})
    model, nominal = env.physics.model, np.array(env.robot.nominal_pose)
    before = np.zeros(JOINTS)
    for action in actions(2, 8, 0.5):
        data = batch_of(env.physics).get_data(0)
        for target in (before, before, before, action[0]):
            data.ctrl[:] = nominal + target
            mujoco.mj_step(model, data)
        env.step(action)
        np.testing.assert_array_equal(batch_of(env.physics).get_data(0).qpos, data.qpos)
        before = action[0]


@pytest.mark.slow
def test_what_a_drive_remembers_is_restored_bitwise() -> None:
    config = task(drive=Delayed(), randomization=WILD, episode_length=0.6)
    env = LocomotionVectorEnv(4, config=config)
    env.reset(seed=3)
    run(env, 40, np.random.default_rng(0))
    saved = env.state_dict()
    kept = saved["drive"]["targets"].copy()
    first = run(env, 40, np.random.default_rng(1))
    np.testing.assert_array_equal(saved["drive"]["targets"], kept)  # a copy
    resumed = LocomotionVectorEnv(4, config=config)
    resumed.load_state_dict(saved)
    assert_same(first, run(resumed, 40, np.random.default_rng(1)))
    assert_same(env.state_dict(), resumed.state_dict())
    assert any(seen["truncated"].any() for seen in first)  # resets are part of it


def test_what_a_drive_remembers_starts_anew_with_its_simulation() -> None:
    env = env_of(late(5), "anymal_c", n=3)
    nominal = np.broadcast_to(env.robot.nominal_pose, (6, JOINTS))
    np.testing.assert_array_equal(env.state_dict()["drive"]["targets"], [nominal] * 3)
    acts = actions(3, 3, 0.2)
    for action in acts:
        env.step(action)
    batch_of(env.physics).bind("qpos")[1, 2] = 0.1  # a fall
    _, _, terminated, _, _ = env.step(acts[0])
    assert terminated.tolist() == [False, True, False]
    targets = env.state_dict()["drive"]["targets"]
    np.testing.assert_array_equal(targets[1], nominal)
    for i in (0, 2):
        on_their_way = nominal[0] + np.stack([*[acts[2, i]] * 2, *[acts[0, i]] * 4])
        np.testing.assert_allclose(targets[i], on_their_way)
    env.reset()
    np.testing.assert_array_equal(env.state_dict()["drive"]["targets"], [nominal] * 3)


def test_a_divergence_is_forgotten_by_the_drive() -> None:
    env = env_of(late(5), "anymal_c", n=3)
    action = np.zeros((3, JOINTS))
    action[1] = np.nan
    _, _, terminated, _, info = env.step(action)
    for _ in range(3):
        if "diverged" in info.get("trot", {}):
            break
        _, _, terminated, _, info = env.step(0 * np.nan_to_num(action))
    assert terminated.tolist() == [False, True, False]
    assert np.isfinite(env.state_dict()["drive"]["targets"]).all()
    for _ in range(5):
        _, _, terminated, _, info = env.step(np.zeros((3, JOINTS)))
        assert not terminated.any()


def test_a_drive_without_a_memory_saves_none() -> None:
    assert "drive" not in env_of(PD()).state_dict()


def test_each_episodes_delay_is_a_whole_number_of_steps_of_its_range() -> None:
    """All numbers come up, about equally often, and each simulation has one of its own."""
    env, seen = env_of(Delayed(delay=(0.01, 0.022)), "anymal_c", n=200), []
    for seed in range(5):
        env.reset(seed=seed)
        seen.append(env.state_dict()["drive"]["steps"])
    numbers, counts = np.unique(seen, return_counts=True)
    assert numbers.tolist() == [2, 3, 4]
    assert counts.min() > 1000 / 3 - 60
    assert not np.array_equal(seen[0], seen[1])


def test_simulations_of_other_delays_do_not_meet() -> None:
    """Each moves as alone under a fixed delay of its own."""
    acts = actions(4, 12, 0.5)
    env = env_of(Delayed(delay=(0.0, 0.03)), "anymal_c", n=4, terminations={})
    steps = env.state_dict()["drive"]["steps"]
    assert len(set(steps.tolist())) > 1
    for action in acts:
        env.step(action)
    for i, k in enumerate(steps):
        alone = states(late(int(k)), acts[:, i : i + 1])[-1, 0]
        np.testing.assert_array_equal(env.physics.state[i], alone)


def test_drives_without_chance_leave_the_generator_alone() -> None:
    drawn = {}
    for drive in (PD(), late(2), DCMotor(), Delayed()):
        env = env_of(drive, "anymal_c", n=3)
        drawn[drive] = env.state_dict()["rng"]["state"]["state"]
    assert drawn[PD()] == drawn[late(2)] == drawn[DCMotor()] != drawn[Delayed()]


def test_a_range_without_a_whole_step_is_refused() -> None:
    told = r"drive delay is \(0\.011, 0\.014\); it must be .* physics steps of 0\.005 s"
    with pytest.raises(ValueError, match=told):
        env_of(Delayed(delay=(0.011, 0.014)))
    assert Delayed(delay=(0.015, 0.015)).steps(0.005) == (3, 3)
    for delay in ((-0.01, 0.01), (0.02, 0.01), (0.0, 2.0)):
        with pytest.raises(ValueError, match="drive delay is"):
            Delayed(delay=delay)


# The DC motor: MIXED's joint 0 has kp 50, kd 1, 20 N·m and 7 rad/s; stall torque 1.5 × 20 N·m.


@pytest.mark.parametrize(
    ("speed", "target", "torque"),
    [
        (0.0, 0.1, 5.0),  # PD alone: 50 × 0.1
        (0.0, 1.0, 20.0),  # the torque limit
        (3.5, 1.0, 15.0),  # half the no-load speed: half the stall torque
        (7.0, 1.0, 0.0),  # the no-load speed
        (8.4, 1.0, -6.0),  # turned faster, it brakes: 30 × (1 - 1.2)
        (3.5, -1.0, -20.0),  # against the turning it has all its torque
        (-3.5, -1.0, -15.0),  # the same in the mirror
        (3.5, 0.2, 6.5),  # within the curve: 50 × 0.2 - 1 × 3.5
    ],
)
def test_a_dc_motors_torque_falls_with_its_speed(
    speed: float, target: float, torque: float
) -> None:
    env = env_of(DCMotor(), n=1, **ONE_SUBSTEP)
    pose = np.array([[0, 0, 2.0, 1, 0, 0, 0]])
    nominal, turning = np.array([env.robot.nominal_pose]), np.zeros((1, JOINTS))
    turning[0, 0] = speed
    env.physics.set_rows(np.arange(1), pose, np.zeros((1, 6)), nominal, turning)
    env.step(target * np.eye(JOINTS)[:1])
    assert env.state.torque[0, 0] == pytest.approx(torque, abs=1e-9)


def test_a_dc_motor_is_the_pd_drive_where_it_is_strong_enough() -> None:
    """So it is as stable as that: kp 80 and kd 2 at 5 ms."""
    acts = actions(3, 20, 0.1)
    strong = DCMotor(stall=100.0, no_load=100.0)
    np.testing.assert_allclose(states(strong, acts), states(PD(), acts), atol=1e-8)


def test_a_dc_motor_stays_within_its_no_load_speed_under_any_targets() -> None:
    fastest = {}
    for drive in (PD(), DCMotor()):
        env = env_of(drive, "anymal_c", n=8, terminations={})
        speeds = []
        for action in actions(8, 50, 1.0):
            _, _, _, _, info = env.step(action)
            assert "diverged" not in info.get("trot", {})
            speeds.append(np.abs(env.state.joint_vel).max())
        fastest[drive.name] = max(speeds)
    assert fastest["dc_motor"] < 2 * 7.5 < 25 < fastest["pd"]


# A learned drive: targets as of the PD drive, and torques of a network in every physics step.


def test_a_learned_drives_torques_reach_the_joints(tmp_path: Path) -> None:
    """By hand, in the first substep: 40 e - v + 4 (tanh(2 e + v/2 + 1/4) + tanh(… - 1/4))."""
    tiny().save(tmp_path / "tiny.npz")
    env = env_of(Network(scale=0.3, file=str(tmp_path / "tiny.npz")), n=1, **ONE_SUBSTEP)
    action = actions(1, 1)[0]
    env.step(action)
    e = 0.3 * action
    torque = 40 * e + 4 * (np.tanh(2 * e + 0.25) + np.tanh(2 * e - 0.25))
    limit = np.minimum(20.0 + 3 * K, 30.0)
    np.testing.assert_allclose(env.state.torque, np.clip(torque, -limit, limit), rtol=1e-5)


@pytest.mark.parametrize("timestep", [0.005, 0.0025])
def test_the_learned_knee_holds_the_nominal_stance(timestep: float) -> None:
    """A robot whose action is zero stands, as under PD gains of about the same."""
    steps = {"timestep": timestep, "substeps": round(0.02 / timestep)}
    env = env_of(Network(), "anymal_c", n=1, **simulation(**steps))
    for _ in range(150):
        _, _, terminated, _, _ = env.step(np.zeros((1, JOINTS)))
        assert not terminated.any()
    assert env.physics.base_height[0] > 0.49
    assert np.abs(env.physics.joint_vel).max() < 0.1
    assert -env.physics.gravity_b[0, 2] > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("name", ["committed", "lstm.pt"])
def test_what_a_learned_drive_remembers_is_restored_bitwise(name: str, tmp_path: Path) -> None:
    drive = Network() if name == "committed" else Network(file=str(NETWORKS[name](tmp_path)))
    config = task(drive=drive, randomization=WILD, episode_length=0.4)
    env = LocomotionVectorEnv(4, config=config)
    env.reset(seed=3)
    run(env, 25, np.random.default_rng(0))
    saved = env.state_dict()
    first = run(env, 25, np.random.default_rng(1))
    resumed = LocomotionVectorEnv(4, config=config)
    resumed.load_state_dict(saved)
    assert_same(first, run(resumed, 25, np.random.default_rng(1)))
    assert_same(env.state_dict(), resumed.state_dict())
    assert any((seen["truncated"] | seen["terminated"]).any() for seen in first)


@pytest.mark.parametrize("drive", [DCMotor(), Network(), late(3)], ids=lambda drive: drive.name)
def test_a_mirrored_action_gives_the_mirrored_torques(drive: Drive) -> None:
    """In the air, where no contacts make much of the rounding."""
    env = env_of(drive, "anymal_c", n=2, terminations={})
    symmetry = env.symmetry
    assert symmetry is not None
    nominal, pose = (
        np.tile(env.robot.nominal_pose, (2, 1)),
        np.tile([0, 0, 3.0, 1, 0, 0, 0], (2, 1)),
    )
    for g in range(1, len(symmetry.action_index)):
        env.reset(seed=0)
        env.physics.set_rows(np.arange(2), pose, np.zeros((2, 6)), nominal, 0 * nominal)
        for action in actions(1, 5, 0.4):
            env.step(np.concatenate([action, symmetry.mirror_action(g, action)]))
            there, here = env.state.torque
            mirrored = symmetry.mirror_action(g, there)
            np.testing.assert_allclose(here, mirrored, atol=0.02)


def test_a_factor_on_the_gains_is_one_on_a_learned_torque() -> None:
    torque = {}
    for factor in (1.0, 0.5):
        gains = Randomization(gains=(factor, factor))
        env = env_of(Network(), "anymal_c", n=1, randomization=gains, **ONE_SUBSTEP)
        env.step(actions(1, 1, 0.2)[0])
        torque[factor] = env.state.torque
    np.testing.assert_allclose(torque[0.5], 0.5 * torque[1.0], rtol=1e-6)


def test_a_learned_drive_is_what_its_file_was(tmp_path: Path) -> None:
    """Its content counts, not the file that has been changed or moved since."""
    file = tmp_path / "a.npz"
    tiny().save(file)
    drive = Network(file=str(file))
    tiny(torque_limit=5.0).save(file)
    again = replace(drive, scale=0.5)
    assert again.content == drive.content
    file.unlink()
    assert replace(drive, scale=1.0) == drive
    with pytest.raises(ValueError, match=r"drive file is .*b.npz; it must be a file that can be"):
        replace(drive, file=str(tmp_path / "b.npz"))

"""Each law of the randomisation, drawn within its bounds; off means nominal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import pytest

from envs.mdp import commands
from envs.sim import randomization
from envs.task import Commands, Randomization
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import JOINTS, OFFLINE_ROBOTS, QUIET, quiet, task

N = 64
EXPANDED = {
    "mass": {"body_mass", "body_inertia"},
    "com": {"body_ipos"},
    "friction": {"geom_friction"},
    "gains": {"actuator_gainprm", "actuator_biasprm"},
}
WATCHED = set().union(*EXPANDED.values()) | {"dof_armature", "dof_frictionloss", "geom_solref"}
robots = pytest.mark.parametrize("robot", OFFLINE_ROBOTS)


def models(robot: str = "anymal_c", **laws: Any) -> tuple[LocomotionVectorEnv, list[Any]]:
    config = quiet(randomization=replace(QUIET, **laws))
    env = LocomotionVectorEnv(N, robot=robot, config=config)
    env.reset(seed=0)
    return env, [batch_of(env.physics).get_model(i) for i in range(N)]


@robots
@pytest.mark.parametrize("law", EXPANDED)
def test_a_law_changes_its_own_fields_and_differs_between_simulations(robot: str, law: str) -> None:
    env, drawn = models(robot, **{law: True})
    nominal = env.physics.model
    for field in WATCHED:
        values = np.array([getattr(model, field) for model in drawn])
        if field in EXPANDED[law]:
            assert len(np.unique(values.reshape(N, -1), axis=0)) == N
        else:
            np.testing.assert_array_equal(
                values, np.broadcast_to(getattr(nominal, field), values.shape)
            )


def test_off_is_the_nominal_model_in_every_simulation() -> None:
    env, drawn = models()
    for model in drawn[:3]:
        for field in WATCHED:
            np.testing.assert_array_equal(
                getattr(model, field), getattr(env.physics.model, field)
            )


def test_base_mass_and_inertia_share_a_factor() -> None:
    env, drawn = models(mass=True, mass_range=(0.8, 1.3))
    nominal, base = env.physics.model, env.robot.base
    factor = np.array([m.body(base).mass[0] for m in drawn]) / nominal.body(base).mass[0]
    assert 0.8 <= factor.min() < 0.9
    assert 1.2 < factor.max() <= 1.3
    inertia = np.array([m.body(base).inertia for m in drawn]) / nominal.body(base).inertia
    np.testing.assert_allclose(inertia, np.repeat(factor[:, None], 3, axis=1))
    others = [i for i in range(nominal.nbody) if i != nominal.body(base).id]
    for model in drawn:
        np.testing.assert_array_equal(model.body_mass[others], nominal.body_mass[others])


def test_com_shift_is_bounded_on_each_axis() -> None:
    env, drawn = models(com=True, com_shift=0.03)
    base = env.robot.base
    shift = np.array([m.body(base).ipos for m in drawn]) - env.physics.model.body(base).ipos
    assert (np.abs(shift).max(axis=0) <= 0.03).all()
    assert (np.abs(shift).max(axis=0) > 0.025).all()
    assert np.abs(np.corrcoef(shift.T) - np.eye(3)).max() < 0.4


def test_derived_constants_follow_mass_and_com() -> None:
    """The batch's constants equal those that mj_setConst computes for the drawn model."""
    env, drawn = models(mass=True, com=True)
    nominal = env.physics.model
    for model in drawn[:5]:
        reference = batch_of(env.physics).get_model(0)
        reference.body_mass[:], reference.body_ipos[:] = model.body_mass, model.body_ipos
        reference.body_inertia[:] = model.body_inertia
        mujoco.mj_setConst(reference, mujoco.MjData(reference))
        for field in ("body_subtreemass", "body_invweight0", "dof_invweight0", "dof_M0"):
            np.testing.assert_allclose(getattr(model, field), getattr(reference, field))
        assert not np.allclose(model.dof_invweight0, nominal.dof_invweight0)


def test_sliding_friction_of_the_feet_reaches_the_contacts() -> None:
    env, drawn = models(friction=True, friction_range=(0.4, 1.5))
    for i in range(8):
        data = batch_of(env.physics).get_data(i)
        data.qpos[2] -= 0.01
        mujoco.mj_forward(drawn[i], data)
        sliding = drawn[i].geom(env.robot.feet[0]).friction[0]
        assert data.ncon == len(env.robot.feet)
        assert all(contact.friction[0] == pytest.approx(sliding) for contact in data.contact)
    feet = np.array([[m.geom(foot).friction for foot in env.robot.feet] for m in drawn])
    assert 0.4 <= feet[..., 0].min() < 0.55
    assert 1.35 < feet[..., 0].max() <= 1.5
    nominal = env.physics.model.geom(env.robot.feet[0]).friction
    np.testing.assert_array_equal(feet[..., 1:], np.broadcast_to(nominal[1:], (N, 4, 2)))


def test_gains_are_drawn_for_each_joint_and_act() -> None:
    env, drawn = models(gains=True, gains_range=(0.7, 1.2))
    robot = env.robot
    kp = np.array([[m.actuator(j).gainprm[0] for j in robot.joints] for m in drawn])
    bias = np.array([[m.actuator(j).biasprm[:3] for j in robot.joints] for m in drawn])
    factor = kp / robot.kp
    assert 0.7 <= factor.min() < 0.71
    assert 1.19 < factor.max() <= 1.2
    assert len(np.unique(factor)) == N * JOINTS
    np.testing.assert_allclose(bias[..., 1], -kp)  # a spring that pulls to its target
    np.testing.assert_allclose(bias[..., 2], -robot.kd * factor)
    assert not bias[..., 0].any()
    target = np.array(robot.nominal_pose) + 0.1
    env.physics.apply(target)
    batch_of(env.physics).step()
    np.testing.assert_allclose(env.physics._force, 0.1 * kp)  # at rest in the nominal pose


def test_models_are_redrawn_at_each_reset() -> None:
    env, drawn = models(mass=True)
    env.reset()
    base = env.robot.base
    again = [batch_of(env.physics).get_model(i).body(base).mass[0] for i in range(N)]
    assert not set(again) & {m.body(base).mass[0] for m in drawn}


def test_pushes_have_their_speed_and_any_direction() -> None:
    jumps = randomization.pushes(Randomization(push_speed=0.7), 2000, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(jumps, axis=1), 0.7)
    quadrants = np.histogram(np.arctan2(jumps[:, 1], jumps[:, 0]), bins=4)[0]
    assert (quadrants > 400).all()


def test_a_push_is_a_horizontal_jump_of_the_base_alone() -> None:
    env = LocomotionVectorEnv(3, config=task())
    env.reset(seed=0)
    qvel = batch_of(env.physics).bind("qvel")
    before = qvel.copy()
    env.physics.push(np.array([0, 2]), np.array([[0.3, -0.4], [1.0, 0.0]]))
    change = np.zeros_like(before)
    free = env.physics.model.body(env.robot.base).dofadr[0]
    change[0, free : free + 2], change[2, free] = [0.3, -0.4], 1.0
    np.testing.assert_allclose(qvel - before, change)


def test_pushes_come_at_their_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    laws = replace(QUIET, pushes=True, push_interval=0.2, push_speed=0.1)
    env = LocomotionVectorEnv(N, config=quiet(randomization=laws))
    env.reset(seed=0)
    times: list[list[int]] = [[] for _ in range(N)]
    step, push = 0, env.physics.push

    def record(ids: np.ndarray, velocity: np.ndarray) -> None:
        for i in ids:
            times[i].append(step)
        push(ids, velocity)

    monkeypatch.setattr(env.physics, "push", record)
    for step in range(35):  # noqa: B007
        env.step(np.zeros((N, JOINTS), np.float32))
    first = np.array([t[0] for t in times])
    assert first.min() == 0
    assert first.max() == 9
    for t in times:
        assert len(t) >= 3
        assert set(np.diff(t)) <= {9, 10, 11}  # the interval is 10 control steps, to rounding
        assert t[-1] - t[0] == pytest.approx(10 * (len(t) - 1), abs=1)


def test_without_pushes_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    env = LocomotionVectorEnv(2, config=quiet())
    monkeypatch.setattr(env.physics, "push", None)
    env.reset(seed=0)
    env.step(np.zeros((2, JOINTS), np.float32))


def test_start_states_follow_their_laws() -> None:
    robot, n = get_robot("anymal_c"), 4000
    config = Randomization(start_tilt=0.1, start_joint=0.2, start_velocity=0.6)
    pose, velocity, joint_pos, joint_vel = randomization.start_rows(
        robot, config, n, np.random.default_rng(0)
    )
    np.testing.assert_allclose(np.linalg.norm(pose[:, 3:], axis=1), 1.0)
    w, x, y, z = pose[:, 3:].T
    up = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)
    tilt = np.arccos(up[:, 2])
    assert np.sqrt((tilt**2).mean()) == pytest.approx(0.1 * np.sqrt(2), rel=0.05)
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    assert (np.histogram(yaw, bins=8, range=(-np.pi, np.pi))[0] > 400).all()
    assert np.abs(velocity).max() <= 0.6
    np.testing.assert_allclose(velocity.std(axis=0), 0.6 / np.sqrt(3), rtol=0.05)
    offset = joint_pos - np.array(robot.nominal_pose)
    np.testing.assert_allclose(offset.std(axis=0), 0.2, rtol=0.06)
    np.testing.assert_allclose(offset.mean(axis=0), 0.0, atol=0.02)
    assert not joint_vel.any()
    np.testing.assert_array_equal(pose[:, :3], np.tile([0, 0, robot.nominal_height], (n, 1)))


@robots
def test_without_start_states_a_robot_starts_in_its_nominal_stance(robot: str) -> None:
    env = LocomotionVectorEnv(2, robot=robot, config=quiet())
    env.reset(seed=0)
    state = env.state
    np.testing.assert_array_equal(state.joint_pos, [env.robot.nominal_pose] * 2)
    np.testing.assert_array_equal(state.base_height, env.robot.nominal_height)
    np.testing.assert_allclose(state.gravity_b, [[0, 0, -1]] * 2, atol=1e-12)
    for velocity in (state.lin_vel_b, state.ang_vel_b, state.joint_vel):
        assert not velocity.any()


def test_commands_are_uniform_with_a_share_that_stands() -> None:
    config = Commands((-1.0, 0.5), (-0.4, 0.4), (0.2, 1.2), (2.0, 6.0), standing_share=0.25)
    command, hold = commands.sample(config, 8000, np.random.default_rng(0))
    standing = ~command.any(axis=1)
    assert standing.mean() == pytest.approx(0.25, abs=0.02)
    moving = command[~standing]
    for k, (low, high) in enumerate([(-1.0, 0.5), (-0.4, 0.4), (0.2, 1.2)]):
        assert (np.histogram(moving[:, k], bins=5, range=(low, high))[0] > 1000).all()
        assert low <= moving[:, k].min()
        assert moving[:, k].max() <= high
    assert (np.histogram(hold, bins=4, range=(2.0, 6.0))[0] > 1800).all()
    assert 2.0 <= hold.min() < hold.max() <= 6.0

"""Each law of the randomisation, drawn within its bounds; off means nominal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from envs.sim.randomization import (
    LAWS,
    STANDARD,
    Randomization,
    push_velocities,
    with_standard,
)
from envs.sim.scene import STIFF_CONTACT
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import JOINTS, OFFLINE_ROBOTS, QUIET, batch_of, quiet, task
from tests.robots import dogs

N = 64
EXPANDED = {
    "mass": {"body_mass", "body_inertia"},
    "com": {"body_ipos"},
    "friction": {"geom_friction"},
    "gains": {"actuator_gainprm", "actuator_biasprm"},
    "joints": {"body_pos"},
}
RANGES = {name: getattr(STANDARD, name) or (-0.02, 0.02) for name in EXPANDED}
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
    env, drawn = models(robot, **{law: RANGES[law]})
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
            np.testing.assert_array_equal(getattr(model, field), getattr(env.physics.model, field))


def test_base_mass_and_inertia_share_a_factor() -> None:
    env, drawn = models(mass=(0.8, 1.3))
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
    env, drawn = models(com=(-0.03, 0.03))
    base = env.robot.base
    shift = np.array([m.body(base).ipos for m in drawn]) - env.physics.model.body(base).ipos
    assert (np.abs(shift).max(axis=0) <= 0.03).all()
    assert (np.abs(shift).max(axis=0) > 0.025).all()
    assert np.abs(np.corrcoef(shift.T) - np.eye(3)).max() < 0.4


def test_joints_are_shifted_each_on_its_own_and_nothing_else_is() -> None:
    env, drawn = models(joints=(-0.02, 0.02))
    nominal = env.physics.model
    links = nominal.jnt_bodyid[[nominal.joint(name).id for name in env.robot.joints]]
    shift = np.array([m.body_pos for m in drawn]) - nominal.body_pos
    assert 0.019 < np.abs(shift[:, links]).max() <= 0.02
    assert not np.delete(shift, links, axis=1).any()
    assert np.abs(np.corrcoef(shift[:, links].reshape(N, -1).T) - np.eye(36)).max() < 0.6
    assert env.state.foot_height.min() > -1e-9  # longer legs stand higher


def test_derived_constants_follow_mass_and_com() -> None:
    """The batch's constants equal those that mj_setConst computes for the drawn model."""
    env, drawn = models(mass=(0.85, 1.15), com=(-0.02, 0.02))
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
    env, drawn = models(friction=(0.4, 1.5))
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


def test_the_feet_of_a_file_set_their_contacts_too(tmp_path: Path) -> None:
    file = tmp_path / "dog.xml"
    file.write_text(dogs.mjcf())
    env, drawn = models(str(file), friction=(0.3, 0.3))
    data = batch_of(env.physics).get_data(0)
    data.qpos[2] -= 0.01
    mujoco.mj_forward(drawn[0], data)
    assert data.ncon == 4
    for contact in data.contact:
        assert contact.friction[0] == pytest.approx(0.3)
        assert tuple(contact.solimp) == STIFF_CONTACT


@pytest.mark.parametrize(("priority", "friction"), [(0, 1.0), (1, 0.4)])
def test_friction_is_what_mujoco_makes_of_foot_and_ground(
    priority: int, friction: float, tmp_path: Path
) -> None:
    foot = dogs.FEET["sphere"].replace("/>", f' friction=".4" priority="{priority}"/>')
    (tmp_path / "dog.xml").write_text(dogs.mjcf(foot=foot))
    model = models(str(tmp_path / "dog.xml"))[0].physics.model
    assert [model.geom(f).friction[0] for f in get_robot(str(tmp_path / "dog.xml")).feet] == [
        pytest.approx(friction)
    ] * 4


def test_gains_are_drawn_for_each_joint_and_act() -> None:
    env, drawn = models(gains=(0.7, 1.2))
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
    engine = batch_of(env.physics)
    engine.step()
    force = engine.bind("actuator_force")
    np.testing.assert_allclose(force, 0.1 * kp)  # at rest in the nominal pose


def test_models_are_redrawn_at_each_reset() -> None:
    env, drawn = models(mass=(0.85, 1.15))
    env.reset()
    base = env.robot.base
    again = [batch_of(env.physics).get_model(i).body(base).mass[0] for i in range(N)]
    assert not set(again) & {m.body(base).mass[0] for m in drawn}


@pytest.mark.parametrize("law", EXPANDED)
def test_a_law_is_applied_within_its_range(law: str) -> None:
    """A range of one value gives every simulation that value."""
    value = {"mass": 1.25, "com": 0.01, "friction": 0.4, "gains": 0.5, "joints": 0.01}[law]
    laws: dict[str, Any] = {law: (value, value)}
    env, drawn = models(**laws)
    nominal, base, joints = env.physics.model, env.robot.base, env.robot.joints
    links = nominal.jnt_bodyid[[nominal.joint(name).id for name in joints]]
    for model in drawn[:3]:
        found = {
            "mass": model.body(base).mass / nominal.body(base).mass,
            "com": model.body(base).ipos - nominal.body(base).ipos,
            "friction": [model.geom(foot).friction[0] for foot in env.robot.feet],
            "gains": [model.actuator(j).gainprm[0] for j in joints] / env.robot.kp,
            "joints": (model.body_pos - nominal.body_pos)[links],
        }
        np.testing.assert_allclose(found[law], value)


def test_the_standard_laws_fill_in_what_a_randomization_leaves_out() -> None:
    assert with_standard(QUIET) == STANDARD
    own = Randomization(noise=0.5, friction=(0.2, 0.3), phase=(0, 1), push=(1, 2), push_interval=3)
    filled = with_standard(own)
    assert {name: getattr(filled, name) for name in LAWS} == {
        name: getattr(STANDARD, name) for name in LAWS
    } | {"friction": (0.2, 0.3)}
    kept = ("noise", "phase", "push", "push_interval")
    assert [getattr(filled, n) for n in kept] == [getattr(own, n) for n in kept]


def test_pushes_have_their_size_and_any_direction() -> None:
    def sizes(**law: Any) -> np.ndarray:
        jumps = push_velocities(Randomization(**law), 2000, np.random.default_rng(0))
        quadrants = np.histogram(np.arctan2(jumps[:, 1], jumps[:, 0]), bins=4)[0]
        assert (quadrants > 400).all()
        return np.linalg.norm(jumps, axis=1)

    np.testing.assert_allclose(sizes(push=(0.7, 0.7)), 0.7)
    drawn = sizes(push=(0.5, 1.5))
    assert 0.5 <= drawn.min() < drawn.max() <= 1.5
    assert (np.histogram(drawn, bins=4, range=(0.5, 1.5))[0] > 400).all()  # uniform


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


@pytest.mark.slow
def test_pushes_come_at_their_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    laws = replace(QUIET, push=(0.1, 0.1), push_interval=0.2)
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

"""ANYmal C against its published figures, number by number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import pytest

from robots import Collision, get_robot
from tests.robots.helpers import in_nominal_pose, on_plane, touching_bodies

ROBOT = get_robot("anymal_c")
LEG_BODIES = [
    f"{leg}_{link}" for leg in ("LF", "RF", "LH", "RH") for link in ("HIP", "THIGH", "SHANK")
]


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return ROBOT.spec("full").compile()


@pytest.fixture(params=["base", *LEG_BODIES])
def figure(request: pytest.FixtureRequest, figures: dict[str, Any]) -> dict[str, Any]:
    return next(body for body in figures["bodies"] if body["name"] == request.param)


def unit(quat: list[float]) -> np.ndarray:
    return np.array(quat) / np.linalg.norm(quat)


def assert_same(actual: Any, published: Any) -> None:
    np.testing.assert_allclose(actual, published, rtol=1e-12, atol=1e-15)


def test_has_the_published_bodies_and_nothing_else(
    model: mujoco.MjModel, figures: dict[str, Any]
) -> None:
    names = [model.body(i).name for i in range(model.nbody)]
    assert names == ["world", *(body["name"] for body in figures["bodies"])]
    assert_same(model.body_mass.sum(), figures["total_mass"])
    for count in (model.nu, model.nsensor, model.nlight, model.ncam, model.nkey, model.nsite):
        assert count == 0


def test_body(model: mujoco.MjModel, figure: dict[str, Any]) -> None:
    body = model.body(figure["name"])
    assert model.body(body.parentid[0]).name == figure["parent"]
    assert_same(body.pos, figure["pos"])
    assert_same(body.quat, unit(figure.get("quat", [1, 0, 0, 0])))
    assert_same(body.mass, [figure["mass"]])
    assert_same(body.ipos, figure["ipos"])
    assert_same(body.iquat, unit(figure["iquat"]))
    assert_same(body.inertia, figure["diaginertia"])


def test_joint(model: mujoco.MjModel, figure: dict[str, Any], figures: dict[str, Any]) -> None:
    published = figure["joint"]
    assert model.body_jntnum[model.body(figure["name"]).id] == 1
    joint = model.joint(int(model.body_jntadr[model.body(figure["name"]).id]))
    if published["type"] == "free":
        assert joint.type[0] == mujoco.mjtJoint.mjJNT_FREE
        assert not joint.damping.any()
        assert not joint.frictionloss.any()
        return
    assert joint.type[0] == mujoco.mjtJoint.mjJNT_HINGE
    assert joint.name == published["name"]
    assert_same(joint.axis, published["axis"])
    assert_same(joint.range, published["range"])
    assert model.jnt_limited[joint.id]
    assert_same(joint.pos, [0, 0, 0])
    assert_same(joint.damping, [figures["joint_defaults"]["damping"]])
    assert_same(joint.frictionloss, [figures["joint_defaults"]["frictionloss"]])


def test_collision_shapes(model: mujoco.MjModel, figure: dict[str, Any]) -> None:
    body = model.body(figure["name"]).id
    geoms = [model.geom(i) for i in range(model.ngeom) if model.geom_bodyid[i] == body]
    geoms = [geom for geom in geoms if geom.group[0] == 3]
    published = figure["collision"] + ([figure["foot"]] if "foot" in figure else [])
    assert len(geoms) == len(published)
    for geom, shape in zip(geoms, published, strict=True):
        assert geom.type[0] == getattr(mujoco.mjtGeom, f"mjGEOM_{shape['type'].upper()}")
        assert_same(geom.size[: len(shape["size"])], shape["size"])
        assert_same(geom.pos, shape["pos"])
        assert_same(geom.quat, unit(shape.get("quat", [1, 0, 0, 0])))


def test_foot_contact(model: mujoco.MjModel, figures: dict[str, Any]) -> None:
    published = figures["foot_contact"]
    for leg, name in zip(ROBOT.legs, ROBOT.feet, strict=True):
        foot = model.geom(name)
        assert model.body(foot.bodyid[0]).name == f"{leg}_SHANK"
        assert_same(foot.friction, published["friction"])
        assert_same(foot.solimp[:3], published["solimp"])
        assert foot.condim[0] == published["condim"]
        assert foot.priority[0] == published["priority"]


def test_contact_excludes(model: mujoco.MjModel, figures: dict[str, Any]) -> None:
    pairs = {
        frozenset(model.body(int(i)).name for i in (signature >> 16, signature & 0xFFFF))
        for signature in model.exclude_signature
    }
    assert pairs == {frozenset(pair) for pair in figures["contact_exclude"]}


@pytest.mark.parametrize(("collision", "touching"), [("feet_and_body", False), ("full", True)])
def test_crossed_legs_touch_only_with_full_collision(collision: Collision, touching: bool) -> None:
    crossed = replace(ROBOT, nominal_pose=(0, 1.2, 0.4, 0, 1.2, 0.4, 0, -1.2, -0.4, 0, -1.2, -0.4))
    model = on_plane(crossed, collision)
    data = in_nominal_pose(crossed, model, 2.0)
    shanks = {frozenset({"LF_SHANK", "LH_SHANK"}), frozenset({"RF_SHANK", "RH_SHANK"})}
    assert (shanks <= touching_bodies(model, data)) == touching
    assert bool(data.ncon) == touching


def test_drive_numbers(figures: dict[str, Any]) -> None:
    assert list(ROBOT.joints) == figures["actuator"]["order"]
    assert (ROBOT.torque_limit == figures["actuator"]["forcerange"][1]).all()
    pose = dict(zip(ROBOT.joints, ROBOT.nominal_pose, strict=True))
    assert pose == figures["standing_keyframe"]["joints"]


def test_visual_geoms_change_nothing_in_the_dynamics() -> None:
    spec = ROBOT.spec()
    drawn = spec.compile()
    spec.compiler.discardvisual = True
    bare = spec.compile()
    assert bare.ngeom < drawn.ngeom
    visual = drawn.geom_group == 2
    assert not (drawn.geom_contype[visual] | drawn.geom_conaffinity[visual]).any()
    np.testing.assert_array_equal(bare.body_mass, drawn.body_mass)
    np.testing.assert_array_equal(bare.body_inertia, drawn.body_inertia)

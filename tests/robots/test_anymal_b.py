"""ANYmal B against its published figures, number by number; the figures are a URDF's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from robots import Collision, get_robot
from tests.robots.helpers import in_nominal_pose, joint_qpos, on_plane, pd_step, touching_bodies

ROBOT = get_robot("anymal_b")
FIGURES = json.loads((Path(__file__).parent / "anymal_b_figures.json").read_text())
LINKS = {link["name"]: link for link in FIGURES["links"]}
JOINTS = {joint["child"]: joint for joint in FIGURES["joints"]}
LEG_BODIES = [f"{leg}_{link}" for leg in ROBOT.legs for link in ("HIP", "THIGH", "SHANK")]
every_body = pytest.mark.parametrize("name", ["base", *LEG_BODIES])


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return ROBOT.spec("full").compile()


def rotation(rpy: list[float]) -> np.ndarray:
    """Return the matrix (3, 3) of a URDF's roll, pitch and yaw (rad)."""
    x, y, z = (turn(axis, angle) for axis, angle in zip(np.eye(3), rpy, strict=True))
    return z @ y @ x


def turn(axis: Any, angle: float) -> np.ndarray:
    """Return the matrix (3, 3) of a turn about a unit axis (rad), by Rodrigues' formula."""
    cross = np.cross(np.eye(3), axis)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def fixed_to(name: str) -> list[tuple[dict[str, Any], np.ndarray]]:
    """Return a link and those fixed to it, each with its place (m) in the link's axes, (3,)."""
    parts = [(LINKS[name], np.zeros(3))]
    for link, place in parts:
        for joint in FIGURES["joints"]:
            if joint["parent"] == link["name"] and joint["type"] == "fixed":
                assert not any(joint["rpy"])
                parts.append((LINKS[joint["child"]], place + joint["xyz"]))
    return parts


def tensor(inertia: dict[str, float]) -> np.ndarray:
    return np.array([[inertia["i" + min(a + b, b + a)] for b in "xyz"] for a in "xyz"])


def assert_same(actual: Any, published: Any) -> None:
    np.testing.assert_allclose(actual, published, rtol=1e-10, atol=1e-12)


def test_has_the_published_bodies_and_nothing_else(model: mujoco.MjModel) -> None:
    names = [model.body(i).name for i in range(model.nbody)]
    assert names == ["world", "base", *LEG_BODIES]
    np.testing.assert_allclose(model.body_mass.sum(), FIGURES["total_mass"], atol=5e-7)
    for count in (model.nu, model.nsensor, model.nlight, model.ncam, model.nkey, model.nsite):
        assert count == 0


@every_body
def test_inertia_is_that_of_the_link_and_all_fixed_to_it(model: mujoco.MjModel, name: str) -> None:
    parts = [(link, place) for link, place in fixed_to(name) if "mass" in link]
    masses = np.array([link["mass"] for link, _ in parts])
    coms = np.array([place + link["com"] for link, place in parts])
    com = masses @ coms / masses.sum()
    inertia = np.zeros((3, 3))
    for (link, _), mass, arm in zip(parts, masses, coms - com, strict=True):
        inertia += tensor(link["inertia"]) + mass * (arm @ arm * np.eye(3) - np.outer(arm, arm))

    body = model.body(name)
    axes = np.zeros(9)
    mujoco.mju_quat2Mat(axes, body.iquat)
    axes = axes.reshape(3, 3)
    assert_same(body.mass, [masses.sum()])
    assert_same(body.ipos, com)
    assert_same(axes @ np.diag(body.inertia) @ axes.T, inertia)


@pytest.mark.parametrize("name", LEG_BODIES)
def test_joint(model: mujoco.MjModel, name: str) -> None:
    published, body = JOINTS[name], model.body(name)
    assert model.body(body.parentid[0]).name == published["parent"]
    assert_same(body.pos, published["xyz"])
    assert not any(published["rpy"])
    assert_same(body.quat, [1, 0, 0, 0])
    assert model.body_jntnum[body.id] == 1
    joint = model.joint(int(model.body_jntadr[body.id]))
    assert joint.type[0] == mujoco.mjtJoint.mjJNT_HINGE
    assert joint.name == published["name"]
    assert_same(joint.axis, published["axis"])
    assert_same(joint.pos, [0, 0, 0])
    assert joint.range[1] == -joint.range[0] > 2 * np.pi  # "nolimit", and alike in the mirrors


@every_body
def test_collision_shapes(model: mujoco.MjModel, name: str) -> None:
    body = model.body(name).id
    solid = [i for i in range(model.ngeom) if model.geom_bodyid[i] == body]
    geoms = [model.geom(i) for i in solid if model.geom_group[i] == 3]
    published = [
        (shape, place) for link, place in fixed_to(name) for shape in link.get("collision", ())
    ]
    if name == "base":
        published.append((rear_head(), np.zeros(3)))
    assert len(geoms) == len(published)
    for geom, (shape, place) in zip(geoms, published, strict=True):
        kind, size = half_size(shape)
        assert geom.type[0] == kind
        assert_same(geom.size[: len(size)], size)
        assert_same(geom.pos, place + shape["xyz"])
        axes = np.zeros(9)
        mujoco.mju_quat2Mat(axes, geom.quat)
        if kind == mujoco.mjtGeom.mjGEOM_BOX:
            assert_same(axes.reshape(3, 3), rotation(shape["rpy"]))
        elif kind == mujoco.mjtGeom.mjGEOM_CYLINDER:  # either way round; the file's π/2 is rounded
            along = axes.reshape(3, 3)[:, 2] @ rotation(shape["rpy"])[:, 2]
            np.testing.assert_allclose(abs(along), 1, atol=1e-12)


def rear_head() -> dict[str, Any]:
    """Return the one shape that is not published: the head's, behind, for the front-back mirror."""
    (head,) = (shape for shape in LINKS["base"]["collision"] if shape["xyz"][0] > 0)
    return head | {"xyz": (np.array(head["xyz"]) * (-1, 1, 1)).tolist()}


def half_size(shape: dict[str, Any]) -> tuple[mujoco.mjtGeom, list[float]]:
    """Return MuJoCo's kind and sizes (m) of a URDF's shape."""
    match shape["type"]:
        case "box":
            return mujoco.mjtGeom.mjGEOM_BOX, [side / 2 for side in shape["size"]]
        case "cylinder":
            return mujoco.mjtGeom.mjGEOM_CYLINDER, [shape["radius"], shape["length"] / 2]
    return mujoco.mjtGeom.mjGEOM_SPHERE, [shape["radius"]]


def foot_place(leg: str, angles: dict[str, float]) -> np.ndarray:
    """Return where a foot is in the base's axes (m), (3,), along the figures' chain of joints."""
    place, name = np.zeros(3), f"{leg}_FOOT"
    while name != "base":
        joint = JOINTS[name]
        moved = turn(joint["axis"], angles[joint["name"]]) if "axis" in joint else np.eye(3)
        place = np.array(joint["xyz"]) + rotation(joint["rpy"]) @ moved @ place
        name = joint["parent"]
    return place


def test_feet_are_where_the_figures_put_them(model: mujoco.MjModel) -> None:
    rng = np.random.default_rng(0)
    data = mujoco.MjData(model)
    for _ in range(8):
        angles = rng.uniform(-3, 3, len(ROBOT.joints))
        data.qpos[:7] = (0, 0, 0, 1, 0, 0, 0)
        data.qpos[joint_qpos(ROBOT, model)] = angles
        mujoco.mj_kinematics(model, data)
        named = dict(zip(ROBOT.joints, angles, strict=True))
        for leg, foot in zip(ROBOT.legs, ROBOT.feet, strict=True):
            np.testing.assert_allclose(data.geom(foot).xpos, foot_place(leg, named), atol=1e-12)


def test_the_numbers_of_the_stance_come_from_the_kinematics() -> None:
    pose = dict(zip(ROBOT.joints, ROBOT.nominal_pose, strict=True))
    radius = LINKS["LF_FOOT"]["collision"][0]["radius"]
    for leg in ROBOT.legs:
        height = radius - foot_place(leg, pose)[2]
        assert ROBOT.nominal_height == pytest.approx(height, abs=1e-6)
    straight = foot_place("LF", dict.fromkeys(ROBOT.joints, 0.0))
    assert ROBOT.leg_length == pytest.approx(-straight[2])


def test_drive_numbers_and_nominal_pose_are_the_papers() -> None:
    drive, stance = FIGURES["drive_2019"], FIGURES["nominal_pose_2019"]
    assert (ROBOT.kp == drive["kp_ideal_pd"]).all()
    assert (ROBOT.torque_limit == drive["torque_limit"]).all()
    assert (ROBOT.speed_limit == drive["joint_speed_limit"]).all()
    for joint, angle in zip(ROBOT.joints, ROBOT.nominal_pose, strict=True):
        end = "front" if joint[1] == "F" else "hind"
        name = joint.removeprefix(joint[:3])
        assert angle == stance[name if name == "HAA" else f"{name}_{end}"]


def test_feet_slide_as_in_the_paper(model: mujoco.MjModel) -> None:
    for foot in ROBOT.feet:
        assert model.geom(foot).friction[0] == FIGURES["drive_2019"]["foot_friction"]


@pytest.mark.parametrize("height", [0.0, 0.05])
def test_stands_still_soon_after_a_drop(height: float) -> None:
    """Dropped from 5 cm, it moves by 1 mm in the second second; with a kd of 0.1 by 68 mm."""
    model = on_plane(ROBOT, "full")
    data = in_nominal_pose(ROBOT, model, ROBOT.nominal_height + height)
    heights = []
    for _ in range(400):
        pd_step(ROBOT, model, data, np.array(ROBOT.nominal_pose))
        heights.append(data.qpos[2])
    assert np.ptp(heights[200:]) < 3e-3
    assert touching_bodies(model, data) == {frozenset({"world", shank}) for shank in ROBOT.shanks}


@pytest.mark.parametrize(("collision", "touching"), [("feet_and_body", False), ("full", True)])
def test_crossed_legs_touch_only_with_full_collision(collision: Collision, touching: bool) -> None:
    crossed = replace(ROBOT, nominal_pose=(0, 1.2, 0.4, 0, 1.2, 0.4, 0, -1.2, -0.4, 0, -1.2, -0.4))
    model = on_plane(crossed, collision)
    data = in_nominal_pose(crossed, model, 2.0)
    shanks = {frozenset({"LF_SHANK", "LH_SHANK"}), frozenset({"RF_SHANK", "RH_SHANK"})}
    assert (shanks <= touching_bodies(model, data)) == touching
    assert bool(data.ncon) == touching


def test_nothing_touches_itself_near_the_nominal_pose(model: mujoco.MjModel) -> None:
    """No contact is excluded, and none needs to be."""
    assert model.nexclude == 0
    rng = np.random.default_rng(0)
    data = mujoco.MjData(model)
    for _ in range(100):
        near = ROBOT.nominal_pose + rng.uniform(-0.3, 0.3, len(ROBOT.joints))
        data.qpos[joint_qpos(ROBOT, model)] = near
        mujoco.mj_forward(model, data)
        assert data.ncon == 0


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

"""What holds for every registered robot."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations, pairwise
from typing import Any

import mujoco
import numpy as np
import pytest

from robots import ROBOTS, Robot, get_robot
from tests.robots.helpers import (
    in_nominal_pose,
    joint_qpos,
    joint_qvel,
    on_plane,
    pd_step,
    touching_bodies,
)


def test_get_robot_names_the_value_and_the_choices() -> None:
    with pytest.raises(ValueError, match=r"'spot'.*anymal_c, anymal_c_menagerie"):
        get_robot("spot")


def test_registry_keys_are_the_robots_names() -> None:
    assert all(name == robot.name for name, robot in ROBOTS.items())


def test_names_exist_and_are_leg_by_leg(robot: Robot) -> None:
    model = robot.spec().compile()
    assert model.joint(model.body_jntadr[model.body(robot.base).id]).type[0] == 0
    moved = iter(robot.joints)
    for index in range(len(robot.legs)):
        hips = robot.hips[index :: len(robot.legs)]
        chain = [robot.base, *hips, robot.thighs[index], robot.shanks[index]]
        for parent, name in pairwise(chain):
            body = model.body(name)
            assert model.body(body.parentid[0]).name == parent
            joint = model.joint(next(moved))
            assert joint.id == model.body_jntadr[body.id]
            assert joint.type[0] == mujoco.mjtJoint.mjJNT_HINGE
        assert model.geom(robot.feet[index]).bodyid[0] == model.body(robot.shanks[index]).id
    assert not list(moved)


def test_spec_is_the_robot_alone_and_new_each_time(robot: Robot) -> None:
    spec = robot.spec()
    assert spec is not robot.spec()
    model = spec.compile()
    for count in (model.nu, model.nsensor, model.nlight, model.ncam, model.nkey, model.nsite):
        assert count == 0
    assert not (model.geom_bodyid == 0).any()
    assert model.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL
    assert model.opt.impratio == 1


def test_feet_just_touch_the_ground_at_nominal_height(robot: Robot) -> None:
    model = on_plane(robot, "full")
    data = in_nominal_pose(robot, model, robot.nominal_height)
    for name in robot.feet:
        foot = model.geom(name)
        assert abs(data.geom(name).xpos[2] - foot.size[0]) < 1e-6
    above = in_nominal_pose(robot, model, robot.nominal_height + 1e-3)
    assert above.ncon == 0


def test_nominal_pose_is_mirrored_left_to_right(robot: Robot) -> None:
    model = robot.spec().compile()
    data = in_nominal_pose(robot, model, robot.nominal_height)
    for left, right in zip(range(0, len(robot.legs), 2), range(1, len(robot.legs), 2), strict=True):
        mirrored = data.geom(robot.feet[right]).xpos * (1, -1, 1)
        np.testing.assert_allclose(data.geom(robot.feet[left]).xpos, mirrored, atol=1e-6)


def test_nominal_pose_lies_within_the_joint_ranges(robot: Robot) -> None:
    model = robot.spec().compile()
    for name, position in zip(robot.joints, robot.nominal_pose, strict=True):
        low, high = model.joint(name).range
        assert low < position < high


def test_stands_for_two_seconds(robot: Robot) -> None:
    model = on_plane(robot)
    data = in_nominal_pose(robot, model, robot.nominal_height)
    for _ in range(400):
        pd_step(robot, model, data, np.array(robot.nominal_pose))
    # ANYmal C's stiffness costs 2.6 cm of height and its soft feet 1.8 cm.
    assert 0.1 > (robot.nominal_height - data.qpos[2]) / robot.leg_length > 0
    np.testing.assert_allclose(data.qpos[:2], 0, atol=0.01)
    assert abs(data.qpos[3]) > np.cos(np.deg2rad(1) / 2)
    sag = data.qpos[joint_qpos(robot, model)] - robot.nominal_pose
    assert np.abs(sag).max() < 0.25
    assert np.abs(data.qvel[joint_qvel(robot, model)]).max() < 0.02
    assert touching_bodies(model, data) == {frozenset({"world", shank}) for shank in robot.shanks}


def may_touch(model: mujoco.MjModel, geom1: int, geom2: int) -> bool:
    contype, conaffinity = model.geom_contype, model.geom_conaffinity
    return bool(contype[geom1] & conaffinity[geom2] | contype[geom2] & conaffinity[geom1])


def test_feet_and_body_collide_with_the_ground_alone(robot: Robot) -> None:
    model = on_plane(robot)
    ground = model.geom("ground").id
    touchable = {robot.base, *robot.thighs, *robot.shanks}
    for geom in range(model.ngeom):
        if geom != ground:
            body = model.body(model.geom_bodyid[geom]).name
            solid = model.geom_group[geom] == 3 and body in touchable
            assert may_touch(model, geom, ground) == solid
    robot_geoms = [geom for geom in range(model.ngeom) if geom != ground]
    assert not any(may_touch(model, *pair) for pair in combinations(robot_geoms, 2))

    sunk = in_nominal_pose(robot, model, 0.0)
    assert touching_bodies(model, sunk) == {frozenset({"world", body}) for body in touchable}


def test_full_adds_the_hips_and_the_robot_itself(robot: Robot) -> None:
    model = on_plane(robot, "full")
    sunk = touching_bodies(model, in_nominal_pose(robot, model, 0.0))
    parts = {robot.base, *robot.hips, *robot.thighs, *robot.shanks}
    assert {frozenset({"world", body}) for body in parts} <= sunk

    solid = np.flatnonzero((model.geom_group == 3) & (model.geom_bodyid > 0)).tolist()
    assert all(may_touch(model, *pair) for pair in combinations(solid, 2))


def test_spec_refuses_an_unknown_collision_level() -> None:
    level: Any = "toes"
    with pytest.raises(ValueError, match=r"'toes'.*feet_and_body.*full"):
        get_robot("anymal_c").spec(level)


@pytest.mark.slow
def test_importing_robots_leaves_robot_descriptions_alone() -> None:
    code = (
        "import sys, robots; sys.exit(any(m.startswith(('git', 'robot_d')) for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

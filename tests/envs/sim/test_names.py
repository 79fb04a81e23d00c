"""A robot may call its parts what it likes: the world's own elements have other names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import mujoco
import numpy as np
import pytest

from envs.mdp.starts import NOMINAL
from envs.sim import scene
from envs.sim.batch import BatchPhysics
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from envs.sim.terrain import PREFIX
from robots import Robot, mjcf
from tests.robots.synthetic import SYNTHETIC

PONY = SYNTHETIC["pony"]
NAMES = ("ground", "grid", "sky", "base_frame", "base", "lin_vel_b", "ang_vel_b", "up_b")
"""What the world's elements are called, or were."""


def crowded(extras: bool) -> mujoco.MjSpec:
    """The pony with parts of those names, its feet called as their links; with what a file has
    beside its robot, or without.
    """
    spec = PONY.build()
    trunk = spec.body("trunk")
    for name in NAMES:
        spec.add_texture(
            name=name,
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
            width=2,
            height=2,
        )
        material = spec.add_material(name=name)
        textures = material.textures
        textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
        material.textures = textures
        geom = {"size": [0.01, 0, 0], "mass": 0, "contype": 0, "conaffinity": 0, "group": 2}
        trunk.add_geom(name=name, material=name, **geom)
        trunk.add_site(name=name)
        if extras:
            trunk.add_camera(name=name)
            trunk.add_light(name=name)
            body = {"objtype": mujoco.mjtObj.mjOBJ_BODY, "objname": "trunk"}
            spec.add_sensor(name=name, type=mujoco.mjtSensor.mjSENS_FRAMEPOS, **body)
    for leg, name in zip(PONY.legs, NAMES[:4], strict=True):
        spec.body(f"{leg}_lower").name = name
        spec.geom(f"{leg}_toe").name = f"{name}_pos"
        spec.body(f"{leg}_upper").name = f"{name}_pos"
        spec.joint(f"{leg}_knee").name = name
    return spec


def by_hand() -> Robot:
    links = NAMES[:4]
    knees = dict(zip(PONY.joints[2::3], links, strict=True))
    return replace(
        PONY,
        name="crowded",
        build=partial(crowded, False),
        joints=tuple(knees.get(name, name) for name in PONY.joints),
        shanks=links,
        thighs=tuple(f"{name}_pos" for name in links),
        feet=tuple(f"{name}_pos" for name in links),
    )


def from_a_spec() -> Robot:
    spec, motors = crowded(True), iter(PONY.motors)
    for joint in spec.joints:
        if joint.type == mujoco.mjtJoint.mjJNT_HINGE:
            limit = next(motors).torque_limit
            joint.actfrcrange = (-limit, limit)
    return mjcf.from_spec(spec, name="crowded", nominal_pose=PONY.nominal_pose)


@pytest.mark.parametrize("make", [by_hand, from_a_spec])
def test_a_robot_may_use_every_name(make: Callable[[], Robot]) -> None:
    robot = make()
    for visual in (False, True):
        model = scene.build(robot, Simulation(), PD(), visual=visual)
        for name in NAMES[:4]:
            assert model.body(name).parentid[0] == model.body(f"{name}_pos").id
    physics = BatchPhysics(scene.build(robot, Simulation(), PD()), robot, 1, Simulation())
    physics.set_rows(np.arange(1), *NOMINAL(robot, 1, np.random.default_rng(0)))
    assert physics.foot_height == pytest.approx(np.zeros((1, 4)), abs=1e-9)
    for _ in range(25):
        physics.apply(np.array([robot.nominal_pose]))
        physics.step()
    assert physics.foot_contact.all()
    assert not physics.leg_contact.any()


def test_what_the_world_adds_is_called_after_it() -> None:
    robot = replace(PONY, name="plain")
    own, world = robot.spec(), scene.describe(robot, Simulation(), PD())
    for kind in ("geoms", "sites", "materials", "textures", "cameras", "lights"):
        known = {element.name for element in getattr(own, kind)}
        added = {element.name for element in getattr(world, kind)} - known
        assert all(name.startswith(PREFIX) for name in added if name)

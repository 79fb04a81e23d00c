"""Mirrors are claimed of models that are their own mirror image, in all that matters."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import pytest

from envs.mdp import symmetry
from envs.mdp.commands import velocity
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from robots import Robot, mjcf
from tests.robots.helpers import published
from tests.robots.synthetic import SYNTHETIC

PONY = SYNTHETIC["pony"]
LEFT_RIGHT, FRONT_BACK = (1.0, -1.0, 1.0), (-1.0, 1.0, 1.0)


def changed(change: Callable[[mujoco.MjSpec], Any], **fields: Any) -> Robot:
    """The pony with something changed in its model."""

    def build() -> mujoco.MjSpec:
        spec = PONY.build()
        change(spec)
        return spec

    return replace(PONY, name=fields.pop("name", "changed"), build=build, **fields)


def claimed(robot: Robot) -> list[tuple[float, ...]]:
    """What the mirrors that a robot has do to a polar vector, the identity and both apart."""
    group = symmetry.of_robot(robot, scene.build(robot, Simulation(), PD()), velocity())
    found = [tuple(kinds["polar"].sign.tolist()) for kinds in group]
    return [diagonal for diagonal in (LEFT_RIGHT, FRONT_BACK) if diagonal in found]


def keep(spec: mujoco.MjSpec) -> None:
    """Change nothing."""


def part(
    body: str, pos: tuple[float, ...], mass: float, name: str = "arm", **joint: Any
) -> Callable[[mujoco.MjSpec], None]:
    """Return what puts a ball that collides with nothing on a body, on a joint if there is one."""

    def add(spec: mujoco.MjSpec) -> None:
        arm = spec.body(body).add_body(name=name, pos=pos)
        arm.add_geom(size=[0.03, 0, 0], mass=mass, contype=0, conaffinity=0, group=2)
        if joint:
            arm.add_joint(name=name, **joint)

    return add


def geom(name: str, **values: Any) -> Callable[[mujoco.MjSpec], Any]:
    return lambda spec: [setattr(spec.geom(name), *item) for item in values.items()]


def joint(name: str, **values: Any) -> Callable[[mujoco.MjSpec], Any]:
    return lambda spec: [setattr(spec.joint(name), *item) for item in values.items()]


def box(pos: tuple[float, ...], size: tuple[float, ...]) -> Callable[[mujoco.MjSpec], Any]:
    """Return what bolts a box without mass, that collides, on the trunk."""
    kind = mujoco.mjtGeom.mjGEOM_BOX
    return lambda spec: spec.body("trunk").add_geom(type=kind, pos=pos, size=size, mass=0, group=3)


def link(spec: mujoco.MjSpec, mass: float = 0.8, com: float = 0.0, gyration: float = 0.05) -> None:
    """Give the left front upper leg mass (kg), centre of mass (m forward) and inertia of its own;
    the others those of the defaults.
    """
    for leg in PONY.legs:
        body = spec.body(f"{leg}_upper")
        mine = (mass, com, gyration) if leg == "fl" else (0.8, 0.0, 0.05)
        body.explicitinertial, body.mass = True, mine[0]
        body.ipos, body.inertia = (mine[1], 0, -0.1), [mine[0] * mine[2] ** 2] * 3
    for body in spec.bodies:
        for shape in body.geoms:
            shape.mass = shape.mass if np.isfinite(shape.mass) else 0.0


def test_the_pony_has_both_mirrors() -> None:
    assert claimed(changed(keep)) == [LEFT_RIGHT, FRONT_BACK]
    assert claimed(changed(link)) == [LEFT_RIGHT, FRONT_BACK]


FRONT_MOTOR = (replace(PONY.motors[0], kp=50.0), *PONY.motors[1:])


@pytest.mark.parametrize(
    ("robot", "left", "message"),
    [
        (
            changed(part("trunk", (0.0, 0.15, 0.1), 2.0)),
            [FRONT_BACK],
            "centre of mass of link 'trunk' with 'arm' fixed to it is .* off the mirror's plane",
        ),
        (
            changed(part("trunk", (0.0, 0.05, 0.1), 0.6)),
            [FRONT_BACK],
            "robot's centre of mass is 0.00[0-9]+ m off .* most of it by link 'trunk' with 'arm'",
        ),
        (changed(part("trunk", (0.2, 0.0, 0.1), 2.0)), [LEFT_RIGHT], "off the mirror's plane"),
        (
            changed(part("fl_lower", (0.0, 0.0, -0.1), 0.1, name="weight")),
            [],
            "link 'fl_lower' with 'weight' fixed to it weighs 0.3 kg and 'fr_lower' 0.2 kg",
        ),
        (changed(lambda spec: link(spec, mass=1.0)), [], "'fl_upper' weighs 1 kg and 'fr_upper' 0"),
        (
            changed(lambda spec: link(spec, com=0.02)),
            [],
            "centre of mass of link 'fl_upper' is 0.02 m from the image of that of 'fr_upper'",
        ),
        (
            changed(lambda spec: link(spec, gyration=0.06)),
            [],
            "inertia of link 'fl_upper' is not that of 'fr_upper'",
        ),
        (
            changed(part("trunk", (0, 0.05, 0), 0.01, axis=[0, 0, 1])),
            [FRONT_BACK],
            "link 'arm' has no image",
        ),
        (
            changed(joint("fl_knee", frictionloss=0.3)),
            [],
            "joint 'fl_knee' has friction loss 0.3 N·m, its image 'fr_knee' 0 N·m",
        ),
        (
            changed(joint("fl_knee", range=[-2.6, -0.3])),
            [],
            "has range -2.6 to -0.3 rad, its image",
        ),
        (
            changed(joint("hr_knee", stiffness=[2, 0, 0])),
            [],
            "has stiffness 0 N·m/rad, its .* 2 N·m/rad",
        ),
        (changed(keep, motors=FRONT_MOTOR), [], "kp 50 N·m/rad, its image 'fr_abduct' 40 N·m/rad"),
        (
            changed(
                lambda spec: [geom(f"{leg}_toe", size=[0.03, 0, 0])(spec) for leg in ("fl", "hl")]
            ),
            [FRONT_BACK],
            "foot 'fl_toe' has radius 0.03 m, its image 'fr_toe' 0.023 m",
        ),
        (changed(geom("hl_toe", friction=[0.5, 0.005, 0.0001])), [], "friction"),
        (
            changed(box((0, 0.15, 0), (0.05, 0.05, 0.02))),
            [FRONT_BACK],
            "shapes of link 'trunk' reach .* off the mirror's plane",
        ),
        (changed(box((0, 0, 0), (0.05, 0.2, 0.02))), [LEFT_RIGHT, FRONT_BACK], ""),
    ],
)
def test_what_breaks_a_mirror_is_told(
    robot: Robot,
    left: list[tuple[float, ...]],
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    symmetry._warn.cache_clear()
    assert claimed(robot) == left
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2 - len(left)
    for text in told:
        assert "symmetry is not used" in text
        assert text.endswith("Training goes on without it.")
    if told:
        with pytest.raises(AssertionError, match=message):
            raise AssertionError(told[0])


def test_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    symmetry._warn.cache_clear()
    robot = changed(part("trunk", (0.0, 0.15, 0.1), 2.0), name="told_once")
    for _ in range(3):
        claimed(robot)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Robot 'told_once': its left-right symmetry" in caplog.text


def test_what_rounding_leaves_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    robot = changed(lambda spec: link(spec, mass=0.8005, com=0.002, gyration=0.0505))
    assert claimed(robot) == [LEFT_RIGHT, FRONT_BACK]
    assert not caplog.records


def test_a_leg_may_turn_about_two_axes_at_one_place() -> None:
    """Joints find their images by their legs: by their places they could be confused."""

    def meet(spec: mujoco.MjSpec) -> None:
        for leg in PONY.legs:
            spec.body(f"{leg}_upper").pos = (0, 0, 0)

    robot = changed(meet)
    group = symmetry.of_robot(robot, scene.build(robot, Simulation(), PD()), velocity())
    assert len(group) == 4
    assert group[1]["joint"].index.tolist() == [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]


def test_axes_that_do_not_mirror_make_no_mirror(caplog: pytest.LogCaptureFixture) -> None:
    turned = changed(joint("fl_abduct", axis=[0, 0, 1]))
    assert claimed(turned) == []
    assert not caplog.records  # legs that do not suggest a mirror are no news


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mirrors", "message"),
    [
        ("b2", [LEFT_RIGHT], ""),
        ("go1", [LEFT_RIGHT], ""),
        ("hyqreal1", [LEFT_RIGHT], ""),
        ("hyqreal2", [LEFT_RIGHT], ""),
        ("spot", [LEFT_RIGHT], ""),
        (
            "go2",
            [],
            "joint 'FL_hip_joint' has armature 0.001 kg·m², its image 'FR_hip_joint' ",
        ),
    ],
)
def test_published_robots_have_theirs(
    name: str,
    mirrors: list[tuple[float, ...]],
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Their files' left and right differ by rounding and slips; Go2's joints were identified."""
    symmetry._warn.cache_clear()
    assert claimed(mjcf.from_file(published(name))) == mirrors
    assert message in caplog.text
    assert len(caplog.records) == bool(message)

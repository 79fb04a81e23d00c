"""A robot whose model is broken is refused by name, with the item and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mujoco
import pytest

from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from robots import Motor, Robot, get_robot

ROBOT = get_robot("anymal_c")
MJCF = "<mujoco><compiler angle='radian'/><worldbody>{}</worldbody></mujoco>"


def built(break_: Callable[[mujoco.MjSpec], Any], **changes: Any) -> Robot:
    """A robot whose model is ANYmal C's with something broken in it."""

    def build() -> mujoco.MjSpec:
        spec = ROBOT.build()
        break_(spec)
        return spec

    return replace(ROBOT, name="broken", build=build, **changes)


def from_xml(body: str) -> Robot:
    build = lambda: mujoco.MjSpec.from_string(MJCF.format(body))  # noqa: E731
    return replace(ROBOT, name="broken", build=build)


def other(names: tuple[str, ...]) -> tuple[str, ...]:
    return ("nobody", *names[1:])


def change(kind: str, name: str, **values: Any) -> Callable[[mujoco.MjSpec], None]:
    """Return what changes an element of a spec."""

    def apply(spec: mujoco.MjSpec) -> None:
        for field, value in values.items():
            setattr(getattr(spec, kind)(name), field, value)

    return apply


def keep(spec: mujoco.MjSpec) -> None:
    """Break nothing."""


@pytest.mark.parametrize(
    ("robot", "message"),
    [
        (from_xml("<body"), "cannot be read .*XML"),
        (from_xml("<blob/>"), "cannot be read .*blob"),
        (from_xml(""), "base names 'base', and its model has no such body; correct `base`"),
        (from_xml("<body name='base'/>"), "body 'base' has no free joint; add one"),
        (built(keep, base="trunk"), "base names 'trunk', and its model has no such body"),
        (built(keep, joints=other(ROBOT.joints)), "joints names 'nobody', .* no such joint"),
        (built(keep, feet=other(ROBOT.feet)), "feet names 'nobody', .* no such geom"),
        (built(keep, thighs=other(ROBOT.thighs)), "thighs names 'nobody', .* no such body"),
        (built(keep, hips=other(ROBOT.hips)), "hips names 'nobody', .* no such body"),
        (built(keep, shanks=other(ROBOT.shanks)), "foot 'LF_FOOT' is on 'LF_SHANK', not"),
        (
            built(change("joint", "LF_HAA", type=mujoco.mjtJoint.mjJNT_SLIDE)),
            "joint 'LF_HAA' is no hinge",
        ),
        (built(change("joint", "RH_KFE", range=[0, 0])), "joint 'RH_KFE' has no range"),
        (
            built(keep, nominal_pose=(99.0, *ROBOT.nominal_pose[1:])),
            "nominal_pose has joint 'LF_HAA' at 99.0 rad; its range is",
        ),
        (
            built(change("geom", "LF_FOOT", type=mujoco.mjtGeom.mjGEOM_BOX)),
            "foot 'LF_FOOT' is no sphere",
        ),
        (built(lambda spec: setattr(spec.compiler, "degree", True)), "angles in degrees"),
        (
            built(lambda spec: spec.add_actuator(name="a", target="LF_HAA")),
            "has actuators, sensors or keyframes; leave them out",
        ),
        (built(lambda spec: spec.delete(spec.joints[0])), "body 'base' has no free joint"),
        (built(lambda spec: spec.delete(spec.joint("LH_HFE"))), "joints names 'LH_HFE'"),
    ],
)
def test_a_broken_model_is_named(robot: Robot, message: str) -> None:
    with pytest.raises(ValueError, match=f"Robot 'broken': .*{message}") as caught:
        robot.spec()
    assert "; " in str(caught.value)


@pytest.mark.parametrize(
    "break_",
    [
        change("body", "LF_SHANK", mass=-1.0),
        change("geom", "LF_FOOT", size=[0, 0, 0]),
        lambda spec: spec.add_exclude(bodyname1="nobody", bodyname2="base"),
    ],
)
def test_a_model_that_does_not_compile_is_named(break_: Callable[[mujoco.MjSpec], Any]) -> None:
    with pytest.raises(ValueError, match="Robot 'broken': its model") as caught:
        scene.build(built(break_), Simulation(), PD())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"legs": ()}, "legs is empty"),
        (
            {"joints": ROBOT.joints[:11], "nominal_pose": (0.0,) * 11, "motors": ROBOT.motors[:11]},
            "11 names for 4 legs",
        ),
        ({"nominal_pose": (0.0,) * 11}, "nominal_pose has 11 values for 12 joints"),
        ({"feet": ("LF_FOOT",)}, "feet has 1 names for 4 legs"),
        ({"feet": ("LF_FOOT",) * 4}, "feet repeats a name"),
        ({"motors": ROBOT.motors[:4]}, "motors has 4 values for 12 joints; give one for each"),
        ({"hips": ROBOT.hips[:3]}, "hips has 3 names for 4 legs; give every leg as many"),
        ({"nominal_pose": (float("nan"),) * 12}, "nominal_pose has 'LF_HAA' at nan"),
        ({"leg_length": 0.0}, "leg_length is 0.0; give a positive value"),
        ({"nominal_height": float("inf")}, "nominal_height is inf; give a positive value"),
    ],
)
def test_numbers_that_make_no_robot_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"Robot 'anymal_c': .*{message}"):
        replace(ROBOT, **changes)


@pytest.mark.parametrize(
    ("field", "value", "fix"),
    [
        ("kp", -1.0, "positive"),
        ("kp", float("inf"), "positive"),
        ("kd", -2.0, "zero or more"),
        ("torque_limit", float("nan"), "positive"),
        ("speed_limit", 0.0, "positive"),
        ("armature", -0.1, "zero or more"),
    ],
)
def test_numbers_that_make_no_motor_are_named(field: str, value: float, fix: str) -> None:
    numbers = {"kp": 1.0, "kd": 0.0, "torque_limit": 1.0, "speed_limit": 1.0, "armature": 0.0}
    assert Motor(**numbers)
    with pytest.raises(ValueError, match=rf"Motor: {field} is {value}; give .*{fix}"):
        Motor(**numbers | {field: value})

"""A robot whose model is broken is refused by name, with the item and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import pytest

from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from robots import Motor, Robot, check, get_robot
from robots.usage import UsageError

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


LEGS = ROBOT.legs


def loose(spec: mujoco.MjSpec, shank: str) -> None:
    """Put the foot of a shank on a body of its own."""
    foot = next(geom for geom in spec.body(shank).geoms if geom.name)
    name, size = foot.name, foot.size.copy()
    spec.delete(foot)
    spec.worldbody.add_body(name="loose").add_geom(name=name, size=size, group=3)


def keep(spec: mujoco.MjSpec) -> None:
    """Break nothing."""


def beside(**body: Any) -> Callable[[mujoco.MjSpec], None]:
    """Return what puts a ball into the world, on a body of these values or on the world itself."""

    def add(spec: mujoco.MjSpec) -> None:
        carrier = spec.worldbody.add_body(**body) if body else spec.worldbody
        carrier.add_geom(size=[0.1, 0, 0])

    return add


def floor(spec: mujoco.MjSpec) -> None:
    for name in ("floor", ""):
        spec.worldbody.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_PLANE, size=[1, 1, 1])


def another(spec: mujoco.MjSpec) -> None:
    """Put a second robot into the world."""
    spec.attach(ROBOT.build(), prefix="other/", frame=spec.worldbody.add_frame())


def tie(one: str, other: str, **how: Any) -> Callable[[mujoco.MjSpec], None]:
    """Return what welds two bodies; without a name, to the world."""
    body = {"objtype": mujoco.mjtObj.mjOBJ_BODY, "type": mujoco.mjtEq.mjEQ_WELD}
    return lambda spec: spec.add_equality(name="rope", name1=one, name2=other, **body | how)


def in_latin_1() -> mujoco.MjSpec:
    """Return ANYmal C's model with a name of another encoding."""
    spec = ROBOT.build()
    spec.compile()
    text: Any = spec.to_xml().replace('"LF_SHANK"', '"é"').encode("latin-1")
    return mujoco.MjSpec.from_string(text)


def pin(spec: mujoco.MjSpec) -> None:
    """Hold a place of the base at a place of the world."""
    spec.body("base").add_site(name="here")
    spec.worldbody.add_site(name="there")
    sites, kind = mujoco.mjtObj.mjOBJ_SITE, mujoco.mjtEq.mjEQ_CONNECT
    spec.add_equality(name="pin", name1="here", name2="there", objtype=sites, type=kind)


def crowd(spec: mujoco.MjSpec) -> None:
    for i in range(6):
        beside(name=f"prop{i}")(spec)


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
            built(change("geom", "LF_FOOT", type=mujoco.mjtGeom.mjGEOM_SDF)),
            "foot 'LF_FOOT' is a shape of kind sdf; choose from sphere, capsule, ",
        ),
        (built(lambda spec: setattr(spec.compiler, "degree", True)), "angles in degrees"),
        (
            built(lambda spec: spec.add_actuator(name="a", target="LF_HAA")),
            "has actuators, sensors or keyframes; leave them out",
        ),
        (
            built(floor),
            "its model has a plane 'floor', a plane beside the robot; take them out: it holds the "
            "robot alone, and the environments add the ground",
        ),
        (built(beside()), "has a sphere beside the robot; take"),
        (built(beside(name="table")), "has body 'table' beside the robot"),
        (built(beside(name="goal", mocap=True)), "has body 'goal' beside the robot"),
        (built(another), "has body 'other/base' beside the robot"),
        (built(crowd), "'prop0', .* body 'prop3', 2 more beside the robot"),
        (built(tie("base", "")), "constraint 'rope' ties 'base' and 'world'; take it out: the"),
        (built(tie("world", "LF_FOOT")), "ties 'world' and 'LF_FOOT'"),
        (built(tie("base", "", type=mujoco.mjtEq.mjEQ_CONNECT)), "ties 'base' and 'world'"),
        (built(pin), "constraint 'pin' ties 'base' and 'world'"),
        (
            replace(ROBOT, name="broken", build=in_latin_1),
            r"its model has a name, b'\\xe9', that is no UTF-8; save its file as UTF-8",
        ),
        (built(lambda spec: spec.add_key(name="home")), "keyframes; leave them out"),
        (replace(ROBOT, name="broken", build=lambda: ROBOT.build().compile()), "build returned <"),  # pyright: ignore[reportArgumentType]
        (replace(ROBOT, name="broken", build=lambda: None), "returned None; return a mujoco.MjSp"),  # pyright: ignore[reportArgumentType]
        (replace(ROBOT, name="broken", build=lambda: "go1.xml"), "build returned 'go1.xml'; ret"),  # pyright: ignore[reportArgumentType]
        (built(lambda spec: spec.delete(spec.joints[0])), "body 'base' has no free joint"),
        (built(lambda spec: spec.delete(spec.joint("LH_HFE"))), "joints names 'LH_HFE'"),
        (
            built(change("geom", "LF_FOOT", group=2, contype=0, conaffinity=0)),
            "foot 'LF_FOOT' collides with nothing; put it in geom group 3",
        ),
        (
            built(keep, joints=tuple(f"{leg}_{j}" for j in ("HAA", "HFE", "KFE") for leg in LEGS)),
            "'RF_HAA' is no joint of leg 'LF', which has LF_HAA, LF_HFE, LF_KFE; name them leg by",
        ),
        (
            built(keep, joints=(*ROBOT.joints[1::-1], *ROBOT.joints[2:])),
            "'LF' has its joints as LF_HFE, LF_HAA, LF_KFE, .* outwards they are LF_HAA, LF_HFE",
        ),
        (
            built(
                keep,
                joints=tuple(name for name in ROBOT.joints if not name.endswith("HAA")),
                nominal_pose=(0.0,) * 8,
                motors=ROBOT.motors[:8],
            ),
            "joint 'LF_HAA' moves leg 'LF', and `joints` lacks it; add it with its motor",
        ),
        (
            built(keep, thighs=ROBOT.thighs[::-1]),
            "'RH_THIGH' is no link of leg 'LF', which has LF_HIP, LF_THIGH, LF_SHANK; name them",
        ),
        (
            built(lambda spec: loose(spec, "LF_SHANK"), shanks=("loose", *ROBOT.shanks[1:])),
            "shank 'loose' does not hang from the base 'base'; correct `shanks`",
        ),
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


def test_what_is_only_seen_may_stand_beside_a_robot() -> None:
    def lit(spec: mujoco.MjSpec) -> None:
        for thing in (spec.worldbody.add_light, spec.worldbody.add_camera, spec.worldbody.add_site):
            thing(pos=[0, 0, 3])

    assert built(lit).spec()


def test_lists_and_arrays_are_taken_as_tuples() -> None:
    listed: dict[str, Any] = {
        name: list(value) for name, value in vars(ROBOT).items() if isinstance(value, tuple)
    }
    assert len(listed) == 8
    robot = replace(ROBOT, **listed | {"nominal_pose": np.array(ROBOT.nominal_pose)})
    assert robot == ROBOT
    assert hash(robot) == hash(ROBOT)
    assert robot.spec()


STANCE = ROBOT.nominal_pose


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"nominal_height": 0.45},
            "nominal_height is 0.45 m, and in the nominal pose its feet stand 0.5588 m below the "
            "base; correct `nominal_height`, `nominal_pose` or the model",
        ),
        ({"nominal_height": 0.6}, "nominal_height is 0.6 m, and .* stand 0.5588 m below"),
        (
            {"nominal_pose": (0.0,) * 12},
            "nominal_height is 0.558775 m, and .* stand 0.6305 m below",
        ),
        ({"leg_length": 0.5}, "leg_length is 0.5 m, and its legs are 0.6125 m long; correct"),
        ({"leg_length": 600.0}, "leg_length is 600 m, and its legs are 0.6125 m long"),
        (
            {"nominal_pose": (0.0, 1.5, 0.0, *STANCE[3:])},
            r"in the nominal pose its feet are 0\.\d+ m from one level; give a nominal_pose",
        ),
        (
            {"nominal_pose": (0, 0, 2.6, 0, 0, 2.6, 0, 0, -2.6, 0, 0, -2.6)},
            r"in the nominal pose body '.*' is 0\.\d+ m below its feet; give a nominal_pose",
        ),
    ],
)
def test_a_robot_that_does_not_stand_as_it_says_is_told(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"Robot 'anymal_c': {message}"):
        scene.build(replace(ROBOT, **changes), Simulation(), PD())


@pytest.mark.parametrize("changes", [{"nominal_height": 0.57}, {"leg_length": 0.63}])
def test_numbers_that_are_rounded_stand(changes: dict[str, Any]) -> None:
    assert scene.build(replace(ROBOT, **changes), Simulation(), PD()).nu == 12


def test_a_spring_may_move_a_leg_without_a_motor() -> None:
    """A toe, say, that no drive turns."""

    def springs(spec: mujoco.MjSpec) -> None:
        for leg in LEGS:
            spec.joint(f"{leg}_KFE").stiffness = [9, 0, 0]

    driven = tuple(name for name in ROBOT.joints if not name.endswith("KFE"))
    fields = {"joints": driven, "nominal_pose": (0.0,) * 8, "motors": ROBOT.motors[:8]}
    assert built(springs, **fields).spec()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"legs": ()}, "legs is empty"),
        ({"legs": "LF"}, "legs is 'LF'; give a tuple"),
        ({"nominal_pose": 0.5}, "nominal_pose is 0.5; give a tuple"),
        ({"build": "go1.xml"}, "build is 'go1.xml'; give a function that returns a mujoco.MjSpec"),
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


def test_a_model_without_gravity_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    check._warn_weightless.cache_clear()
    robot = built(lambda spec: setattr(spec.option, "gravity", (0, 0, 0)))
    robot.spec()
    robot.spec()
    assert [record.getMessage() for record in caplog.records] == [
        "Robot 'broken': its model's gravity is [0. 0. 0.] m/s²: nothing draws it to the ground"
    ]

"""Mirrors are claimed of models that are their own mirror image, in all that matters."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import pytest

from envs.mdp import asymmetry, symmetry
from envs.mdp.commands import velocity
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from robots import Robot, mjcf
from tests.robots.helpers import published
from tests.robots.synthetic import SYNTHETIC

PONY = SYNTHETIC["pony"]
LEFT_RIGHT, FRONT_BACK = (1.0, -1.0, 1.0), (-1.0, 1.0, 1.0)
BOTH = [LEFT_RIGHT, FRONT_BACK]


def changed(change: Callable[[mujoco.MjSpec], Any], **fields: Any) -> Robot:
    """The pony with something changed in its model."""

    def build() -> mujoco.MjSpec:
        spec = PONY.build()
        change(spec)
        return spec

    return replace(PONY, name=fields.pop("name", "changed"), build=build, **fields)


def forget() -> None:
    """Have each model looked at, and told of, again."""
    symmetry._MIRRORED.clear()
    symmetry._warn.cache_clear()


def told_of(
    robot: Robot, left: list[tuple[float, ...]], caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Assert which mirrors are left of the two, and return what is said of the others."""
    forget()
    assert claimed(robot) == left
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2 - len(left)
    return told


def claimed(robot: Robot, drive: PD = PD()) -> list[tuple[float, ...]]:
    """What the mirrors that a robot has do to a polar vector, the identity and both apart."""
    group = symmetry.of_robot(robot, scene.build(robot, Simulation(), drive), velocity())
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


def test_a_model_is_looked_at_once_and_a_changed_one_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked, find = [], asymmetry.find
    monkeypatch.setattr(asymmetry, "find", lambda *given: looked.append(given) or find(*given))
    forget()
    model = scene.build(PONY, Simulation(), PD())
    assert [len(symmetry.of_robot(PONY, model, velocity())) for _ in range(2)] == [4, 4]
    assert len(looked) == 2
    model.body_mass[model.jnt_bodyid[model.joint(PONY.joints[0]).id]] *= 2  # of one leg
    assert len(symmetry.of_robot(PONY, model, velocity())) == 1


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
        (changed(geom("hl_toe", friction=[1.5, 0.005, 0.0001])), [], "friction"),
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
    told = told_of(robot, left, caplog)
    for text in told:
        assert "symmetry is not used" in text
        assert text.endswith("Training goes on without it.")
    if told:
        with pytest.raises(AssertionError, match=message):
            raise AssertionError(told[0])


def of(kind: str, name: str, **values: Any) -> Callable[[mujoco.MjSpec, str], Any]:
    """Return what changes an element of a leg."""
    return lambda spec, leg: [
        setattr(getattr(spec, kind)(f"{leg}_{name}"), *item) for item in values.items()
    ]


def tendon(spec: mujoco.MjSpec, leg: str) -> Any:
    """Couple swing and knee, as a belt does."""
    belt = spec.add_tendon(name=f"{leg}_belt", stiffness=[5, 0, 0], springlength=[0.1, 0.1])
    belt.wrap_joint(f"{leg}_swing", 1.0)
    belt.wrap_joint(f"{leg}_knee", 0.5)


def cord(spec: mujoco.MjSpec, leg: str) -> Any:
    """Stretch a cord from the trunk to the shin."""
    x, y = (0.2 if leg[0] == "f" else -0.2), (0.1 if leg[1] == "l" else -0.1)
    spec.body("trunk").add_site(name=f"{leg}_above", pos=[x, y, 0.1])
    spec.body(f"{leg}_lower").add_site(name=f"{leg}_below", pos=[0, 0, -0.1])
    line = spec.add_tendon(name=f"{leg}_cord", damping=[3, 0, 0], range=[0, 0.5], limited=1)
    line.wrap_site(f"{leg}_above")
    line.wrap_site(f"{leg}_below")


def equality(spec: mujoco.MjSpec, leg: str) -> Any:
    spec.add_equality(
        type=mujoco.mjtEq.mjEQ_JOINT,
        name1=f"{leg}_swing",
        name2=f"{leg}_knee",
        objtype=mujoco.mjtObj.mjOBJ_JOINT,
        data=[0.3, 1, *[0] * 10],
    )


def connect(spec: mujoco.MjSpec, leg: str) -> Any:
    spec.add_equality(
        type=mujoco.mjtEq.mjEQ_CONNECT,
        name1=f"{leg}_lower",
        name2="trunk",
        objtype=mujoco.mjtObj.mjOBJ_BODY,
        data=[0, 0, -0.1, *[0] * 9],
    )


def exclude(spec: mujoco.MjSpec, leg: str) -> Any:
    spec.add_exclude(bodyname1=f"{leg}_lower", bodyname2="trunk")


def toe(spec: mujoco.MjSpec, leg: str, **values: Any) -> Any:
    """Hang a sprung toe, which no drive turns, on a shin."""
    body = spec.body(f"{leg}_lower").add_body(name=f"{leg}_tip", pos=[0, 0, -0.1])
    body.add_geom(size=[0.01, 0, 0], mass=0.01, contype=0, conaffinity=0, group=2)
    body.add_joint(name=f"{leg}_tip", axis=[0, 1, 0], stiffness=[1, 0, 0], **values)


SIDED: list[tuple[Callable[[mujoco.MjSpec, str], Any], str]] = [
    (of("body", "upper", gravcomp=1.0), "gravcomp carries 0.8 kg of link 'fl_upper' and 0 kg of"),
    (of("joint", "knee", actfrcrange=[-5, 9], actfrclimited=1), "actuatorfrclimited 1, its image"),
    (of("joint", "knee", actgravcomp=1), "actuatorgravcomp"),
    (of("joint", "knee", solref_limit=[0.1, 1]), "has solreflimit 0.1 1, its image 'fr_knee' 0.0"),
    (of("joint", "knee", solref_friction=[0.1, 1]), "solreffriction"),
    (of("joint", "knee", margin=0.1), "joint 'fl_knee' has margin 0.1 rad"),
    (of("geom", "toe", margin=0.01), "foot 'fl_toe' has margin 0.01, its image 'fr_toe' 0"),
    (of("geom", "toe", gap=0.01), "gap"),
    (of("geom", "toe", solref=[0.1, 1]), "foot 'fl_toe' has solref"),
    (of("geom", "toe", solmix=3.0), "solmix"),
    (of("geom", "toe", priority=2), "priority"),
    (tendon, "tendons .* act on joint 'fl_.*' otherwise than on its image joint 'fr_"),
    (cord, "tendons .* act on the base|joint 'fl_"),
    (equality, "equality constraints .* act on joint 'fl_"),
    (connect, "equality constraints"),
    (exclude, "contacts that it excludes"),
    (toe, "link 'fl_tip' has no image"),
]


@pytest.mark.parametrize(("change", "message"), SIDED)
def test_what_one_leg_alone_has_breaks_both_mirrors_and_what_all_have_none(
    change: Callable[[mujoco.MjSpec, str], Any], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    forget()
    assert claimed(changed(lambda spec: change(spec, "fl"))) == []
    assert re.search(message, caplog.text)
    assert claimed(changed(lambda spec: [change(spec, leg) for leg in PONY.legs])) == BOTH


@pytest.mark.parametrize(("right", "left"), [([-9, 5], BOTH), ([-5, 9], [FRONT_BACK])])
def test_a_mirror_swaps_the_ends_of_what_turns_the_other_way(
    right: list[float], left: list[tuple[float, ...]]
) -> None:
    """A leg that swings out turns to the left at one side and to the right at the other."""

    def limit(spec: mujoco.MjSpec) -> None:
        for leg in PONY.legs:
            ends = [-5, 9] if leg.endswith("l") else right
            of("joint", "abduct", actfrcrange=ends, actfrclimited=1)(spec, leg)

    assert claimed(changed(limit)) == left


def test_joints_that_no_drive_turns_are_compared() -> None:
    def toes(spec: mujoco.MjSpec, **left: Any) -> None:
        for leg in PONY.legs:
            toe(spec, leg, **(left if leg.endswith("l") else {}))

    assert claimed(changed(lambda spec: toes(spec, damping=[2, 0, 0]))) == [FRONT_BACK]
    assert claimed(changed(lambda spec: toes(spec, solref_limit=[0.1, 1]))) == [FRONT_BACK]


@pytest.mark.parametrize(
    ("vector", "left"),
    [((0, 1, -9.81), [FRONT_BACK]), ((1, 0, -9.81), [LEFT_RIGHT]), ((0, 0, -3.7), BOTH)],
)
@pytest.mark.parametrize("field", ["gravity", "wind"])
def test_a_world_that_pulls_to_one_side_has_no_mirror_across(
    field: str, vector: tuple[float, ...], left: list[tuple[float, ...]]
) -> None:
    assert claimed(changed(lambda spec: setattr(spec.option, field, vector))) == left


@pytest.mark.parametrize(
    "values",
    [
        {"gear": [2, 0, 0, 0, 0, 0]},
        {"forcerange": [-5, 5]},
        {"ctrlrange": [-0.5, 0.5]},
        {"biasprm": [1.0, -40, -1, 0, 0, 0, 0, 0, 0, 0]},
        {"delay": 0.02, "nsample": 4},
    ],
)
def test_a_drive_that_acts_otherwise_on_one_leg_breaks_both_mirrors(values: dict[str, Any]) -> None:
    """What it gives all knees alike breaks none."""

    class Uneven(PD):
        def attach(self, spec: mujoco.MjSpec, robot: Robot) -> None:
            super().attach(spec, robot)
            for actuator in spec.actuators:
                if actuator.target in uneven:
                    for item in values.items():
                        setattr(actuator, *item)

    uneven = ["fl_knee"]
    assert claimed(PONY, Uneven()) == []
    uneven = [f"{leg}_knee" for leg in PONY.legs]
    assert claimed(PONY, Uneven()) == BOTH


def test_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    forget()
    robot = changed(part("trunk", (0.0, 0.15, 0.1), 2.0), name="told_once")
    for timestep in (0.002, 0.004, 0.005):  # of models that differ
        model = scene.build(robot, Simulation(timestep=timestep), PD())
        symmetry.of_robot(robot, model, velocity())
    assert len(symmetry._MIRRORED) == 3
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


POSE = np.array(PONY.nominal_pose)
BENT = (*POSE[:2], POSE[2] + 0.05, *POSE[3:])
OUTWARD = tuple(POSE + 0.3 * (np.arange(12) % 3 == 0))


@pytest.mark.parametrize(
    ("robot", "left", "message"),
    [
        (
            changed(geom("fl_toe", pos=[0.006, 0, -0.213])),
            [],
            "foot 'fl_toe' is 0.006 m from the image of 'fr_toe'",
        ),
        (
            changed(geom("hr_toe", pos=[0, 0, -0.193])),
            [],
            "foot 'hl_toe' is 0.02 m from the image of 'hr_toe'",
        ),
        (
            changed(lambda spec: setattr(spec.body("fl_girdle"), "pos", [0.27, 0.05, 0])),
            [],
            "joint 'fl_abduct' is 0.02 m from the image of 'fr_abduct'",
        ),
        (
            changed(joint("fl_swing", axis=[0.1, 1, 0])),
            [],
            "axis of joint 'fl_swing' is 0.0997 rad from the image of that of 'fr_swing'",
        ),
        (changed(joint("hl_swing", axis=[1, -1, 0])), [], "axis of joint 'hl_swing' is 0.785 rad"),
        (
            changed(joint("hr_knee", pos=[0, 0, 0.01])),
            [],
            "joint 'hl_knee' is 0.01 m from the image of 'hr_knee'",
        ),
        (
            changed(joint("fl_swing", ref=0.1)),
            [],
            "joint 'fl_knee' is 0.0213 m from the image of 'fr_knee'",
        ),
        (
            changed(joint("fl_swing", ref=0.8)),
            [],
            "joint 'fl_knee' is 0.166 m from the image of 'fr_knee'",
        ),
        (
            changed(keep, nominal_pose=BENT),
            [],
            "joint 'fl_knee' has nominal angle -1.855 rad, its image 'fr_knee' -1.905 rad in the",
        ),
        (
            changed(keep, nominal_pose=OUTWARD),
            [FRONT_BACK],
            "joint 'fl_abduct' has nominal angle 0.3 rad, its image 'fr_abduct' -0.3 rad in the",
        ),
    ],
)
def test_a_leg_that_stands_nearly_where_a_mirror_puts_it_is_told(
    robot: Robot,
    left: list[tuple[float, ...]],
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = told_of(robot, left, caplog)
    assert "left-right symmetry is not used" in told[0]
    assert message in told[0]


def test_a_joint_in_the_mirror_s_plane_says_how_far_it_is_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A single leg is its own image."""
    forget()

    def three(spec: mujoco.MjSpec) -> None:
        spec.delete(spec.body("hr_girdle"))
        spec.body("hl_girdle").pos = (-0.25, 0.01, 0)
        spec.body("hl_upper").pos = (0, 0, 0)

    names = ("joints", "nominal_pose", "motors", "legs", "hips", "thighs", "shanks", "feet")
    fields = {name: getattr(PONY, name) for name in names}
    fields = {name: values[: len(values) * 3 // 4] for name, values in fields.items()}
    assert claimed(changed(three, **fields)) == []
    assert [record.getMessage() for record in caplog.records] == [
        "Robot 'changed': its left-right symmetry is not used: joint 'hl_abduct' is 0.01 m off the "
        "mirror's plane. Training goes on without it."
    ]  # and nothing of front and back, which three legs do not have


FOLDED = np.where(np.arange(12) < 6, POSE, -POSE)


def unfold(spec: mujoco.MjSpec) -> None:
    """Let the hind knees fold as the fore knees do."""
    for name in ("swing", "knee"):
        for leg in ("hl", "hr"):
            low, high = spec.joint(f"{leg}_{name}").range
            spec.joint(f"{leg}_{name}").range = (-high, -low)


def hang(spec: mujoco.MjSpec, leg: str) -> None:
    """Mount a hind leg a hand's breadth further back."""
    spec.body(f"{leg}_girdle").pos += np.array([-0.1, 0, 0])


@pytest.mark.parametrize(
    ("robot", "left"),
    [
        (changed(lambda spec: [hang(spec, leg) for leg in ("hl", "hr")]), [LEFT_RIGHT]),
        (changed(unfold, nominal_pose=tuple(FOLDED)), [LEFT_RIGHT]),
    ],
)
def test_legs_that_suggest_no_mirror_are_no_news(
    robot: Robot, left: list[tuple[float, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    """Hind legs elsewhere, and knees that all fold the same way, are meant."""
    assert claimed(robot) == left
    assert not caplog.records


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
            "joint 'FL_hip_joint' has armature 0.0044",
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
    forget()
    assert claimed(mjcf.from_file(published(name))) == mirrors
    assert message in caplog.text
    assert len(caplog.records) == bool(message)

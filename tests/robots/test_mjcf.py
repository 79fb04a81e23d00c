"""A robot read off its MJCF: the roles, the lengths, the drives, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import mujoco
import numpy as np
import pytest

from robots import Motor, get_robot, mjcf
from robots.collision import dress
from robots.mjcf import stance, tree
from robots.usage import UsageError
from tests.robots import dogs
from tests.robots.helpers import (
    in_nominal_pose,
    on_plane,
    pd_step,
    published,
    touching_bodies,
)
from tests.robots.synthetic import SYNTHETIC

LEG = """
<body name="{leg}_upper" pos="{x} {y} 0" euler="0 0 {turn}">
  <joint name="{leg}_swing" range="-80 100"/>
  <geom class="skin" size=".05"/>
  <body name="{leg}_lower" pos="0 {out} -.3" axisangle="0 1 0 90">
    <joint name="{leg}_knee" range="-150 -10" ref="5"/>
    <geom type="capsule" fromto="0 0 0 .3 0 0" size=".01"/>
    <geom type="sphere" pos=".1 0 0" size=".02"/>
    <body name="{leg}_foot" pos=".4 {out} 0">
      <geom type="sphere" size=".03"/>
    </body>
  </body>
</body>"""
ROBOT = """<mujoco model="dog">
  <default>
    <joint axis="0 1 0" armature=".02"/>
    <default class="skin"><geom type="sphere" contype="0" conaffinity="0" mass="1"/></default>
  </default>
  <worldbody>
    <body name="trunk" pos="0 0 1"><freejoint/><geom type="box" size=".2 .1 .05" mass="6"/>
    <camera/>{legs}</body>
  </worldbody>
  <sensor><framepos objtype="body" objname="trunk"/></sensor>
  <actuator>{drives}</actuator>
  <keyframe>
    <key name="down" qpos="{zeros}"/><key name="home" qpos="0 0 1 1 0 0 0 {home}"/>
  </keyframe>
</mujoco>"""
SCENE = """<mujoco><include file="dog.xml"/>
  <asset>
    <texture name="grid" type="2d" builtin="checker" width="8" height="8"/>
    <texture name="sky" type="skybox" builtin="gradient" width="8" height="8"/>
    <material name="grid" texture="grid"/>
  </asset>
  <worldbody>
    <light pos="0 0 3"/><geom name="ground" type="plane" size="1 1 1" material="grid"/>
    <body name="step" pos="3 0 0"><geom type="box" size="1 1 .1"/></body>
  </worldbody>
</mujoco>"""
PLACES = {"hr": (-0.2, -0.1), "fl": (0.2, 0.1), "hl": (-0.2, 0.1), "fr": (0.2, -0.1)}
"""Legs in an order that is not theirs."""
HOME = (0.3, -0.9)
"""Swing and knee of every leg in the keyframe (rad)."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a robot in degrees, in a scene that includes it from another file."""
    folder = tmp_path_factory.mktemp("dog")
    legs = "".join(
        LEG.format(leg=leg, x=x, y=y, out=y / 2, turn=0 if x > 0 else 180)
        for leg, (x, y) in PLACES.items()
    )
    drives = "".join(
        f'<motor joint="{leg}_swing" gear="2" ctrlrange="-9 9"/>'
        f'<position joint="{leg}_knee" kp="50" forcerange="-30 30" ctrlrange="-3 3"/>'
        for leg in PLACES
    )
    home = " ".join(map(str, HOME * 4))
    text = ROBOT.format(legs=legs, drives=drives, home=home, zeros="0 " * 15)
    (folder / "dog.xml").write_text(text)
    (folder / "scene.xml").write_text(SCENE)
    return folder / "scene.xml"


def test_roles_come_from_the_tree_and_legs_from_where_they_begin(scene: Path) -> None:
    robot = mjcf.from_file(scene, name="dog")
    order = ("fl", "fr", "hl", "hr")
    assert robot.legs == ("LF", "RF", "LH", "RH")
    assert robot.base == "trunk"
    assert robot.hips == ()
    assert robot.thighs == tuple(f"{leg}_upper" for leg in order)
    assert robot.shanks == tuple(f"{leg}_lower" for leg in order)
    assert robot.joints == tuple(f"{leg}_{joint}" for leg in order for joint in ("swing", "knee"))
    assert robot.nominal_pose == HOME * 4
    model = robot.spec().compile()
    for foot in robot.feet:
        assert model.geom(foot).size[0] == 0.03  # not the sphere of 0.02 m half-way down


def test_degrees_become_radians(scene: Path) -> None:
    robot = mjcf.from_file(scene, name="dog")
    model, original = robot.spec().compile(), mujoco.MjModel.from_xml_path(str(scene))
    np.testing.assert_allclose(model.joint("fl_knee").range, np.deg2rad([-150, -10]))
    np.testing.assert_allclose(model.joint("hr_swing").range, np.deg2rad([-80, 100]))
    ours, theirs = in_nominal_pose(robot, model, 1.0), mujoco.MjData(original)
    theirs.qpos[:] = original.key("home").qpos
    mujoco.mj_forward(original, theirs)
    for leg, foot in zip(("fl", "fr", "hl", "hr"), robot.feet, strict=True):
        np.testing.assert_allclose(
            ours.geom(foot).xpos, theirs.body(f"{leg}_foot").xpos, atol=1e-12
        )
    np.testing.assert_allclose(ours.subtree_com[1], theirs.subtree_com[1], atol=1e-12)
    assert model.body_mass.sum() == pytest.approx(
        original.body_subtreemass[original.body("trunk").id]
    )


def test_lengths(scene: Path) -> None:
    robot = mjcf.from_file(scene, name="dog")
    # In the legs' planes 0.3 and 0.4 m; what leads sideways, along the axes, counts for nothing.
    assert robot.leg_length == pytest.approx(0.7)
    # The thigh 0.3 rad from vertical; the shank 0.9 rad back of it, and 5° that ref takes off.
    swing, knee = HOME
    drop = 0.3 * np.cos(swing) + 0.4 * np.cos(swing + knee - np.deg2rad(5))
    assert robot.nominal_height == pytest.approx(drop + 0.03)


def test_the_robot_comes_alone(scene: Path) -> None:
    model = mjcf.from_file(scene, name="dog").spec("full").compile()
    for count in (model.nu, model.nsensor, model.nlight, model.ncam, model.nkey, model.nsite):
        assert count == 0
    assert (model.nmat, model.ntex) == (0, 0)  # the scene's, whose names the environments use
    assert model.nbody == 1 + 1 + 2 * 4  # no step, and the feet's bodies are part of the shanks
    skin = model.geom_group == 2
    assert skin.sum() == 4 + 1 + 4 * 3  # its own; twins of what collides of trunk and shanks
    assert not model.geom_contype[skin].any()


def test_its_defaults_do_not_reach_what_is_added() -> None:
    spec = SYNTHETIC["pony"].spec()
    ground = spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=(1, 1, 1))
    assert ground.group == 0  # not the 3 of the file's own geoms, which is not drawn


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_model_without_looks_shows_what_collides(name: str) -> None:
    model = SYNTHETIC[name].spec().compile()
    solid, shown = (np.flatnonzero(model.geom_group == group) for group in (3, 2))
    for body in range(1, model.nbody):
        pair = [ids[model.geom_bodyid[ids] == body] for ids in (solid, shown)]
        for field in ("geom_type", "geom_size", "geom_pos", "geom_quat"):
            mine, twin = (getattr(model, field)[ids] for ids in pair)
            np.testing.assert_array_equal(mine, twin)
    assert not model.geom_contype[shown].any()


def test_a_link_of_which_a_foot_alone_is_to_be_seen_shows_what_collides() -> None:
    spec = mujoco.MjSpec.from_string("""<mujoco><worldbody>
      <body name="shank"><geom type="box" size=".1 .02 .02" group="3"/><geom size=".04" group="3"/>
        <geom size=".04" group="2" contype="0" conaffinity="0" rgba="0 0 0 1"/></body>
      <body name="trunk"><geom type="box" size=".3 .1 .1" group="3"/>
        <geom type="box" size=".3 .1 .1" group="2"/></body></worldbody></mujoco>""")
    dress(spec)
    model = spec.compile()
    shown = [model.geom_type[(model.geom_group == 2) & (model.geom_bodyid == b)] for b in (1, 2)]
    sphere, box = mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_BOX
    assert [sorted(kinds) for kinds in shown] == [[sphere, sphere, box], [box]]


def test_drives(scene: Path) -> None:
    robot = mjcf.from_file(scene, name="dog")
    assert robot.torque_limit.tolist() == [18.0, 30.0] * 4  # gear × ctrlrange, forcerange
    assert robot.armature.tolist() == [0.02] * 8
    assert robot.mass is not None
    assert robot.mass == pytest.approx(robot.spec().compile().body_mass.sum())
    stiff = 0.21**2 * robot.mass * 9.81 / (4 * 0.08 * robot.nominal_height)  # arm: 0.3 × 0.7 m
    np.testing.assert_allclose(robot.kp, np.minimum(stiff, [72.0, 120.0] * 4))
    np.testing.assert_allclose(robot.kd, 0.1 * robot.kp * np.sqrt(0.7 / 9.81))
    np.testing.assert_allclose(robot.speed_limit, 6 * np.sqrt(9.81 / 0.7))


def test_the_arm_by_which_joints_carry_a_robot(scene: Path) -> None:
    """Hind legs are front legs turned round, so that the base cannot give way forwards: with the
    Jacobian J of a leg in its plane, a² is det(J)² / (J Jᵀ)_xx.
    """
    robot = mjcf.from_file(scene, name="dog")
    model = robot.spec().compile()
    qpos = in_nominal_pose(robot, model, 1.0).qpos
    swing, shank = HOME[0], sum(HOME) - np.deg2rad(5)
    thigh = 0.3 * np.array([np.sin(swing), np.cos(swing)])
    knee = 0.4 * np.array([np.sin(shank), np.cos(shank)])
    across, down = np.array([thigh + knee, knee]).T
    squared = (across[0] * down[1] - across[1] * down[0]) ** 2 / (down @ down)
    found = stance.arm(model, tree.legs(model, qpos), qpos)
    assert found**2 == pytest.approx(squared, rel=0.02)


def test_keywords_replace_what_the_model_says(scene: Path) -> None:
    motor = Motor(kp=1.0, kd=0.1, torque_limit=2.0, speed_limit=3.0, armature=0.0)
    pose = (0.0, -1.0) * 4
    robot = mjcf.from_file(
        scene, name="cat", nominal_pose=pose, leg_length=0.5, motors=(motor,) * 8
    )
    assert (robot.name, robot.nominal_pose, robot.leg_length) == ("cat", pose, 0.5)
    assert robot.motors == (motor,) * 8
    drop = 0.3 + 0.4 * np.cos(1.0 + np.deg2rad(5))
    assert robot.nominal_height == pytest.approx(drop + 0.03)


@pytest.mark.parametrize("name", SYNTHETIC)
def test_reads_what_was_written_by_hand(name: str) -> None:
    known = SYNTHETIC[name]
    spec = known.build()
    for joint, motor in zip(known.joints, known.motors, strict=True):
        spec.joint(joint).actfrcrange = (-motor.torque_limit, motor.torque_limit)
        spec.joint(joint).armature = motor.armature
    found = mjcf.from_spec(spec, nominal_pose=known.nominal_pose)
    for field in ("name", "base", "joints", "hips", "thighs", "shanks", "feet"):
        assert getattr(found, field) == getattr(known, field)
    assert found.nominal_height == pytest.approx(known.nominal_height)
    assert found.leg_length == pytest.approx(known.leg_length)
    np.testing.assert_array_equal(found.torque_limit, known.torque_limit)
    np.testing.assert_array_equal(found.armature, known.armature)


def test_reads_anymal_c_as_we_wrote_it(stand_in: tuple[Path, str]) -> None:
    known = get_robot("anymal_c")
    path = stand_in[0] / "anybotics_anymal_c" / "anymal_c.xml"
    found = mjcf.from_file(path, nominal_pose=np.array(known.nominal_pose))
    for field in ("name", "base", "legs", "joints", "hips", "thighs", "shanks"):
        assert getattr(found, field) == getattr(known, field)
    assert found.nominal_height == pytest.approx(known.nominal_height, abs=1e-6)
    assert found.leg_length == pytest.approx(known.leg_length, rel=0.03)  # its shank is bent
    np.testing.assert_array_equal(found.torque_limit, known.torque_limit)
    np.testing.assert_allclose(found.kp, known.kp, rtol=0.1)  # as legged_gym has them
    np.testing.assert_allclose(found.kd, known.kd, rtol=0.1)


def test_names_that_are_given_are_those_that_a_file_lacks(scene: Path) -> None:
    """One that the file has for another of its parts is left to that."""
    spec = mujoco.MjSpec.from_file(str(scene))
    spec.body("fl_upper").name, spec.joint("fl_swing").name = "", ""
    spec.body("hr_upper").name, spec.joint("hr_swing").name = "body5", "joint3"
    numbered = mjcf.alone(spec)
    assert all(element.name for element in (*numbered.bodies, *numbered.joints))
    assert numbered.compile().nbody == 10


BASE = "<body name='trunk'>{}<geom size='.1'/></body>"
FREE = BASE.format("<freejoint/>{}")
LIMB = """<body name='a'><joint name='j' axis='0 1 0' range='-1 1' {}/>
<geom size='.1' pos='0 0 -.3'/>{}</body>"""
ACTUATED = "actuatorfrcrange='-5 5'"


@pytest.mark.parametrize(
    ("body", "extra", "message"),
    [
        (BASE.format(LIMB.format(ACTUATED, "")), "", "has 0 free joints; give one, <freejoint/>"),
        (
            FREE.format("") + FREE.format("").replace("trunk", "b"),
            "",
            "2 free joints, of bodies .trunk., .b.; take",
        ),
        (FREE.format(""), "", "its base has no legs"),
        (
            FREE.format(
                LIMB.replace("size", "contype='0' conaffinity='0' size").format(ACTUATED, "")
            ),
            "",
            "'a' ends without a foot, a shape that collides; give it one",
        ),
        (
            FREE.format(
                LIMB.format(
                    ACTUATED,
                    2 * "<body><joint/><geom size='.1' pos='0 0 -.6'/></body>",
                )
            ),
            "",
            "branches at body 'a'; let legs begin at the base",
        ),
        (
            FREE.format(LIMB.replace(" pos='0 0 -.3'", "").format(ACTUATED, "")),
            "",
            "joint 'j' turns foot 'a_sphere0' about itself, as a wheel; take the joint out",
        ),
        (
            FREE.format(LIMB.format(ACTUATED, ""))
            + LIMB.format("", "").replace("'a'", "'door'").replace("'j'", "'k'"),
            "",
            "1 joints are not its robot's; take them out",
        ),
        (
            FREE.format(LIMB.format("", "")),
            "<keyframe><key/></keyframe>",
            "joint 'j' of body 'a' has no torque limit; give its actuator a forcerange",
        ),
        (
            FREE.format(LIMB.format(ACTUATED, "")),
            "<tendon><fixed><joint joint='j' coef='1'/></fixed></tendon>",
            "0 equality constraints and 1 tendons; take them out",
        ),
    ],
)
def test_what_is_no_legged_robot_is_refused(body: str, extra: str, message: str) -> None:
    spec = mujoco.MjSpec.from_string(
        f"<mujoco model='thing'><compiler angle='radian'/><worldbody>{body}</worldbody>{extra}"
        "</mujoco>"
    )
    with pytest.raises(ValueError, match=f"Robot 'thing': .*{message}"):
        mjcf.from_spec(spec)


NAMED = f"<mujoco>{{}}<worldbody>{FREE.format('').replace('trunk', 'é')}</worldbody></mujoco>"
MESH = NAMED.format("<asset><mesh name='m' file='m.obj'/></asset>")
FIELD = NAMED.format("<asset><hfield name='f' file='f.png' size='1 1 1 1'/></asset>")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"dog\.xml is missing; put the file there"),
        (MESH.encode(), r"m\.obj is missing; put the file there, or correct its path"),
        (
            FIELD.encode(),
            r"dog\.xml makes no model .*f\.png.*; correct it, or the file that it nam",
        ),
        (NAMED.format("").encode("latin-1"), r"dog\.xml has a name, b'\\xe9', that.*save it as UT"),
        (NAMED.format("").encode("utf-16"), r"dog\.xml cannot be read \(XML.*; save it as UTF-8"),
        (NAMED.format("").encode("utf-16-le"), r"dog\.xml cannot be read.*; save it as UTF-8"),
        (b"hello", r"dog\.xml cannot be read \(XML.*; give a correct MJCF file"),
        (NAMED.format("<include file='x.xml'/>").encode(), r"dog\.xml cannot .*'x\.xml'.*; give a"),
    ],
)
def test_what_cannot_be_read_is_told_with_file_and_fix(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "dog.xml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=f"Robot 'cat': {re.escape(str(tmp_path))}/{message}"):
        mjcf.from_file(file, name="cat")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; "):
        mjcf.from_file(tmp_path)


def test_a_scene_without_gravity_gets_the_environments_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = SYNTHETIC["pony"]
    spec = known.build()
    for joint in known.joints:
        spec.joint(joint).actfrcrange = (-9.0, 9.0)
    spec.option.gravity = (0, 0, 0)
    robot = mjcf.from_spec(spec, nominal_pose=known.nominal_pose)
    assert robot.spec().option.gravity[2] == -9.81
    assert [r.getMessage() for r in caplog.records] == [
        "Robot 'pony': its model's gravity, [0. 0. 0.] m/s², is left out for the environments' own"
    ]


@pytest.mark.parametrize(
    ("name", "leg_length", "knee_torque"), [("go1", 0.426, 23.7), ("go2", 0.426, 45.43)]
)
def test_published_robots_stand_as_they_are_read(
    name: str, leg_length: float, knee_torque: float
) -> None:
    robot = mjcf.from_file(published(name))
    assert robot.leg_length == pytest.approx(leg_length, abs=1e-3)  # 2 × 0.213 m
    assert robot.torque_limit[:3].tolist() == [23.7, 23.7, knee_torque]
    model = on_plane(robot)
    data = in_nominal_pose(robot, model, robot.nominal_height)
    for _ in range(400):
        pd_step(robot, model, data, np.array(robot.nominal_pose))
    assert touching_bodies(model, data) == {frozenset({"world", shank}) for shank in robot.shanks}
    assert data.qpos[2] > 0.75 * robot.nominal_height


@pytest.mark.parametrize("compiler", ['inertiafromgeom="true"', 'inertiagrouprange="0 1"'])
def test_bodies_keep_the_inertias_that_their_file_gives_them(compiler: str) -> None:
    looks = '<geom type="box" size=".1 .08 .1" mass="3" contype="0" conaffinity="0" group="2"/>'
    text = dogs.mjcf(extra=looks).replace("<worldbody>", f"<compiler {compiler}/><worldbody>")
    inertial = '<inertial pos="0 0 -.1" mass=".7" diaginertia=".01 .01 .01"/>'
    pitch = '<joint name="a_pitch"'
    text = text.replace(pitch, inertial + pitch)
    theirs = mujoco.MjModel.from_xml_string(text)
    model = mjcf.from_spec(mujoco.MjSpec.from_string(text)).spec().compile()
    for name in ("trunk", "a_thigh", "b_thigh", "a_hip"):
        own, expected = model.body(name), theirs.body(name)
        assert own.mass == pytest.approx(expected.mass)
        np.testing.assert_allclose(own.ipos, expected.ipos, atol=1e-9)
        np.testing.assert_allclose(own.inertia, expected.inertia, rtol=1e-6)

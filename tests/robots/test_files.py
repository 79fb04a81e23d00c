"""What files say in unusual ways, and what they must not say to the environments."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from robots import Robot, get_robot, mjcf
from robots.usage import UsageError
from tests.robots import dogs


def robot_of(text: str) -> Robot:
    return mjcf.from_spec(mujoco.MjSpec.from_string(text))


def built(text: str, **settings: str) -> mujoco.MjModel:
    return scene.build(robot_of(text), Simulation(**settings), PD())  # pyright: ignore[reportArgumentType]


def test_main_defaults_reach_neither_ground_nor_sensors_nor_drives() -> None:
    defaults = """<default><geom quat=".7 .7 0 0"/><site pos="0 0 1" quat=".7 .7 0 0"/>
      <general dyntype="filter" dynprm="1"/></default>"""
    text, plain = dogs.mjcf().replace("motor", "general"), built(dogs.mjcf())
    text = text.replace("ctrlrange", 'forcerange="-30 30" ctrlrange')
    model = built(text.replace("<worldbody>", f"{defaults}<worldbody>"))
    ground = model.geom("trot/ground").id
    np.testing.assert_array_equal(model.geom_quat[ground], plain.geom("trot/ground").quat)
    np.testing.assert_array_equal(model.site_pos, plain.site_pos)
    np.testing.assert_array_equal(model.site_quat, plain.site_quat)
    np.testing.assert_array_equal(model.actuator_dyntype, plain.actuator_dyntype)
    assert model.na == plain.na


def test_motors_in_the_parents_frame_have_limits() -> None:
    robot = robot_of(dogs.mjcf().replace("motor joint=", "motor jointinparent="))
    np.testing.assert_array_equal(robot.torque_limit, 30.0)


def test_feet_without_friction_have_it_under_elliptic_cones() -> None:
    foot = dogs.FEET["sphere"].replace("/>", ' condim="1"/>')
    model = built(dogs.mjcf(foot), contact="elliptic")
    assert all(model.geom(f"{n}_foot").condim[0] >= 3 for n in dogs.LEGS)


def test_legs_that_point_up_are_told() -> None:
    spec = mujoco.MjSpec.from_string(dogs.mjcf())
    for body in spec.body("trunk").bodies:
        body.quat = (0, 1, 0, 0)
    with pytest.raises(UsageError, match="none of its chains reaches below where they begin"):
        mjcf.from_spec(spec)


def test_a_truth_is_no_length(tmp_path: Path) -> None:
    (file := tmp_path / "dog.xml").write_text(dogs.mjcf())
    file.with_suffix(".toml").write_text("leg_length = true")
    with pytest.raises(UsageError, match="leg_length = True; give a positive number"):
        get_robot(str(file))


def test_a_material_by_the_grounds_name_is_told() -> None:
    text = dogs.mjcf().replace('size=".2 .08 .05"', 'size=".2 .08 .05" material="trot/grid"')
    material = '<asset><material name="trot/grid"/></asset><worldbody>'
    with pytest.raises(UsageError, match="trot/grid"):
        built(text.replace("<worldbody>", material))


def test_meshes_without_their_folders(tmp_path: Path) -> None:
    """Files of other machines name them by paths, which strippath takes off."""
    (tmp_path / "meshes").mkdir()
    corners = [(x, y, z) for x in (-4, 4) for y in (-2, 2) for z in (-1, 1)]
    faces = ["124", "143", "578", "586", "156", "162", "348", "387", "137", "175", "268", "284"]
    (tmp_path / "meshes" / "shoe.obj").write_text(
        "".join(f"v {x / 100} {y / 100} {z / 100}\n" for x, y, z in corners)
        + "".join(f"f {' '.join(face)}\n" for face in faces)
    )
    text = dogs.mjcf(dogs.FEET["mesh"]).replace(dogs.SHOE, "")
    for name in ("/home/me/robot/shoe.obj", "C:\\robot\\shoe.obj", "old/shoe.obj"):
        asset = f'<compiler strippath="true" meshdir="meshes"/><asset><mesh file="{name}"/></asset>'
        file = tmp_path / "dog.xml"
        file.write_text(text.replace("<worldbody>", asset + "<worldbody>"))
        own = mjcf.from_file(file)
        height = 0.32 + 0.04 * 0.6 + 0.01 * 0.8  # the shoe is turned with a shank of arccos 0.8
        assert own.nominal_height == pytest.approx(height, abs=1e-3)


FOOT_BODY = '<body name="{n}_toe" pos="0 0 -.2"><geom name="{n}_foot" size=".02"/></body>'


@pytest.mark.parametrize("pair", [("a_toe", "a_thigh"), ("a_toe", "a_shank"), ("world", "a_toe")])
def test_pairs_that_do_not_collide_name_what_parts_are_fixed_to(pair: tuple[str, str]) -> None:
    exclude = '<contact><exclude body1="{}" body2="{}"/></contact><worldbody>'.format(*pair)
    model = built(dogs.mjcf(FOOT_BODY).replace("<worldbody>", exclude), collision="full")
    assert model.geom("a_foot").bodyid == model.body("a_shank").id
    signature = (model.body("a_thigh").id << 16) + model.body("a_shank").id
    assert model.exclude_signature.tolist() == [signature] * (pair == ("a_toe", "a_thigh"))


def test_dampers_limit_no_torque() -> None:
    damper = '<damper joint="{}" kv="1" ctrlrange="0 1" forcerange="-1 1"/>'
    dampers = "".join(damper.format(f"{n}_knee") for n in dogs.LEGS)
    robot = robot_of(dogs.mjcf().replace("<actuator>", f"<actuator>{dampers}"))
    np.testing.assert_array_equal(robot.torque_limit, 30.0)


def test_a_foot_that_cannot_hold_on_to_the_ground_is_told() -> None:
    slippery = dogs.FEET["sphere"].replace("/>", ' friction="0 0 0"/>')
    model = built(dogs.mjcf(slippery))  # the ground's friction counts
    assert model.geom("a_foot").friction[0] == 1.0
    problem = "foot 'b_foot' has friction 0, which its priority 2 puts above all; give it friction"
    with pytest.raises(UsageError, match=problem):
        built(dogs.mjcf(slippery.replace("/>", ' priority="2"/>')))


def test_soft_parts_are_told() -> None:
    cloth = """<flexcomp name="coat" type="grid" count="3 3 1" spacing=".05 .05 .05" pos="0 0 .2"
      radius=".005" dim="2" mass=".1"><edge equality="false"/></flexcomp>"""
    with pytest.raises(UsageError, match="its model has soft parts, flex 'coat'; take them out"):
        robot_of(dogs.mjcf(extra=cloth))


TAIL = """<body name="tail" pos="-.25 0 0"><joint name="wag" axis="0 1 0" range="-60 60"/>
  <geom name="tip" type="capsule" fromto="0 0 0 0 0 -.3" size=".01" mass=".2"/></body>"""


@pytest.mark.parametrize("place", [-0.25, 0.25])
def test_a_tail_as_deep_as_the_legs_is_told_with_what_to_write(place: float) -> None:
    text = dogs.mjcf(extra=TAIL.replace("-.25", str(place)))
    feet = ("b_foot", "d_foot", "c_foot", "a_foot")
    line = "feet = [{}]".format(", ".join(f'"{foot}"' for foot in feet))
    with pytest.raises(UsageError, match="at body 'tail' reaches as deep as a leg") as told:
        robot_of(text)
    assert line in str(told.value)
    robot = mjcf.from_spec(mujoco.MjSpec.from_string(text), feet=feet)
    assert robot.feet == robot_of(dogs.mjcf()).feet
    assert robot.spec().joint("wag").stiffness[0] > 0  # it is held


def test_an_arm_that_the_keyframe_folds_is_no_leg() -> None:
    hanging = TAIL.replace('range="-60 60"', 'range="-60 180"')
    angles = dogs.degrees(*(0, 45, -90) * 4, 180)
    pose = " ".join(map(str, (0, 0, 1, 1, 0, 0, 0, *angles)))
    robot = robot_of(dogs.mjcf(extra=hanging, keyframe=f'<key name="home" qpos="{pose}"/>'))
    assert len(robot.legs) == 4


def test_a_torque_limit_above_the_files_own_is_had() -> None:
    """The joint's own limit would hold a drive back that says it gives more."""
    text = dogs.mjcf().replace('range="-40 40"', 'range="-40 40" actuatorfrcrange="-10 10"')
    spec = mujoco.MjSpec.from_string(text)
    assert mjcf.from_spec(spec.copy()).torque_limit.reshape(4, 3)[0].tolist() == [10, 30, 30]
    robot = mjcf.from_spec(spec, torque_limit=25.0, kp=1000.0)
    model = scene.build(robot, Simulation(), PD())
    data = mujoco.MjData(model)
    data.ctrl[:] = 1.0
    mujoco.mj_forward(model, data)
    roll = model.joint(robot.joints[0])
    assert data.actuator_force[0] == data.qfrc_actuator[roll.dofadr[0]] == 25.0


TURNED = '<frame pos="0 0 .1" xyaxes="-1 0 0 0 -1 0">'
"""What the base of a robot that faces backward is put into."""


def test_an_arm_in_a_frame_is_where_the_file_has_it() -> None:
    text = dogs.mjcf(extra=f"{TURNED}{dogs.ARM}</frame>")
    spec = mujoco.MjSpec.from_string(text)
    theirs, ours = spec.compile(), robot_of(text).spec().compile()
    assert ours.body("upper_arm").pos.tolist() == pytest.approx([-0.1, 0, 0.16])
    for name in ("upper_arm", "hand"):
        np.testing.assert_allclose(ours.body(name).pos, theirs.body(name).pos, atol=1e-9)
        np.testing.assert_allclose(ours.body(name).quat, theirs.body(name).quat, atol=1e-9)


def test_what_is_seen_of_a_shape_in_a_frame_is_where_it_collides() -> None:
    box = '<geom name="box" type="box" size=".1 .05 .02" pos=".05 0 0" mass="1"/>'
    model = robot_of(dogs.mjcf(extra=f"{TURNED}{box}</frame>")).spec().compile()
    own = model.geom("box")
    boxes = [g for g in range(model.ngeom) if np.array_equal(model.geom_size[g], own.size)]
    assert len(boxes) == 2
    np.testing.assert_allclose(model.geom_pos[boxes], [[-0.05, 0, 0.1]] * 2, atol=1e-9)


def test_of_three_legs_the_single_one_is_no_pair_s_wherever_it_is() -> None:
    single = {"a": (0.2, 0.0), "b": (-0.2, 0.1), "c": (-0.2, -0.1)}
    for flip, order in ((1, ["b", "c", "a"]), (-1, ["b", "c", "a"])):
        places = {n: (flip * x, y) for n, (x, y) in single.items()}
        robot = robot_of(dogs.mjcf(places=places))
        assert [foot[0] for foot in robot.feet] == order

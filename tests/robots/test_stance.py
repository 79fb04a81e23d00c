"""How a robot of a file stands, what of it is held, and the shapes of its feet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mujoco
import numpy as np
import pytest

from envs.mdp import symmetry
from envs.sim import scene
from envs.sim.batch import BatchPhysics
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from envs.task import as_judged
from envs.tasks.walk import walk
from envs.vector import LocomotionVectorEnv
from robots import Robot, get_robot
from robots import mjcf as reader
from robots.shapes import corners, reach, tip
from robots.usage import UsageError
from tests.robots import dogs
from tests.robots.helpers import in_nominal_pose


def robot_of(text: str) -> Robot:
    return reader.from_spec(mujoco.MjSpec.from_string(text))


def posed(robot: Robot) -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = robot.spec().compile()
    return model, in_nominal_pose(robot, model, robot.nominal_height)


def test_without_a_keyframe_feet_are_put_below_the_thighs_knees_towards_the_middle() -> None:
    robot = robot_of(dogs.mjcf())
    assert robot.leg_length == pytest.approx(dogs.THIGH + dogs.SHANK)
    _, data = posed(robot)
    assert robot.nominal_height == pytest.approx(0.8 * robot.leg_length + 0.02, abs=1e-3)
    for thigh, knee, foot in zip(robot.thighs, robot.joints[2::3], robot.feet, strict=True):
        top = data.body(thigh).xpos
        np.testing.assert_allclose(data.geom(foot).xpos[:2], top[:2], atol=2e-3)
        assert data.joint(knee).xanchor[0] * np.sign(top[0]) < abs(top[0]) - 0.05
    half = np.arccos(0.8)  # of a leg whose links are alike
    np.testing.assert_allclose(np.abs(robot.nominal_pose[1::3]), half, atol=0.01)
    np.testing.assert_allclose(np.abs(robot.nominal_pose[2::3]), 2 * half, atol=0.01)


@pytest.mark.parametrize(("knee", "sign"), [("-150 -30", -1), ("30 150", 1)])
def test_knees_bend_as_their_ranges_let_them(knee: str, sign: int) -> None:
    robot = robot_of(dogs.mjcf(knee=knee))
    assert (np.sign(robot.nominal_pose[2::3]) == sign).all()
    assert robot.nominal_height == pytest.approx(0.34, abs=2e-3)


def test_a_leg_that_cannot_bend_is_told() -> None:
    with pytest.raises(UsageError, match=r"leg at body 'b_hip' cannot bend to 0\.8 of its length"):
        robot_of(dogs.mjcf(knee="-5 5"))


def key(name: str, *leg: float, base: str = "0 0 1 1 0 0 0") -> str:
    angles = " ".join(str(angle) for angle in dogs.degrees(*leg) * 4)
    return f'<key name="{name}" qpos="{base} {angles}"/>'


def test_a_keyframe_counts_where_the_robot_stands_in_it() -> None:
    crouched = (0.0, 45.0, -90.0)
    fine = robot_of(dogs.mjcf(keyframe=key("low", 0, 80, -160) + key("stand", *crouched)))
    np.testing.assert_allclose(fine.nominal_pose, dogs.degrees(*crouched) * 4)
    first = robot_of(dogs.mjcf(keyframe=key("anything", *crouched)))
    assert first.nominal_pose == fine.nominal_pose
    for worthless in (key("home", 0, 0, 0), key("home", 0, 90, 0), key("home", 0, 170, 10)):
        bent = robot_of(dogs.mjcf(keyframe=worthless))
        assert bent.nominal_height == pytest.approx(0.34, abs=2e-3)


@pytest.mark.parametrize(
    ("kind", "up", "depth"),
    [
        ("sphere", (0.6, 0.0, 0.8), 0.02),
        ("capsule", (0.6, 0.0, 0.8), 0.02 + 0.03 * 0.8),
        ("cylinder", (0.6, 0.0, 0.8), 0.03 * 0.6 + 0.015 * 0.8),
        ("ellipsoid", (0.6, 0.0, 0.8), np.hypot(0.04 * 0.6, 0.015 * 0.8)),
        ("box", (0.6, 0.0, -0.8), 0.04 * 0.6 + 0.01 * 0.8),
        ("mesh", (0.6, 0.0, -0.8), 0.04 * 0.6 + 0.01 * 0.8),
    ],
)
def test_how_far_a_shape_reaches_down(kind: str, up: tuple[float, ...], depth: float) -> None:
    model = mujoco.MjModel.from_xml_string(dogs.mjcf(dogs.FEET[kind]))
    geom = model.geom("a_foot").id
    vertical = np.array(up)
    if kind == "mesh":  # its compiled frame is that of its inertia
        assert sorted(map(tuple, np.abs(corners(model, geom)).round(6))) == sorted(
            [tuple(np.abs(corners(model, geom)[0]).round(6))] * 8
        )
        frame = np.empty(9)
        mujoco.mju_quat2Mat(frame, model.mesh_quat[model.geom_dataid[geom]])
        vertical = frame.reshape(3, 3).T @ vertical
    assert reach(model, geom, vertical) == pytest.approx(depth, abs=1e-6)
    assert reach(model, geom, np.tile(vertical, (2, 3, 1))).shape == (2, 3)


@pytest.mark.parametrize("kind", dogs.FEET)
def test_feet_of_every_shape_stand_and_know_their_height(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "dog.xml"
    file.write_text(dogs.mjcf(dogs.FEET[kind]))
    task = as_judged(walk(get_robot(str(file))))
    env = LocomotionVectorEnv(1, robot=str(file), config=task)
    env.reset(seed=0)
    for _ in range(40):
        env.step(np.zeros((1, 12)))
    state = env.state
    assert state.foot_contact.all()
    assert not state.leg_contact.any()
    np.testing.assert_allclose(state.foot_height, 0.0, atol=3e-3)
    assert (state.base_height > 0.85 * env.robot.nominal_height).all()
    assert len(env.mirrors) == 4  # left-right and front-back
    env.close()


@pytest.mark.parametrize("kind", dogs.SHANKS)
def test_a_shank_that_is_its_own_foot_stands_on_its_end(kind: str) -> None:
    """As a dog whose shanks end in spheres, however they are shaped."""
    robot = robot_of(dogs.mjcf(foot="", shank=dogs.SHANKS[kind]))
    plain = robot_of(dogs.mjcf())
    assert robot.leg_length == pytest.approx(dogs.THIGH + dogs.SHANK)
    np.testing.assert_allclose(robot.nominal_pose, plain.nominal_pose, atol=1e-3)
    assert robot.nominal_height == pytest.approx(plain.nominal_height, abs=0.01)
    assert robot.kp / robot.mass == pytest.approx(plain.kp / plain.mass, rel=0.05)
    physics = BatchPhysics(scene.build(robot, Simulation(), PD()), robot, 1, Simulation())
    still, turning = np.zeros((1, 6)), np.zeros((1, 12))
    turning[:, 2::3] = 1.0  # rad/s of the knees
    base = np.array([[0, 0, robot.nominal_height, 1, 0, 0, 0]])
    physics.set_rows(np.arange(1), base, still, np.array([robot.nominal_pose]), turning)
    speed = np.linalg.norm(physics.foot_vel_w[0], axis=1)
    np.testing.assert_allclose(speed, 0.2, rtol=1e-3)
    np.testing.assert_allclose(physics.foot_height, 0.0, atol=1e-6)


def test_a_foot_below_its_shank_stands_on_its_middle() -> None:
    for kind in dogs.FEET:
        model = mujoco.MjModel.from_xml_string(dogs.mjcf(dogs.FEET[kind]))
        data = mujoco.MjData(model)
        mujoco.mj_kinematics(model, data)
        geom, joint = model.geom("a_foot").id, model.joint("a_knee").id
        np.testing.assert_allclose(tip(model, data, geom, joint), data.geom_xpos[geom], atol=1e-9)


def test_an_arm_is_held_where_the_keyframe_has_it() -> None:
    stance, arm = dogs.degrees(0, 45, -90) * 4, (*dogs.degrees(-60, 100), 0.02)
    qpos = " ".join(map(str, [0, 0, 1, 1, 0, 0, 0, *stance, *arm]))
    robot = robot_of(dogs.mjcf(extra=dogs.ARM, keyframe=f'<key name="home" qpos="{qpos}"/>'))
    assert len(robot.joints) == 12
    assert robot.legs == ("LF", "RF", "LH", "RH")
    _, data = posed(robot)
    original = mujoco.MjModel.from_xml_string(
        dogs.mjcf(extra=dogs.ARM, keyframe=f'<key name="home" qpos="{qpos}"/>')
    )
    theirs = mujoco.MjData(original)
    mujoco.mj_resetDataKeyframe(original, theirs, 0)
    theirs.qpos[2] = robot.nominal_height
    mujoco.mj_forward(original, theirs)
    for body in ("upper_arm", "hand", "finger"):
        np.testing.assert_allclose(data.body(body).xpos, theirs.body(body).xpos, atol=1e-9)
        np.testing.assert_allclose(data.body(body).xquat, theirs.body(body).xquat, atol=1e-9)


@pytest.fixture(scope="module")
def armed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocomotionVectorEnv]:
    file = tmp_path_factory.mktemp("armed") / "dog.xml"
    file.write_text(dogs.mjcf(extra=dogs.ARM))
    env = LocomotionVectorEnv(2, robot=str(file))
    yield env
    env.close()


def test_a_held_arm_is_no_part_of_observation_and_action(armed: LocomotionVectorEnv) -> None:
    assert armed.single_action_space.shape == (12,)
    assert armed.layout["joint_pos"].stop - armed.layout["joint_pos"].start == 12
    assert len(armed.mirrors) == 2  # left-right alone: it is in the middle, and in front
    beside = robot_of(dogs.mjcf(extra=dogs.ARM.replace(".1 0 .06", ".1 .1 .06")))
    model = scene.build(beside, Simulation(), PD())
    assert len(symmetry.of_robot(beside, model, {})) == 1


def test_a_held_arm_stays_and_resumes(armed: LocomotionVectorEnv) -> None:
    rng, model = np.random.default_rng(0), armed.physics.model
    armed.reset(seed=0)
    for _ in range(20):
        armed.step(rng.uniform(-1, 1, (2, 12)))
    data = mujoco.MjData(model)
    armed.physics.pose(0, data)
    assert abs(data.joint("shoulder").qpos[0]) < 0.1
    assert abs(data.joint("wrist").qpos[0]) < 0.1
    saved = armed.state_dict()
    after = armed.step(np.ones((2, 12)))[0]
    armed.load_state_dict(saved)
    np.testing.assert_array_equal(armed.step(np.ones((2, 12)))[0], after)


def test_the_lowest_shape_is_the_foot_though_the_shank_ends_near_it() -> None:
    robot = robot_of(dogs.mjcf(foot=dogs.FEET["box"]).replace("0 0 -.12", "0 0 -.19"))
    assert robot.feet == ("b_foot", "d_foot", "c_foot", "a_foot")
    assert robot.leg_length == pytest.approx(dogs.THIGH + dogs.SHANK)


def test_legs_begin_where_their_joints_are() -> None:
    """The hips' bodies lie at the base's origin, and their joints where the legs begin."""
    spec = mujoco.MjSpec.from_string(dogs.mjcf())
    for n, (x, y) in dogs.LEGS.items():
        spec.body(f"{n}_hip").pos = (0, 0, 0)
        spec.joint(f"{n}_roll").pos = (x, y, 0)
        spec.body(f"{n}_thigh").pos += (x, y, 0)
    assert [foot[0] for foot in reader.from_spec(spec).feet] == ["b", "d", "c", "a"]


def test_a_leg_with_a_toe_reaches_from_its_thigh() -> None:
    toe = """<body name="{n}_toe" pos="0 0 -.2"><joint name="{n}_toe" axis="0 1 0" range="-30 30"/>
      <geom name="{n}_foot" size=".015" mass=".02" pos=".03 0 0"/></body>"""
    text = dogs.mjcf(foot=toe)
    drives = "".join(f'<motor joint="{n}_toe" ctrlrange="-30 30"/>' for n in dogs.LEGS)
    robot = robot_of(text.replace("<actuator>", "<actuator>" + drives))
    assert robot.leg_length == pytest.approx(dogs.THIGH + dogs.SHANK + 0.03)
    assert robot.nominal_height == pytest.approx(0.8 * robot.leg_length + 0.015, abs=1e-3)


def test_a_list_of_the_legs_angles_leaves_an_arm_folded() -> None:
    joints = ["0", "-.6", "1.2"] * 4 + [".5", ".3", "0"]
    key = f'<key name="home" qpos="0 0 .35 1 0 0 0 {" ".join(joints)}"/>'
    spec = mujoco.MjSpec.from_string(dogs.mjcf(extra=dogs.ARM, keyframe=key))
    derived = reader.from_spec(spec)
    given = reader.from_spec(spec, nominal_pose=derived.nominal_pose)
    for robot in (derived, given):
        joint = robot.spec().joint("shoulder")
        assert joint.springref == pytest.approx(0.5)


_WRIST = 'name="wrist" axis="0 1 0" range="-120 120"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            dogs.mjcf(extra=dogs.ARM.replace(_WRIST, 'name="wrist" type="ball"')),
            "joint 'wrist' is a ball joint, which no drive holds",
        ),
        (
            dogs.mjcf().replace('"c_knee" axis', '"c_knee" type="slide" axis'),
            "joint 'c_knee' is no hinge; drives turn hinges alone",
        ),
    ],
)
def test_joints_that_no_drive_moves_are_told(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        robot_of(text)


def test_what_names_a_site_goes_with_it() -> None:
    site = '<site name="imu"/>'
    named = (
        '<custom><tuple name="t"><element objtype="site" objname="imu" prm="1"/></tuple></custom>'
    )
    text = dogs.mjcf(extra=site).replace("<worldbody>", f"{named}<worldbody>")
    assert len(robot_of(text).feet) == 4


@pytest.mark.parametrize(("outer", "inner"), [("radian", "degree"), ("degree", "radian")])
def test_files_that_attach_each_other_may_differ_in_units(
    tmp_path: Path, outer: str, inner: str
) -> None:
    dog = mujoco.MjSpec.from_string(dogs.mjcf())
    text = dogs.mjcf()
    if inner == "radian":
        dog.compile()
        text = dog.to_xml()
    (tmp_path / "dog.xml").write_text(text)
    (tmp_path / "world.xml").write_text(
        f'<mujoco><compiler angle="{outer}"/><asset><model name="m" file="dog.xml"/></asset>'
        '<worldbody><frame><attach model="m" body="trunk" prefix="my_"/></frame></worldbody>'
        "</mujoco>"
    )
    robot, plain = reader.from_file(tmp_path / "world.xml"), robot_of(dogs.mjcf())
    assert robot.feet == tuple(f"my_{foot}" for foot in plain.feet)
    np.testing.assert_allclose(robot.nominal_pose, plain.nominal_pose, atol=1e-4)


@pytest.mark.parametrize(("knee", "least"), [("-150 -30", 3.0), ("30 150", 3.0), ("-150 150", 0.0)])
def test_robots_stand_whichever_way_their_knees_bend(knee: str, least: float) -> None:
    robot = robot_of(dogs.mjcf(knee=knee))
    model = scene.build(robot, Simulation(), PD())
    weight = model.body(robot.base).subtreemass[0] * 9.81
    share = robot.kp * 4 / (weight * robot.nominal_height)
    assert share.min() >= least - 1e-9
    assert (share.max() < 2.0) == (not least)  # knees that face each other need no more
    data = scene.posed(model, robot)
    data.ctrl[:] = robot.nominal_pose
    for _ in range(round(5.0 / model.opt.timestep)):
        mujoco.mj_step(model, data)
    assert data.body(robot.base).xpos[2] > 0.85 * robot.nominal_height


def test_gains_against_leaning_leave_a_quarter_of_a_radian_to_the_torque_limit() -> None:
    weak = robot_of(dogs.mjcf(knee="-150 -30").replace("-30 30", "-5 5"))
    np.testing.assert_allclose(weak.kp, 5.0 / 0.25)


def test_a_base_whose_frame_is_on_the_ground_is_told() -> None:
    text = dogs.mjcf().replace("<freejoint/>", '<freejoint/><body name="body" pos="0 0 .34">')
    text = text.replace("</worldbody>", "</body></worldbody>")
    problem = r"its base 'trunk' is -?[\de.-]+ m above its soles.*give nominal_height \(m\)"
    with pytest.raises(UsageError, match=problem):
        robot_of(text)
    spec = mujoco.MjSpec.from_string(text)
    assert reader.from_spec(spec, nominal_height=0.3).nominal_height == 0.3

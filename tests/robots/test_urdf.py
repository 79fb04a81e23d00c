"""A robot read off a URDF: its floating root, inertias, limits and meshes."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from robots import get_robot, mjcf
from robots.usage import UsageError
from tests.robots.dogs import LEGS
from tests.robots.menagerie_stand_in import TETRAHEDRON

LINK = """<link name="{name}"><inertial><origin xyz="{com}"/><mass value="{mass}"/>
<inertia ixx="{inertia}" iyy="{inertia}" izz="{inertia}" ixy="0" ixz="0" iyz="0"/></inertial>
{shapes}</link>"""
JOINT = """<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>
<origin xyz="{at}"/><axis xyz="{axis}"/>{limit}</joint>"""
SHAPE = "<{what}><geometry>{geometry}</geometry></{what}>"
LIMIT = '<limit effort="{effort}" velocity="9" lower="{low}" upper="{high}"/>'
PACKAGE = '<mesh filename="package://dog_description/meshes/{name}"/>'


def link(name: str, mass: float, com: str, *shapes: str) -> str:
    return LINK.format(name=name, mass=mass, com=com, inertia=mass / 100, shapes="".join(shapes))


def dog(mesh: str = "trunk.obj", effort: float = 20.0, root: str = "") -> str:
    """Return a URDF: fixed feet without inertial, an IMU, a mesh to look at, and one that
    collides.
    """
    looks = SHAPE.format(what="visual", geometry=PACKAGE.format(name="paint.dae"))
    solid = SHAPE.format(what="collision", geometry=PACKAGE.format(name=mesh))
    ball = SHAPE.format(what="collision", geometry='<sphere radius="0.02"/>')
    parts = [root, link("trunk", 8.0, "0 0 0", looks, solid), '<link name="imu"/>']
    parts.append(
        JOINT.format(
            name="imu_fixed", kind="fixed", parent="trunk", child="imu", at="0 0 0.1", axis="1 0 0",
            limit="",
        )
    )  # fmt: skip
    for n, (x, y) in LEGS.items():
        box = SHAPE.format(what="visual", geometry='<box size="0.04 0.04 0.2"/>')
        parts += [
            link(f"{n}_hip", 0.3, "0 0 0"),
            link(f"{n}_thigh", 0.5, "0 0 -0.1", box),
            link(f"{n}_shank", 0.1, "0 0 -0.1", box),
            f'<link name="{n}_foot">{ball}</link>',
        ]
        chain = (
            ("roll", "revolute", "trunk", "hip", f"{x} {y} 0", "1 0 0", -0.7, 0.7),
            ("pitch", "continuous", "hip", "thigh", f"0 {y / 2} 0", "0 1 0", 0, 0),
            ("knee", "revolute", "thigh", "shank", "0 0 -0.2", "0 1 0", -2.6, -0.3),
            ("fixed", "fixed", "shank", "foot", "0 0 -0.2", "1 0 0", 0, 0),
        )
        for name, kind, parent, child, at, axis, low, high in chain:
            limit = LIMIT.format(effort=effort, low=low, high=high)
            parent = parent if parent == "trunk" else f"{n}_{parent}"
            parts.append(
                JOINT.format(
                    name=f"{n}_{name}", kind=kind, parent=parent, child=f"{n}_{child}", at=at,
                    axis=axis, limit="" if kind == "fixed" else limit,
                )
            )  # fmt: skip
    return f'<robot name="dog">{"".join(parts)}</robot>'


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A ROS package whose URDF is in a folder beside its meshes."""
    root = tmp_path / "dog_description"
    (root / "meshes").mkdir(parents=True)
    (root / "urdf").mkdir()
    (root / "meshes" / "trunk.obj").write_text(TETRAHEDRON)
    (root / "urdf" / "dog.urdf").write_text(dog())
    return root


def test_a_urdf_is_a_robot(package: Path, caplog: pytest.LogCaptureFixture) -> None:
    robot = get_robot(str(package / "urdf" / "dog.urdf"))
    assert robot.base == "trunk"
    assert robot.legs == ("LF", "RF", "LH", "RH")
    assert robot.thighs == ("b_thigh", "d_thigh", "c_thigh", "a_thigh")
    model = robot.spec("full").compile()
    assert model.body_mass.sum() == pytest.approx(8.0 + 4 * 0.9)  # no shape's volume weighs
    assert robot.mass == pytest.approx(11.6)
    np.testing.assert_allclose(model.joint("b_knee").range, [-2.6, -0.3])
    assert not model.jnt_limited[model.joint("b_pitch").id]  # continuous, yet no wheel
    assert robot.torque_limit.tolist() == [20.0] * 12
    assert robot.speed_limit.tolist() == [9.0] * 12
    assert robot.leg_length == pytest.approx(0.4)
    assert (np.array(robot.nominal_pose)[2::3] < -0.3).all()
    assert model.mesh("trunk").vertnum[0] == 4
    assert "paint.dae is missing, and is left out: it is only looked at" in caplog.text
    assert {foot.split("_")[0] for foot in robot.feet} == set(LEGS)


def test_a_floating_joint_is_the_root_s_own(package: Path) -> None:
    floating = JOINT.format(
        name="free",
        kind="floating",
        parent="map",
        child="trunk",
        at="0 0 0",
        axis="1 0 0",
        limit="",
    )
    file = package / "urdf" / "floating.urdf"
    file.write_text(dog(root=f'<link name="map"/>{floating}'))
    assert mjcf.from_file(file).base == "trunk"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (dog(mesh="lost.obj"), r"lost\.obj, a mesh that collides, is missing; put the file there"),
        (dog(mesh="trunk.dae"), r"trunk\.dae, a mesh that .* convert it to \.obj or \.stl"),
        (
            dog(effort=0.0),
            "'b_roll' of body '.*' has no torque limit; .* or torque_limit in a .toml",
        ),
        ("<mujoco/>", "has <mujoco> where a URDF has <robot>; name MJCF files .xml"),
        ("<robot", "cannot be read .*; give a correct URDF file"),
    ],
)
def test_what_a_urdf_lacks_is_told(text: str, message: str, package: Path) -> None:
    (package / "meshes" / "trunk.dae").write_text("a COLLADA file")
    file = package / "urdf" / "broken.urdf"
    file.write_text(text)
    with pytest.raises(UsageError, match=f"Robot 'broken': .*{message}"):
        mjcf.from_file(file)


def test_what_is_looked_at_does_not_collide(package: Path) -> None:
    """Looks are looks, and a foot that is fixed to its shank is part of it."""
    model = mjcf.from_file(package / "urdf" / "dog.urdf").spec().compile()
    assert model.nbody == 1 + 1 + 12
    collide = (model.geom_contype | model.geom_conaffinity) > 0
    kinds = [int(kind) for kind in (mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_MESH)]
    assert sorted(model.geom_type[collide]) == [kinds[0]] * 4 + [kinds[1]]
    assert (model.geom_group[collide] == 3).all()
    assert (model.geom_group[~collide] == 2).all()


@pytest.mark.parametrize("height", [0.3, 0.34, 0.4])
def test_a_footprint_on_the_ground_is_no_base(tmp_path: Path, height: float) -> None:
    file = tmp_path / "dog.urdf"
    plain = dog("trunk.stl").replace(PACKAGE.format(name="trunk.stl"), '<box size=".4 .2 .1"/>')
    file.write_text(plain)
    expected = get_robot(str(file))
    fixed = JOINT.format(
        name="print", kind="fixed", parent="base_footprint", child="trunk", at=f"0 0 {height}",
        axis="1 0 0", limit="",
    )  # fmt: skip
    (other := tmp_path / "printed.urdf").write_text(
        plain.replace(
            '<link name="imu"/>', f'<link name="imu"/><link name="base_footprint"/>{fixed}'
        )
    )
    robot = get_robot(str(other))
    assert robot.base == "trunk"
    assert robot.nominal_height == expected.nominal_height
    np.testing.assert_array_equal(robot.kp, expected.kp)

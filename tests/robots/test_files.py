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

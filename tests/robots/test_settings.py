"""What a .toml beside a robot's file replaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robots import mjcf
from robots.usage import UsageError
from tests.robots import dogs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dog.xml"
    path.write_text(dogs.mjcf(extra=dogs.ARM))
    return path


def test_what_is_said_beside_the_file_replaces_what_is_derived(file: Path) -> None:
    file.with_suffix(".toml").write_text(
        """
        name = "rover"
        legs = ["port bow", "starboard bow", "port aft", "starboard aft"]
        leg_length = 0.39
        kp = 25
        kd = [1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2]
        torque_limit = { b_knee = 40.0, d_knee = 40.0 }
        speed_limit = 12.5
        nominal_pose = { b_pitch = 0.8, b_knee = -1.6, d_pitch = 0.8, d_knee = -1.6, shoulder = 0.5}
        """
    )
    robot = mjcf.from_file(file)
    assert (robot.name, robot.leg_length, robot.legs[3]) == ("rover", 0.39, "starboard aft")
    assert robot.kp.tolist() == [25.0] * 12
    assert robot.kd.tolist() == [1.0, 1.0, 2.0] * 4
    assert robot.torque_limit.tolist() == [30.0, 30.0, 40.0] * 2 + [30.0] * 6
    assert robot.speed_limit.tolist() == [12.5] * 12
    np.testing.assert_allclose(robot.nominal_pose[:6], [0, 0.8, -1.6] * 2, atol=1e-6)
    assert robot.nominal_height == pytest.approx(0.34, abs=2e-3)  # on its hind legs, as derived
    model = robot.spec().compile()
    assert model.qpos0[model.joint("shoulder").qposadr[0]] == 0.5


def test_keywords_stand_above_the_file_beside(file: Path) -> None:
    file.with_suffix(".toml").write_text("kp = 25\nnominal_height = 0.33")
    robot = mjcf.from_file(file, kp=30.0)
    assert robot.kp.tolist() == [30.0] * 12
    assert robot.nominal_height == 0.33


def test_feet_may_be_named(file: Path) -> None:
    file.with_suffix(".toml").write_text('feet = ["c_foot", "b_foot", "d_foot", "a_foot"]')
    robot = mjcf.from_file(file)
    assert robot.feet == ("c_foot", "b_foot", "d_foot", "a_foot")
    assert robot.thighs == ("c_thigh", "b_thigh", "d_thigh", "a_thigh")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kpp = 3", r"dog\.toml has 'kpp', and robots have no such number; try 'kp'"),
        ("nominal_hight = 3", "try 'nominal_height'"),
        ("torque_limit = 0", r"dog\.toml has torque_limit = 0; give .* each positive"),
        ("kd = nan", r"dog\.toml has kd = nan; give .* each zero or more"),
        ("kp = 'much'", r"dog\.toml has kp = 'much'; give a number, a list of one for each joint"),
        ("legs = 4", "has legs = 4; give a list of names"),
        ("kp = [1, 2]", "kp has 2 values; give one for each of 12"),
        ("torque_limit = { knee = 3 }", "torque_limit names joint 'knee'; try '._knee'"),
        ("nominal_pose = { f_knee = 3 }", "nominal_pose names joint 'f_knee'; try '._knee'"),
        ("feet = ['shoe']", "feet names 'shoe', and its model has no such geom; correct `feet`"),
        ("leg_length = -1.0", "has leg_length = -1.0; give a positive number"),
        ("kp =", r"dog\.toml cannot be read .*; give TOML in UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_near(text: str, message: str, file: Path) -> None:
    file.with_suffix(".toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        mjcf.from_file(file)

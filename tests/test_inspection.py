"""What `play.py --inspect` says and draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import play
from envs.show import portrait
from robots import get_robot
from tests.robots import dogs


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "dog.xml"
    path.write_text(dogs.mjcf(knee="30 150", extra=dogs.ARM))
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_all_that_was_derived_is_told_within_80_columns(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.with_suffix(".toml").write_text("kp = 26.5")
    play.main(["--inspect", "dog.xml"])
    told = capsys.readouterr().out
    tables, _, picture = told.rpartition("picture: ")
    assert max(len(line) for line in tables.splitlines()) <= 80
    assert picture.strip() == str(file.with_name("dog_inspect.png"))
    robot = get_robot(str(file))
    for name in (*robot.joints, *robot.thighs, *robot.shanks, *robot.feet, "wrist", "grip"):
        assert name in told
    for words in ("inverse kinematics", "left-right", "26.5", "0.52, 2.62", "sphere", "0.4 m"):
        assert words in told
    with Image.open(picture.strip()) as drawn:
        assert drawn.size == portrait.SIZE
        assert np.asarray(drawn).std() > 10


def test_names_are_written_beside_what_they_name() -> None:
    """A camera 2 m before a point, whose picture is 2 m high there."""
    eye = portrait.Eye(np.array([-2.0, 0, 1]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), 0.5)
    width, height = portrait.SIZE
    assert eye.pixel(np.array([0.0, 0, 1])) == pytest.approx((width / 2, height / 2))
    assert eye.pixel(np.array([0.0, 0, 2])) == pytest.approx((width / 2, 0))
    assert eye.pixel(np.array([0.0, -1, 1])) == pytest.approx(((width + height) / 2, height / 2))


def test_a_foot_that_is_shorter_than_its_shank_is_noted(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(portrait, "draw", lambda robot, path: path.touch())
    beside = '<geom type="box" size=".06 .01 .01" pos="0 0 -.19" mass=".01"/>'
    file.write_text(dogs.mjcf(foot=dogs.FEET["sphere"] + beside))
    play.main(["--inspect", "dog.xml", "--out", "picture.png"])
    told = " ".join(capsys.readouterr().out.split())
    assert "touches the ground before the foot where its shank leans up to 0.5 rad" in told
    assert told.count("touches the ground") == 4  # once a leg
    assert "mirrors left-right and front-back" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--inspect", "cat.xml"], r"cat\.xml is missing; put the file there"),
        (["--inspect", "dog"], "robot is 'dog'; choose from anymal_b, "),
        (["--inspect", "dog.xml", "--video", "dog.mp4"], "--video has no effect with --inspect"),
        (["some_run", "--inspect", "dog.xml"], "leave some_run out"),
        (["--inspect", "dog.xml", "--out", "dog.jpg"], "png"),
    ],
)
def test_what_cannot_be_inspected_is_told(words: list[str], message: str, file: Path) -> None:
    with pytest.raises(ValueError, match=message):
        play.main(words)

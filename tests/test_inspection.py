"""What `play.py --inspect` says and draws."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import mujoco
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import play
from envs.show import inspection, portrait
from robots import get_robot, mjcf
from tests.robots import dogs


def turned(text: str, axes: str = "0 1 0 -1 0 0") -> str:
    """Return the MJCF of a dog whose x and y axes are others: one that faces y."""
    text = text.replace("<freejoint/>", f'<freejoint/><frame xyaxes="{axes}">')
    return text.replace("</body></worldbody>", "</frame></body></worldbody>")


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


def noted(text: str) -> str:
    """Return the notes on a robot, in one line."""
    robot = mjcf.from_spec(mujoco.MjSpec.from_string(text))
    console = Console(width=2000, file=StringIO())
    *_, notes = inspection.tables(mjcf.Derived(robot, ""))
    notes.width = 2000
    with console.capture() as told:
        console.print(notes)
    return told.get()


PLAIN = dogs.mjcf(knee="30 150")
LIMIT = 'axis="0 1 0" range="-150 150" actuatorfrcrange="-9 9"'
HANGING = f"""<body pos=".25 0 0"><joint {LIMIT}/><geom size=".02" pos="0 0 -.05" mass=".1"/>
  <body pos="0 0 -.1"><joint {LIMIT}/><geom size=".02" pos="0 0 -.05" mass=".1"/>
    <body pos="0 0 -.15"><joint {LIMIT}/><geom name="hand" size=".02" pos="0 0 -.15" mass=".1"/>
    </body></body></body>"""
"""An arm that hangs as deep as the legs and has as many joints."""


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            PLAIN.replace("<body name=", '<body gravcomp="1" name='),
            "gravity compensation carries 100% of its weight",
        ),
        (
            PLAIN.replace('name="a_knee"', 'name="a_knee" stiffness="7"'),
            # the shank is twice arccos 0.8 from its thigh, the spring's rest 0
            "joint a_knee has a spring of 7 N·m/rad beside its drive, of -9.01 N·m in the nominal",
        ),
        (
            PLAIN.replace('name="a_pitch" axis="0 1 0" range="-150 150"',
                          'name="a_pitch" axis="0 1 0" range="-5000 5000"'),
            "joint a_pitch turns up to 87.27 rad",
        ),
        (
            dogs.mjcf(knee="30 150", foot="", shank=dogs.SHANKS["capsule"]),
            "shanks that are their own feet: b_shank, d_shank, c_shank, a_shank; legs stand on",
        ),
        (
            dogs.mjcf(knee="30 150", extra=HANGING),
            "5 legs, which end in b_foot, d_foot, c_foot, a_foot, hand",
        ),
        (turned(PLAIN), "its legs swing along y: its x axis should point forward"),
        (
            dogs.mjcf(knee="30 150", foot=dogs.FEET["sphere"].replace("/>", ' margin=".03"/>')),
            "foot b_foot is held 0.03 m above the ground: take its margin out",
        ),
    ],
)  # fmt: skip
def test_what_may_be_meant_otherwise_is_noted(text: str, note: str) -> None:
    assert note in noted(text)
    assert note not in noted(PLAIN)


def test_legs_of_other_lengths_than_robots_have_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "LENGTHS", (0.03, 0.3))
    assert "legs of 0.4 m: files are in metres" in noted(PLAIN)


NAMED = PLAIN
for old, new in (("a_", "HR_"), ("b_", "FL_"), ("c_", "HL_"), ("d_", "FR_")):
    NAMED = NAMED.replace(f'"{old}', f'"{new}')


@pytest.mark.parametrize(
    ("facing", "note"),
    [
        ("0 1 0 -1 0 0", "legs swing along y: its x axis should point forward"),
        ("-1 0 0 0 -1 0", "HR_shank is of a front leg here, as it is at positive x"),
    ],
)
def test_a_robot_that_faces_elsewhere_is_told_how_to_turn(facing: str, note: str) -> None:
    text = turned(NAMED, facing)
    told = noted(text)
    assert note in told
    remedy = re.search('put all of its base but the joint into <frame xyaxes="(.*?)">', told)
    assert remedy is not None
    assert note not in noted(turned(text, remedy[1]))
    robot = mjcf.from_spec(mujoco.MjSpec.from_string(turned(text, remedy[1])))
    assert [foot[0] for foot in robot.feet] == ["F", "F", "H", "H"]

"""Published quadrupeds of 12 to 127 kg, none of which the code names, as their files have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fleet
from robots import get_robot
from tests.robots.helpers import published

FILES = {
    name: f"{name}/{name}.xml"
    for name in (
        *("a2", "aliengo", "b2", "go1", "go2", "hyqreal1", "hyqreal2", "mini_cheetah", "pegasus"),
        "spot",
    )
} | {"spot_arm": "spot/spot_arm.xml"}


def test_files_are_found_by_their_folders(tmp_path: Path) -> None:
    for file in ("dog/dog.xml", "dog/dog_arm.xml", "dog/dog_old.xml", "dog/scene.xml", "cat.xml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert list(fleet.files(tmp_path)) == ["dog", "dog_arm", *fleet.OURS]


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_it_stands_as_it_is_read(name: str) -> None:
    """Under its own gains, without a policy, for 5 s: within 15 % of its height, on its feet."""
    folder = published(name).parents[1]
    robot = get_robot(str(folder / FILES[name]))
    assert robot.legs == ("LF", "RF", "LH", "RH")
    assert len(robot.joints) == 12
    found = fleet.standing(robot)
    assert 0.85 < found["height"] < 1.0
    assert found["tilt"] < 0.1
    assert found["other_contacts"] == 0

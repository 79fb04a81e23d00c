"""Published quadrupeds of 12 to 127 kg, none of which the code names, as their files have them."""

from __future__ import annotations

import pytest

from benchmarks import fleet
from robots import get_robot
from tests.robots.helpers import published


@pytest.mark.slow
@pytest.mark.parametrize("name", fleet.FILES)
def test_it_stands_as_it_is_read(name: str) -> None:
    """Under its own gains, without a policy, for 5 s: within 15 % of its height, on its feet."""
    folder = published(name).parents[1]
    robot = get_robot(str(folder / fleet.FILES[name]))
    assert robot.legs == ("LF", "RF", "LH", "RH")
    assert len(robot.joints) == 12
    found = fleet.standing(robot)
    assert 0.85 < found["height"] < 1.0
    assert found["tilt"] < 0.1
    assert found["other_contacts"] == 0

"""When an episode ends as a fall."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs.mdp import terminations
from envs.task import Termination
from tests.envs.helpers import hand_made


def leaning(angle: float) -> dict[str, Any]:
    return {"gravity_b": [[0, 0, -1], [np.sin(angle), 0, -np.cos(angle)]]}


@pytest.mark.parametrize(
    ("limits", "changes", "falls"),
    [
        (Termination(), {}, False),
        (Termination(max_tilt=0.5), leaning(0.49), False),
        (Termination(max_tilt=0.5), leaning(0.51), True),
        (Termination(max_tilt=0.5), leaning(-0.51), True),
        (Termination(max_tilt=0.5), leaning(np.pi), True),
        (Termination(max_tilt=np.pi), leaning(3.1), False),
        (Termination(min_height=0.3), {"base_height": [0.5, 0.31]}, False),
        (Termination(min_height=0.3), {"base_height": [0.5, 0.29]}, True),
        (Termination(), {"base_contact": [False, True]}, True),
        (Termination(base_contact=False), {"base_contact": [False, True]}, False),
        (Termination(), {"leg_contact": [[False] * 8, [True] * 8]}, False),
    ],
)
def test_each_limit(limits: Termination, changes: dict[str, Any], falls: bool) -> None:
    """The first simulation stands; the second shows the change."""
    fallen = terminations.fallen(hand_made(**changes), limits)
    assert fallen.tolist() == [False, falls]

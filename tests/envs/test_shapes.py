"""A term of another shape than its kind has is refused by name, before anything is simulated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from envs.judge.protocol import summarize
from envs.mdp.measures import Measure
from envs.mdp.observations import Observation
from envs.mdp.rewards import Reward
from envs.mdp.state import State
from envs.mdp.terminations import Termination
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import made_up_recording, task

N = 3


def column(state: State) -> np.ndarray:
    return state.base_height[:, None]


def flat(state: State) -> np.ndarray:
    return state.base_height


def nothing(state: State) -> None:
    return None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewards": {"a": Reward(column, 1.0)}}, r"reward a's shape is \(3, 1\); .* \(3,\)"),
        ({"rewards": {"a": Reward(nothing, 1.0)}}, r"reward a's shape is NoneType; .* \(3,\)"),
        ({"terminations": {"b": Termination(column)}}, r"termination b's shape is \(3, 1\)"),
        ({"observations": {"c": Observation(flat, "scalar")}}, r"observation c's shape is \(3,\)"),
        (
            {"observations": {"d": Observation(column, "foot")}},
            "observation d's width is 1; .*4 wide",
        ),
    ],
)
def test_a_term_of_another_shape_is_named(changes: dict[str, Any], message: str) -> None:
    plain: Callable[..., Any] = task
    with pytest.raises(ValueError, match=message):
        LocomotionVectorEnv(N, config=plain(**changes))


def test_a_measure_of_another_shape_is_named() -> None:
    recording = made_up_recording(4, N)
    steps = {"power": Measure(lambda recording: recording.power)}
    with pytest.raises(ValueError, match=r"measure power's shape is \(4, 3\); .* \(3,\)"):
        summarize(recording, steps, seed=0)

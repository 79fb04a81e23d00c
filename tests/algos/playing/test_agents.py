"""Agents that need no training act inside every space."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space, iterate

from algos.playing.agents import random_agent, zero_agent

BOX = spaces.Box(np.array([10, -5, -np.inf], "f"), np.array([30, -1, np.inf], "f"))
NEAREST: list[tuple[spaces.Space, Any]] = [
    (BOX, [10, -1, 0]),
    (spaces.Box(1, 9, (2,), np.uint8), [1, 1]),
    (spaces.Discrete(3, start=5), 5),
    (spaces.Discrete(3, start=-7), -5),
    (spaces.Discrete(3, start=-1), 0),
    (spaces.MultiDiscrete([3, 2], start=[-1, 4]), [0, 4]),
    (spaces.MultiBinary(2), [0, 0]),
]


@pytest.mark.parametrize(("space", "nearest"), NEAREST, ids=str)
def test_the_zero_agent_takes_the_nearest_to_zero(space: spaces.Space, nearest: Any) -> None:
    actions = zero_agent(space, 2)(np.zeros((2, 1)))
    assert batch_space(space, 2).contains(actions)
    assert [np.asarray(action).tolist() for action in iterate(batch_space(space, 2), actions)] == [
        nearest
    ] * 2


@pytest.mark.parametrize("act", [zero_agent, lambda space, n: random_agent(space, n, 0)])
def test_they_act_in_nested_spaces(act: Any) -> None:
    space = spaces.Dict({"a": BOX, "b": spaces.Tuple([spaces.Discrete(2, start=3), BOX])})
    actions = act(space, 3)(np.zeros((3, 1)))
    assert batch_space(space, 3).contains(actions)

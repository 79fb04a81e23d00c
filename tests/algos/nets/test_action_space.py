"""What boxes of every type mean to a policy."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from algos.nets.action_space import limits, sampling_space
from algos.nets.policy import Policy

INF = np.inf
FLOAT, DOUBLE = np.finfo(np.float32), np.finfo(np.float64)
WHOLE = [
    spaces.Box(0, 1, (1,), np.int8),
    spaces.Box(0, 1, (1,), np.dtype(bool)),  # pyright: ignore
    spaces.Box(-2, 3, (1,), np.int64),
    spaces.Box(7, 7, (1,), np.int32),
    spaces.Box(0, 255, (1,), np.uint8),
    spaces.Box(10**9, 10**9 + 4, (1,), np.int64),
]
BOXES = [
    *WHOLE,
    spaces.Box(10, 30, (1,)),
    spaces.Box(0, INF, (1,)),
    spaces.Box(5, INF, (1,), np.float64),
    spaces.Box(-INF, -3, (1,)),
    spaces.Box(-INF, INF, (1,)),
    spaces.Box(FLOAT.min, FLOAT.max, (1,)),
    spaces.Box(FLOAT.min, FLOAT.max, (1,), np.float64),
    spaces.Box(DOUBLE.min, DOUBLE.max, (1,), np.float64),
    spaces.Box(0, FLOAT.max, (1,)),
    spaces.Box(-INF, INF, (1,), np.int64),
    spaces.Box(0, 2**31 - 1, (1,), np.int32),
    spaces.Box(0, 2**32 - 1, (1,), np.uint32),
]


def policy_on(space: spaces.Box) -> Policy:
    return Policy(nn.Linear(1, 1), space)


@pytest.mark.parametrize("space", WHOLE, ids=str)
def test_every_integer_has_an_equal_share(space: spaces.Box) -> None:
    low, high = int(space.low[0]), int(space.high[0])
    width = 60
    count = width * (high - low + 1)
    centres = (torch.arange(count) + 0.5) / count * 2 - 1  # of equal parts of [-1, 1]
    actions = policy_on(space).to_env(centres[:, None])[:, 0]
    assert actions.dtype == space.dtype
    assert Counter(map(int, actions)) == dict.fromkeys(range(low, high + 1), width)


@pytest.mark.parametrize("kind", [np.int32, np.uint8, np.int64])
def test_choices_are_of_their_spaces_type(kind: Any) -> None:
    space = spaces.MultiDiscrete([2, 3], dtype=kind, start=[1, 250])
    sampled = torch.tensor([[0, 0], [1, 2]])
    actions = Policy(nn.Linear(1, 5), space).to_env(sampled)
    assert actions.dtype == kind
    assert actions.tolist() == [[1, 250], [2, 252]]
    assert all(map(space.contains, actions))


@pytest.mark.parametrize("space", BOXES, ids=str)
def test_the_first_policy_acts_inside(space: spaces.Box) -> None:
    """Its mean is off the bounds, and every sample is an action."""
    policy = policy_on(space)
    low, high = limits(space)
    samples = 0.4 * torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
    samples[0] = 0.0
    actions = policy.to_env(samples)
    assert actions.dtype == space.dtype
    assert all(space.contains(action) for action in actions)
    if space.dtype.kind == "f":
        assert low < actions[0] < high
    if high - low > 0:
        assert len(np.unique(actions)) > 1
    if not np.isfinite(high - low):
        assert abs(actions[0]) < 10  # no middle between numbers of 1e38


def test_bounded_boxes_are_as_they_were() -> None:
    space = spaces.Box(np.array([-2.0, 0, -INF]), np.array([3.0, 1, INF]), dtype=np.float32)
    policy = Policy(nn.Linear(1, 3), space)
    actions = policy.to_env(torch.tensor([[-1.0, 0.0, 5.0], [2.0, 1.0, -5.0]]))
    assert actions.tolist() == [[-2.0, 0.5, 5.0], [3.0, 1.0, -5.0]]


@pytest.mark.parametrize("end", [FLOAT.max, DOUBLE.max])
def test_random_actions_of_a_box_without_bounds_are_moderate(end: Any) -> None:
    space = sampling_space(spaces.Box(-end, end, (50,), np.float64))
    space.seed(0)
    assert np.abs(space.sample()).max() < 10


@pytest.mark.parametrize("kind", ["=u8", ">u8", "=i8"])
def test_integers_to_the_end_of_their_type_are_drawn(kind: str) -> None:
    most = int(np.iinfo(kind).max)
    for low, high in ((0, most), (0, most // 2 + 1), (most - 5, most), (0, 2**63 - 1)):
        box: Any = spaces.Box(low, high, (600,), np.dtype(kind))  # pyright: ignore
        space = sampling_space(box)
        space.seed(0)
        drawn = space.sample()
        assert box.contains(drawn)
        shares = (drawn.astype(object) - low) / (high - low)
        assert (min(shares) < 0.01, max(shares) > 0.99) == (True, True)
        assert 0.4 < np.mean(shares) < 0.6


def test_other_spaces_are_sampled_as_they_are() -> None:
    for space in (spaces.Box(-1, 1, (2,)), spaces.Discrete(3), spaces.Box(-INF, INF, (1,))):
        assert sampling_space(space) is space

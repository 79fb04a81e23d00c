"""The bookkeeping around CUDA graphs, with a stand-in that replays on the CPU."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from algos.nets import cuda_graph
from algos.nets.cuda_graph import Replayed
from algos.rollout.rollout import Rollout
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO

Outputs = tuple[Tensor, ...]


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replaces the capture: a launch computes again and fills the tensors of the first time."""
    counts: list[int] = []

    def capture(call: Callable[[], Outputs]) -> tuple[Callable[[], None], Outputs]:
        counts.append(1)
        memory = tuple(output.clone() for output in call())

        def launch() -> None:
            for place, value in zip(memory, call(), strict=True):
                place.copy_(value)

        return launch, memory

    monkeypatch.setattr(cuda_graph, "capture", capture)
    return counts


def test_a_replay_sees_new_arguments_and_a_new_shape_is_captured_anew(captures: list[int]) -> None:
    weight = torch.tensor([2.0])
    replayed = Replayed(lambda x, y: (weight * x + y, x.sum()))
    for size, expected in ((3, 1), (3, 1), (5, 2), (5, 2), (3, 3)):
        x, y = torch.randn(size), torch.randn(size)
        affine, total = replayed(x, y)
        torch.testing.assert_close(affine, weight * x + y)
        torch.testing.assert_close(total, x.sum())
        assert len(captures) == expected
    weight.fill_(-1.0)
    torch.testing.assert_close(replayed(x, y)[0], y - x)


@pytest.mark.slow
@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_updates_by_replay_are_the_plain_ones(
    captures: list[int], make_rollout: Callable[..., Rollout], fraction: float
) -> None:
    config = TRPOConfig(hidden=(16, 8), critic_hidden=(16, 8), fisher_fraction=fraction)
    shapes = spaces.Box(-np.inf, np.inf, (7,)), spaces.Box(-1.0, 1.0, (4,))
    plain, replayed = TRPO(*shapes, config), TRPO(*shapes, config)
    replayed._search = Replayed(replayed._search_direction)
    for seed in range(4):
        rollout = make_rollout(seed)
        rollout.actions = plain.sample(rollout.observations)[0].clone()
        replayed.sample(rollout.observations)
        metrics = plain.update(rollout), replayed.update(rollout)
        assert metrics[0]["kl"] == metrics[1]["kl"]
        assert torch.equal(plain.policy.get_flat(), replayed.policy.get_flat())
    assert len(captures) == 1


def test_a_copy_of_an_agent_captures_its_own_policy(
    captures: list[int], make_rollout: Callable[..., Rollout]
) -> None:
    shapes = spaces.Box(-np.inf, np.inf, (7,)), spaces.Box(-1.0, 1.0, (4,))
    agent = TRPO(*shapes, TRPOConfig(hidden=(16, 8), critic_hidden=(16, 8)))
    agent._search = Replayed(agent._search_direction)
    agent.update(make_rollout(0))
    before, other = agent.policy.get_flat(), copy.deepcopy(agent)
    other.update(make_rollout(1))
    assert len(captures) == 2
    assert torch.equal(agent.policy.get_flat(), before)
    agent.update(make_rollout(1))
    assert torch.equal(agent.policy.get_flat(), other.policy.get_flat())


def test_a_checkpoint_of_another_kind_of_device_brings_no_random_numbers() -> None:
    shapes = spaces.Box(-np.inf, np.inf, (7,)), spaces.Box(-1.0, 1.0, (4,))
    agent = TRPO(*shapes, seed=1)
    before = agent.generator.get_state()
    state = agent.state_dict() | {"generator": torch.zeros(16, dtype=torch.uint8)}
    agent.load_state_dict(state)
    assert torch.equal(agent.generator.get_state(), before)

"""Small symmetries, policies and batches that the tests share."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from algos.nets.build import build_policy_network
from algos.nets.equivariant import Symmetry
from algos.nets.networks import Activation
from algos.nets.policy import Policy, output_size
from algos.rollout.rollout import Rollout

torch.set_num_threads(1)  # on tensors this small, threads only wait for each other

OBSERVATIONS, ACTIONS = 7, 4


@pytest.fixture
def symmetry() -> Any:
    """Z2 × Z2 with orbits of size 1, 2 and 4, fixed points and sign flips."""
    swap, flip = np.array([1, 0, 3, 2]), np.array([2, 3, 0, 1])
    legs = np.stack([np.arange(4), swap, flip, swap[flip]])
    leg_sign = np.array([1, -1, 1, -1])[:, None] * np.ones(4)
    pair = np.array([[0, 1], [1, 0], [0, 1], [1, 0]])
    pair_sign = np.array([1, 1, -1, -1])[:, None] * np.ones(2)
    return SimpleNamespace(
        observation_index=np.hstack([legs, 4 + pair, np.full((4, 1), 6)]),
        observation_sign=np.hstack([leg_sign, pair_sign, np.array([[1], [-1], [-1], [1]])]),
        action_index=legs,
        action_sign=leg_sign,
    )


class Residual(nn.Module):
    """A network of no known structure."""

    def __init__(self, outputs: int, generator: torch.Generator):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(OBSERVATIONS, OBSERVATIONS, generator=generator))
        self.head = nn.Parameter(torch.randn(OBSERVATIONS, outputs, generator=generator))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + torch.sin(x @ self.weight)) @ self.head


@pytest.fixture
def make_policy(symmetry: Symmetry) -> Callable[..., Policy]:
    """Builds float64 policies of a kind with parameters of order one."""

    def make(kind: str, space: spaces.Space, activation: Activation = "tanh") -> Policy:
        generator = torch.Generator().manual_seed(3)
        outputs = output_size(space)
        group = symmetry if kind == "equivariant" else None
        if kind == "general":
            network: nn.Module = Residual(outputs, generator)
        else:
            sizes = (OBSERVATIONS, 8, 12, outputs)
            network = build_policy_network(sizes, activation, generator, group)
        policy = Policy(network, space, group)
        with torch.no_grad():
            for p in policy.parameters():
                p += 0.3 * torch.randn(p.shape, generator=generator) * (p != 0)
        return policy.double()

    return make


@pytest.fixture
def make_rollout() -> Callable[..., Rollout]:
    """Builds random rollouts of 4 environments."""

    def make(seed: int, steps: int = 16, discrete: bool = False) -> Rollout:
        g = torch.Generator().manual_seed(seed)
        ends = torch.rand(steps, 4, generator=g)
        rows = torch.nonzero((ends > 0.95).flatten()).flatten()
        actions = torch.randn(steps, 4, ACTIONS, generator=g)
        if discrete:
            actions = torch.randint(3, (steps, 4), generator=g)
        return Rollout(
            observations=torch.randn(steps, 4, OBSERVATIONS, generator=g),
            actions=actions,
            rewards=torch.randn(steps, 4, generator=g),
            terminated=ends < 0.05,
            truncated=ends > 0.95,
            next_observations=torch.randn(4, OBSERVATIONS, generator=g),
            final_observations=torch.randn(len(rows), OBSERVATIONS, generator=g),
            final_rows=rows,
        )

    return make


@pytest.fixture
def box() -> spaces.Box:
    return spaces.Box(-1.0, 1.0, (ACTIONS,))


@pytest.fixture
def observation_space() -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (OBSERVATIONS,))

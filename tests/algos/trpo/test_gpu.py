"""The update on CUDA against the CPU's; needs a device, skipped elsewhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces

from algos.nets.cuda_graph import Replayed
from algos.nets.equivariant import Symmetry
from algos.nets.networks import Activation
from algos.rollout.rollout import Rollout
from algos.runs.checkpoint import load_checkpoint, save_checkpoint
from algos.trpo.config import TRPOConfig
from algos.trpo.fisher import LinearizedPolicy
from algos.trpo.natural_gradient import natural_gradient
from algos.trpo.trpo import TRPO

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]


SPACES = [spaces.Box(-1.0, 1.0, (4,)), spaces.Discrete(3), spaces.MultiDiscrete([3, 2])]


@pytest.fixture(params=["plain", "equivariant"])
def agents(request: pytest.FixtureRequest, symmetry: Symmetry) -> tuple[TRPO, TRPO]:
    """The same agent on the CPU and on CUDA."""
    group = symmetry if request.param == "equivariant" else None
    observations = spaces.Box(-np.inf, np.inf, (7,))
    config = TRPOConfig(hidden=(64, 32), critic_hidden=(64, 32))
    cpu, cuda = (
        TRPO(observations, spaces.Box(-1.0, 1.0, (4,)), config, group, device)
        for device in ("cpu", "cuda")
    )
    cuda.policy.load_state_dict(cpu.policy.state_dict())
    cuda.critic.load_state_dict(cpu.critic.state_dict())
    return cpu, cuda


def test_the_critics_regression_is_the_cpus(
    agents: tuple[TRPO, TRPO], make_rollout: Callable[..., Rollout]
) -> None:
    """Three times, so that the captured gradient meets parameters that have moved."""
    values = []
    rollout = make_rollout(0, steps=200)
    for agent in agents:
        x = rollout.observations.flatten(0, 1).to(agent.device)
        returns = rollout.rewards.flatten().to(agent.device)
        whole = agent.optimizer, 3, 1, agent.generator, agent.group  # one batch: in any order
        with torch.no_grad():
            for _ in range(3):
                agent.critic.fit(x, returns, *whole, agent._critic_gradient)
            values.append(agent.critic(x))
    assert isinstance(agents[1]._critic_gradient, Replayed)
    torch.testing.assert_close(values[1].cpu(), values[0], rtol=2e-3, atol=2e-4)


def test_the_search_direction_is_the_cpus(
    agents: tuple[TRPO, TRPO], make_rollout: Callable[..., Rollout]
) -> None:
    directions = []
    rollout = make_rollout(0, steps=200)
    for agent in agents:
        x = rollout.observations.flatten(0, 1).to(agent.device)
        actions = rollout.actions.flatten(0, 1).to(agent.device)
        weights = rollout.rewards.flatten().to(agent.device)
        with torch.no_grad():
            local = LinearizedPolicy(agent.policy, x)
            gradient = local.gradient(actions, weights)
            directions.append(natural_gradient(local.fisher_product, gradient, 0.1, 10).direction)
    torch.testing.assert_close(directions[1].cpu(), directions[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("activation", ["tanh", "elu", "relu"])
@pytest.mark.parametrize("fraction", [1.0, 0.5])
@pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)
def test_the_captured_solve_is_the_plain_one(
    space: spaces.Space,
    fraction: float,
    activation: Activation,
    make_rollout: Callable[..., Rollout],
) -> None:
    config = TRPOConfig((64, 32), (64, 32), activation, fisher_fraction=fraction)
    agent = TRPO(spaces.Box(-np.inf, np.inf, (7,)), space, config, device="cuda")
    assert isinstance(agent._search, Replayed)
    for seed, steps in enumerate((100, 100, 50)):
        rollout = make_rollout(seed, steps=steps).to(agent.device)
        states = rollout.observations.flatten(0, 1)
        rows = [agent._subset(len(states))] if fraction < 1 else []
        batch = states, agent.sample(states)[0], rollout.rewards.flatten(), *rows
        with torch.no_grad():
            plain = [result.clone() for result in agent._search_direction(*batch)]
            for a, b in zip(agent._search(*batch), plain, strict=True):
                torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
        rollout.actions = agent.sample(rollout.observations)[0]
        agent.update(rollout)


@pytest.mark.parametrize(("first", "second"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_a_checkpoint_goes_on_on_the_other_device(
    first: str, second: str, make_rollout: Callable[..., Rollout], tmp_path: Path
) -> None:
    agents = [
        TRPO(spaces.Box(-np.inf, np.inf, (7,)), SPACES[0], device=device)
        for device in (first, second)
    ]
    for agent in agents:
        agent.update(make_rollout(0).to(agent.device))
    save_checkpoint(tmp_path / "a.pt", agents[0].state_dict())
    agents[1].load_state_dict(load_checkpoint(tmp_path / "a.pt", agents[1].device))
    x = make_rollout(1).observations[0].numpy()
    mine, theirs = (agent.act(x, deterministic=True) for agent in agents)
    np.testing.assert_allclose(mine, theirs, atol=1e-4)
    assert agents[1].update(make_rollout(2).to(agents[1].device))["accepted"]


def test_the_update_keeps_to_the_trust_region(
    agents: tuple[TRPO, TRPO], make_rollout: Callable[..., Rollout]
) -> None:
    _, agent = agents
    for seed in range(5):
        rollout = make_rollout(seed, steps=100).to(agent.device)
        rollout.actions = agent.sample(rollout.observations)[0]
        metrics = agent.update(rollout)
        assert metrics["accepted"]
        assert 0 < metrics["kl"] <= agent.config.max_kl

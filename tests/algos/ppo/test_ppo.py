"""PPO against its formulas, a slow reference, a known optimum and whatever an environment gives."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import Tensor

from algos.nets.equivariant import Symmetry
from algos.ppo.config import PPOConfig
from algos.ppo.ppo import PPO
from algos.rollout.collector import Collector
from algos.rollout.rollout import Rollout
from algos.training.evaluate import evaluate

SMALL = PPOConfig(hidden=(16, 8), critic_hidden=(16, 8), epochs=3, minibatches=2)
MakeAgent = Callable[..., PPO]


@pytest.fixture
def make_agent(observation_space: spaces.Space, box: spaces.Space) -> MakeAgent:
    def make(group: Symmetry | None = None, space: spaces.Space = box, **changes: Any) -> PPO:
        return PPO(observation_space, space, dataclasses.replace(SMALL, **changes), group)

    return make


def sampled(agent: PPO, rollout: Rollout) -> Rollout:
    """The rollout with actions that the agent's policy might have taken."""
    rollout.actions = agent.sample(rollout.observations)[0].clone()
    return rollout


def objective(agent: PPO, x: Tensor, actions: Tensor, advantages: Tensor, old: Tensor) -> Tensor:
    """Equation 7 with an entropy bonus, written out sample by sample."""
    c, total = agent.config, x.new_zeros(())
    for state, action, advantage, before in zip(x, actions, advantages, old, strict=True):
        distribution = agent.policy(state[None])
        ratio = torch.exp(distribution.log_prob(action[None])[0] - before)
        if advantage > 0:
            total = total + advantage * min(ratio, torch.tensor(1 + c.clip))
        else:
            total = total + advantage * max(ratio, torch.tensor(1 - c.clip))
        total = total + c.entropy_coefficient * distribution.entropy()
    return total / len(x)


@pytest.mark.parametrize("kind", ["plain", "equivariant", "discrete"])
def test_a_step_is_adam_on_the_gradient_of_the_clipped_objective(
    make_agent: MakeAgent, make_rollout: Callable[..., Rollout], symmetry: Symmetry, kind: str
) -> None:
    agent = make_agent(
        symmetry if kind == "equivariant" else None,
        spaces.Discrete(3) if kind == "discrete" else spaces.Box(-1.0, 1.0, (4,)),
        entropy_coefficient=0.01,
        max_grad_norm=1e6,
    )
    rollout = sampled(agent, make_rollout(0, discrete=kind == "discrete"))
    x, actions = rollout.observations.flatten(0, 1), rollout.actions.flatten(0, 1)
    advantages = torch.randn(len(x), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        old = agent.policy(x).log_prob(actions)
        for tensor in agent.policy.parameters():  # away from the sampling policy: some are clipped
            tensor += 0.1 * torch.randn(tensor.shape, generator=agent.generator) * (tensor != 0)
        ratios = torch.exp(agent.policy(x).log_prob(actions) - old)
    assert (ratios - 1).abs().max() > SMALL.clip
    expected = copy.deepcopy(agent)
    expected.policy_optimizer = torch.optim.Adam(
        expected.policy.parameters(), lr=SMALL.learning_rate, eps=1e-5
    )
    (-objective(expected, x, actions, advantages, old)).backward()
    expected.policy_optimizer.step()
    kl = agent._step(x, actions, advantages, old)
    torch.testing.assert_close(
        agent.policy.get_flat(), expected.policy.get_flat(), rtol=1e-4, atol=1e-6
    )
    assert float(kl) == pytest.approx(float((ratios - 1 - ratios.log()).mean()), rel=1e-4)


def test_what_is_clipped_pays_no_more(make_agent: MakeAgent) -> None:
    """One state, ratio e: a good action that became likelier than 1 + ε has no gradient."""
    agent = make_agent()
    x, action = torch.zeros(1, 7), torch.zeros(1, 4)
    with torch.no_grad():
        old = agent.policy(x).log_prob(action) - 1.0
    before = agent.policy.get_flat()
    agent._step(x, action, torch.ones(1), old)
    assert torch.equal(before, agent.policy.get_flat())
    agent._step(x, action, -torch.ones(1), old)
    assert not torch.equal(before, agent.policy.get_flat())


def test_a_gradient_is_no_longer_than_its_bound(
    make_agent: MakeAgent, make_rollout: Callable[..., Rollout]
) -> None:
    agent = make_agent(max_grad_norm=0.01)
    rollout = sampled(agent, make_rollout(0))
    x, actions = rollout.observations.flatten(0, 1), rollout.actions.flatten(0, 1)
    with torch.no_grad():
        old = agent.policy(x).log_prob(actions)
    agent._step(x, actions, torch.full((len(x),), 100.0), old)
    gradients = [p.grad for p in agent.policy.parameters() if p.grad is not None]
    norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
    assert norm == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(("kl", "factor"), [(0.1, 1 / 1.5), (0.001, 1.5), (0.01, 1.0)])
def test_the_learning_rate_follows_the_divergence(
    make_agent: MakeAgent, kl: float, factor: float
) -> None:
    agent = make_agent(schedule="adaptive", learning_rate=1e-3, target_kl=0.01)
    agent._follow(kl)
    assert agent.policy_optimizer.lr == pytest.approx(1e-3 * factor)
    for _ in range(50):
        agent._follow(kl)
    assert 1e-5 <= agent.policy_optimizer.lr <= 1e-2


def test_the_linear_schedule_ends_at_nothing(
    make_agent: MakeAgent, make_rollout: Callable[..., Rollout]
) -> None:
    agent = make_agent(schedule="linear", learning_rate=1e-3)
    assert agent.update(sampled(agent, make_rollout(0)), 0.25)["learning_rate"] == 7.5e-4
    before = agent.policy.get_flat()
    agent.update(sampled(agent, make_rollout(1)), 1.0)
    assert torch.equal(before, agent.policy.get_flat())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "equivariant", "discrete"])
def test_updates_stay_finite_above_the_floor_and_symmetric(
    make_agent: MakeAgent, make_rollout: Callable[..., Rollout], symmetry: Any, kind: str
) -> None:
    group = symmetry if kind == "equivariant" else None
    discrete = kind == "discrete"
    space = spaces.Discrete(3) if discrete else spaces.Box(-1.0, 1.0, (4,))
    agent = make_agent(group, space, min_std=0.3, learning_rate=0.05)
    for seed in range(10):
        metrics = agent.update(sampled(agent, make_rollout(seed, discrete=discrete)))
        assert metrics["accepted"] == 1
        assert metrics["critic_refused"] == 0
        assert all(math.isfinite(value) for value in metrics.values())
        assert metrics.get("std", 1.0) >= 0.3 - 1e-6
    if kind == "equivariant":
        x = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
        action = agent.act(x, deterministic=True)
        for g in range(4):
            mirrored = x[:, symmetry.observation_index[g]] * symmetry.observation_sign[g]
            expected = action[:, symmetry.action_index[g]] * symmetry.action_sign[g]
            given = agent.act(mirrored.astype(np.float32), deterministic=True)
            np.testing.assert_allclose(given, expected, atol=1e-5)


def test_a_step_out_of_the_finite_numbers_is_undone(
    make_agent: MakeAgent, make_rollout: Callable[..., Rollout], caplog: pytest.LogCaptureFixture
) -> None:
    agent = make_agent()
    agent.update(sampled(agent, make_rollout(0)))
    agent.policy_optimizer.lr = math.inf
    before = agent.policy.get_flat()
    metrics = agent.update(sampled(agent, make_rollout(1)))
    assert metrics["accepted"] == 0
    assert "policy step refused" in caplog.text
    assert torch.equal(before, agent.policy.get_flat())


@pytest.mark.parametrize("field", ["rewards", "observations"])
def test_a_batch_without_a_sound_environment_changes_nothing(
    make_agent: MakeAgent, make_rollout: Callable[..., Rollout], field: str
) -> None:
    agent = make_agent()
    rollout = sampled(agent, make_rollout(0))
    getattr(rollout, field)[3] = math.nan
    before = agent.policy.get_flat()
    expected = {"accepted": 0.0, "critic_refused": 1.0, "omitted_environments": 4.0}
    assert agent.update(rollout) == expected
    assert torch.equal(before, agent.policy.get_flat())


@pytest.mark.slow
def test_a_restored_agent_learns_on_bitwise(
    make_agent: MakeAgent, make_rollout: Callable[..., Rollout]
) -> None:
    first = make_agent(schedule="adaptive")
    for seed in range(3):
        first.update(sampled(first, make_rollout(seed)))
    second = make_agent(schedule="adaptive")
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for seed in range(3, 6):
        rollout = make_rollout(seed)
        assert torch.equal(
            first.sample(rollout.observations)[0], second.sample(rollout.observations)[0]
        )
        for agent in (first, second):
            agent.update(copy.deepcopy(rollout))
    assert torch.equal(first.policy.get_flat(), second.policy.get_flat())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clip": 0.0}, r"PPOConfig\.clip must lie in \(0, 1\), got 0.0"),
        ({"epochs": 0}, "epochs must lie in 1 to 10000"),
        ({"learning_rate": math.nan}, "learning_rate"),
        ({"target_kl": -1.0}, "target_kl"),
        ({"schedule": "cosine"}, "schedule"),
        ({"gamma": 1.5}, r"gamma must lie in \[0, 1\], got 1.5"),
    ],
)
def test_settings_out_of_bounds_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PPOConfig(**change)


class Regulator(gym.Env):
    """x' = x + a, cost x² + a² for ever: the best policy is a = -0.618 x (Riccati)."""

    observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)
    action_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._x, self._step = self.np_random.normal(size=1), 0
        return self._x.astype(np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        cost = float(self._x[0] ** 2 + action[0] ** 2)
        self._x, self._step = self._x + action, self._step + 1
        return self._x.astype(np.float32), -cost, False, self._step == 10, {}


@pytest.mark.slow
def test_learns_the_optimal_linear_quadratic_regulator() -> None:
    def make(n: int) -> SyncVectorEnv:
        return SyncVectorEnv([Regulator] * n, autoreset_mode=AutoresetMode.SAME_STEP)

    config = PPOConfig(
        hidden=(32,),
        critic_hidden=(32, 32),
        gamma=0.9,
        min_std=0.1,
        critic_lr=3e-3,
        learning_rate=3e-3,
        epochs=5,
        minibatches=4,
    )
    agent = PPO(Regulator.observation_space, Regulator.action_space, config)
    collector = Collector(make(16), agent.sample, 40, seed=0)
    for _ in range(40):
        agent.update(collector.collect())

    def score(act: Callable[[np.ndarray], np.ndarray]) -> float:
        return evaluate(act, make(10), 200, seed=1)["return_mean"]

    best, nothing = score(lambda x: -0.618 * x), score(lambda x: 0 * x)
    learned = score(lambda x: agent.act(x, deterministic=True))
    assert nothing < 4 * best
    assert learned > 1.1 * best

"""What holds for every shape, seed and batch."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from algos.nets.build import build_policy_network
from algos.nets.linearization import unflatten
from algos.nets.networks import Activation
from algos.nets.policy import Policy, output_size
from algos.rollout.rollout import Rollout
from algos.trpo.config import TRPOConfig
from algos.trpo.fisher import LinearizedPolicy
from algos.trpo.trpo import TRPO

SPACES = [
    spaces.Box(-1.0, 1.0, (1,)),
    spaces.Box(-np.inf, np.inf, (3,)),
    spaces.Discrete(2),
    spaces.Discrete(5),
    spaces.MultiDiscrete([2, 3]),
]
MAX_KL, MIN_STD = 0.05, 0.2


def dense_fisher(policy: Policy, x: torch.Tensor) -> torch.Tensor:
    """Jᵀ M J / N with both matrices written out, M being the KL's Hessian in the outputs."""
    like = list(policy.network.parameters())
    names = [name for name, _ in policy.network.named_parameters()]
    split = sum(p.numel() for p in like)
    own = 0 if policy.log_std is None else len(policy.log_std)

    def outputs(flat: torch.Tensor) -> torch.Tensor:
        parameters = dict(zip(names, unflatten(flat, like), strict=True))
        return torch.func.functional_call(policy.network, parameters, (x,))

    at = policy.get_flat()[:split]
    jacobian, y = torch.func.jacrev(outputs)(at), outputs(at).detach()
    total = torch.zeros(split + own, split + own, dtype=torch.float64)
    for rows, output in zip(jacobian, y, strict=True):
        old: Any = policy.head(output)
        kl = torch.func.hessian(lambda z, old=old: old.kl(policy.head(z)))(output)
        total[:split, :split] += rows.T @ kl @ rows / len(x)
    total[split:, split:] = 2 * torch.eye(own)  # each log-std belongs to one action here
    return total


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    space=st.sampled_from(SPACES),
    hidden=st.lists(st.integers(1, 6), max_size=2),
    activation=st.sampled_from(["tanh", "elu", "relu"]),
    inputs=st.integers(1, 4),
    count=st.integers(1, 8),
)
def test_fisher_product_is_the_dense_matrix(
    seed: int,
    space: spaces.Space,
    hidden: list[int],
    activation: Activation,
    inputs: int,
    count: int,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    network = build_policy_network(
        (inputs, *hidden, output_size(space)), activation, generator, None
    )
    policy = Policy(network, space).double()
    with torch.no_grad():
        for p in policy.parameters():
            p += 0.5 * torch.randn(p.shape, generator=generator)
    x = torch.randn(count, inputs, generator=generator, dtype=torch.float64)
    expected = dense_fisher(policy, x)
    u, v = torch.randn(2, len(expected), generator=generator, dtype=torch.float64)
    with torch.no_grad():
        product = LinearizedPolicy(policy, x).fisher_product
        fu, fv, combined = product(u), product(v), product(u - 2 * v)
    torch.testing.assert_close(fu, expected @ u, atol=1e-9, rtol=1e-7)
    torch.testing.assert_close(combined, fu - 2 * fv, atol=1e-9, rtol=1e-7)
    assert math.isclose(float(v @ fu), float(u @ fv), rel_tol=1e-8, abs_tol=1e-9)
    assert float(v @ fv) > -1e-10


def random_rollout(agent: TRPO, seed: int, kind: str, scale: float) -> Rollout:
    """Eight transitions of the agent's own actions; `kind` says what is odd about them."""
    g = torch.Generator().manual_seed(seed)
    steps, envs = (1, 1) if kind == "one sample" else (4, 2)
    ends = torch.rand(steps, envs, generator=g)
    rows = torch.nonzero((ends > 0.8).flatten()).flatten()
    observations = torch.randn(steps, envs, 3, generator=g) * min(scale, 1e3)
    rewards = torch.randn(steps, envs, generator=g) * scale
    if kind == "equal rewards":
        rewards = torch.full_like(rewards, scale)
    if kind == "nan":
        rewards[-1, -1] = math.nan
    if kind == "same states":
        observations[:] = observations[0, 0]
    return Rollout(
        observations=observations,
        actions=agent.sample(observations)[0],
        rewards=rewards,
        terminated=ends < 0.2,
        truncated=ends > 0.8,
        next_observations=torch.randn(envs, 3, generator=g),
        final_observations=torch.randn(len(rows), 3, generator=g),
        final_rows=rows,
    )


KINDS = ["plain", "plain", "equal rewards", "nan", "same states", "one sample"]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    space=st.sampled_from(SPACES),
    fraction=st.sampled_from([1.0, 0.3]),
    batches=st.lists(st.tuples(st.sampled_from(KINDS), st.floats(-6, 6)), min_size=35, max_size=50),
)
def test_no_update_leaves_the_trust_region_or_the_finite_numbers(
    seed: int, space: spaces.Space, fraction: float, batches: list[tuple[str, float]]
) -> None:
    """About 1,000 updates on batches of every scale, of which every seventh or so is odd."""
    config = TRPOConfig(
        hidden=(4,),
        critic_hidden=(4,),
        max_kl=MAX_KL,
        min_std=MIN_STD,
        fisher_fraction=fraction,
        critic_epochs=2,
        critic_minibatches=2,
    )
    agent = TRPO(spaces.Box(-np.inf, np.inf, (3,)), space, config, seed=seed)
    for i, (kind, exponent) in enumerate(batches):
        rollout = random_rollout(agent, seed + i, kind, 10.0**exponent)
        before = agent.policy.get_flat()
        with torch.no_grad():
            used = rollout.observations[:, :1] if kind == "nan" else rollout.observations
            states = agent.normalizer(used).flatten(0, 1)
            old = agent.policy(states)
        metrics = agent.update(rollout)
        after = agent.policy.get_flat()
        assert after.isfinite().all()
        assert all(p.isfinite().all() for p in agent.critic.parameters())
        if not metrics["accepted"]:
            assert torch.equal(before, after)
            continue
        assert kind != "nan" or metrics["omitted_environments"] == 1
        assert metrics["surrogate_gain"] > 0
        with torch.no_grad():
            assert float(old.kl(agent.policy(states)).mean()) <= MAX_KL * (1 + 1e-4)
        if agent.policy.log_std is not None:
            assert float(agent.policy.log_std.detach().min()) >= math.log(MIN_STD) - 1e-6

import copy
import dataclasses

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from algos.registry import ALGORITHMS
from algos.rollout.collector import Collector
from algos.training.evaluate import evaluate
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO

SMALL = TRPOConfig(hidden=(16, 8), critic_hidden=(16, 8), critic_minibatches=2)


def state(agent: TRPO) -> list[torch.Tensor]:
    """Copies of everything that an update can change, but the generator."""
    modules = (agent.policy, agent.critic, agent.normalizer)
    return [value.clone() for module in modules for value in module.state_dict().values()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture
def make_agent(observation_space, box):
    def make(group=None, space=box, seed=0, **changes) -> TRPO:
        config = dataclasses.replace(SMALL, **changes)
        return TRPO(observation_space, space, config, group, seed=seed)

    return make


def own_actions(agent: TRPO, rollout):
    """The rollout with actions that the agent's policy might have taken."""
    rollout.actions = agent.sample(rollout.observations)[0].clone()
    return rollout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "equivariant", "discrete", "fisher subset"])
def test_no_step_breaks_the_constraint_or_leaves_finite_numbers(
    make_agent, make_rollout, symmetry, kind
):
    agent = make_agent(
        symmetry if kind == "equivariant" else None,
        **({"space": spaces.Discrete(3)} if kind == "discrete" else {}),
        **({"fisher_fraction": 0.3} if kind == "fisher subset" else {}),
        max_kl=0.05,
        min_std=0.3,
    )
    accepted = 0.0
    for seed in range(60):
        rollout = own_actions(agent, make_rollout(seed, discrete=kind == "discrete"))
        before = agent.policy.get_flat()
        x = agent.normalizer(rollout.observations).flatten(0, 1)
        with torch.no_grad():
            old = agent.policy(x)
        old = type(old)(*(value.clone() for value in vars(old).values()))
        metrics = agent.update(rollout)
        with torch.no_grad():
            kl = float(old.kl(agent.policy(x)).mean())
        assert kl <= 0.05 + 1e-6
        assert kl == pytest.approx(metrics["kl"], abs=1e-5)
        accepted += metrics["accepted"]
        if metrics["accepted"]:
            assert metrics["surrogate_gain"] > 0
        else:
            assert torch.equal(before, agent.policy.get_flat())
        assert all(torch.isfinite(value).all() for value in state(agent))
        if "std" in metrics:
            assert metrics["std"] >= 0.3 - 1e-6
    assert accepted > 50


def test_observations_are_seen_as_they_are_where_they_are_not_normalised(make_agent):
    seen = torch.tensor([[20.0, -50.0, 80.0, 0.0, 1.0, 2.0, 1e6]])
    agent = make_agent(normalize_observations=False)
    torch.testing.assert_close(agent.normalizer(seen), seen)
    assert make_agent().normalizer(seen).abs().max() == 10.0


@pytest.mark.parametrize(("progress", "max_kl"), [(0.5, 0.05), (0.75, 0.0275), (1.0, 0.005)])
def test_trust_region_shrinks_in_the_second_half(make_agent, make_rollout, progress, max_kl):
    agent = make_agent(max_kl=0.05, final_kl_fraction=0.1)
    metrics = agent.update(own_actions(agent, make_rollout(0)), progress)
    assert metrics["max_kl"] == pytest.approx(max_kl)
    assert 0.5 * max_kl < metrics["kl"] <= max_kl


def test_failed_line_search_restores_the_policy_exactly(
    make_agent, make_rollout, monkeypatch, caplog
):
    agent = make_agent()
    rollout = own_actions(agent, make_rollout(0))

    def uphill(*arguments):
        natural = true_gradient(*arguments)
        return dataclasses.replace(natural, direction=-natural.direction)

    import algos.trpo.trpo

    true_gradient = algos.trpo.trpo.natural_gradient
    monkeypatch.setattr(algos.trpo.trpo, "natural_gradient", uphill)
    before = agent.policy.get_flat()
    metrics = agent.update(rollout)
    assert torch.equal(before, agent.policy.get_flat())
    assert metrics["accepted"] == 0
    assert metrics["backtracks"] == SMALL.line_search_steps
    assert "line search found no step" in caplog.text


@pytest.mark.parametrize("curvature", [-1.0, 0.0, float("nan")])
def test_bad_curvature_is_refused(make_agent, make_rollout, monkeypatch, caplog, curvature):
    agent = make_agent()
    rollout = own_actions(agent, make_rollout(0))
    import algos.trpo.trpo

    true_gradient = algos.trpo.trpo.natural_gradient

    def broken(*arguments):
        natural = true_gradient(*arguments)
        return dataclasses.replace(natural, curvature=torch.tensor(curvature).double())

    monkeypatch.setattr(algos.trpo.trpo, "natural_gradient", broken)
    before = agent.policy.get_flat()
    assert agent.update(rollout)["accepted"] == 0
    assert torch.equal(before, agent.policy.get_flat())
    assert "policy step refused" in caplog.text


@pytest.mark.parametrize("steps", [16, 1])
def test_equal_advantages_leave_the_policy_unchanged(make_agent, make_rollout, caplog, steps):
    agent = make_agent(gae_lambda=0.0, gamma=0.0, normalize_observations=False)
    rollout = own_actions(agent, make_rollout(0, steps=steps))
    with torch.no_grad():
        rollout.rewards = agent.critic(rollout.observations) + 1.0  # δ = r - V = 1 everywhere
    agent = copy.deepcopy(agent)
    before = agent.policy.get_flat()
    metrics = agent.update(rollout)
    if metrics["accepted"]:  # what is left of the advantages is rounding, and harmless
        assert metrics["kl"] <= SMALL.max_kl
    else:
        assert torch.equal(before, agent.policy.get_flat())
        assert "refused" in caplog.text or "found no step" in caplog.text


def test_zero_gradient_leaves_the_policy_unchanged(make_agent, make_rollout, caplog):
    agent = make_agent(gae_lambda=0.0, gamma=0.0)
    rollout = own_actions(agent, make_rollout(0, steps=1))
    rollout.rewards.zero_()
    with torch.no_grad():
        for p in agent.critic.parameters():
            p.zero_()
    before = agent.policy.get_flat()
    assert agent.update(rollout)["accepted"] == 0
    assert torch.equal(before, agent.policy.get_flat())
    assert "policy step refused" in caplog.text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["rewards", "observations"])
def test_an_environment_with_a_non_finite_number_is_left_out(
    make_agent, make_rollout, caplog, field, value
):
    """The others teach the same as in a batch that never had it."""
    agent = make_agent()
    rollout = own_actions(agent, make_rollout(0))
    rest = without_environment(rollout, 1)
    getattr(rollout, field)[3, 1] = value
    other = copy.deepcopy(agent)
    metrics, expected = agent.update(rollout), other.update(rest)
    assert metrics["omitted_environments"] == 1
    assert "1 of 4 environments left out" in caplog.text
    assert metrics["kl"] == pytest.approx(expected["kl"], rel=1e-4)
    for mine, theirs in zip(state(agent), state(other), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def without_environment(rollout, index):
    """The rollout without one of its environments."""
    n = len(rollout.next_observations)
    kept = torch.arange(n) != index
    time, column = rollout.final_rows // n, rollout.final_rows % n
    final = column != index
    return dataclasses.replace(
        rollout,
        **{
            name: getattr(rollout, name)[:, kept].clone()
            for name in ("observations", "actions", "rewards", "terminated", "truncated")
        },
        next_observations=rollout.next_observations[kept],
        final_observations=rollout.final_observations[final],
        final_rows=(time * (n - 1) + column - (column > index).long())[final],
    )


@pytest.mark.parametrize("field", ["rewards", "observations"])
def test_a_batch_without_a_sound_environment_changes_nothing(make_agent, make_rollout, field):
    agent = make_agent()
    rollout = own_actions(agent, make_rollout(0))
    getattr(rollout, field)[3] = float("nan")
    before = state(agent)
    expected = {"accepted": 0.0, "critic_refused": 1.0, "omitted_environments": 4.0}
    assert agent.update(rollout) == expected
    assert same(before, state(agent))


def adam(agent: TRPO) -> list[torch.Tensor]:
    """Copies of the critic's optimizer's state."""
    states = agent.optimizer.state_dict()["state"].values()
    return [value.clone() for moments in states for value in moments.values()]


@pytest.mark.parametrize("begun", [False, True])
def test_an_exploding_critic_goes_back_and_leaves_the_policy_alone(
    make_agent, make_rollout, caplog, begun
):
    """Returns whose squares leave float32: Adam's moments, then the weights, would follow."""
    agent = make_agent()
    if begun:
        agent.update(own_actions(agent, make_rollout(1)))
    explode_critic(agent)
    critic, moments = copy.deepcopy(agent.critic.state_dict()), adam(agent)
    metrics = agent.update(own_actions(agent, make_rollout(0)))
    assert metrics["critic_refused"] == 1
    assert "critic step refused" in caplog.text
    assert metrics["accepted"] == 1
    assert metrics["kl"] <= SMALL.max_kl
    assert all(torch.equal(critic[name], v) for name, v in agent.critic.state_dict().items())
    assert same(moments, adam(agent))
    assert all(value.isfinite().all() for value in state(agent))


def explode_critic(agent: TRPO) -> None:
    """A learning rate that takes the critic out of the finite numbers in one epoch."""
    agent.optimizer.lr = 1e38


@pytest.mark.slow
def test_policy_commutes_with_the_group_after_updates(make_agent, make_rollout, symmetry):
    agent = make_agent(symmetry)
    for seed in range(10):
        agent.update(own_actions(agent, make_rollout(seed)))
    x = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    action = agent.act(x, deterministic=True)
    for g in range(4):
        mirror = symmetry.observation_sign[g] * x[:, symmetry.observation_index[g]]
        expected = symmetry.action_sign[g] * action[:, symmetry.action_index[g]]
        np.testing.assert_allclose(agent.act(mirror, deterministic=True), expected, atol=1e-5)


def test_symmetry_off_gives_the_plain_network(make_agent, symmetry):
    assert make_agent(symmetry).policy.network.order == 4
    assert make_agent(symmetry, symmetry="off").policy.network.order == 1


def test_observation_statistics_are_frozen_while_a_batch_is_used(make_agent, make_rollout):
    agent = make_agent()
    rollout = own_actions(agent, make_rollout(0))
    seen = []
    true_update = agent.normalizer.update
    agent.normalizer.update = lambda x, _: (seen.append(agent.policy.get_flat()), true_update(x))
    assert agent.normalizer.count == 0
    agent.sample(rollout.observations)
    agent.act(rollout.observations[0].numpy())
    assert agent.normalizer.count == 0
    agent.update(rollout)
    assert agent.normalizer.count == 64
    assert torch.equal(seen[0], agent.policy.get_flat())


@pytest.mark.slow
def test_same_seed_gives_bitwise_the_same_training(make_agent, make_rollout):
    def train(seed: int) -> list[torch.Tensor]:
        agent = make_agent(seed=seed, fisher_fraction=0.5)
        for k in range(3):
            agent.update(own_actions(agent, make_rollout(k)))
        return state(agent)

    global_state = torch.get_rng_state()
    assert same(train(0), train(0))
    assert not same(train(0), train(1))
    assert torch.equal(global_state, torch.get_rng_state())


def test_restored_agent_goes_on_bitwise_as_the_original(make_agent, make_rollout):
    original = make_agent(seed=0)
    for k in range(3):
        original.update(own_actions(original, make_rollout(k)))
    restored = make_agent(seed=9)
    restored.load_state_dict(copy.deepcopy(original.state_dict()))
    for agent in (original, restored):
        for k in range(3, 6):
            agent.update(own_actions(agent, make_rollout(k)))
    assert same(state(original), state(restored))


def test_rescaling_the_critic_leaves_its_values_unchanged(make_agent, make_rollout):
    critic = make_agent().critic
    x = make_rollout(0).observations
    critic.rescale(torch.randn(100))
    before = critic(x)
    critic.rescale(torch.randn(100) * 500 - 3000)
    torch.testing.assert_close(critic(x), before, atol=1e-2, rtol=0)
    assert float(critic.std) > 100


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_critic_begins_at_the_scale_of_its_first_returns(make_agent, make_rollout, scale):
    critic = make_agent().critic
    x = make_rollout(0).observations
    network = critic.network(x)
    critic.rescale((torch.randn(1000) + 5) * scale)
    torch.testing.assert_close(critic.network(x), network, rtol=0, atol=0)
    assert float((critic(x).detach() / scale - 5).abs().max()) < 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma": 1.5}, r"gamma must lie in \[0, 1\], got 1.5"),
        ({"max_kl": 0.0}, r"max_kl must lie in \(0, 100\], got 0.0"),
        ({"cg_iterations": 0}, "cg_iterations must lie in 1 to 10000, got 0"),
        ({"fisher_fraction": 0.0}, "fisher_fraction"),
        ({"damping": -1.0}, "damping"),
        ({"hidden": (0,)}, "hidden must have widths in 1 to 16384"),
        ({"line_search_decay": 1.0}, "line_search_decay"),
        ({"min_std": 2.0}, "min_std must be <= initial_std"),
        ({"critic_lr": float("nan")}, "critic_lr"),
    ],
)
def test_settings_out_of_bounds_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        TRPOConfig(**change)


def test_unsupported_spaces_are_refused(observation_space, box):
    with pytest.raises(ValueError, match="observation space Discrete"):
        TRPO(spaces.Discrete(3), box)
    with pytest.raises(ValueError, match="action space MultiBinary"):
        TRPO(observation_space, spaces.MultiBinary(3))


def test_registry_pairs_every_algorithm_with_its_settings():
    for algorithm, config in ALGORITHMS.values():
        agent = algorithm(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(2), config())
        assert agent.act(np.zeros((5, 3), dtype=np.float32)).shape == (5,)


class Regulator(gym.Env):
    """x' = x + a, cost x² + a² for ever: the best policy is a = -0.618 x (Riccati)."""

    observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)
    action_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._x = self.np_random.normal(size=1)
        self._step = 0
        return self._x.astype(np.float32), {}

    def step(self, action):
        cost = float(self._x[0] ** 2 + action[0] ** 2)
        self._x = self._x + action
        self._step += 1
        return self._x.astype(np.float32), -cost, False, self._step == 10, {}


@pytest.mark.slow
def test_learns_the_optimal_linear_quadratic_regulator():
    def make(n: int) -> SyncVectorEnv:
        return SyncVectorEnv([Regulator] * n, autoreset_mode=AutoresetMode.SAME_STEP)

    config = TRPOConfig(
        hidden=(32,), critic_hidden=(32, 32), gamma=0.9, max_kl=0.05, min_std=0.1, critic_lr=3e-3
    )
    agent = TRPO(Regulator.observation_space, Regulator.action_space, config)
    collector = Collector(make(16), agent.sample, 40, seed=0)
    for _ in range(40):
        agent.update(collector.collect())

    def score(act) -> float:
        return evaluate(act, make(10), 200, seed=1)["return_mean"]

    best = score(lambda x: -0.618 * x)
    nothing = score(lambda x: 0 * x)
    learned = score(lambda x: agent.act(x, deterministic=True))
    assert nothing < 4 * best
    assert learned > 1.1 * best

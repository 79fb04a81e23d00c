import numpy as np
import pytest
import torch
from gymnasium import spaces

from algos.nets.distributions import Categorical, DiagGaussian, MultiCategorical
from algos.nets.networks import MLP
from algos.nets.policy import Policy

G = torch.Generator().manual_seed(0)
MEAN, LOG_STD = torch.randn(6, 3, generator=G), torch.randn(3, generator=G)
LOGITS = torch.randn(6, 5, generator=G)


@pytest.mark.slow
def test_gaussian_agrees_with_torch():
    ours, other = DiagGaussian(MEAN, LOG_STD), DiagGaussian(MEAN + 1, LOG_STD - 0.5)

    def theirs(d: DiagGaussian) -> torch.distributions.Distribution:
        normal = torch.distributions.Normal(d.mean, d.log_std.exp().expand_as(d.mean))
        return torch.distributions.Independent(normal, 1)

    action = torch.randn(6, 3)
    torch.testing.assert_close(ours.log_prob(action), theirs(ours).log_prob(action))
    expected = torch.distributions.kl_divergence(theirs(ours), theirs(other))
    torch.testing.assert_close(ours.kl(other), expected)
    torch.testing.assert_close(ours.entropy(), theirs(ours).entropy()[0])


def test_categorical_agrees_with_torch():
    ours, other = Categorical(LOGITS), Categorical(LOGITS.flip(1))
    theirs, flipped = (torch.distributions.Categorical(logits=d.logits) for d in (ours, other))
    action = torch.tensor([0, 1, 2, 3, 4, 0])
    torch.testing.assert_close(ours.log_prob(action), theirs.log_prob(action))
    expected = torch.distributions.kl_divergence(theirs, flipped)
    torch.testing.assert_close(ours.kl(other), expected)
    torch.testing.assert_close(ours.entropy(), theirs.entropy().mean())


def test_independent_choices_add_up():
    ours, other = (MultiCategorical(logits, (2, 3)) for logits in (LOGITS, LOGITS.flip(0)))
    action = torch.tensor([[0, 2], [1, 0], [1, 1], [0, 0], [0, 1], [1, 2]])
    log_prob, kl, entropy = torch.zeros(6), torch.zeros(6), torch.zeros(())
    for i, part in enumerate((slice(0, 2), slice(2, 5))):
        mine, theirs = (
            torch.distributions.Categorical(logits=d.logits[:, part]) for d in (ours, other)
        )
        log_prob += mine.log_prob(action[:, i])
        kl += torch.distributions.kl_divergence(mine, theirs)
        entropy += mine.entropy().mean()
    torch.testing.assert_close(ours.log_prob(action), log_prob)
    torch.testing.assert_close(ours.kl(other), kl)
    torch.testing.assert_close(ours.entropy(), entropy)
    sample = ours.sample(torch.Generator().manual_seed(0))
    assert sample.shape == (6, 2)
    assert (sample < torch.tensor([2, 3])).all()


def test_samples_have_the_distribution_they_come_from():
    generator = torch.Generator().manual_seed(1)
    gaussian = DiagGaussian(MEAN[:1].expand(100_000, 3), LOG_STD)
    samples = gaussian.sample(generator)
    torch.testing.assert_close(samples.mean(0), MEAN[0], atol=0.03, rtol=0)
    torch.testing.assert_close(samples.std(0).log(), LOG_STD, atol=0.01, rtol=0)
    categorical = Categorical(LOGITS[:1].expand(100_000, 5))
    shares = categorical.sample(generator).bincount(minlength=5) / 100_000
    torch.testing.assert_close(shares, LOGITS[0].softmax(0), atol=0.006, rtol=0)


def test_sampling_uses_the_given_generator_alone():
    state = torch.get_rng_state()
    for distribution in (DiagGaussian(MEAN, LOG_STD), Categorical(LOGITS)):
        a, b = (distribution.sample(torch.Generator().manual_seed(7)) for _ in range(2))
        assert torch.equal(a, b)
    assert torch.equal(state, torch.get_rng_state())


def test_actions_are_mapped_to_the_bounds_and_clipped():
    space = spaces.Box(*np.array([[-2, 0, -np.inf, -3], [2, 1, np.inf, np.inf]], np.float32))
    policy = Policy(MLP((2, 4, 4)), space)
    actions = torch.tensor([[0.5, 0.0, 0.5, 7.0], [-3.0, 1.5, -30.0, -9.0]])
    expected = np.array([[1.0, 0.5, 0.5, 7.0], [-2.0, 1.0, -30.0, -3.0]], dtype=np.float32)
    np.testing.assert_array_equal(policy.to_env(actions), expected)


def test_discrete_actions_begin_where_the_space_begins():
    policy = Policy(MLP((2, 4, 3)), spaces.Discrete(3, start=-1))
    np.testing.assert_array_equal(policy.to_env(torch.tensor([0, 2])), [-1, 1])
    policy = Policy(MLP((2, 4, 5)), spaces.MultiDiscrete([2, 3], start=[1, -1]))
    np.testing.assert_array_equal(policy.to_env(torch.tensor([[0, 2], [1, 0]])), [[1, 1], [2, -1]])


def test_log_std_is_shared_by_the_actions_that_the_group_exchanges(symmetry, make_policy, box):
    policy = make_policy("equivariant", box)
    assert policy.log_std is not None
    assert len(policy.log_std) == 1  # this group exchanges all four legs
    symmetry.action_index = np.array([[0, 1, 2, 3], [1, 0, 2, 3]] * 2)
    policy = Policy(MLP((7, 4, 4)), box, symmetry)
    head = policy.head(torch.zeros(1, 4))
    assert isinstance(head, DiagGaussian)
    assert policy.log_std is not None
    assert len(policy.log_std) == 3
    with torch.no_grad():
        policy.log_std.copy_(torch.tensor([1.0, 2.0, 3.0]))
    head = policy.head(torch.zeros(1, 4))
    assert isinstance(head, DiagGaussian)
    assert head.log_std.tolist() == pytest.approx([1.0, 1.0, 2.0, 3.0])

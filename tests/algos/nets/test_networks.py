import numpy as np
import pytest
import torch

from algos.nets.build import build_policy_network, build_value_network
from algos.nets.equivariant import EquivariantMLP, Symmetry, walsh
from algos.nets.networks import MLP

SIZES = (7, 32, 16, 4)


def act(x: torch.Tensor, index: np.ndarray, sign: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(sign, dtype=x.dtype) * x[..., torch.as_tensor(index)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("activation", ["tanh", "elu", "relu"])
def test_policy_commutes_and_value_is_invariant(symmetry: Symmetry, activation):
    policy = build_policy_network(SIZES, activation, seeded(), symmetry)
    value = build_value_network((7, 32, 16, 1), activation, seeded(), symmetry)
    for network in (policy, value):
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        for _ in range(3):  # away from the initial weights
            x = torch.randn(64, 7, generator=seeded(1))
            (network(x).square().sum(-1) - x.sum(-1)).square().mean().backward()
            optimizer.step()
    x = torch.randn(100, 7, generator=seeded(2))
    for g in range(4):
        mirror = act(x, symmetry.observation_index[g], symmetry.observation_sign[g])
        expected = act(policy(x), symmetry.action_index[g], symmetry.action_sign[g])
        torch.testing.assert_close(policy(mirror), expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(value(mirror), value(x), atol=1e-5, rtol=0)


def test_equivariant_network_is_a_plain_one_with_weights_tied_over_the_group(
    symmetry: Symmetry,
):
    network = build_policy_network(SIZES, "tanh", seeded(), symmetry)
    assert isinstance(network, EquivariantMLP)
    with torch.no_grad():
        for p in network.parameters():
            p += torch.randn(p.shape, generator=seeded(5))
    w1, b1, w2, b2, w3, b3 = (p.detach() for p in network.parameters())
    h = torch.from_numpy(walsh(4))

    def regular(width: int) -> torch.Tensor:
        return torch.kron(h, torch.eye(width))

    first = regular(8) @ torch.block_diag(*w1.mT) @ network._encoder.T
    hidden = regular(4) @ torch.block_diag(*w2.mT) @ regular(8)
    last = network._decoder @ torch.block_diag(*w3.mT) @ regular(4)
    for g in range(4):
        for k in range(4):
            block = hidden[4 * g : 4 * g + 4, 8 * k : 8 * k + 8]
            tied = hidden[:4, 8 * (g ^ k) : 8 * (g ^ k) + 8]
            torch.testing.assert_close(block, tied, atol=1e-5, rtol=0)
    plain = MLP(SIZES)
    bias3 = network._decoder[:, : b3.numel()] @ b3
    dense = [first.T, b1.repeat(4) / 2, hidden.T, b2.repeat(4) / 2, last.T, bias3]
    with torch.no_grad():
        for p, value in zip(plain.parameters(), dense, strict=True):
            p.copy_(value.view(p.shape))
    x = torch.randn(20, 7, generator=seeded(6))
    torch.testing.assert_close(network(x), plain(x), atol=1e-5, rtol=0)


def test_symmetry_saves_three_quarters_of_the_hidden_weights(symmetry: Symmetry):
    plain = list(build_policy_network(SIZES, "tanh", seeded(), None).parameters())
    tied = list(build_policy_network(SIZES, "tanh", seeded(), symmetry).parameters())
    assert tied[2].numel() * 4 == plain[2].numel()


def test_initial_hidden_layers_preserve_lengths_up_to_the_gain(symmetry: Symmetry):
    for group in (None, symmetry):
        weight = build_policy_network(SIZES, "tanh", seeded(), group).tensors[2]
        singular = torch.linalg.svdvals(weight)
        torch.testing.assert_close(singular, torch.full_like(singular, 2**0.5))


def test_weights_come_from_the_generator_alone():
    state = torch.get_rng_state()
    a, b, c = (build_policy_network(SIZES, "tanh", seeded(s), None) for s in (0, 0, 1))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(a.tensors[0], b.tensors[0])
    assert not torch.equal(a.tensors[0], c.tensors[0])


def test_width_that_the_group_does_not_divide_is_refused(symmetry: Symmetry):
    with pytest.raises(ValueError, match=r"hidden width 30 is not a multiple.*4"):
        build_policy_network((7, 30, 4), "tanh", seeded(), symmetry)


@pytest.mark.parametrize(
    ("index", "sign", "message"),
    [
        ([[0, 1], [1, 0], [0, 1]], np.ones((3, 2)), "G = 1, 2 or 4"),
        ([[0, 1], [0, 0]], np.ones((2, 2)), "permutation"),
        ([[0, 1], [1, 0]], [[1, 1], [1, -1]], "elements 1 and 1 must compose"),
        ([[0, 1], [1, 0]], [[1, 1], [2, 2]], "signs must be"),
        ([[1, 0], [0, 1]], np.ones((2, 2)), "elements 0 and 0"),
    ],
)
def test_arrays_that_are_no_group_action_are_refused(index, sign, message):
    action = np.array(index), np.array(sign, dtype=float)
    with pytest.raises(ValueError, match=message):
        EquivariantMLP((2, 4, 2), action, action)

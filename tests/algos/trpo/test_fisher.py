from collections.abc import Callable

import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from algos.nets.distributions import DiagGaussian, Distribution, MultiCategorical
from algos.nets.linearization import GeneralLinearization, MLPLinearization, linearize, unflatten
from algos.nets.policy import Policy
from algos.trpo.fisher import LinearizedPolicy
from algos.trpo.natural_gradient import conjugate_gradient, natural_gradient

BOX, DISCRETE = spaces.Box(-1.0, 1.0, (4,)), spaces.Discrete(3)
MULTI = spaces.MultiDiscrete([3, 2])
CASES = [
    (kind, space, activation)
    for kind, space in [
        ("plain", BOX),
        ("plain", DISCRETE),
        ("plain", MULTI),
        ("equivariant", BOX),
        ("general", BOX),
        ("general", DISCRETE),
        ("general", MULTI),
    ]
    for activation in (["tanh", "elu", "relu"] if kind != "general" else ["tanh"])
]


def states(count: int = 9) -> Tensor:
    return torch.randn(count, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def call(policy: Policy, flat: Tensor, x: Tensor) -> Distribution:
    """The distributions as a differentiable function of the flat parameters."""
    names = [f"network.{name}" for name, _ in policy.network.named_parameters()]
    like = list(policy.network.parameters())
    if policy.log_std is not None:
        names, like = [*names, "log_std"], [*like, policy.log_std]
    parameters = dict(zip(names, unflatten(flat, like), strict=True))
    return torch.func.functional_call(policy, parameters, (x,))


def dense_fisher(policy: Policy, x: Tensor) -> Tensor:
    """E[∇log π ∇log πᵀ] row by row: exact sums over choices, closed moments for Gaussians."""
    flat = policy.get_flat()
    total = torch.zeros(len(flat), len(flat), dtype=torch.float64)
    for row in x:
        if policy.log_std is None:

            def log_p(f: Tensor, row: Tensor = row) -> Tensor:
                distribution = call(policy, f, row[None])
                assert not isinstance(distribution, DiagGaussian)
                several = isinstance(distribution, MultiCategorical)
                choices = distribution.choices if several else [distribution]
                return torch.cat([choice.logits[0].log_softmax(0) for choice in choices])

            scores = torch.autograd.functional.jacobian(log_p, flat)
            total += scores.T @ torch.diag(log_p(flat).exp()) @ scores
            continue

        def natural(f: Tensor, row: Tensor = row) -> Tensor:
            distribution = call(policy, f, row[None])
            assert isinstance(distribution, DiagGaussian)
            return torch.cat([distribution.mean[0], distribution.log_std])

        jacobian = torch.autograd.functional.jacobian(natural, flat)
        precision = torch.exp(-2 * natural(flat)[4:])
        total += jacobian.T @ torch.diag(torch.cat([precision, torch.full((4,), 2.0)])) @ jacobian
    return total / len(x)


def columns(product: Callable[[Tensor], Tensor], size: int) -> Tensor:
    return torch.stack([product(e) for e in torch.eye(size, dtype=torch.float64)], 1)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "space", "activation"), CASES)
def test_products_match_the_dense_fisher_matrix_and_the_hessian_of_the_kl(
    make_policy, kind, space, activation
):
    policy, x = make_policy(kind, space, activation), states()
    size = len(policy.get_flat())
    with torch.no_grad():
        product = columns(LinearizedPolicy(policy, x).fisher_product, size)
    torch.testing.assert_close(product, dense_fisher(policy, x), atol=1e-9, rtol=1e-7)
    torch.testing.assert_close(product, product.T, atol=1e-12, rtol=0)
    assert torch.linalg.eigvalsh(product).min() > -1e-10
    with torch.no_grad():
        old = policy(x)

    def kl(flat: Tensor) -> Tensor:
        return old.kl(call(policy, flat, x)).mean()

    hessian = torch.autograd.functional.hessian(kl, policy.get_flat())
    assert isinstance(hessian, Tensor)
    torch.testing.assert_close(product, hessian, atol=1e-8, rtol=1e-6)


@pytest.mark.parametrize(("kind", "space", "activation"), CASES)
def test_gradient_matches_autograd(make_policy, kind, space, activation):
    policy, x = make_policy(kind, space, activation), states()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        actions = policy(x).sample(generator)
        weights = torch.randn(len(x), generator=generator, dtype=torch.float64)
        gradient = LinearizedPolicy(policy, x).gradient(actions, weights)
    flat = policy.get_flat().requires_grad_()
    surrogate = (call(policy, flat, x).log_prob(actions) * weights).mean()
    (expected,) = torch.autograd.grad(surrogate, flat)
    torch.testing.assert_close(gradient, expected, atol=1e-10, rtol=1e-8)


@pytest.mark.parametrize("cached", [0, 30, 1000])
def test_batches_larger_than_a_part_give_the_same_product(make_policy, monkeypatch, cached):
    policy, x = make_policy("equivariant", BOX), states(100)
    v = torch.randn_like(policy.get_flat())
    with torch.no_grad():
        whole = LinearizedPolicy(policy, x)
        actions, weights = whole.distribution.mode() + 0.1, torch.randn(len(x), dtype=v.dtype)
        monkeypatch.setattr("algos.trpo.fisher.CPU_ROWS", 7)
        monkeypatch.setattr("algos.trpo.fisher.CACHED_ROWS", cached)
        parts = LinearizedPolicy(policy, x)
        torch.testing.assert_close(parts.fisher_product(v), whole.fisher_product(v))
        torch.testing.assert_close(
            parts.gradient(actions, weights), whole.gradient(actions, weights)
        )
        torch.testing.assert_close(parts.distribution.mode(), whole.distribution.mode())


def test_structure_chooses_the_route(make_policy):
    for kind, expected in [
        ("plain", MLPLinearization),
        ("equivariant", MLPLinearization),
        ("general", GeneralLinearization),
    ]:
        assert type(linearize(make_policy(kind, BOX).network, states())) is expected


def spd(size: int = 30) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(size, size, generator=generator, dtype=torch.float64)
    matrix = root @ root.T / size + 0.1 * torch.eye(size, dtype=torch.float64)
    return matrix, torch.randn(size, generator=generator, dtype=torch.float64)


def test_conjugate_gradient_solves_and_reports_its_residual():
    matrix, b = spd()
    x, residual = conjugate_gradient(lambda v: matrix @ v, b, 60, tolerance=1e-24)
    torch.testing.assert_close(x, torch.linalg.solve(matrix, b), atol=1e-8, rtol=0)
    x, residual = conjugate_gradient(lambda v: matrix @ v, b, 5)
    torch.testing.assert_close(residual, b - matrix @ x, atol=1e-10, rtol=0)
    assert residual.norm() > 1e-3


def test_iterations_after_convergence_change_nothing():
    matrix, b = spd(4)
    x, _ = conjugate_gradient(lambda v: matrix @ v, b, 8)
    longer, _ = conjugate_gradient(lambda v: matrix @ v, b, 50)
    assert torch.equal(x, longer)
    zero, _ = conjugate_gradient(lambda v: matrix @ v, torch.zeros_like(b), 5)
    assert torch.equal(zero, torch.zeros_like(b))


def test_indefinite_matrix_stops_the_iteration():
    b = torch.ones(3, dtype=torch.float64)
    x, _ = conjugate_gradient(lambda v: -v, b, 5)
    assert torch.equal(x, torch.zeros_like(b))


@pytest.mark.parametrize("kind", ["plain", "equivariant"])
def test_the_solve_never_waits_for_the_device(make_policy, kind):
    """Meta tensors have no values: reading one on the host raises."""
    policy = make_policy(kind, BOX).to("meta")
    x = torch.empty(50, 7, dtype=torch.float64, device="meta")
    with torch.no_grad():
        old = LinearizedPolicy(policy, x)
        actions, weights = x.new_empty(50, 4), x.new_empty(50)
        gradient = old.gradient(actions, weights)
        natural = natural_gradient(old.fisher_product, gradient, 0.1, 10)
        step = (0.04 / natural.curvature).sqrt() * natural.direction
    assert step.shape == policy.get_flat().shape
    with pytest.raises(RuntimeError, match="meta"):
        natural.curvature.item()

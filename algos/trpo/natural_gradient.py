"""The natural gradient by conjugate gradients (Schulman et al. 2015, Appendix C)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class NaturalGradient:
    """Solution s of (F + λI) s = g; every field is a tensor that nothing has waited for."""

    direction: Tensor  # (P,), s
    curvature: Tensor  # (), sᵀ (F + λI) s, float64
    residual: Tensor  # (), ‖g - (F + λI) s‖ / ‖g‖


def natural_gradient(
    fisher_product: Callable[[Tensor], Tensor], gradient: Tensor, damping: float, iterations: int
) -> NaturalGradient:
    """Solve (F + λI) s = g for the search direction, by conjugate gradients (Appendix C)."""

    def product(v: Tensor) -> Tensor:
        return fisher_product(v).add_(v, alpha=damping)

    direction, rest = conjugate_gradient(product, gradient, iterations)
    residual = rest.norm() / gradient.norm().clamp(min=1e-30)
    return NaturalGradient(direction, _dot(direction, gradient - rest), residual)


def conjugate_gradient(
    product: Callable[[Tensor], Tensor], b: Tensor, iterations: int, tolerance: float = 1e-10
) -> tuple[Tensor, Tensor]:
    """Solve A x = b for a symmetric positive definite A given by its products.

    Runs a fixed number of iterations with every scalar a tensor, so that nothing waits for the
    device. Once ‖r‖² <= tolerance ‖b‖², or where pᵀAp is not positive, x stays as it is. Dot
    products are in float64.

    Args:
        product: v -> A v.
        b: right-hand side (P,).
        iterations: number of products.
        tolerance: relative bound on the squared residual.

    Returns:
        x (P,) and the residual b - A x (P,) that the recursion kept.
    """
    x, r, p = torch.zeros_like(b), b.clone(), b.clone()
    rr = _dot(r, r)
    goal = tolerance * rr
    for _ in range(iterations):
        ap = product(p)
        curvature = _dot(p, ap)
        active = (rr > goal) & (curvature > 0)
        alpha = torch.where(active, rr / curvature, 0.0).to(b.dtype)
        x = torch.where(active, torch.addcmul(x, alpha, p), x)
        r = torch.where(active, torch.addcmul(r, alpha, ap, value=-1), r)
        rr_new = _dot(r, r)
        beta = torch.where(active, rr_new / rr, 0.0).to(b.dtype)
        p = torch.where(active, torch.addcmul(r, beta, p), p)
        rr = rr_new
    return x, r


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a.double(), b.double())

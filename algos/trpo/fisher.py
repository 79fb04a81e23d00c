"""Fisher-vector products and the conjugate gradient method that solves with them.

A linearisation of a network at a batch of inputs offers Jacobian products both ways,
`jvp` (parameters to outputs) and `vjp` (outputs to parameters). The Fisher matrix of a policy is
Jᵀ M J averaged over states, M being the Fisher matrix of the action distribution in the network's
outputs (Schulman et al. 2015, arXiv 1502.05477, Appendix C.1), so one product is one `jvp` and
one `vjp`. For perceptrons both are written out over cached activations; any other network goes
through torch.func.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard

import torch
from torch import Tensor, nn

from algos.nets.networks import MLP, EquivariantMLP, activate, affine, matmul, slope


class Linearization(Protocol):
    """First-order model of a network at fixed parameters and inputs."""

    outputs: Tensor  # (N, K)

    def jvp(self, tangents: Sequence[Tensor]) -> Tensor:
        """Change of the outputs (N, K) for a change of the parameters."""
        ...

    def vjp(self, cotangent: Tensor) -> list[Tensor]:
        """Gradient of sum(cotangent * outputs) by the parameters."""
        ...


class MLPLinearization:
    """Closed-form Jacobian products of a plain or equivariant perceptron."""

    def __init__(self, network: MLP, inputs: Tensor):
        self._network = network
        tensors = [tensor.detach() for tensor in network.tensors]
        self._weights, biases = tensors[::2], tensors[1::2]
        self._inputs = [network.encode(inputs)]  # of each layer, (G, N, width)
        self._slopes: list[Tensor] = []
        for weight, bias in zip(self._weights[:-1], biases[:-1], strict=True):
            z = network.mix(affine(self._inputs[-1], weight, bias))
            h = activate(z, network.activation)
            self._slopes.append(slope(h, network.activation))
            self._inputs.append(network.mix(h))
        self.outputs = network.decode(affine(self._inputs[-1], self._weights[-1], biases[-1]))

    def jvp(self, tangents: Sequence[Tensor]) -> Tensor:
        """Linearised forward pass: dz = x dW + db + dx W, dh = φ'(z) dz."""
        weights, biases = tangents[::2], tangents[1::2]
        change = affine(self._inputs[0], weights[0], biases[0])
        for layer in range(1, len(weights)):
            change = self._through(change, layer)
            own = affine(self._inputs[layer], weights[layer], biases[layer])
            change = own.add_(matmul(change, self._weights[layer]))
        return self._network.decode(change)

    def vjp(self, cotangent: Tensor) -> list[Tensor]:
        """Backward pass."""
        gradients: list[Tensor] = []
        back = self._network.decode_adjoint(cotangent)
        for layer in reversed(range(len(self._weights))):
            weight = matmul(self._inputs[layer].mT, back)
            gradients[:0] = [weight, back[0].sum(0)]
            if layer:
                back = self._through(torch.bmm(back, self._weights[layer].mT), layer)
        return gradients

    def _through(self, h: Tensor, layer: int) -> Tensor:
        """Pass through the derivative of the nonlinearity before `layer`; symmetric."""
        mix = self._network.mix
        return mix(mix(h).mul_(self._slopes[layer - 1]))


class GeneralLinearization:
    """Jacobian products of any network by forward and reverse differentiation."""

    def __init__(self, network: nn.Module, inputs: Tensor):
        names = [name for name, _ in network.named_parameters()]
        self._at = tuple(p.detach() for p in network.parameters())

        def call(*parameters: Tensor) -> Tensor:
            return torch.func.functional_call(
                network, dict(zip(names, parameters, strict=True)), (inputs,)
            )

        self._call = call
        self.outputs, self._vjp, *_ = torch.func.vjp(call, *self._at)

    def jvp(self, tangents: Sequence[Tensor]) -> Tensor:
        """Forward-mode product."""
        return torch.func.jvp(self._call, self._at, tuple(tangents))[1]

    def vjp(self, cotangent: Tensor) -> list[Tensor]:
        """Reverse-mode product."""
        return list(self._vjp(cotangent))


def linearize(network: nn.Module, inputs: Tensor) -> Linearization:
    """Linearise `network` at `inputs` (N, ...), in closed form where its structure allows it."""
    if has_closed_form(network):
        return MLPLinearization(network, inputs)
    return GeneralLinearization(network, inputs)


def has_closed_form(network: nn.Module) -> TypeGuard[MLP]:
    """Whether `MLPLinearization` knows the network's structure; a subclass may have another."""
    return type(network) in (MLP, EquivariantMLP)


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """Concatenate tensors into one vector."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def unflatten(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Views of `flat` in the shapes of `like`."""
    pieces = flat.split([tensor.numel() for tensor in like])
    return [piece.view(tensor.shape) for piece, tensor in zip(pieces, like, strict=True)]


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

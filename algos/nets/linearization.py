"""First-order models of networks.

A linearisation of a network at a batch of inputs offers Jacobian products both ways,
`jvp` (parameters to outputs) and `vjp` (outputs to parameters). For perceptrons both are written
out over cached activations; any other network goes through torch.func.
"""

from collections.abc import Sequence
from typing import Protocol, TypeGuard

import torch
from torch import Tensor, nn

from algos.nets.equivariant import EquivariantMLP
from algos.nets.networks import MLP, activate, affine, matmul, slope


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

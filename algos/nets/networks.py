"""Multilayer perceptrons whose layers are block diagonal: plain ones are a single block."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from algos.usage import UsageError

Activation = Literal["tanh", "elu", "relu"]


def activate(x: Tensor, activation: Activation) -> Tensor:
    """Apply the activation in place and return it."""
    if activation == "tanh":
        if torch.is_grad_enabled() or not x.is_cpu:
            return x.tanh_()
        return x.mul_(2).sigmoid_().mul_(2).sub_(1)  # three times as fast as tanh on a CPU
    return torch.relu_(x) if activation == "relu" else nn.functional.elu_(x)


def slope(y: Tensor, activation: Activation) -> Tensor:
    """Derivative of the activation, from its output `y`."""
    if activation == "tanh":
        return torch.addcmul(y.new_ones(()), y, y, value=-1)
    return (y > 0).to(y.dtype) if activation == "relu" else y.clamp(max=0).add_(1)


ROWS = 1 << 17
"""Inputs that go through a perceptron at a time: the hidden layers of a batch outweigh it."""


class MLP(nn.Module):
    """Fully connected network with a linear last layer.

    Args:
        sizes: widths of input, hidden layers and output.
        activation: nonlinearity of the hidden layers.
        output_gain: scale of the last layer's initial weights.
        generator: source of the initial weights.
    """

    order = 1  # G, elements of the symmetry group

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation = "tanh",
        output_gain: float = 1.0,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        if any(size < 1 for size in sizes):
            raise UsageError(f"layer widths must be positive, got {tuple(sizes)}")
        self.activation: Activation = activation
        dims = self._block_dims(sizes)
        gains = [2**0.5] * (len(dims) - 2) + [output_gain]
        tensors = []
        for rows, columns, gain in zip(dims, dims[1:], gains, strict=False):
            blocks = zip(rows, columns, strict=True)
            weights = [orthogonal(n, m, gain, generator) for n, m in blocks]
            tensors += [stack_padded(weights), torch.zeros(max(columns))]
        self.tensors = nn.ParameterList(tensors)
        """[W1, b1, W2, b2, …]: blocks (G, in, out), biases (out,) of the first block alone."""

    def _block_dims(self, sizes: Sequence[int]) -> list[list[int]]:
        """Widths of the G blocks of every layer's input, then of the output."""
        return [[size] for size in sizes]

    def encode(self, x: Tensor) -> Tensor:
        """Blocks (G, N, n) of inputs (N, sizes[0])."""
        return x[None]

    def decode(self, y: Tensor) -> Tensor:
        """Outputs (N, sizes[-1]) of blocks (G, N, m)."""
        return y[0]

    def decode_adjoint(self, y: Tensor) -> Tensor:
        """Blocks (G, N, m) of cotangents (N, sizes[-1]) of the outputs."""
        return y[None]

    def mix(self, h: Tensor) -> Tensor:
        """Change basis between characters and elements, (G, N, C); its own inverse."""
        return h

    def forward(self, x: Tensor) -> Tensor:
        """Output (..., sizes[-1]) for inputs (..., sizes[0])."""
        parts = x.reshape(-1, x.shape[-1]).split(ROWS)
        return torch.cat([self._forward(part) for part in parts]).unflatten(0, x.shape[:-1])

    def _forward(self, x: Tensor) -> Tensor:
        *hidden, weight, bias = self.tensors
        h = self.encode(x)
        for w, b in zip(hidden[::2], hidden[1::2], strict=True):
            h = self.mix(activate(self.mix(affine(h, w, b)), self.activation))
        return self.decode(affine(h, weight, bias))


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Block-wise x W, the bias added to the first block: only it is invariant."""
    y = matmul(x, weight)
    y[0] += bias
    return y


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Block-wise a b; a narrow result is computed transposed, for which BLAS is faster."""
    return torch.bmm(a, b) if b.shape[-1] > 16 else torch.bmm(b.mT, a.mT).mT.contiguous()


def orthogonal(
    rows: int, columns: int, gain: float, generator: torch.Generator | None = None
) -> Tensor:
    """Random matrix (rows, columns) whose singular values all equal `gain`."""
    device = generator.device if generator is not None else "cpu"
    weight = torch.empty(rows, columns, device=device)
    return nn.init.orthogonal_(weight, gain, generator) if weight.numel() else weight


def stack_padded(blocks: Sequence[Tensor]) -> Tensor:
    """Stack matrices into (G, rows, columns), zeros where a block is smaller than the largest."""
    rows, columns = (max(block.shape[axis] for block in blocks) for axis in (0, 1))
    padded = [
        nn.functional.pad(block, (0, columns - block.shape[1], 0, rows - block.shape[0]))
        for block in blocks
    ]
    return torch.stack(padded)

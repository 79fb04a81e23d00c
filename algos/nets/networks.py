"""Multilayer perceptrons, plain and equivariant under a robot's mirror symmetries.

The equivariant network has hidden layers in the regular representation of a group Z2^k: features
h_g for every element g, which the group permutes as h_g -> h_(g xor k), and weights that depend
on g xor h alone (Cohen & Welling 2016, "Group equivariant convolutional networks"). Such layers
are block diagonal in the group's Walsh-Fourier basis, one block a character, so that is how the
parameters are kept and multiplied: a G-th of the parameters and of the multiplications of a plain
layer of that width. Nonlinearities act on h_g, a Walsh-Hadamard transform away. The plain network
is the case of the trivial group, G = 1.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

Activation = Literal["tanh", "elu", "relu"]


class Symmetry(Protocol):
    """A group Z2^k of G signed permutations acting on observations and actions.

    mirrored[..., i] = sign[g, i] * x[..., index[g, i]]. Element 0 is the identity and the
    composition of elements g and h is the element g ^ h.
    """

    @property
    def observation_index(self) -> np.ndarray:
        """(G, O) int."""
        ...

    @property
    def observation_sign(self) -> np.ndarray:
        """(G, O) of ±1."""
        ...

    @property
    def action_index(self) -> np.ndarray:
        """(G, A) int."""
        ...

    @property
    def action_sign(self) -> np.ndarray:
        """(G, A) of ±1."""
        ...


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
            raise ValueError(f"layer widths must be positive, got {tuple(sizes)}")
        self.activation: Activation = activation
        dims = self._block_dims(sizes)
        gains = [2**0.5] * (len(dims) - 2) + [output_gain]
        tensors = []
        for rows, columns, gain in zip(dims, dims[1:], gains, strict=False):
            blocks = zip(rows, columns, strict=True)
            weights = [orthogonal(n, m, gain, generator) for n, m in blocks]
            tensors += [_stack_padded(weights), torch.zeros(max(columns))]
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


class EquivariantMLP(MLP):
    """A perceptron that commutes with a group Z2^k acting by signed permutations.

    Args:
        sizes: as for `MLP`; hidden widths count all G copies of a feature.
        inputs, outputs: the group's action as index and sign arrays, (G, sizes[0]) and
            (G, sizes[-1]), see `Symmetry`.
        activation, output_gain, generator: as for `MLP`.

    Raises:
        ValueError: a hidden width that G does not divide, or arrays that are no such action.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        inputs: tuple[np.ndarray, np.ndarray],
        outputs: tuple[np.ndarray, np.ndarray],
        activation: Activation = "tanh",
        output_gain: float = 1.0,
        generator: torch.Generator | None = None,
    ):
        check_action("input", *inputs, sizes[0])
        check_action("output", *outputs, sizes[-1])
        self.order = len(inputs[0])
        for width in sizes[1:-1]:
            if width % self.order:
                raise ValueError(
                    f"hidden width {width} is not a multiple of the symmetry group's order "
                    f"{self.order}: choose one that is, or switch the symmetry off"
                )
        input_blocks, output_blocks = isotypic_basis(*inputs), isotypic_basis(*outputs)
        self._ends = [b.shape[1] for b in input_blocks], [b.shape[1] for b in output_blocks]
        super().__init__(sizes, activation, output_gain, generator)
        for name, blocks in (("_encoder", input_blocks), ("_decoder", output_blocks)):
            padded = _stack_padded([torch.from_numpy(b).float() for b in blocks])
            self.register_buffer(name, padded.movedim(0, 1).flatten(1), persistent=False)
        self.register_buffer("_walsh", torch.from_numpy(walsh(self.order)), persistent=False)
        self._encoder: Tensor  # (O, G * n)
        self._decoder: Tensor  # (A, G * m)
        self._walsh: Tensor  # (G, G)

    def _block_dims(self, sizes: Sequence[int]) -> list[list[int]]:
        hidden = [[size // self.order] * self.order for size in sizes[1:-1]]
        return [self._ends[0], *hidden, self._ends[1]]

    def encode(self, x: Tensor) -> Tensor:
        """Parts of inputs (N, O) that transform by each character, (G, N, n)."""
        return (x @ self._encoder).unflatten(1, (self.order, -1)).transpose(0, 1).contiguous()

    def decode(self, y: Tensor) -> Tensor:
        """Inverse of the same decomposition of the outputs."""
        return y.transpose(0, 1).flatten(1) @ self._decoder.T

    def decode_adjoint(self, y: Tensor) -> Tensor:
        """Decompose cotangents (N, A) of the outputs, (G, N, m)."""
        return (y @ self._decoder).unflatten(1, (self.order, -1)).transpose(0, 1).contiguous()

    def mix(self, h: Tensor) -> Tensor:
        """Walsh-Hadamard transform over the group axis of (G, N, C)."""
        return torch.mm(self._walsh, h.view(self.order, -1)).view(h.shape)


def walsh(order: int) -> np.ndarray:
    """Orthonormal character table (G, G) float32 of Z2^k: (-1)^|c & g| / sqrt(G)."""
    elements = np.arange(order)
    odd = np.bitwise_count(elements[:, None] & elements) % 2
    return ((1.0 - 2.0 * odd) / order**0.5).astype(np.float32)


def isotypic_basis(index: np.ndarray, sign: np.ndarray) -> list[np.ndarray]:
    """Orthonormal bases, (n, n_c), of the parts of R^n that transform by each character c.

    The projection onto such a part is Σ_g χ_c(g) ρ(g) / G; the images of one unit vector from
    each orbit of entries span it.
    """
    order, size = index.shape
    matrices = np.zeros((order, size, size))
    for g in range(order):
        matrices[g, np.arange(size), index[g]] = sign[g]
    characters = walsh(order) * order**0.5
    first_of_orbit = np.unique(index.min(axis=0))
    bases = []
    for character in characters:
        images = np.tensordot(character, matrices, 1)[:, first_of_orbit] / order
        norms = np.linalg.norm(images, axis=0)
        bases.append(images[:, norms > 0.1] / norms[norms > 0.1])
    return bases


def build_policy_network(
    sizes: Sequence[int],
    activation: Activation,
    generator: torch.Generator,
    symmetry: Symmetry | None,
) -> MLP:
    """Network from observations to action means (or logits), nearly zero at first."""
    if symmetry is None:
        return MLP(sizes, activation, 0.01, generator)
    inputs = symmetry.observation_index, symmetry.observation_sign
    outputs = symmetry.action_index, symmetry.action_sign
    return EquivariantMLP(sizes, inputs, outputs, activation, 0.01, generator)


def build_value_network(
    sizes: Sequence[int],
    activation: Activation,
    generator: torch.Generator,
    symmetry: Symmetry | None,
) -> MLP:
    """Network from observations to one value, which the group leaves unchanged."""
    if symmetry is None:
        return MLP(sizes, activation, 1.0, generator)
    inputs = symmetry.observation_index, symmetry.observation_sign
    invariant = np.zeros((len(inputs[0]), 1), dtype=np.int64), np.ones((len(inputs[0]), 1))
    return EquivariantMLP(sizes, inputs, invariant, activation, 1.0, generator)


def check_action(name: str, index: np.ndarray, sign: np.ndarray, width: int) -> None:
    """Raise ValueError unless `index` and `sign` (G, width) are an action of Z2^k."""
    order = len(index)
    if order not in (1, 2, 4) or index.shape != (order, width) or sign.shape != index.shape:
        raise ValueError(
            f"{name} symmetry: index {index.shape} and sign {sign.shape} must both be "
            f"(G, {width}) with G = 1, 2 or 4"
        )
    if not np.isin(sign, (-1.0, 1.0)).all():
        raise ValueError(f"{name} symmetry: signs must be 1 or -1, got {np.unique(sign)}")
    if not (np.sort(index, axis=1) == np.arange(width)).all():
        raise ValueError(f"{name} symmetry: every row of index must be a permutation")
    for g in range(order):
        for h in range(order):
            same_index = (index[h][index[g]] == index[g ^ h]).all()
            same_sign = (sign[g] * sign[h][index[g]] == sign[g ^ h]).all()
            if not (same_index and same_sign):
                raise ValueError(
                    f"{name} symmetry: elements {g} and {h} must compose to element {g ^ h}"
                )


def orthogonal(
    rows: int, columns: int, gain: float, generator: torch.Generator | None = None
) -> Tensor:
    """Random matrix (rows, columns) whose singular values all equal `gain`."""
    device = generator.device if generator is not None else "cpu"
    weight = torch.empty(rows, columns, device=device)
    return nn.init.orthogonal_(weight, gain, generator) if weight.numel() else weight


def _stack_padded(blocks: Sequence[Tensor]) -> Tensor:
    """Stack matrices into (G, rows, columns), zeros where a block is smaller than the largest."""
    rows, columns = (max(block.shape[axis] for block in blocks) for axis in (0, 1))
    padded = [
        nn.functional.pad(block, (0, columns - block.shape[1], 0, rows - block.shape[0]))
        for block in blocks
    ]
    return torch.stack(padded)

"""Perceptrons that are equivariant under a robot's mirror symmetries.

The equivariant network has hidden layers in the regular representation of a group Z2^k: features
h_g for every element g, which the group permutes as h_g -> h_(g xor k), and weights that depend
on g xor h alone (Cohen & Welling 2016, "Group equivariant convolutional networks"). Such layers
are block diagonal in the group's Walsh-Fourier basis, one block a character, so that is how the
parameters are kept and multiplied: a G-th of the parameters and of the multiplications of a plain
layer of that width. Nonlinearities act on h_g, a Walsh-Hadamard transform away. The plain network
is the case of the trivial group, G = 1.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from algos.nets.networks import MLP, Activation, stack_padded
from algos.usage import UsageError


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
                raise UsageError(
                    f"hidden width {width} is not a multiple of the symmetry group's order "
                    f"{self.order}: choose one that is, or switch the symmetry off"
                )
        input_blocks, output_blocks = isotypic_basis(*inputs), isotypic_basis(*outputs)
        self._ends = [b.shape[1] for b in input_blocks], [b.shape[1] for b in output_blocks]
        super().__init__(sizes, activation, output_gain, generator)
        for name, blocks in (("_encoder", input_blocks), ("_decoder", output_blocks)):
            padded = stack_padded([torch.from_numpy(b).float() for b in blocks])
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


def check_action(name: str, index: np.ndarray, sign: np.ndarray, width: int) -> None:
    """Raise ValueError unless `index` and `sign` (G, width) are an action of Z2^k."""
    order = len(index)
    if order not in (1, 2, 4) or index.shape != (order, width) or sign.shape != index.shape:
        raise UsageError(
            f"{name} symmetry: index {index.shape} and sign {sign.shape} must both be "
            f"(G, {width}) with G = 1, 2 or 4"
        )
    if not np.isin(sign, (-1.0, 1.0)).all():
        raise UsageError(f"{name} symmetry: signs must be 1 or -1, got {np.unique(sign)}")
    if not (np.sort(index, axis=1) == np.arange(width)).all():
        raise UsageError(f"{name} symmetry: every row of index must be a permutation")
    for g in range(order):
        for h in range(order):
            same_index = (index[h][index[g]] == index[g ^ h]).all()
            same_sign = (sign[g] * sign[h][index[g]] == sign[g ^ h]).all()
            if not (same_index and same_sign):
                raise UsageError(
                    f"{name} symmetry: elements {g} and {h} must compose to element {g ^ h}"
                )

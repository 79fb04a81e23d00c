"""Multilayer perceptrons, plain and equivariant under a robot's mirror symmetries.

Both kinds run through the same dense arithmetic: `assemble` turns the parameters into one dense
matrix and bias a layer, and `fold`, its adjoint, turns gradients of those back into gradients of
the parameters. Both maps are linear; for the plain network they are the identity.
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

    observation_index: np.ndarray  # (G, O) int
    observation_sign: np.ndarray  # (G, O) ±1
    action_index: np.ndarray  # (G, A) int
    action_sign: np.ndarray  # (G, A) ±1


def activate(x: Tensor, activation: Activation) -> Tensor:
    """Apply the activation in place and return it."""
    if activation == "tanh":
        return x.tanh_()
    return torch.relu_(x) if activation == "relu" else nn.functional.elu_(x)


def slope(y: Tensor, activation: Activation) -> Tensor:
    """Derivative of the activation, from its output `y`."""
    if activation == "tanh":
        return torch.addcmul(y.new_ones(()), y, y, value=-1)
    return (y > 0).to(y.dtype) if activation == "relu" else y.clamp(max=0).add_(1)


class MLP(nn.Module):
    """Fully connected network with a linear last layer.

    Args:
        sizes: widths of input, hidden layers and output.
        activation: nonlinearity of the hidden layers.
        output_gain: scale of the last layer's initial weights.
        generator: source of the initial weights.
    """

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
        self.sizes = tuple(sizes)
        self.activation: Activation = activation
        last = len(sizes) - 2
        tensors = []
        for layer in range(last + 1):
            gain = output_gain if layer == last else 2**0.5
            tensors += [self._weight(layer, gain, generator), self._bias(layer)]
        self.tensors = nn.ParameterList(tensors)

    def _weight(self, layer: int, gain: float, generator: torch.Generator | None) -> Tensor:
        return _orthogonal(self.sizes[layer + 1], self.sizes[layer], gain, generator)

    def _bias(self, layer: int) -> Tensor:
        return torch.zeros(self.sizes[layer + 1])

    def assemble(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Dense [W1, b1, W2, b2, …], W (out, in), of tensors shaped as the parameters."""
        return list(tensors)

    def fold(self, dense: Sequence[Tensor]) -> list[Tensor]:
        """Adjoint of `assemble`."""
        return list(dense)

    def dense(self) -> list[Tensor]:
        """The dense layers of the present parameters."""
        return self.assemble(list(self.tensors))

    def forward(self, x: Tensor) -> Tensor:
        """Output (..., sizes[-1]) for inputs (..., sizes[0])."""
        return feed_forward(self.dense(), x, self.activation)


def feed_forward(dense: Sequence[Tensor], x: Tensor, activation: Activation) -> Tensor:
    """Run dense layers [W1, b1, W2, b2, …] on `x`; the last layer is linear."""
    last = len(dense) - 2
    for i in range(0, last, 2):
        x = activate(nn.functional.linear(x, dense[i], dense[i + 1]), activation)
    return nn.functional.linear(x, dense[last], dense[last + 1])


class EquivariantMLP(MLP):
    """A perceptron that commutes with a group Z2^k acting by signed permutations.

    Hidden layers carry the regular representation: features h_g for every element g, permuted
    by the group as h_g -> h_(g xor k). Input blocks are w ρ_in(g), hidden blocks W[g xor h], the
    output is Σ_g ρ_out(g) u h_g; biases are tied over the group. The arithmetic is that of a
    plain network of the same widths with 1/G of the parameters (Cohen & Welling 2016, "Group
    equivariant convolutional networks").

    Args:
        sizes: as for `MLP`; hidden widths count all G copies.
        input_index, input_sign: the group's action on inputs, (G, sizes[0]).
        output_index, output_sign: the group's action on outputs, (G, sizes[-1]).

    Raises:
        ValueError: a hidden width that G does not divide, or arrays that are no such action.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        input_index: np.ndarray,
        input_sign: np.ndarray,
        output_index: np.ndarray,
        output_sign: np.ndarray,
        activation: Activation = "tanh",
        output_gain: float = 1.0,
        generator: torch.Generator | None = None,
    ):
        self.order = len(input_index)
        check_action("input", input_index, input_sign, sizes[0])
        check_action("output", output_index, output_sign, sizes[-1])
        for width in sizes[1:-1]:
            if width % self.order:
                raise ValueError(
                    f"hidden width {width} is not a multiple of the symmetry group's order "
                    f"{self.order}: choose one that is, or switch the symmetry off"
                )
        super().__init__(sizes, activation, output_gain, generator)
        elements = torch.arange(self.order)
        self.register_buffer("_xor", elements[:, None] ^ elements, persistent=False)
        for name, value, dtype in (
            ("_input_index", input_index, torch.int64),
            ("_input_sign", input_sign, torch.float32),
            ("_output_index", output_index, torch.int64),
            ("_output_sign", output_sign, torch.float32),
        ):
            self.register_buffer(name, torch.as_tensor(value).to(dtype), persistent=False)
        self._xor: Tensor
        self._input_index: Tensor
        self._input_sign: Tensor
        self._output_index: Tensor
        self._output_sign: Tensor

    def _weight(self, layer: int, gain: float, generator: torch.Generator | None) -> Tensor:
        fan_in, fan_out, order = self.sizes[layer], self.sizes[layer + 1], self.order
        if 0 < layer < len(self.sizes) - 2:
            flat = _orthogonal(fan_out // order, fan_in, gain, generator)
            return flat.reshape(fan_out // order, order, fan_in // order).movedim(1, 0).contiguous()
        rows, columns = (fan_out // order, fan_in) if layer == 0 else (fan_out, fan_in // order)
        # The assembled matrix gets the Frobenius norm of the plain network's orthogonal one.
        scale = (min(fan_out, fan_in) / (order * min(rows, columns))) ** 0.5
        return _orthogonal(rows, columns, gain * scale, generator)

    def _bias(self, layer: int) -> Tensor:
        width = self.sizes[layer + 1]
        return torch.zeros(width if layer == len(self.sizes) - 2 else width // self.order)

    def assemble(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Dense [W1, b1, …] with hidden units ordered as (element, feature)."""
        w, b, *hidden, u, c = tensors
        first = w[:, self._input_index] * self._input_sign  # (C, G, O)
        dense = [first.movedim(1, 0).flatten(0, 1), b.repeat(self.order)]
        for weight, bias in zip(hidden[::2], hidden[1::2], strict=True):
            blocks = weight[self._xor].permute(0, 2, 1, 3)  # (G, C_out, G, C_in)
            dense += [blocks.flatten(2, 3).flatten(0, 1), bias.repeat(self.order)]
        last = u[self._output_index] * self._output_sign[..., None]  # (G, A, C)
        return [*dense, last.movedim(0, 1).flatten(1, 2), self._project(c)]

    def fold(self, dense: Sequence[Tensor]) -> list[Tensor]:
        """Sum the gradients of all places that a parameter is assembled into."""
        order, elements = self.order, self._xor[0]
        first = dense[0].unflatten(0, (order, -1)) * self._input_sign[:, None]
        w = first[elements[:, None], :, self._input_index].sum(0).T.contiguous()
        tensors = [w, dense[1].unflatten(0, (order, -1)).sum(0)]
        for weight, bias in zip(dense[2:-2:2], dense[3:-2:2], strict=True):
            blocks = weight.unflatten(1, (order, -1)).unflatten(0, (order, -1)).transpose(1, 2)
            tensors.append(blocks[elements[:, None], self._xor].sum(0))
            tensors.append(bias.unflatten(0, (order, -1)).sum(0))
        last = dense[-2].unflatten(1, (order, -1)).movedim(1, 0) * self._output_sign[..., None]
        u = last[elements[:, None], self._output_index].sum(0)
        return [*tensors, u, self._project(dense[-1])]

    def _project(self, bias: Tensor) -> Tensor:
        """Nearest bias that every group element leaves unchanged."""
        return (self._output_sign * bias[self._output_index]).mean(0)


def build_policy_network(
    sizes: Sequence[int],
    activation: Activation,
    generator: torch.Generator,
    symmetry: Symmetry | None,
) -> MLP:
    """Network from observations to action means (or logits), nearly zero at first."""
    if symmetry is None:
        return MLP(sizes, activation, 0.01, generator)
    return EquivariantMLP(
        sizes,
        symmetry.observation_index,
        symmetry.observation_sign,
        symmetry.action_index,
        symmetry.action_sign,
        activation,
        0.01,
        generator,
    )


def build_value_network(
    sizes: Sequence[int],
    activation: Activation,
    generator: torch.Generator,
    symmetry: Symmetry | None,
) -> MLP:
    """Network from observations to one value, which the group leaves unchanged."""
    if symmetry is None:
        return MLP(sizes, activation, 1.0, generator)
    order = len(symmetry.observation_index)
    return EquivariantMLP(
        sizes,
        symmetry.observation_index,
        symmetry.observation_sign,
        np.zeros((order, 1), dtype=np.int64),
        np.ones((order, 1)),
        activation,
        1.0,
        generator,
    )


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


def _orthogonal(rows: int, columns: int, gain: float, generator: torch.Generator | None) -> Tensor:
    device = generator.device if generator is not None else "cpu"
    weight = torch.empty(rows, columns, device=device)
    return nn.init.orthogonal_(weight, gain, generator)

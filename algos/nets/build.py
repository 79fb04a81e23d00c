"""The networks of a policy and of a critic, equivariant where there is a symmetry."""

from collections.abc import Sequence

import numpy as np
import torch

from algos.nets.equivariant import EquivariantMLP, Symmetry
from algos.nets.networks import MLP, Activation


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

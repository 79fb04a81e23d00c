"""A stochastic policy: network and action distribution."""

import math

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from algos.nets.action_space import is_whole, scaling
from algos.nets.distributions import Categorical, DiagGaussian, Distribution, MultiCategorical
from algos.nets.equivariant import Symmetry
from algos.nets.linearization import flatten, unflatten
from algos.usage import SpaceError


class Policy(nn.Module):
    """π(a | s): the network maps normalised observations to an action mean or to logits.

    For Box actions the distribution lives on the normalised box [-1, 1]^A; `to_env` maps its
    samples to the bounds (see `action_space.scaling`) and clips them there, and log-probabilities
    are those of the samples before clipping. With a symmetry, log-stds are shared by the actions
    that the group maps onto each other.

    Args:
        network: any module (N, O) -> (N, A) or (N, K).
        action_space: Box with one axis, Discrete, or MultiDiscrete with one axis.
        symmetry: signed permutations of the actions, or None.
        initial_std: standard deviation of the first policy, in normalised actions.
        min_std: bound that the standard deviation never goes below.
    """

    def __init__(
        self,
        network: nn.Module,
        action_space: spaces.Space,
        symmetry: Symmetry | None = None,
        initial_std: float = 0.4,
        min_std: float = 0.02,
    ):
        super().__init__()
        self.network = network
        self.action_space = action_space
        self._min_log_std = math.log(min_std)
        self.log_std: nn.Parameter | None = None
        if isinstance(action_space, spaces.Box):
            size = action_space.shape[0]
            index = np.arange(size)[None] if symmetry is None else symmetry.action_index
            _, orbit = np.unique(index.min(axis=0), return_inverse=True)  # (A,)
            self.register_buffer("_orbit", torch.as_tensor(orbit), persistent=False)
            self._orbit: Tensor
            self.orbits = int(orbit.max()) + 1
            log_std = torch.full((self.orbits,), math.log(initial_std))
            self.log_std = nn.Parameter(log_std)
            self.centre, self.half_range = scaling(action_space)

    def head(self, outputs: Tensor) -> Distribution:
        """Action distribution from the network's outputs."""
        if self.log_std is not None:
            return DiagGaussian(outputs, self.log_std[self._orbit])
        if isinstance(self.action_space, spaces.MultiDiscrete):
            return MultiCategorical(outputs, tuple(self.action_space.nvec.tolist()))
        return Categorical(outputs)

    def forward(self, observations: Tensor) -> Distribution:
        """Action distribution at normalised observations (..., O)."""
        return self.head(self.network(observations))

    def to_env(self, actions: Tensor) -> np.ndarray:
        """The environment's actions for samples of the distribution."""
        array = actions.cpu().numpy()
        space = self.action_space
        if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
            array = array + space.start
        if isinstance(space, spaces.Box):
            array = array * self.half_range + self.centre
            array = np.floor(array) if is_whole(space) else array
            array = np.clip(array, space.low, space.high)
        return array.astype(space.dtype, copy=False)

    def get_flat(self) -> Tensor:
        """All parameters as one new vector: the network's, then the log-stds."""
        return flatten(self.tensors()).detach()

    def set_flat(self, flat: Tensor) -> None:
        """Copy `flat` into the parameters."""
        tensors = self.tensors()
        with torch.no_grad():
            for tensor, value in zip(tensors, unflatten(flat, tensors), strict=True):
                tensor.copy_(value)

    def project(self, flat: Tensor) -> Tensor:
        """`flat` with the log-stds raised to their floor."""
        if self.log_std is None:
            return flat
        split = len(flat) - len(self.log_std)
        return torch.cat([flat[:split], flat[split:].clamp(min=self._min_log_std)])

    def tensors(self) -> list[Tensor]:
        """The parameters in the order of `get_flat`."""
        own = [] if self.log_std is None else [self.log_std]
        return [*self.network.parameters(), *own]


def output_size(space: spaces.Space) -> int:
    """How many outputs a policy network needs; ValueError for an unsupported action space."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.Box | spaces.MultiDiscrete) and len(space.shape) == 1:
        size = space.shape[0] if isinstance(space, spaces.Box) else int(space.nvec.sum())
        if size:
            return size
    raise SpaceError(
        f"action space {' '.join(str(space).split())} is neither Discrete, nor a MultiDiscrete or "
        "Box with one axis of at least one entry: make it one in a gymnasium.ActionWrapper "
        "(--wrapper MODULE:CLASS)"
    )

"""A stochastic policy: observation normaliser, network and action distribution."""

import math

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from algos.nets.distributions import Categorical, DiagGaussian, Distribution, MultiCategorical
from algos.nets.networks import Symmetry
from algos.trpo.fisher import Linearization, flatten, linearize, unflatten

CPU_ROWS = 2048
"""States of a batch that are linearised at a time; more fall out of the cache."""
DEVICE_ROWS = 1 << 17
"""The same on an accelerator."""
CACHED_ROWS = 1 << 18
"""States whose activations are kept between Fisher-vector products, at 3 kB a state for widths
(256, 128); those of the other states are computed anew for every product."""


class Policy(nn.Module):
    """π(a | s): the network maps normalised observations to an action mean or to logits.

    For Box actions the distribution lives on the normalised box [-1, 1]^A; `to_env` maps its
    samples to the bounds (the identity where one of the two is infinite) and clips them there,
    and log-probabilities are those of the samples before clipping. With a symmetry, log-stds are
    shared by the actions that the group maps onto each other.

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
            low, high = action_space.low, action_space.high
            bounded = np.isfinite(low) & np.isfinite(high)
            low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
            self.centre = ((high + low) / 2).astype(np.float32)
            self.half_range = ((high - low) / 2).astype(np.float32)

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
            return array + space.start
        if isinstance(space, spaces.Box):
            array = np.clip(array * self.half_range + self.centre, space.low, space.high)
        return array.astype(space.dtype, copy=False)

    def get_flat(self) -> Tensor:
        """All parameters as one new vector: the network's, then the log-stds."""
        return flatten(self._tensors()).detach()

    def set_flat(self, flat: Tensor) -> None:
        """Copy `flat` into the parameters."""
        tensors = self._tensors()
        with torch.no_grad():
            for tensor, value in zip(tensors, unflatten(flat, tensors), strict=True):
                tensor.copy_(value)

    def project(self, flat: Tensor) -> Tensor:
        """`flat` with the log-stds raised to their floor."""
        if self.log_std is None:
            return flat
        split = len(flat) - len(self.log_std)
        return torch.cat([flat[:split], flat[split:].clamp(min=self._min_log_std)])

    def _tensors(self) -> list[Tensor]:
        own = [] if self.log_std is None else [self.log_std]
        return [*self.network.parameters(), *own]


def output_size(space: spaces.Space) -> int:
    """How many outputs a policy network needs; ValueError for an unsupported action space."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if len(space.shape or ()) == 1:
        if isinstance(space, spaces.MultiDiscrete):
            return int(space.nvec.sum())
        if isinstance(space, spaces.Box):
            return space.shape[0]
    raise ValueError(
        f"action space {space} is neither Discrete, nor a MultiDiscrete or Box with one axis"
    )


class LinearizedPolicy:
    """First-order model of a policy at its present parameters and a batch of states.

    The states are worked through in parts that stay in the processor's cache.
    """

    def __init__(self, policy: Policy, states: Tensor):
        rows = CPU_ROWS if states.is_cpu else DEVICE_ROWS
        self._policy, self._states = policy, states.split(rows)
        self._cached: list[Linearization] = []
        outputs = []
        for i, part in enumerate(self._states):
            local = linearize(policy.network, part)
            outputs.append(local.outputs)
            if (i + 1) * rows <= CACHED_ROWS:
                self._cached.append(local)
        self._like = [p.detach() for p in policy.network.parameters()]
        self._split, self._count = sum(p.numel() for p in self._like), len(states)
        self.outputs = torch.cat(outputs)
        self.distribution = policy.head(self.outputs)

    def _part(self, i: int) -> Linearization:
        if i < len(self._cached):
            return self._cached[i]
        return linearize(self._policy.network, self._states[i])

    def gradient(self, actions: Tensor, weights: Tensor) -> Tensor:
        """Mean over states of weight ∇ log π(a | s), (P,), with weights (N,)."""
        weights = (weights / self._count)[:, None]
        distribution = self.distribution
        if isinstance(distribution, DiagGaussian):
            by_mean, by_log_std = distribution.score(actions)
            network = self._pull_back(by_mean * weights)
            return torch.cat([network, self._tie((by_log_std * weights).sum(0))])
        return self._pull_back(distribution.score(actions) * weights)

    def fisher_product(self, v: Tensor) -> Tensor:
        """The Fisher matrix averaged over states, times v (P,): Jᵀ M J v / N.

        The block of Gaussian log-stds is exactly 2, its cross terms with the mean are zero.
        """
        tangents = unflatten(v[: self._split], self._like)
        product = torch.zeros_like(v[: self._split])
        for i in range(len(self._states)):
            part = self._part(i)
            head = self._policy.head(part.outputs)
            change = head.fisher(part.jvp(tangents)).div_(self._count)
            product += flatten(part.vjp(change))
        if self._policy.log_std is None:
            return product
        log_std = v[self._split :][self._policy._orbit]
        return torch.cat([product, self._tie(2 * log_std)])

    def _pull_back(self, cotangent: Tensor) -> Tensor:
        """Jᵀ times a cotangent (N, K) of the outputs, for the network's parameters."""
        slices = cotangent.split([len(part) for part in self._states])
        total = cotangent.new_zeros(self._split)
        for i, piece in enumerate(slices):
            total += flatten(self._part(i).vjp(piece))
        return total

    def _tie(self, by_action: Tensor) -> Tensor:
        """Sum entries (A,) over the actions that share a log-std."""
        tied = by_action.new_zeros(self._policy.orbits)
        return tied.index_add_(0, self._policy._orbit, by_action)

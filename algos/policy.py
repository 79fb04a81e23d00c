"""A stochastic policy: observation normaliser, network and action distribution."""

import math

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from algos.distributions import Categorical, DiagGaussian
from algos.fisher import flatten, linearize, unflatten
from algos.networks import Symmetry


class Policy(nn.Module):
    """π(a | s): the network maps normalised observations to an action mean or to logits.

    For Box actions the distribution lives on the normalised box [-1, 1]^A; `to_env` clips and
    maps its samples to the bounds (the identity on unbounded ones), and log-probabilities are
    those of the samples before clipping. With a symmetry, log-stds are shared by the actions
    that the group maps onto each other.

    Args:
        network: any module (N, O) -> (N, A) or (N, K).
        action_space: Box with one axis, or Discrete.
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
            log_std = torch.full((int(orbit.max()) + 1,), math.log(initial_std))
            self.log_std = nn.Parameter(log_std)
            bounded = np.isfinite(action_space.low) & np.isfinite(action_space.high)
            self._bounded = bool(bounded.any())
            low = np.where(bounded, action_space.low, -1.0)
            high = np.where(bounded, action_space.high, 1.0)
            self._clip = np.where(bounded, 1.0, np.inf).astype(np.float32)
            self._centre = ((high + low) / 2).astype(np.float32)
            self._half_range = ((high - low) / 2).astype(np.float32)
            unit = (self._centre == 0).all() and (self._half_range == 1).all()
            self._is_unit_box = bool(unit)

    def head(self, outputs: Tensor) -> DiagGaussian | Categorical:
        """Action distribution from the network's outputs."""
        if self.log_std is None:
            return Categorical(outputs)
        return DiagGaussian(outputs, self.log_std[self._orbit])

    def forward(self, observations: Tensor) -> DiagGaussian | Categorical:
        """Action distribution at normalised observations."""
        return self.head(self.network(observations))

    def to_env(self, actions: Tensor) -> np.ndarray:
        """The environment's actions for samples of the distribution."""
        array = actions.cpu().numpy()
        space = self.action_space
        if isinstance(space, spaces.Discrete):
            return array + space.start
        if self._bounded:
            array = np.clip(array, -self._clip, self._clip)
        if not self._is_unit_box:
            array = array * self._half_range + self._centre
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


class LinearizedPolicy:
    """First-order model of a policy at its present parameters and a batch of states."""

    def __init__(self, policy: Policy, observations: Tensor):
        self._policy = policy
        self._network = linearize(policy.network, observations)
        self._like = [p.detach() for p in policy.network.parameters()]
        self.distribution = policy.head(self._network.outputs)

    def gradient(self, actions: Tensor, weights: Tensor) -> Tensor:
        """Mean over states of weight ∇ log π(a | s), (P,), with weights (N,)."""
        weights = (weights / len(weights))[:, None]
        distribution = self.distribution
        if isinstance(distribution, Categorical):
            return flatten(self._network.vjp(distribution.score(actions) * weights))
        by_mean, by_log_std = distribution.score(actions)
        tensors = self._network.vjp(by_mean * weights)
        return flatten([*tensors, self._tie((by_log_std * weights).sum(0))])

    def fisher_product(self, v: Tensor) -> Tensor:
        """The Fisher matrix averaged over states, times v (P,).

        The block of Gaussian log-stds is exactly 2, its cross terms with the mean are zero.
        """
        count = len(self._network.outputs)
        network_v = v[: v.numel() - self._own()]
        change = self._network.jvp(unflatten(network_v, self._like))
        tensors = self._network.vjp(self.distribution.fisher(change) / count)
        if self._own():
            own_v = v[v.numel() - self._own() :]
            tensors.append(self._tie(2 * own_v[self._policy._orbit]))
        return flatten(tensors)

    def _own(self) -> int:
        return 0 if self._policy.log_std is None else self._policy.log_std.numel()

    def _tie(self, by_action: Tensor) -> Tensor:
        """Sum entries (A,) over the actions that share a log-std."""
        tied = by_action.new_zeros(self._own())
        return tied.index_add_(0, self._policy._orbit, by_action)

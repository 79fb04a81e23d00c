"""Fisher-vector products of a policy.

The Fisher matrix is Jᵀ M J averaged over states, M being the Fisher matrix of the action
distribution in the network's outputs (Schulman et al. 2015, arXiv 1502.05477, Appendix C.1), so
one product is one `jvp` and one `vjp` of the network's linearisation.
"""

import torch
from torch import Tensor

from algos.nets.distributions import DiagGaussian
from algos.nets.linearization import Linearization, flatten, linearize, unflatten
from algos.nets.policy import Policy

CPU_ROWS = 2048
"""States of a batch that are linearised at a time; more fall out of the cache."""
DEVICE_ROWS = 1 << 17
"""The same on an accelerator."""
CACHED_ROWS = 1 << 18
"""States whose activations are kept between Fisher-vector products, at 3 kB a state for widths
(256, 128); those of the other states are computed anew for every product."""


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

"""Action distributions, with their scores and Fisher matrices in the network's outputs.

All sums run over the action dimensions; leading dimensions are batch dimensions.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class DiagGaussian:
    """Normal distribution with independent entries and one log-std for all states."""

    mean: Tensor  # (..., A)
    log_std: Tensor  # (A,)

    def log_prob(self, action: Tensor) -> Tensor:
        """Log density (...) of actions (..., A)."""
        z = (action - self.mean) * torch.exp(-self.log_std)
        constant = self.log_std.sum() + 0.5 * _LOG_2PI * self.mean.shape[-1]
        return -0.5 * z.square().sum(-1) - constant

    def score(self, action: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients (..., A) of the log density by mean and by log-std."""
        precision = torch.exp(-2 * self.log_std)
        difference = action - self.mean
        by_mean = difference * precision
        return by_mean, by_mean * difference - 1

    def fisher(self, v: Tensor) -> Tensor:
        """Fisher matrix of the mean, diag(1/σ²), times v (..., A)."""
        return v * torch.exp(-2 * self.log_std)

    def kl(self, other: "DiagGaussian") -> Tensor:
        """KL(self ‖ other), (...)."""
        ratio = torch.exp(2 * (self.log_std - other.log_std))
        distance = (self.mean - other.mean) * torch.exp(-other.log_std)
        by_std = 0.5 * (ratio - 1) + other.log_std - self.log_std
        return 0.5 * distance.square().sum(-1) + by_std.sum()

    def entropy(self) -> Tensor:
        """Differential entropy in nats, ()."""
        return (self.log_std + 0.5 * (1 + _LOG_2PI)).sum()

    def sample(self, generator: torch.Generator) -> Tensor:
        """Random actions (..., A)."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return torch.addcmul(self.mean, noise, self.log_std.exp())

    def mode(self) -> Tensor:
        """Most likely actions (..., A)."""
        return self.mean


@dataclass(frozen=True)
class Categorical:
    """Distribution over K choices given by logits."""

    logits: Tensor  # (..., K)

    def log_prob(self, action: Tensor) -> Tensor:
        """Log probability (...) of integer actions (...)."""
        return self.logits.log_softmax(-1).gather(-1, action[..., None]).squeeze(-1)

    def score(self, action: Tensor) -> Tensor:
        """Gradient (..., K) of the log probability by the logits."""
        minus_p = -self.logits.softmax(-1)
        return minus_p.scatter_add(-1, action[..., None], torch.ones_like(minus_p))

    def fisher(self, v: Tensor) -> Tensor:
        """Fisher matrix of the logits, diag(p) - p pᵀ, times v (..., K)."""
        p = self.logits.softmax(-1)
        pv = p * v
        return pv - p * pv.sum(-1, keepdim=True)

    def kl(self, other: "Categorical") -> Tensor:
        """KL(self ‖ other), (...)."""
        log_p, log_q = self.logits.log_softmax(-1), other.logits.log_softmax(-1)
        return (log_p.exp() * (log_p - log_q)).sum(-1)

    def entropy(self) -> Tensor:
        """Mean entropy over the batch in nats, ()."""
        log_p = self.logits.log_softmax(-1)
        return -(log_p.exp() * log_p).sum(-1).mean()

    def sample(self, generator: torch.Generator) -> Tensor:
        """Random actions (...), by the Gumbel-max trick."""
        noise = torch.empty_like(self.logits).exponential_(generator=generator)
        return (self.logits - noise.log()).argmax(-1)

    def mode(self) -> Tensor:
        """Most likely actions (...)."""
        return self.logits.argmax(-1)


@dataclass(frozen=True)
class MultiCategorical:
    """Independent choices, given by their logits side by side."""

    logits: Tensor  # (..., K_1 + … + K_M)
    sizes: tuple[int, ...]  # K_1 … K_M

    @property
    def choices(self) -> list[Categorical]:
        """Each choice's own distribution."""
        return [Categorical(logits) for logits in self.logits.split(self.sizes, -1)]

    def log_prob(self, action: Tensor) -> Tensor:
        """Log probability (...) of integer actions (..., M)."""
        pairs = zip(self.choices, action.unbind(-1), strict=True)
        return torch.stack([choice.log_prob(a) for choice, a in pairs]).sum(0)

    def score(self, action: Tensor) -> Tensor:
        """Gradient (..., ΣK) of the log probability by the logits."""
        pairs = zip(self.choices, action.unbind(-1), strict=True)
        return torch.cat([choice.score(a) for choice, a in pairs], -1)

    def fisher(self, v: Tensor) -> Tensor:
        """Block-diagonal Fisher matrix of the logits, times v (..., ΣK)."""
        pairs = zip(self.choices, v.split(self.sizes, -1), strict=True)
        return torch.cat([choice.fisher(part) for choice, part in pairs], -1)

    def kl(self, other: "MultiCategorical") -> Tensor:
        """KL(self ‖ other), (...)."""
        pairs = zip(self.choices, other.choices, strict=True)
        return torch.stack([mine.kl(theirs) for mine, theirs in pairs]).sum(0)

    def entropy(self) -> Tensor:
        """Mean entropy over the batch in nats, ()."""
        return torch.stack([choice.entropy() for choice in self.choices]).sum()

    def sample(self, generator: torch.Generator) -> Tensor:
        """Random actions (..., M)."""
        return torch.stack([choice.sample(generator) for choice in self.choices], -1)

    def mode(self) -> Tensor:
        """Most likely actions (..., M)."""
        return torch.stack([choice.mode() for choice in self.choices], -1)


Distribution = DiagGaussian | Categorical | MultiCategorical

"""Settings of PPO, checked when they are made."""

from dataclasses import dataclass
from typing import Literal

from algos.actor_critic import ActorCriticConfig


@dataclass(frozen=True)
class PPOConfig(ActorCriticConfig):
    """Settings of PPO."""

    clip: float = 0.2
    """ε: how far the probability ratio may leave 1 and still be paid for."""
    learning_rate: float = 3e-4
    """Of the policy's Adam; the first one where the schedule is adaptive."""
    schedule: Literal["constant", "linear", "adaptive"] = "constant"
    """Of the learning rate: linear falls to 0 at the end of the training; adaptive divides or
    multiplies it by 1.5 where a minibatch's KL is above twice, or below half of target_kl."""
    target_kl: float = 0.01
    """Mean KL divergence (nats) from the policy that sampled, for the adaptive schedule."""
    epochs: int = 10
    """Passes of the policy over a batch."""
    minibatches: int = 8
    """Minibatches in a pass."""
    entropy_coefficient: float = 0.0
    """Weight of the entropy in the objective."""
    max_grad_norm: float = 0.5
    """Bound on the norm of a gradient."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of its bounds."""
        super().__post_init__()
        self.require(0 < self.clip < 1, "clip", "lie in (0, 1)")
        for name in ("learning_rate", "target_kl", "max_grad_norm"):
            self.require(0 < getattr(self, name) <= 1e6, name, "lie in (0, 1e6]")
        for name in ("epochs", "minibatches"):
            self.require(1 <= getattr(self, name) <= 10_000, name, "lie in 1 to 10000")
        self.require(0 <= self.entropy_coefficient <= 100, "entropy_coefficient", "lie in [0, 100]")

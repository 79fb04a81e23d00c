"""Settings of TRPO, checked when they are made."""

from dataclasses import dataclass
from typing import Literal

from algos.agent import AgentConfig
from algos.nets.networks import Activation
from algos.usage import UsageError


@dataclass(frozen=True)
class TRPOConfig(AgentConfig):
    """Settings of TRPO."""

    hidden: tuple[int, ...] = (256, 128)
    """Widths of the policy's hidden layers."""
    critic_hidden: tuple[int, ...] = (256, 128)
    """Widths of the critic's hidden layers."""
    activation: Activation = "tanh"
    """Nonlinearity of both networks."""
    symmetry: Literal["auto", "off"] = "auto"
    """auto: equivariant networks where the environment declares a symmetry; off: plain ones."""
    gamma: float = 0.99
    """Discount factor."""
    gae_lambda: float = 0.95
    """λ of generalised advantage estimation."""
    max_kl: float = 0.02
    """Trust region δ: bound on the mean KL divergence of an update, nats."""
    final_kl_fraction: float = 1.0
    """Share of max_kl that δ falls to, linearly over the second half of the training."""
    cg_iterations: int = 10
    """Conjugate-gradient iterations, one Fisher-vector product each."""
    damping: float = 0.1
    """Multiple of the identity added to the Fisher matrix."""
    fisher_fraction: float = 1.0
    """Share of the batch, drawn at random, that the Fisher matrix is averaged over."""
    line_search_steps: int = 10
    """Largest number of step lengths tried."""
    line_search_decay: float = 0.8
    """Factor from one step length to the next."""
    critic_lr: float = 1e-3
    """Learning rate of the critic's Adam."""
    critic_epochs: int = 5
    """Passes of the critic over a batch."""
    critic_minibatches: int = 8
    """Minibatches in a pass."""
    initial_std: float = 0.4
    """Action standard deviation of the first policy, in units of half the action range."""
    min_std: float = 0.02
    """Floor of the action standard deviation, in the same units."""
    normalize_observations: bool = True
    """Whether observations are standardised by running statistics."""
    normalize_advantages: bool = True
    """Whether advantages are standardised over a batch."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of its bounds."""
        super().__post_init__()
        for name in ("hidden", "critic_hidden"):
            widths = getattr(self, name)
            _require(len(widths) <= 16, self, name, "have at most 16 widths")
            _require(all(1 <= w <= 16384 for w in widths), self, name, "have widths in 1 to 16384")
        for name in ("gamma", "gae_lambda"):
            _require(0 <= getattr(self, name) <= 1, self, name, "lie in [0, 1]")
        for name in ("max_kl", "critic_lr"):
            _require(0 < getattr(self, name) <= 100, self, name, "lie in (0, 100]")
        for name in ("initial_std", "min_std"):
            _require(1e-6 <= getattr(self, name) <= 100, self, name, "lie in [1e-6, 100]")
        for name in ("cg_iterations", "line_search_steps", "critic_epochs", "critic_minibatches"):
            _require(1 <= getattr(self, name) <= 10_000, self, name, "lie in 1 to 10000")
        _require(0 <= self.damping <= 1e6, self, "damping", "lie in [0, 1e6]")
        for name in ("fisher_fraction", "final_kl_fraction"):
            _require(0 < getattr(self, name) <= 1, self, name, "lie in (0, 1]")
        _require(0 < self.line_search_decay < 1, self, "line_search_decay", "lie in (0, 1)")
        _require(self.min_std <= self.initial_std, self, "min_std", "be <= initial_std")

    def widths(self, observation: int, outputs: int) -> list[tuple[int, ...]]:
        """Return the widths of the policy's and the critic's layers."""
        return [(observation, *self.hidden, outputs), (observation, *self.critic_hidden, 1)]


def _require(holds: bool, config: TRPOConfig, name: str, bound: str) -> None:
    if not holds:
        raise UsageError(f"TRPOConfig.{name} must {bound}, got {getattr(config, name)}")

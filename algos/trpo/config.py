"""Settings of TRPO, checked when they are made."""

from dataclasses import dataclass

from algos.actor_critic import ActorCriticConfig


@dataclass(frozen=True)
class TRPOConfig(ActorCriticConfig):
    """Settings of TRPO."""

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

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of its bounds."""
        super().__post_init__()
        self.require(0 < self.max_kl <= 100, "max_kl", "lie in (0, 100]")
        for name in ("cg_iterations", "line_search_steps"):
            self.require(1 <= getattr(self, name) <= 10_000, name, "lie in 1 to 10000")
        self.require(0 <= self.damping <= 1e6, "damping", "lie in [0, 1e6]")
        for name in ("fisher_fraction", "final_kl_fraction"):
            self.require(0 < getattr(self, name) <= 1, name, "lie in (0, 1]")
        self.require(0 < self.line_search_decay < 1, "line_search_decay", "lie in (0, 1)")

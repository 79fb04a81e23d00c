"""State-value function, fitted by regression."""

import copy
import logging
from collections.abc import Callable

import torch
from torch import Tensor, nn

from algos.nets.adam import Adam
from algos.nets.linearization import flatten, linearize, unflatten
from algos.nets.networks import MLP
from algos.parallel import ALONE, Group

log = logging.getLogger(__name__)

Gradient = Callable[[Tensor, Tensor], tuple[Tensor, ...]]
"""Gives of observations (N, O) and targets (N, 1) the gradient (P,) and the squared error ()."""


class Critic(nn.Module):
    """V(s) = mean + std · network(s), for returns of any scale.

    `rescale` follows the returns' mean and standard deviation and corrects the last layer so
    that V stays as it was (van Hasselt et al. 2016, arXiv 1602.07714, equation 3); the first
    statistics leave it alone, since nothing is learned yet. With a `group`, statistics and
    gradients are those of all its processes' states.
    """

    mean: Tensor  # (), exponential average of the returns' mean
    square: Tensor  # (), the same of their square
    std: Tensor  # ()
    weight: Tensor  # (), sum of the averages' weights

    def __init__(self, network: MLP):
        super().__init__()
        self.network = network
        for name, value in (("mean", 0.0), ("square", 0.0), ("std", 1.0), ("weight", 0.0)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float64))

    def forward(self, observations: Tensor) -> Tensor:
        """Values (...) of normalised observations (..., O)."""
        return self.network(observations).squeeze(-1) * self.std.float() + self.mean.float()

    @torch.no_grad()
    def rescale(self, returns: Tensor, group: Group = ALONE, decay: float = 0.9) -> None:
        """Follow the statistics of `returns` (N,)."""
        learned, old_mean, old_std = self.weight > 0, self.mean.clone(), self.std.clone()
        weight = decay * self.weight + (1 - decay)
        share = (1 - decay) / weight
        values = returns.double()
        moments = group.mean(torch.stack([values.mean(), values.square().mean()]))
        self.mean.lerp_(moments[0], share)
        self.square.lerp_(moments[1], share)
        self.weight.copy_(weight)
        self.std.copy_((self.square - self.mean**2).clamp(min=1e-8).sqrt())
        *_, u, c = self.network.tensors
        u.copy_(torch.where(learned, u * (old_std / self.std), u))
        c.copy_(torch.where(learned, (old_std * c + old_mean - self.mean) / self.std, c))

    def gradient(self, observations: Tensor, targets: Tensor) -> tuple[Tensor, ...]:
        """Return the mean squared error's gradient (P,), and the sum of the squares ().

        Args:
            observations: normalised, (N, O).
            targets: what the network is to give there, (N, 1).
        """
        local = linearize(self.network, observations)
        error = local.outputs - targets
        return flatten(local.vjp(error * (2 / len(targets)))), error.square().sum()

    def fit(
        self,
        observations: Tensor,
        returns: Tensor,
        optimizer: Adam,
        epochs: int,
        minibatches: int,
        generator: torch.Generator,
        group: Group = ALONE,
        gradient: Gradient | None = None,
    ) -> Tensor:
        """Regress V on `returns` (N,) in random minibatches.

        Gradients come from `gradient`, by default the method.

        Where that ends in a NaN or an infinity, critic and optimizer go back to what they were.

        Returns:
            Mean squared error of the last epoch, in units of the returns' std squared, (); not
            finite where the fit was refused.
        """
        gradient = gradient or self.gradient
        before = copy.deepcopy((self.state_dict(), optimizer.state_dict()))
        self.rescale(returns, group)
        targets = ((returns - self.mean.float()) / self.std.float())[:, None]
        tensors, losses = list(self.network.tensors), observations.new_zeros(())
        for epoch in range(epochs):
            order = torch.randperm(len(targets), generator=generator, device=targets.device)
            for rows in order.chunk(minibatches):
                slope, squares = gradient(observations[rows], targets[rows])
                parts = unflatten(group.mean(slope), tensors)
                for tensor, part in zip(tensors, parts, strict=True):
                    tensor.grad = part
                optimizer.step()
                if epoch == epochs - 1:
                    losses += squares
        loss = group.mean(losses / len(targets))
        moments = [value for state in optimizer.state for value in state.values()]
        held = (loss, *self.state_dict().values(), *moments)
        if bool(torch.stack([tensor.isfinite().all() for tensor in held]).all()):
            return loss
        log.warning("critic step refused: it left the finite numbers, loss %g", float(loss))
        self.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
        return torch.full_like(loss, torch.nan)


def explained_variance(values: Tensor, returns: Tensor, group: Group = ALONE) -> float:
    """1 - Var(return - V) / Var(return): 1 is a perfect V, 0 one no better than a constant."""
    _, (rest, whole) = group.moments(torch.stack([returns - values, returns], dim=1))
    return float(1 - rest / whole.clamp(min=1e-8))

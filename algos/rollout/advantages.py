"""Generalised advantage estimation."""

import torch
from torch import Tensor

from algos.rollout.rollout import Rollout


def generalized_advantages(
    rollout: Rollout,
    values: Tensor,
    last_values: Tensor,
    final_values: Tensor,
    gamma: float,
    gae_lambda: float,
) -> Tensor:
    """Advantages (T, n) by Schulman et al. 2016 (arXiv 1506.02438), equation 16.

    δ_t = r_t + γ V(s_{t+1}) - V(s_t),  Â_t = δ_t + γλ Â_{t+1}. At a termination V(s_{t+1}) is
    zero; at a truncation it is the value of the episode's own last observation; Â_{t+1} counts
    at neither.

    Args:
        rollout: the experience.
        values: V(s_t), (T, n).
        last_values: V of `rollout.next_observations`, (n,).
        final_values: V of `rollout.final_observations`, (F,).
        gamma, gae_lambda: γ and λ.
    """
    next_values = torch.cat([values[1:], last_values[None]])
    next_values.view(-1)[rollout.final_rows] = final_values
    next_values.masked_fill_(rollout.terminated, 0.0)
    advantages = rollout.rewards + gamma * next_values - values
    keep = (gamma * gae_lambda) * (~(rollout.terminated | rollout.truncated)).to(values.dtype)
    for t in reversed(range(len(advantages) - 1)):
        advantages[t].addcmul_(keep[t], advantages[t + 1])
    return advantages

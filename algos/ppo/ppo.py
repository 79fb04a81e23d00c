"""Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347).

Equation numbers are that paper's. An update is its Algorithm 1: K epochs of minibatch Adam on the
clipped objective. What differs: policy and critic are networks of their own, each with its own
Adam, so that equation 9's value term is the critic's regression; advantages come from generalised
advantage estimation (equation 11 is its truncated form) and are standardised; gradients are
clipped; the learning rate may follow the KL divergence (as in Rudin et al. 2021, arXiv
2109.11978); log-stds stay above a floor; time-outs bootstrap.
"""

import copy
import logging
import time
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from algos.actor_critic import ActorCritic
from algos.nets.adam import Adam
from algos.nets.critic import explained_variance
from algos.nets.distributions import DiagGaussian
from algos.nets.linearization import flatten, linearize, unflatten
from algos.ppo.config import PPOConfig
from algos.rollout.rollout import Rollout, sound_samples

log = logging.getLogger(__name__)

LEARNING_RATES = (1e-5, 1e-2)
"""Bounds of the adaptive schedule."""


class PPO(ActorCritic[PPOConfig]):
    """The algorithm: a policy, a critic and the update of both; arguments as of `ActorCritic`."""

    settings = PPOConfig

    @cached_property
    def policy_optimizer(self) -> Adam:
        """The policy's Adam; `optimizer` is the critic's."""
        return Adam(self.policy.parameters(), self.config.learning_rate, eps=1e-5)

    @torch.no_grad()
    def update(self, rollout: Rollout, progress: float = 0.0) -> dict[str, float]:
        """One iteration of the algorithm, on a batch sampled by the present policy.

        Environments with a NaN or an infinity are left out; where none is left, nothing changes.

        Args:
            rollout: the batch.
            progress: share of the training that is done, in [0, 1], for the linear schedule.

        Returns:
            Metrics: KL, clipped share, learning rate, accepted (0 or 1), explained variance, std,
            entropy, value loss, whether the critic's step was refused, the number of environments
            left out, and the seconds that each part took.
        """
        start = time.perf_counter()
        samples, omitted = sound_samples(self.group, rollout, *self.estimate(rollout))
        states, values, advantages, actions, observations = samples
        if not len(states):
            return {"accepted": 0.0, "critic_refused": 1.0, "omitted_environments": omitted}
        returns = advantages + values
        metrics = {"explained_variance": explained_variance(values, returns, self.group)}
        metrics |= self._improve_policy(states, actions, advantages, progress)
        metrics |= self.learn_values(states, returns, observations)
        metrics["omitted_environments"] = omitted
        return metrics | {"seconds_update": time.perf_counter() - start}

    def _improve_policy(
        self, states: Tensor, actions: Tensor, advantages: Tensor, progress: float
    ) -> dict[str, float]:
        """Climb the clipped objective for some epochs; undo that where it leaves the numbers."""
        c, start = self.config, time.perf_counter()
        if c.normalize_advantages:
            advantages = self.standardized(advantages)
        if c.schedule == "linear":
            self.policy_optimizer.lr = c.learning_rate * (1 - progress)
        old, before = self.policy(states), copy.deepcopy(self._learned())
        old_log_prob = old.log_prob(actions)
        for _ in range(c.epochs):
            order = torch.randperm(len(states), generator=self.generator, device=self.device)
            for rows in order.chunk(c.minibatches):
                kl = self._step(states[rows], actions[rows], advantages[rows], old_log_prob[rows])
                if c.schedule == "adaptive":
                    self._follow(float(self.group.mean(kl)))
        new = self.policy(states)
        ratio = torch.exp(new.log_prob(actions) - old_log_prob)
        outside = ((ratio - 1).abs() > c.clip).float()
        kl, clipped = self.group.mean(torch.stack([old.kl(new).mean(), outside.mean()])).tolist()
        metrics = {"accepted": 1.0, "kl": kl, "clipped": clipped, "entropy": float(old.entropy())}
        metrics["learning_rate"] = self.policy_optimizer.lr
        if isinstance(old, DiagGaussian):
            metrics["std"] = float(old.log_std.exp().mean())
        if not bool(self.policy.get_flat().isfinite().all()):
            log.warning("policy step refused: it left the finite numbers")
            self.policy.load_state_dict(before[0])
            self.policy_optimizer.load_state_dict(before[1])
            metrics |= {"accepted": 0.0, "kl": 0.0, "clipped": 0.0}
        return metrics | {"seconds_policy": time.perf_counter() - start}

    def _step(
        self, states: Tensor, actions: Tensor, advantages: Tensor, old_log_prob: Tensor
    ) -> Tensor:
        """Take one step of Adam on a minibatch; return the KL divergence ahead of it, ()."""
        c, log_std = self.config, self.policy.log_std
        local = linearize(self.policy.network, states)
        with torch.enable_grad():
            outputs = local.outputs.detach().requires_grad_()
            policy = self.policy.head(outputs)
            log_ratio = policy.log_prob(actions) - old_log_prob
            ratio = log_ratio.exp()
            clipped = ratio.clamp(1 - c.clip, 1 + c.clip)
            objective = torch.minimum(ratio * advantages, clipped * advantages).mean()  # equation 7
            objective = objective + c.entropy_coefficient * policy.entropy()
            own = [] if log_std is None else [log_std]
            by_outputs, *by_own = torch.autograd.grad(-objective, [outputs, *own])
        gradient = self.group.mean(flatten([*local.vjp(by_outputs), *by_own]))
        gradient *= (c.max_grad_norm / (gradient.norm() + 1e-6)).clamp(max=1.0)
        tensors = self.policy.tensors()
        for tensor, part in zip(tensors, unflatten(gradient, tensors), strict=True):
            tensor.grad = part
        self.policy_optimizer.step()
        self.policy.set_flat(self.policy.project(self.policy.get_flat()))
        return (ratio - 1 - log_ratio).mean().detach()  # Schulman's estimate, never negative

    def _follow(self, kl: float) -> None:
        """Adapt the learning rate to a minibatch's KL divergence."""
        rate, target = self.policy_optimizer.lr, self.config.target_kl
        if kl > 2 * target:
            rate /= 1.5
        elif kl < target / 2:
            rate *= 1.5
        slowest, fastest = LEARNING_RATES
        self.policy_optimizer.lr = min(max(slowest, rate), fastest)

    def _learned(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.policy.state_dict(), self.policy_optimizer.state_dict()

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs."""
        return super().state_dict() | {"policy_optimizer": self.policy_optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.policy_optimizer.load_state_dict(state["policy_optimizer"])

"""Trust-region policy optimisation (Schulman et al. 2015, arXiv 1502.05477).

Section, equation and appendix numbers are that paper's. An update is Section 6: (1) a batch by the
single-path procedure of Section 5.1, (2) the estimates of equation 14's objective and constraint,
(3) their approximate solution by conjugate gradients and a line search, Appendix C. What differs:
advantages take the place of Q (equation 3 allows it), come from generalised advantage estimation
(Schulman et al. 2016, arXiv 1506.02438) and are standardised; F + λI takes the place of the Fisher
matrix F, so β is a little shorter; the line search keeps log-stds above a floor; δ may shrink as
the training goes on; time-outs bootstrap.
"""

import logging
import math
import time
from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from algos.actor_critic import ActorCritic
from algos.nets.critic import explained_variance
from algos.nets.cuda_graph import Replayed
from algos.nets.distributions import DiagGaussian, Distribution
from algos.nets.linearization import has_closed_form
from algos.rollout.rollout import Rollout, sound_samples
from algos.trpo.config import TRPOConfig
from algos.trpo.fisher import LinearizedPolicy
from algos.trpo.natural_gradient import natural_gradient

log = logging.getLogger(__name__)


class TRPO(ActorCritic[TRPOConfig]):
    """The algorithm: a policy, a critic and the update of both; arguments as of `ActorCritic`."""

    settings = TRPOConfig

    @cached_property
    def _search(self) -> Callable[..., tuple[Tensor, ...]]:
        """`_search_direction`, as one CUDA graph where it can be one."""
        closed = has_closed_form(self.policy.network)
        graph = self.device.type == "cuda" and closed and self.group.size == 1
        return Replayed(self._search_direction) if graph else self._search_direction

    @torch.no_grad()
    def update(self, rollout: Rollout, progress: float = 0.0) -> dict[str, float]:
        """One iteration of the algorithm, on a batch sampled by the present policy.

        Environments with a NaN or an infinity are left out; where none is left, nothing changes.

        Args:
            rollout: the batch.
            progress: share of the training that is done, in [0, 1]; see `final_kl_fraction`.

        Returns:
            Metrics: KL and its bound, surrogate gain, CG residual, backtracks, accepted (0 or 1),
            explained variance, std, entropy, value loss, whether the critic's step was refused,
            the number of environments left out, and the seconds that each part took.
        """
        c, start = self.config, time.perf_counter()
        samples, omitted = sound_samples(self.group, rollout, *self.estimate(rollout))
        states, values, advantages, actions, observations = samples
        if not len(states):
            return {"accepted": 0.0, "critic_refused": 1.0, "omitted_environments": omitted}
        returns = advantages + values
        metrics = {"explained_variance": explained_variance(values, returns, self.group)}
        max_kl = c.max_kl * (1 + (c.final_kl_fraction - 1) * max(0.0, 2 * progress - 1))
        metrics |= self._improve_policy(states, actions, advantages, max_kl)
        metrics |= self.learn_values(states, returns, observations)
        metrics["omitted_environments"] = omitted
        return metrics | {"seconds_update": time.perf_counter() - start}

    def _improve_policy(
        self, states: Tensor, actions: Tensor, advantages: Tensor, max_kl: float
    ) -> dict[str, float]:
        """Maximise E[π/π_old Â] subject to E[KL(π_old ‖ π)] <= max_kl = δ (equation 14)."""
        c, start = self.config, time.perf_counter()
        if c.normalize_advantages:
            advantages = self.standardized(advantages)
        rows = [self._subset(len(states))] if c.fisher_fraction < 1 else []
        outputs, gradient, s, curvature, residual = self._search(states, actions, advantages, *rows)
        metrics = {
            "cg_residual": float(residual),
            "gradient_norm": float(gradient.norm()),
            "seconds_cg": time.perf_counter() - start,
        }
        start = time.perf_counter()
        old = self.policy.head(outputs)
        length = float((2 * max_kl / curvature).sqrt())  # β = √(2δ / sᵀ(F + λI)s)
        if math.isfinite(length):
            metrics |= self._line_search(length * s, max_kl, old, states, actions, advantages)
        else:
            log.warning("policy step refused: sᵀ(F + λI)s = %g", float(curvature))
            metrics |= {"accepted": 0.0, "kl": 0.0, "surrogate_gain": 0.0, "backtracks": 0.0}
        metrics["max_kl"] = max_kl
        metrics["seconds_line_search"] = time.perf_counter() - start
        metrics["entropy"] = float(old.entropy())
        if isinstance(old, DiagGaussian):
            metrics["std"] = float(old.log_std.exp().mean())
        return metrics

    def _search_direction(
        self, states: Tensor, actions: Tensor, advantages: Tensor, rows: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Solve (F + λI) s = g at the present policy, without waiting for the device (Appendix C).

        g is the gradient of equation 14's objective; F, the Hessian of its constraint, is averaged
        over `rows` of the states (Appendix C.1), over all by default.

        Returns:
            Network outputs (N, K), g (P,), s (P,), sᵀ(F + λI)s () and the relative residual ().
        """
        old = LinearizedPolicy(self.policy, states)
        g = self.group.mean(old.gradient(actions, advantages))
        fisher = old if rows is None else LinearizedPolicy(self.policy, states[rows])
        c = self.config

        def product(v: Tensor) -> Tensor:
            return self.group.mean(fisher.fisher_product(v))

        natural = natural_gradient(product, g, c.damping, c.cg_iterations)
        return old.outputs, g, natural.direction, natural.curvature, natural.residual

    def _subset(self, count: int) -> Tensor:
        """Random rows of a batch of `count`, drawn anew every iteration."""
        order = torch.randperm(count, generator=self.generator, device=self.device)
        return order[: max(1, round(self.config.fisher_fraction * count))]

    def _line_search(
        self,
        step: Tensor,
        max_kl: float,
        old: Distribution,
        states: Tensor,
        actions: Tensor,
        advantages: Tensor,
    ) -> dict[str, float]:
        """Take the longest step with mean KL <= max_kl and a better surrogate, or none at all.

        Step lengths decay from β on; KL and surrogate are equation 14's, not their models.
        """
        before, old_log_prob = self.policy.get_flat(), old.log_prob(actions)
        kl, gain, tries = math.nan, math.nan, self.config.line_search_steps
        for backtracks in range(tries):
            scale = self.config.line_search_decay**backtracks
            self.policy.set_flat(self.policy.project(before + scale * step))
            new = self.policy(states)
            ratio_change = torch.expm1(new.log_prob(actions) - old_log_prob)
            surrogate_gain = (ratio_change * advantages).mean()
            kl, gain = self.group.mean(torch.stack([old.kl(new).mean(), surrogate_gain])).tolist()
            if kl <= max_kl and 0 < gain < math.inf:
                step_metrics = {"kl": kl, "surrogate_gain": gain, "backtracks": float(backtracks)}
                return {"accepted": 1.0, **step_metrics}
        self.policy.set_flat(before)
        log.warning("line search found no step: KL %g, surrogate gain %g at the last", kl, gain)
        return {"accepted": 0.0, "kl": 0.0, "surrogate_gain": 0.0, "backtracks": float(tries)}

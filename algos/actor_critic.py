"""What algorithms with a policy and a critic share: settings, networks, estimates, state."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from algos.agent import AgentConfig
from algos.nets.adam import Adam
from algos.nets.build import build_policy_network, build_value_network
from algos.nets.critic import Critic, Gradient
from algos.nets.cuda_graph import Replayed
from algos.nets.equivariant import Symmetry
from algos.nets.linearization import has_closed_form
from algos.nets.networks import Activation
from algos.nets.normalizer import ObservationNormalizer
from algos.nets.policy import Policy, output_size
from algos.parallel import ALONE, Group
from algos.rollout.advantages import generalized_advantages
from algos.rollout.collector import check_observation_space, observation_tensor
from algos.rollout.rollout import Rollout
from algos.usage import UsageError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ActorCriticConfig(AgentConfig):
    """Settings of the networks, the critic's regression and the advantages."""

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
    """Whether observations are standardised by running statistics, and clipped."""
    normalize_advantages: bool = True
    """Whether advantages are standardised over a batch."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of its bounds."""
        super().__post_init__()
        for name in ("hidden", "critic_hidden"):
            widths = getattr(self, name)
            self.require(len(widths) <= 16, name, "have at most 16 widths")
            self.require(all(1 <= w <= 16384 for w in widths), name, "have widths in 1 to 16384")
        for name in ("gamma", "gae_lambda"):
            self.require(0 <= getattr(self, name) <= 1, name, "lie in [0, 1]")
        self.require(0 < self.critic_lr <= 100, "critic_lr", "lie in (0, 100]")
        for name in ("initial_std", "min_std"):
            self.require(1e-6 <= getattr(self, name) <= 100, name, "lie in [1e-6, 100]")
        for name in ("critic_epochs", "critic_minibatches"):
            self.require(1 <= getattr(self, name) <= 10_000, name, "lie in 1 to 10000")
        self.require(self.min_std <= self.initial_std, "min_std", "be <= initial_std")

    def require(self, holds: bool, name: str, bound: str) -> None:
        """Raise a ValueError that names a setting, its bound and its value."""
        if not holds:
            problem = f"{type(self).__name__}.{name} must {bound}, got {getattr(self, name)}"
            raise UsageError(problem)

    def widths(self, observation: int, outputs: int) -> list[tuple[int, ...]]:
        """Return the widths of the policy's and the critic's layers."""
        return [(observation, *self.hidden, outputs), (observation, *self.critic_hidden, 1)]


C = TypeVar("C", bound=ActorCriticConfig)


class ActorCritic(Generic[C]):
    """A policy and a critic, on observations that one normaliser has seen.

    An algorithm adds `update` and names its `settings`.

    Args:
        observation_space: Box with one axis.
        action_space: Box with one axis, Discrete, or MultiDiscrete with one axis.
        config: settings; None takes the defaults.
        symmetry: the environment's mirror symmetry (`envs.unwrapped.symmetry`), or None.
        device: where networks and batches live.
        seed: seed of the one generator that all randomness comes from.
        group: the processes that update together, each on a batch of its own.

    Raises:
        ValueError: a space that is not supported, or widths that do not suit the symmetry.
    """

    settings: type[C]

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        config: C | None = None,
        symmetry: Symmetry | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
        group: Group = ALONE,
    ):
        config = config or self.settings()
        self.config, self.group = config, group
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        size, outputs = check_observation_space(observation_space), output_size(action_space)
        if config.symmetry == "off" or not isinstance(action_space, spaces.Box):
            symmetry = None
        network = build_policy_network(
            (size, *config.hidden, outputs), config.activation, self.generator, symmetry
        )
        value_network = build_value_network(
            (size, *config.critic_hidden, 1), config.activation, self.generator, symmetry
        )
        policy = Policy(network, action_space, symmetry, config.initial_std, config.min_std)
        self.policy = policy.to(self.device)
        clip = {} if config.normalize_observations else {"clip": math.inf}
        self.normalizer = ObservationNormalizer(size, symmetry, **clip).to(self.device)
        self.critic = Critic(value_network).to(self.device)
        if not group.main:  # the same networks, other actions
            self.generator.manual_seed(group.seed(seed, 0))
        self.optimizer = Adam(self.critic.parameters(), config.critic_lr)

    @torch.inference_mode()
    def act(self, observations: np.ndarray, deterministic: bool = False) -> np.ndarray:
        """The environment's actions (n, ...) for observations (n, O)."""
        tensor = observation_tensor(observations).to(self.device)
        distribution = self.policy(self.normalizer(tensor))
        sampled = distribution.mode() if deterministic else distribution.sample(self.generator)
        return self.policy.to_env(sampled)

    @torch.inference_mode()
    def sample(self, observations: Tensor) -> tuple[Tensor, np.ndarray]:
        """Random actions (n, ...) for observations (n, O): as sampled, and the environment's."""
        actions = self.policy(self.normalizer(observations)).sample(self.generator)
        return actions, self.policy.to_env(actions)

    @torch.no_grad()
    def estimate(self, rollout: Rollout) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised observations (T, n, O), values (T, n) and advantages (T, n) of a batch."""
        c, states = self.config, self.normalizer(rollout.observations)
        values = self.critic(states)
        last = self.critic(self.normalizer(rollout.next_observations))
        final = self.critic(self.normalizer(rollout.final_observations))
        advantages = generalized_advantages(rollout, values, last, final, c.gamma, c.gae_lambda)
        return states, values, advantages

    def learn_values(
        self, states: Tensor, returns: Tensor, observations: Tensor
    ) -> dict[str, float]:
        """Fit the critic and show the normaliser what it has not seen; return metrics.

        Args:
            states: normalised observations, (N, O).
            returns: what the critic is to give there, (N,).
            observations: the states before they were normalised, (N, O).
        """
        c, start = self.config, time.perf_counter()
        sweeps = c.critic_epochs, c.critic_minibatches, self.generator, self.group
        equal = len(states) % c.critic_minibatches == 0  # a graph is of one shape
        gradient = self._critic_gradient if equal else None
        loss = float(self.critic.fit(states, returns, self.optimizer, *sweeps, gradient))
        if c.normalize_observations:
            self.normalizer.update(observations, self.group)
        seconds, refused = time.perf_counter() - start, float(not math.isfinite(loss))
        return {"value_loss": loss, "seconds_critic": seconds, "critic_refused": refused}

    @cached_property
    def _critic_gradient(self) -> Gradient:
        """The critic's `gradient`, as one CUDA graph where it can be one."""
        closed = has_closed_form(self.critic.network)
        graph = self.device.type == "cuda" and closed
        return Replayed(self.critic.gradient) if graph else self.critic.gradient

    def standardized(self, advantages: Tensor) -> Tensor:
        """Advantages (N,) less their mean, over their std, of every process's batch."""
        mean, variance = self.group.moments(advantages)
        return (advantages - mean) / (variance.sqrt() + 1e-8)

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs."""
        return {
            "policy": self.policy.state_dict(),
            "normalizer": self.normalizer.state_dict(),
            "critic": self.critic.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.policy.load_state_dict(state["policy"])
        self.normalizer.load_state_dict(state["normalizer"])
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])
        generator = state["generator"].cpu()
        if len(generator) == len(self.generator.get_state()):
            self.generator.set_state(generator)
        else:
            log.warning("the checkpoint is of another kind of device: other random numbers follow")

"""The two contracts of learning: what an algorithm offers, and what it asks of an environment.

Training, playing and export know an algorithm as `Agent` alone; an algorithm is a class that
offers it, a dataclass of settings, and a line in `algos.registry.ALGORITHMS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from torch import Tensor

from algos.nets.equivariant import Symmetry
from algos.nets.normalizer import ObservationNormalizer
from algos.nets.policy import Policy
from algos.parallel import Group
from algos.rollout.rollout import Rollout
from algos.typed import require_types

Act = Callable[[np.ndarray], np.ndarray]
"""Observations (n, O) to the environment's actions (n, ...)."""


@dataclass(frozen=True)
class AgentConfig:
    """Settings of an algorithm; each is on the command line as --algo.NAME."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value of another type than declared."""
        require_types(self)

    def widths(self, observation: int, outputs: int) -> list[tuple[int, ...]]:
        """Widths of each network's layers, input and output too, for an estimate of memory."""
        return []


class Agent(Protocol):
    """A policy that learns.

    All randomness comes from `generator`, and `state_dict` holds all that learning goes on from:
    a resumed training is then bitwise the one that was never stopped.
    """

    policy: Policy
    normalizer: ObservationNormalizer
    """With the policy all that playing restores: the entries `policy` and `normalizer` of
    `state_dict` are theirs."""
    device: torch.device
    """Where batches are wanted."""
    generator: torch.Generator
    """Its state is the entry `generator` of `state_dict`, which each process has for itself."""

    def act(self, observations: np.ndarray, deterministic: bool = False) -> np.ndarray:
        """Return the environment's actions (n, ...) for observations (n, O)."""
        ...

    def sample(self, observations: Tensor) -> tuple[Tensor, np.ndarray]:
        """Return random actions (n, ...) for observations (n, O): as sampled, and as taken."""
        ...

    def update(self, rollout: Rollout, progress: float = 0.0) -> dict[str, float]:
        """Learn from a batch that the present policy sampled.

        Args:
            rollout: the batch, (T, n, ...); numbers in it may be NaN or infinite.
            progress: share of the training that is done, in [0, 1].

        Returns:
            Metrics, columns of metrics.csv. `critic_refused` must be among them: 1 where nothing
            was learned because numbers were not finite, which ends a training when it goes on,
            and 0 elsewhere. `kl` is shown while training, `max_kl` drawn beside it.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a resumed training needs, as nested dicts of tensors."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        ...


class Algorithm(Protocol):
    """What makes an agent, a class for example.

    Raises:
        ValueError: spaces that it does not support, or settings that do not suit them.
    """

    def __call__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        config: Any,
        *,
        symmetry: Symmetry | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
        group: Group = ...,
    ) -> Agent: ...


class LearnableEnv(Protocol):
    """What the collector reads of a `gymnasium.vector.VectorEnv`, beyond Gymnasium's own.

    Asked of every one: AutoresetMode.SAME_STEP, observations that are a Box with one axis, and
    info["final_obs"] (n, O) with an episode's true last observation, for time-outs go on in
    V(final_obs). Gymnasium's arrays of objects will do.

    Optional are the members below, and in info["trot"]:
    `episode_means`, a dict of means over the episode, (n,) each, read where one ends: the columns
    episode/NAME;
    `diverged` (n,) bool, simulations that went wrong;
    `faults`, a list of dicts of arrays, what is kept of each for a replay.
    All else in `info` is the environment's own.
    """

    symmetry: Symmetry | None
    """Mirrors of observations and actions, for equivariant networks."""
    transitions: int
    """Transitions of the whole training so far, for a curriculum; it outlives the episodes."""

    levels: Any
    """What a curriculum has reached, with `state_dict` and `load_state_dict` of the entry `levels`
    of the environments' own; it outlives the episodes, too."""

    def state_dict(self) -> dict[str, Any]:
        """Return where the environments stand, as nested dicts of arrays, numbers and None."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back there.

        Raises:
            NotRepeatableError: they cannot; new episodes begin.
        """
        ...


def symmetry_of(envs: VectorEnv) -> Symmetry | None:
    """Return the mirrors that environments declare, None where they know of none."""
    return getattr(envs.unwrapped, "symmetry", None)

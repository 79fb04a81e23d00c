"""Settings by Gymnasium id and algorithm: one table, and a default for every id not in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from algos.agent import AgentConfig
from algos.ppo.config import PPOConfig
from algos.trpo.config import TRPOConfig

C = TypeVar("C", bound=AgentConfig)


@dataclass(frozen=True)
class Preset:
    """What training an id takes."""

    total_steps: int = 1_000_000
    """Transitions over all environments."""
    num_envs: int = 8
    """Environments stepped together."""
    rollout_steps: int = 128
    """Control steps of each environment in one iteration."""
    eval_interval: int = 200
    """Iterations between evaluations."""
    tuned: tuple[AgentConfig, ...] = (TRPOConfig(final_kl_fraction=0.1),)
    """Settings of algorithms that were tuned for the id, one of each at most."""

    def algo(self, kind: type[C]) -> C:
        """Return the settings of an algorithm, its own defaults where none were tuned."""
        return next((config for config in self.tuned if type(config) is kind), None) or kind()


_LOCOMOTION = TRPOConfig(
    activation="elu",
    gamma=0.97,
    gae_lambda=0.9,
    max_kl=0.04,
    final_kl_fraction=0.1,
    fisher_fraction=0.5,
    initial_std=0.2,
    min_std=0.1,
)
_LOCOMOTION_PPO = PPOConfig(
    activation="elu",
    gamma=0.97,
    gae_lambda=0.9,
    initial_std=0.2,
    min_std=0.1,
    schedule="adaptive",
    learning_rate=1e-3,
    target_kl=0.02,
    epochs=5,
    minibatches=4,
)
_SMALL = TRPOConfig(hidden=(64, 64), critic_hidden=(64, 64), gae_lambda=0.98)
_PENDULUM = replace(
    _SMALL,
    gamma=0.9,
    gae_lambda=0.95,
    max_kl=0.03,
    critic_epochs=20,
    final_kl_fraction=0.1,
    initial_std=1.0,
    min_std=0.45,
    normalize_observations=False,
)
_WIDE = TRPOConfig(initial_std=1.0, final_kl_fraction=0.1)
_SWIMMER = replace(_WIDE, gamma=0.9999, gae_lambda=0.98)

_WALK = Preset(
    total_steps=8_000_000, num_envs=128, rollout_steps=32, tuned=(_LOCOMOTION, _LOCOMOTION_PPO)
)
_STAND = replace(_WALK, total_steps=1_300_000)
_RUN = replace(_WALK, total_steps=5_000_000)
_FAR = {"gamma": 0.99, "gae_lambda": 0.95, "initial_std": 0.4, "min_std": 0.05}
"""Getting up takes two seconds, and no noise of 0.2 finds it."""
_RECOVER = Preset(
    total_steps=5_000_000,
    num_envs=128,
    rollout_steps=32,
    tuned=(replace(_LOCOMOTION, **_FAR), replace(_LOCOMOTION_PPO, **_FAR)),
)

PRESETS: dict[str, Preset] = {
    "trot/Walk-v0": _WALK,
    "trot/Stand-v0": _STAND,
    "trot/Command-v0": _WALK,
    "trot/Run-v0": _RUN,
    "trot/Recover-v0": _RECOVER,
    "trot/AnymalWalk-v0": _WALK,
    "trot/AnymalStand-v0": _STAND,
    "CartPole-v1": Preset(
        total_steps=60_000, num_envs=16, rollout_steps=64, eval_interval=5, tuned=(_SMALL,)
    ),
    "Pendulum-v1": Preset(
        total_steps=100_000, num_envs=8, rollout_steps=256, eval_interval=5, tuned=(_PENDULUM,)
    ),
    "Walker2d-v5": Preset(tuned=(_WIDE,)),
    "Swimmer-v5": Preset(tuned=(_SWIMMER,)),
}


_HWANGBO_2019 = {
    "activation": "tanh",
    "hidden": (256, 128),
    "critic_hidden": (192, 128),
    "gamma": 0.998,
    "gae_lambda": 0.99,
    "initial_std": 1.0 / 3.0,
    "min_std": 0.004**0.5 / 3.0,
}
"""Hwangbo et al. 2019 (arXiv 1901.08652); their noise is in units of 0.5 rad of a joint target,
Trot's in three of these. Of a batch's 100,000 samples there 8,192 are left, for large ones waste
them, so that a training has as many iterations, about 2,500, in a twelfth of the transitions."""
_HWANGBO_2019_UP = {
    "critic_hidden": (128, 128),
    "gamma": 0.993,
    "gae_lambda": 0.97,
    "initial_std": 0.6 / 3.0,
    "min_std": 0.02**0.5 / 3.0,
}
_PAPER = Preset(
    total_steps=20_000_000,
    num_envs=128,
    rollout_steps=64,
    tuned=(replace(_LOCOMOTION, **_HWANGBO_2019), replace(_LOCOMOTION_PPO, **_HWANGBO_2019)),
)
_PAPER_UP = Preset(
    total_steps=10_000_000,
    num_envs=256,
    rollout_steps=32,
    tuned=tuple(replace(config, **_HWANGBO_2019_UP) for config in _PAPER.tuned),
)

RECIPES: dict[str, dict[str, Preset]] = {
    "paper": {
        "trot/Command-v0": _PAPER,
        "trot/Run-v0": _PAPER,
        "trot/Recover-v0": _PAPER_UP,
    }
}
"""Of other recipes of a task than its own, by the recipe's name and the id."""


def preset(env_id: str, recipe: str | None = None) -> Preset:
    """Return the settings of an id; without its own those of trot/ tasks, or the general ones.

    Args:
        env_id: Gymnasium id.
        recipe: of a trot/ task; one without settings of its own takes the id's.
    """
    if found := RECIPES.get(recipe or "", {}).get(env_id):
        return found
    return PRESETS.get(env_id, _WALK if str(env_id).startswith("trot/") else Preset())

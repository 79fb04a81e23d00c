"""Settings by Gymnasium id: one table, and a default for every id that is not in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from algos.trpo.config import TRPOConfig


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
    algo: TRPOConfig = TRPOConfig(final_kl_fraction=0.1)
    """Settings of the algorithm."""


_LOCOMOTION = TRPOConfig(initial_std=0.2, min_std=0.1, fisher_fraction=0.5, final_kl_fraction=0.1)
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

PRESETS: dict[str, Preset] = {
    "trot/AnymalWalk-v0": Preset(8_000_000, 128, 32, algo=_LOCOMOTION),
    "trot/AnymalStand-v0": Preset(1_300_000, 128, 32, algo=_LOCOMOTION),
    "CartPole-v1": Preset(60_000, 16, 64, 5, _SMALL),
    "Pendulum-v1": Preset(100_000, 8, 256, 5, _PENDULUM),
    "Walker2d-v5": Preset(algo=_WIDE),
    "Swimmer-v5": Preset(algo=replace(_WIDE, gamma=0.9999, gae_lambda=0.98)),
}


def preset(env_id: str) -> Preset:
    """Return the settings of an id, the general ones where it has none of its own."""
    return PRESETS.get(env_id, Preset())

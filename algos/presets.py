"""Settings by Gymnasium id: one table, and a default for every id that is not in it."""

from __future__ import annotations

from dataclasses import dataclass

from algos.trpo import TRPOConfig


@dataclass(frozen=True)
class Preset:
    """What training an id takes."""

    total_steps: int = 1_000_000
    """Transitions over all environments."""
    num_envs: int = 16
    """Environments stepped together."""
    rollout_steps: int = 128
    """Control steps of each environment in one iteration."""
    algo: TRPOConfig = TRPOConfig()
    """Settings of the algorithm."""


_LOCOMOTION = TRPOConfig(initial_std=0.2, max_kl=0.02)

PRESETS: dict[str, Preset] = {
    "trot/AnymalWalk-v0": Preset(10_000_000, 256, 32, _LOCOMOTION),
    "trot/AnymalStand-v0": Preset(1_000_000, 256, 32, _LOCOMOTION),
}


def preset(env_id: str) -> Preset:
    """Return the settings of an id, the general ones where it has none of its own."""
    return PRESETS.get(env_id, Preset())

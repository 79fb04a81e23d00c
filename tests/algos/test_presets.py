"""Sizes belong to the id, settings to the id and the algorithm."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from algos.agent import AgentConfig
from algos.presets import PRESETS, Preset, preset
from algos.trpo.config import TRPOConfig


@dataclass(frozen=True)
class OtherConfig(AgentConfig):
    """Of an algorithm that nobody has tuned."""

    rate: float = 0.5


@pytest.mark.parametrize("env_id", [*PRESETS, "Ant-v5"])
def test_an_untuned_algorithm_takes_its_own_defaults(env_id: str) -> None:
    assert preset(env_id).algo(OtherConfig) == OtherConfig()


def test_an_id_keeps_the_settings_of_each_algorithm_apart() -> None:
    known = Preset(tuned=(TRPOConfig(gamma=0.9), OtherConfig(rate=0.1)))
    assert known.algo(TRPOConfig).gamma == 0.9
    assert known.algo(OtherConfig).rate == 0.1


def test_an_id_of_any_robot_is_trained_as_that_of_the_one() -> None:
    for task in ("Walk", "Stand"):
        assert preset(f"trot/{task}-v0") == preset(f"trot/Anymal{task}-v0")
    assert preset("trot/Stand-v0").total_steps < preset("trot/Walk-v0").total_steps


def test_an_id_without_a_preset_takes_the_general_one() -> None:
    assert preset("Ant-v5").algo(TRPOConfig) == TRPOConfig(final_kl_fraction=0.1)


def test_a_recipe_has_settings_of_its_own_or_the_ids() -> None:
    own = preset("trot/Run-v0", "paper")
    assert own != preset("trot/Run-v0") == preset("trot/Run-v0", "trot")
    assert preset("trot/Run-v0", "earned") == preset("trot/Run-v0")
    assert preset("CartPole-v1", None) == preset("CartPole-v1")
    assert own.algo(TRPOConfig).gamma == 0.998
    assert preset("trot/Recover-v0", "paper").algo(TRPOConfig).gamma == 0.993


def test_types_of_settings_are_checked() -> None:
    for wrong in ("fast", True, None, (1.0,)):
        with pytest.raises(ValueError, match=r"OtherConfig\.rate is .*must fit"):
            OtherConfig(rate=wrong)  # pyright: ignore[reportArgumentType]
    assert OtherConfig(rate=1).rate == 1

"""Curricula whose levels follow iterations, or what was achieved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from algos.rollout.collector import Collector
from envs import tasks
from envs.mdp.commands import Commands
from envs.mdp.curriculum import Curriculum, Earned, Geometric, Levels
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import assert_same, run, task


def test_geometric_levels_are_the_papers() -> None:
    """k_{j+1} = k_j ** k_d, one iteration after the other."""
    curriculum, k = Geometric(initial=0.3, power=0.997, every=100), 0.3
    for j in range(50):
        assert curriculum.level(100 * j) == pytest.approx(k)
        assert curriculum.level(100 * j + 99) == pytest.approx(k)
        k **= 0.997
    assert curriculum.level(10**7) == pytest.approx(1.0)


def ended(errors: list[float], falls: list[float]) -> dict[str, np.ndarray]:
    return {"lin_vel_error": np.array(errors), "fall": np.array(falls)}


def test_a_level_is_earned_episode_by_episode() -> None:
    curriculum = Earned(initial=0.4, step=0.25, error=0.3, share=0.75, episodes=4)
    levels = Levels({"commands": curriculum})
    all_four = np.ones(4, bool)

    def level() -> float:
        return levels(10**9)["commands"]

    good, wide = ended([0.1, 0.2, 0.29, 0.5], [0] * 4), ended([0.1, 0.2, 0.31, 0.5], [0] * 4)
    levels.count(wide, all_four)  # two of four
    assert level() == 0.4
    levels.count(good, np.array([True, True, False, False]))  # not yet four
    assert level() == 0.4
    levels.count(good, np.array([False, False, True, True]))  # three of four
    assert level() == pytest.approx(0.65)
    levels.count(ended([0.1] * 4, [0, 0, 1, 1]), all_four)  # falls are no success
    assert level() == pytest.approx(0.65)
    for _ in range(3):
        levels.count(good, all_four)
    assert level() == 1.0
    assert levels(0)["rewards"] == 1.0


def test_what_was_earned_is_kept() -> None:
    curricula: dict[str, Any] = {"commands": Earned(episodes=4), "rewards": Curriculum()}
    first, second = Levels(curricula), Levels(curricula)
    first.count(ended([0.1] * 6, [0] * 6), np.ones(6, bool))
    first.count(ended([0.1] * 3, [0] * 3), np.ones(3, bool))
    second.load_state_dict(first.state_dict())
    assert_same(second.state_dict(), first.state_dict())
    assert second(0)["commands"] == pytest.approx(0.45)
    for levels in (first, second):  # the fourth episode
        levels.count(ended([0.1], [0]), np.ones(1, bool))
        assert levels(0)["commands"] == pytest.approx(0.5)


def test_commands_widen_as_episodes_succeed() -> None:
    config = tasks.make("run", get_robot("anymal_c"), "earned")
    easy = Earned(initial=0.4, step=0.3, error=100.0, share=0.0, episodes=8)
    config = replace(config, episode_length=0.04, curricula={"commands": easy})
    env = LocomotionVectorEnv(8, config=config)
    env.reset(seed=0)
    fastest = env.state.velocity_command[:, 0].max()
    assert fastest <= 0.4 * 3
    run(env, 2, np.random.default_rng(0))
    assert env.levels(0)["commands"] == pytest.approx(0.7)
    again = LocomotionVectorEnv(8, config=config)
    again.load_state_dict(env.state_dict())
    ahead = [run(e, 6, np.random.default_rng(1)) for e in (env, again)]
    assert_same(ahead[0], ahead[1])
    assert again.levels(0)["commands"] == 1.0


def test_what_was_earned_outlives_another_number_of_environments() -> None:
    def collector(n: int) -> Collector:
        config = replace(task(), curricula={"commands": Earned(episodes=4)})
        env = LocomotionVectorEnv(n, config=config)
        return Collector(env, lambda seen: (seen, np.zeros((n, 12))), 1, seed=0)

    many, few = collector(3), collector(1)
    many.envs.unwrapped.levels.count(ended([0.1] * 6, [0] * 6), np.ones(6, bool))
    few.load_state_dict(many.state_dict(), rows=False)
    assert few.envs.unwrapped.levels(0)["commands"] == pytest.approx(0.45)


def test_values_out_of_bounds_are_told() -> None:
    for make, message in (
        (lambda: Geometric(power=0.0), "curriculum power is 0.0; .*in \\(0, 1\\]"),
        (lambda: Geometric(every=0), "curriculum every is 0; .*at least 1"),
        (lambda: Earned(share=1.5), "curriculum share is 1.5; .*in \\[0, 1\\]"),
        (lambda: Earned(error=0.0), "curriculum error is 0.0; .*above 0 m/s"),
        (lambda: Earned(episodes=0), "curriculum episodes is 0; .*whole number"),
        (
            lambda: (
                task(commands=Commands({}))
                and replace(task(commands=Commands({})), curricula={"commands": Earned()})
            ),
            "curriculum commands is earned; .*without commanded velocities",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            make()

"""The evaluations of a training: its task's measures, beside the numbers that choose best.pt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import train
from algos.training.evaluate import evaluate
from envs.judge import protocol
from envs.task import as_judged
from envs.vector import LocomotionVectorEnv
from tests.envs.judge.test_protocol import stand_still, thrash
from trot import training

WALK = training.defaults("trot/AnymalWalk-v0")
assert WALK.env is not None


def short(seconds: float, **changes: Any) -> training.TrainConfig:
    assert WALK.env is not None
    task = replace(WALK.env, protocol=replace(WALK.env.protocol, seconds=seconds))
    return replace(WALK, env=task, eval_episodes=3, **changes)


def test_an_evaluation_holds_the_measures_that_the_protocol_finds() -> None:
    config = short(1.0)
    assert config.env is not None
    task = as_judged(config.env)
    found = train.evaluate_policy(config, stand_still)
    seed = config.seed + 1_000_000
    judged = protocol.evaluate(stand_still, task, episodes=3, seed=seed)
    expected = {name: judged[name]["mean"] for name in task.measures}
    own = {n.partition("/")[2]: value for n, value in found.items() if "/" in n}
    assert own == pytest.approx({n: v for n, v in expected.items() if v is not None})
    assert own["lin_vel_error"] > 0
    assert {"measure/power", "share/fall_rate", "fraction/duty_factor"} <= found.keys()


def test_measuring_changes_no_other_number_of_an_evaluation() -> None:
    config = short(2.0)
    assert config.env is not None
    env = LocomotionVectorEnv(3, config=as_judged(config.env))
    plain = evaluate(thrash, env, 3, seed=config.seed + 1_000_000)
    found = train.evaluate_policy(config, thrash)
    assert {name: found[name] for name in plain} == plain
    assert found["fall"] == found["share/fall_rate"] > 0
    np.testing.assert_allclose(found["measure/lin_vel_error"], plain["lin_vel_error"], rtol=0.1)

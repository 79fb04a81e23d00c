"""Speeds that are held: small recordings by hand, and a policy that stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs import tasks
from envs.judge import speeds
from envs.mdp.commands import Commands
from envs.task import Protocol, TaskConfig, as_judged
from robots import get_robot
from tests.envs.helpers import made_up_recording


def judged(*commanded: float) -> TaskConfig:
    task = tasks.make("run", get_robot("anymal_c"))
    return as_judged(replace(task, protocol=Protocol(speeds=commanded)))


def test_a_speed_is_held_if_no_second_is_slower() -> None:
    recording = made_up_recording(750, 3)  # 15 s at 0.5 m/s, as commanded
    velocity, alive = recording.velocity.copy(), recording.alive.copy()
    velocity[:250, :, 0] = 0.0  # the first 5 s do not count
    velocity[400:450, 1, 0] = 0.3  # one slow second
    velocity[500:, 1, 0] = 0.9
    alive[700:, 2] = False
    found = speeds.held(replace(recording, velocity=velocity, alive=alive), settle=5.0)
    np.testing.assert_allclose(found["held"], [0.5, 0.3, 0.0])
    error = (50 * 0.2 + 250 * 0.4) / 500
    np.testing.assert_allclose(found["lin_vel_error"], [0.0, error, np.nan], atol=1e-12)
    assert found["fall_rate"].tolist() == [0.0, 0.0, 1.0]


def test_robots_that_stand_hold_no_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speeds, "ROBOTS", 3)
    monkeypatch.setattr(speeds, "HELD", 1.0)
    asked = []

    def agent(n: int) -> speeds.Act:
        asked.append(n)
        return lambda observations: np.zeros((len(observations), 12))

    found = speeds.evaluate(agent, judged(0.5, 1.0), seed=1)
    assert asked == [6]
    assert found["held"] == pytest.approx(0.0, abs=0.1)
    assert [rung["command"] for rung in found["speeds"]] == [0.5, 1.0]
    for rung in found["speeds"]:
        assert rung["lin_vel_error"]["mean"] == pytest.approx(rung["command"], abs=0.05)
        assert rung["fall_rate"]["mean"] == 0.0
    assert speeds.table(found)[1][0] == "0.50"


def test_95_of_100_must_hold_it() -> None:
    fast = np.r_[np.zeros(5), np.full(95, 2.5)]
    assert speeds.held_by(fast) == 2.5
    assert speeds.held_by(np.r_[0.0, fast[:-1]]) == 0.0
    assert speeds.held_by(np.array([3.0, 1.0, 2.0])) == 1.0


def test_a_speed_must_be_one() -> None:
    with pytest.raises(ValueError, match="protocol speeds is 1000"):
        Protocol(speeds=(1000.0,))
    with pytest.raises(ValueError, match=r"protocol speeds is \(1\.0,\); it must be \(\) without"):
        replace(judged(1.0), commands=Commands({}))

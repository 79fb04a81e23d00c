"""The evaluation protocol: errors, falls, masks, intervals, reproducibility."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from envs import tasks
from envs.judge import protocol
from envs.judge.intervals import bootstrap
from envs.mdp.commands import Command, Commands
from envs.mdp.measures import MEASURES, Measure
from envs.mdp.recording import Recording
from envs.mdp.starts import NOMINAL, SCATTERED
from envs.sim.randomization import STANDARD, Randomization
from envs.task import ANY_PHASE, TaskConfig, as_judged, with_command
from envs.tasks.walk import HWANGBO_2019
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import made_up_recording

COMMAND = (0.8, -0.3, 0.5)  # m/s, m/s, rad/s


def judged(task: str = "walk", seconds: float = 1.0) -> TaskConfig:
    """A task under its protocol, cut short."""
    config = as_judged(tasks.make(task, get_robot("anymal_c")))
    return replace(config, episode_length=seconds)


def stand_still(observations: np.ndarray) -> np.ndarray:
    return np.zeros((len(observations), 12))


def thrash(observations: np.ndarray) -> np.ndarray:
    """Drive all joints from one end to the other, as the joints' speeds would have it."""
    return np.where(np.arange(12) % 2 == 0, 1.0, -1.0) * np.ones((len(observations), 1))


def test_who_stands_still_errs_by_the_command() -> None:
    config = with_command(judged(seconds=2.0), COMMAND)
    results = protocol.evaluate(stand_still, config, episodes=3, seed=0)
    assert results["lin_vel_error"]["mean"] == pytest.approx(np.hypot(0.8, 0.3), abs=0.05)
    assert results["yaw_rate_error"]["mean"] == pytest.approx(0.5, abs=0.05)
    assert results["fall_rate"]["mean"] == 0.0
    assert results["duty_factor"]["mean"] > 0.9


def test_results_hold_every_measure_and_are_json() -> None:
    results = protocol.evaluate(stand_still, judged(), episodes=2, seed=5)
    assert list(results) == [*MEASURES, "episodes", "seed"]
    assert (results["episodes"], results["seed"]) == (2, 5)
    for name in MEASURES:
        assert set(results[name]) == {"mean", "low", "high"}
    json.dumps(results, allow_nan=False)


def test_who_is_not_told_to_move_has_no_gait() -> None:
    results = protocol.evaluate(stand_still, judged("stand", 0.5), episodes=2, seed=0)
    for name in ("stride_frequency", "swing_apex", "foot_slip", "cost_of_transport"):
        assert results[name] == {"mean": None, "low": None, "high": None}
    assert results["mean_torque"]["mean"] > 0


def test_falls_are_counted_once_a_robot() -> None:
    results = protocol.evaluate(thrash, judged(seconds=3.0), episodes=3, seed=0)
    assert results["fall_rate"] == pytest.approx(
        {"mean": 1.0, "low": 0.4385, "high": 1.0}, abs=1e-4
    )


@pytest.mark.slow
def test_same_seed_same_results() -> None:
    first, again, other = (
        protocol.evaluate(stand_still, judged(), episodes=4, seed=seed) for seed in (3, 3, 4)
    )
    assert first == again
    assert first["lin_vel_error"] != other["lin_vel_error"]


def test_the_command_is_the_one_that_the_policy_saw() -> None:
    config = judged()
    config = replace(config, commands=replace(config.commands, interval=(0.1, 0.1)))
    env = LocomotionVectorEnv(2, config=config, autoreset=False)
    block = env.layout["command"]
    seen = []

    def act(observations: np.ndarray) -> np.ndarray:
        seen.append(observations[:, block].copy())
        return stand_still(observations)

    command = protocol.run(act, env, seed=0).command
    scale = config.observations["command"].scale
    np.testing.assert_allclose(command * scale, seen, rtol=1e-6)
    changes = np.flatnonzero((command[1:] != command[:-1]).any(axis=(1, 2)))
    assert changes.tolist() == list(range(4, 49, 5))  # every 0.1 s = 5 control steps


def test_a_policy_acts_at_once_on_a_command_that_it_is_given() -> None:
    env = LocomotionVectorEnv(2, config=judged(seconds=0.1), autoreset=False)
    seen: list[np.ndarray] = []

    def act(observations: np.ndarray) -> np.ndarray:
        seen.append(observations[:, env.layout["command"]])
        return stand_still(observations)

    given = np.array([0.4, 0.0, -0.2])
    command = protocol.run(
        act, env, 0, lambda step: env.set_command(given) if step == 2 else None
    ).command
    scale = env.config.observations["command"].scale
    np.testing.assert_allclose(command * scale, seen, rtol=1e-6)
    np.testing.assert_array_equal(command[2:], np.broadcast_to(given, (3, 2, 3)))


@pytest.mark.slow
def test_robots_that_start_anew_are_recorded_until_they_fall() -> None:
    """The recording of an environment with autoreset is that of one without, to the first fall."""
    config, steps = judged(seconds=2.0), 100
    recorders = [
        protocol.Recorder(LocomotionVectorEnv(3, config=config, autoreset=auto))
        for auto in (True, False)
    ]
    for recorder in recorders:
        observations, _ = recorder.reset(seed=0)
        for _ in range(steps):
            observations, *_ = recorder.step(thrash(observations))
    anew, once = (recorder.recording() for recorder in recorders)
    falls = np.argmin(once.alive, axis=0)
    assert 0 < falls.min() < steps
    assert not anew.alive[-1].any()
    first = slice(falls.min() + 1)
    for name in ("alive", "command", "velocity", "torque", "foot_contact", "base_height"):
        np.testing.assert_array_equal(getattr(anew, name)[first], getattr(once, name)[first])


def test_metrics_are_means_over_the_robots_that_have_a_number() -> None:
    r = made_up_recording(10, 2)
    r.alive[:, 1] = False
    found = protocol.means(r, MEASURES)
    assert found["share/fall_rate"] == 0.5
    assert found["measure/lin_vel_error"] == 0.0
    r.alive[:] = False
    assert protocol.means(r, MEASURES) == {"share/fall_rate": 1.0}


def test_a_robot_that_falls_at_once_is_left_out_of_the_means() -> None:
    r = made_up_recording(10, 2)
    r.alive[:, 1] = False
    results = protocol.summarize(r, MEASURES, seed=0)
    assert np.isnan(MEASURES["lin_vel_error"](r)[1])
    assert results["lin_vel_error"]["mean"] == 0.0
    assert results["fall_rate"]["mean"] == 0.5


def test_bootstrap_interval_is_that_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(3.0, 2.0, 400)
    interval = bootstrap(values, rng)
    half = 1.96 * values.std() / np.sqrt(400)
    assert interval["mean"] == pytest.approx(values.mean())
    assert interval["low"] == pytest.approx(values.mean() - half, abs=0.04)
    assert interval["high"] == pytest.approx(values.mean() + half, abs=0.04)


def test_the_protocol_switches_randomness_off_unless_asked() -> None:
    walk = tasks.make("walk", get_robot("anymal_c"))
    plain = as_judged(walk)
    assert plain.randomization == Randomization()
    assert plain.start == NOMINAL
    assert plain.commands.interval == (2.0, 2.0)
    assert plain.commands.standing_share == 0.0
    assert plain.commands.entries == walk.commands.entries
    assert plain.curricula == {}
    assert plain.episode_length == 30.0
    hard = as_judged(walk, randomize=True)
    assert hard.randomization == replace(STANDARD, phase=ANY_PHASE)
    assert hard.start == SCATTERED


def test_standing_is_judged_from_tilted_starts_and_through_pushes() -> None:
    stand = as_judged(tasks.make("stand", get_robot("anymal_c")))
    assert stand.start.params == {"tilt": 0.15, "joint": 0.15, "velocity": 0.5}
    laws = stand.randomization
    assert (laws.push, laws.push_interval) == ((0.5, 0.5), 5.0)
    assert (laws.noise, laws.mass, laws.com, laws.friction, laws.gains) == (0.0, *[None] * 4)
    hard = as_judged(tasks.make("stand", get_robot("anymal_c")), randomize=True)
    assert hard.start == stand.start
    assert (hard.randomization.push, hard.randomization.mass) == ((0.5, 0.5), STANDARD.mass)


def lowest(recording: Recording, *, above: float) -> np.ndarray:
    """How far the base stays above a height (m) at its lowest."""
    return (recording.base_height - above).min(axis=0)


def test_a_task_is_judged_by_its_own_measures() -> None:
    own = {
        "base_height": MEASURES["base_height"],
        "lowest": Measure(lowest, "m", reference=0.123, params={"above": 0.1}),
        "fall_rate": MEASURES["fall_rate"],
    }
    results = protocol.evaluate(stand_still, replace(judged(), measures=own), episodes=2)
    assert list(results) == [*own, "episodes", "seed"]
    assert 0.3 < results["lowest"]["mean"] <= results["base_height"]["mean"] - 0.1
    head, *rows = protocol.table(results, own)
    assert len(head) == 4
    assert [row[0] for row in rows] == ["base height (m)", "lowest (m)", "fall rate"]
    mean, low, high = (results["lowest"][k] for k in ("mean", "low", "high"))
    assert rows[1][1:] == [f"{mean:.3f}", f"{low:.3f} to {high:.3f}", "0.123"]
    assert [row[3] for row in rows] == ["", "0.123", ""]


def test_only_what_has_references_is_compared() -> None:
    results = protocol.summarize(made_up_recording(10, 2), MEASURES, seed=0)
    assert all(len(row) == 3 for row in protocol.table(results, MEASURES))
    walk = tasks.make("walk", get_robot("anymal_c")).measures
    shown = {row[0].split(" (")[0]: row[3] for row in protocol.table(results, walk)[1:]}
    assert {n.replace("_", " "): str(v) for n, v in HWANGBO_2019.items()} == {
        name: reference for name, reference in shown.items() if reference
    }


@pytest.mark.parametrize("entries", [{}, {"height": Command((0.4, 0.6), "m")}])
def test_a_task_without_velocity_commands_has_no_errors(entries: dict[str, Command]) -> None:
    rewards = {name: judged().rewards[name] for name in ("torque", "termination")}
    config = replace(judged(), commands=Commands(entries), rewards=rewards)
    results = protocol.evaluate(stand_still, config, episodes=2)
    for name in ("lin_vel_error", "yaw_rate_error", "cost_of_transport", "stride_frequency"):
        assert results[name] == {"mean": None, "low": None, "high": None}
    assert results["base_height"]["mean"] > 0.4
    rows = {row[0]: row[1:] for row in protocol.table(results, config.measures)}
    assert rows["lin vel error (m/s)"][:2] == ["none", ""]


def test_no_episodes_is_refused() -> None:
    with pytest.raises(ValueError, match="episodes is 0"):
        protocol.evaluate(stand_still, judged(), episodes=0)

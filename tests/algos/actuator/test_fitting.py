"""Fitting a drive's model: data of both kinds, known drives found again, sane far from the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import train
from algos.actuator import data, fitting
from algos.actuator.data import Measurements
from algos.actuator.fitting import Fitting, rms
from algos.actuator.model import ActuatorModel
from algos.usage import UsageError
from envs.sim.actuators import pack, unpack

RATE, LAGS = 400.0, (0.0, 0.005, 0.01)
QUICK = Fitting(units=4, networks=2, steps=300)


def series(n: int = 800) -> dict[str, np.ndarray]:
    """A joint that swings, and a drive of 40 N·m/rad and 2 N·m·s/rad, 5 ms late, that saturates.

    Sampled at 400 Hz.
    """
    t = np.arange(n) / RATE
    error = 0.2 * np.sin(9 * t) + 0.15 * np.sin(23 * t + 1)
    speed = 2.0 * np.cos(9 * t + 0.5) + 1.5 * np.sin(17 * t)
    asked = 40 * np.roll(error, 2) - 2 * np.roll(speed, 2)
    torque = 15 * np.tanh(asked / 15)
    torque[:2] = 0.0
    return {"position_error": error, "joint_velocity": speed, "torque": torque}


def measured(tmp_path: Path) -> Measurements:
    path = tmp_path / "series.npz"
    np.savez(path, **series())  # pyright: ignore[reportArgumentType]
    return data.load(path, RATE, LAGS)


def test_series_histories_and_csv_say_the_same(tmp_path: Path) -> None:
    columns, depth = series(200), 6
    from_series = tmp_path / "series.npz"
    np.savez(from_series, **columns)  # pyright: ignore[reportArgumentType]
    ends = np.arange(depth - 1, 200)
    oldest_first = ends[:, None] + np.arange(1 - depth, 1)
    from_histories = tmp_path / "histories.npz"
    np.savez(
        from_histories,
        position_error=columns["position_error"][oldest_first],
        joint_velocity=columns["joint_velocity"][oldest_first],
        torque=columns["torque"][ends],
    )
    from_csv, lines = tmp_path / "series.csv", [",".join(columns)]
    lines += [",".join(repr(float(v)) for v in row) for row in zip(*columns.values(), strict=True)]
    from_csv.write_text("\n".join(lines))
    one, two, three = (
        data.load(path, RATE, LAGS) for path in (from_series, from_histories, from_csv)
    )
    np.testing.assert_array_equal(one.inputs[1:], two.inputs)
    np.testing.assert_array_equal(one.torque[1:], two.torque)
    np.testing.assert_array_equal(one.inputs, three.inputs)
    k = 4  # the first sample whose oldest lag, 10 ms, was measured
    error, speed = columns["position_error"], columns["joint_velocity"]
    np.testing.assert_array_equal(
        one.inputs[0], [error[k], error[k - 2], error[0], speed[k], speed[k - 2], speed[0]]
    )
    assert one.error[0] == error[k]
    assert one.speed[0] == speed[k]
    whole = data.load(from_histories, RATE, None)
    assert whole.lags == tuple(i / RATE for i in range(depth))


def test_the_split_is_in_time(tmp_path: Path) -> None:
    samples = measured(tmp_path)
    early, late = samples.split(0.75)
    assert (len(early), len(late)) == (597, 199)
    np.testing.assert_array_equal(np.append(early.torque, late.torque), samples.torque)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"torque": None}, "lacks torque; it must hold position_error, joint_velocity, torque"),
        ({"torque": np.full(800, np.nan)}, "torque has values that are not finite"),
        ({"torque": np.zeros(799)}, "position_error is (800,); it must be (799, 'H')"),
        ({"joint_velocity": np.ones((800, 4))}, "joint_velocity is (800, 4); it must be (800,)"),
        ({"joint_velocity": np.zeros(800)}, "joint_velocity is 0 throughout; measure a drive that"),
        ({"torque": np.zeros(800)}, "torque is 0 throughout"),
    ],
)
def test_data_that_cannot_be_used(
    change: dict[str, np.ndarray | None], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "series.npz"
    content = {n: part for n, part in (series() | change).items() if part is not None}
    np.savez(path, **content)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError) as refused:
        data.load(path, RATE, LAGS)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--fitting.learning-rate", "nan"], "--fitting.learning-rate is nan"),
        (["--fitting.weight-decay", "-1"], "--fitting.weight-decay is -1.0"),
        (["--lags", "0", "nan"], "--lags is (0.0, nan); it must be times in [0, 1] s"),
        (["--seed", "1e25"], "--seed is "),
    ],
)
def test_settings_out_of_bounds_are_refused(given: list[str], told: str, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "model.npz")]
    with pytest.raises(UsageError) as refused:
        train.main(["actuator", str(tmp_path / "series.npz"), *out, *given])
    assert told in str(refused.value)


def test_lags_that_the_data_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "series.npz"
    np.savez(path, **series(60))  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError, match=r"--lags has 0.004 s; .* 0.0025 s at --rate 400"):
        data.load(path, RATE, (0.0, 0.004))
    with pytest.raises(UsageError, match="fewer than the longest of --lags"):
        data.load(path, RATE, (0.0, 0.2))
    with pytest.raises(UsageError, match="has 60 samples; give at least 50"):
        data.load(path, RATE, (0.0, 0.05))
    with pytest.raises(UsageError, match=r"--train-share is 0.5; it must leave at least 50 of the"):
        data.load(path, RATE, (0.0,)).split(0.5)


def test_what_does_not_change_in_the_share_to_learn_from_is_named() -> None:
    inputs, torque = np.random.default_rng(0).normal(size=(400, 2)), np.ones(400)
    torque[300:] = 2.0
    with pytest.raises(UsageError, match="torque is 1 throughout the first 300 samples"):
        Measurements(inputs, torque, (0.0,)).split(0.75)
    inputs[:, 1] = 0.5
    with pytest.raises(UsageError, match=r"joint_velocity is 0\.5 throughout the first 320"):
        Measurements(inputs, torque, (0.0,)).split(0.8)


def test_gains_of_an_ideal_drive_are_found() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 2))
    torque = 70 * inputs[:, 0] - 1.5 * inputs[:, 1]
    ideal = Measurements(inputs, torque, (0.0,))
    gains = fitting.pd_gains(ideal)
    assert gains == pytest.approx((70, 1.5))
    np.testing.assert_allclose(fitting.pd_torque(gains, ideal), torque)


@pytest.mark.slow
def test_a_late_drive_that_saturates_is_learned(tmp_path: Path) -> None:
    """Far better than by a line through the same inputs, which is better than a PD law."""
    early, late = measured(tmp_path).split(0.75)
    model = fitting.fit(early, QUICK, seed=1)
    line = fitting.least_squares(early.inputs, early.torque)
    pd = fitting.pd_torque(fitting.pd_gains(early), late)
    learned = rms(model.torque(late.inputs), late.torque)
    assert learned < 0.3 * rms(late.inputs @ line, late.torque) < 0.3 * rms(pd, late.torque)


@pytest.mark.slow
def test_the_seed_decides_alone(tmp_path: Path) -> None:
    early, _ = measured(tmp_path).split(0.75)
    one, again, other = (fitting.fit(early, QUICK, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.torque(early.inputs), again.torque(early.inputs))
    assert not np.array_equal(one.torque(early.inputs), other.torque(early.inputs))


def far_and_wide(lags: int) -> np.ndarray:
    """Inputs far outside any measurement: steady, and changing at random, (N, inputs)."""
    rng = np.random.default_rng(0)
    errors, speeds = np.meshgrid(np.linspace(-50, 50, 41), np.linspace(-500, 500, 41))
    steady = np.hstack([np.repeat(part.reshape(-1, 1), lags, axis=1) for part in (errors, speeds)])
    size = (2000, lags)
    wild = np.hstack([30 * rng.standard_normal(size), 300 * rng.standard_normal(size)])
    return np.vstack([steady, wild])


def is_sane(model: ActuatorModel) -> None:
    """Bounded, odd, nothing at rest on the target, and against any joint beyond its top speed."""
    inputs = far_and_wide(len(model.lags))
    torque, speed = model.torque(inputs), inputs[:, len(model.lags)]
    assert np.abs(torque).max() <= model.torque_limit
    np.testing.assert_allclose(torque, -model.torque(-inputs), atol=1e-9)
    assert model.torque(np.zeros((1, inputs.shape[1])))[0] == 0
    fast = np.abs(speed) > 1.01 * model.no_load_speed
    assert fast.any()
    assert (torque * speed < 0)[fast].all()


def is_a_spring_with_damping(model: ActuatorModel, largest: float) -> None:
    """Steady errors are opposed, the more the larger they are; steady turning is braked."""
    lags = len(model.lags)
    sweep = np.linspace(0, largest, 200)[:, None]
    nothing = np.zeros((200, lags))
    held = model.torque(np.hstack([np.repeat(sweep, lags, axis=1), nothing]))
    assert (np.diff(held) >= -1e-9).all()
    assert held[1] > 0
    turning = np.linspace(0.05, 10 * model.no_load_speed, 400)[:, None]
    braked = model.torque(np.hstack([0 * np.repeat(turning, lags, 1), np.repeat(turning, lags, 1)]))
    assert (braked < 0).all()


@pytest.mark.slow
def test_what_is_learned_is_sane_far_from_the_data(tmp_path: Path) -> None:
    early, _ = measured(tmp_path).split(0.75)
    model = fitting.fit(early, QUICK)
    assert model.torque_limit == pytest.approx(1.25 * np.abs(early.torque).max())
    is_sane(model)
    is_sane(fitting.fit(early, QUICK, torque_limit=12.0))


def test_the_committed_knee_is_sane_far_from_the_data() -> None:
    """Errors to 50 rad and speeds to 500 rad/s; a spring of 50 N·m/rad, as ANYmal's was set to."""
    path = Path(__file__).parents[3] / "policies" / "anydrive_knee.npz"
    with np.load(path) as file:
        content = dict(file)
    limits: dict[str, Any] = {
        n: float(content[n]) for n in ("torque_limit", "stall_torque", "no_load_speed")
    }
    arrays: dict[str, Any] = {
        n: content[n].astype(float) for n in ("linear", "weight", "bias", "output")
    }
    model = ActuatorModel(lags=tuple(content["lags"].tolist()), **arrays, **limits)
    assert model.torque_limit == 40.0
    is_sane(model)
    is_a_spring_with_damping(model, largest=3.0)
    held = model.torque(np.array([[0.1] * 4 + [0.0] * 4]))
    assert held[0] == pytest.approx(5.0, abs=0.4)


def test_a_model_is_the_same_in_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = {"linear": (4,), "weight": (3, 4), "bias": (3,), "output": (3,)}
    arrays: dict[str, Any] = {name: rng.normal(size=shape) for name, shape in parts.items()}
    model = ActuatorModel(
        (0.0, 0.01), **arrays, torque_limit=9.0, stall_torque=18.0, no_load_speed=5.0
    )
    path = tmp_path / "model.npz"
    model.save(path)
    actuator = unpack(pack(str(path), path))
    memory, inputs = actuator.memory(5, 1, 0.01), rng.normal(size=(5, 4))
    for lag in (1, 0):
        now = actuator.torque(inputs[:, lag : lag + 1], inputs[:, 2 + lag : 3 + lag], memory)
    np.testing.assert_allclose(now[:, 0], model.torque(inputs), rtol=1e-5, atol=1e-5)

"""Intervals over runs: within what a quantity can be, and never of no width by luck."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from algos.compare.intervals import fraction, interval, mean_interval, positive, share


def test_mean_and_interval_are_students() -> None:
    values = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    mean, half = mean_interval(values)
    assert mean == pytest.approx([2.0, 5.0])
    # t(0.975, 2) = 4.30265 times the standard error 1 / √3
    assert half == pytest.approx([4.30265 / np.sqrt(3), 0.0], rel=1e-5)
    mean, half = mean_interval(values[:1])
    assert (mean == values[0]).all()
    assert (half == 0).all()


@pytest.mark.parametrize("falls", [0, 3, 12, 60])
def test_runs_that_agree_have_wilsons_interval_of_all_their_episodes(falls: int) -> None:
    rate = falls / 60
    found = share(np.full(3, rate), episodes=60)
    expected = binomtest(falls, 60).proportion_ci(method="wilson")
    assert found == pytest.approx((rate, expected.low, expected.high), abs=1e-6)
    assert found.high > found.low


def test_runs_that_disagree_widen_the_interval_of_a_share() -> None:
    pooled, scattered = share(np.full(3, 1 / 3), 60), share(np.array([0.0, 0.0, 1.0]), 60)
    assert 0.0 < scattered.low < pooled.low < pooled.high < scattered.high < 1.0


@pytest.mark.parametrize(("runs", "least"), [(3, 0.88), (5, 0.91)])
def test_intervals_of_shares_cover_where_runs_differ(runs: int, least: float) -> None:
    """Of seeds whose shares are spread evenly a normal quantile covers 0.82 and 0.88."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(1000):
        found = share(rng.binomial(100, rng.beta(2, 2, runs)) / 100, 100 * runs)
        covered += found.low <= 0.5 <= found.high
    assert covered >= 1000 * least


def test_positive_quantities_have_no_negative_ends() -> None:
    found = positive(np.array([0.1, 0.3]))
    assert 0 < found.low < found.mean == pytest.approx(0.2)
    close = positive(np.array([0.199, 0.2, 0.201]))
    # t(0.975, 2) = 4.30265 times the standard error 0.001 / √3
    half = 4.30265 * 0.001 / np.sqrt(3)
    assert close == pytest.approx((0.2, 0.2 - half, 0.2 + half), rel=1e-4)
    assert positive(np.zeros(3)) == (0.0, 0.0, 0.0)


def test_fractions_stay_between_0_and_1() -> None:
    found = fraction(np.array([0.9, 0.99, 1.0]))
    assert 0 < found.low < found.mean < found.high < 1
    close = fraction(np.array([0.499, 0.5, 0.501]))
    half = 4.30265 * 0.001 / np.sqrt(3)
    assert close == pytest.approx((0.5, 0.5 - half, 0.5 + half), rel=1e-4)
    assert fraction(np.ones(2)) == (1.0, 1.0, 1.0)
    assert fraction(np.array([0.0, 1e-9])).high <= 1.0


def test_the_column_decides_which_interval_it_has() -> None:
    values = np.array([0.0, 0.5])
    assert interval("eval/share/fall_rate", values, 40) == share(values, 40)
    assert interval("episode/fall", values, 200) == share(values, 200)
    assert interval("eval/measure/power", values, 40) == positive(values)
    assert interval("eval/fraction/duty_factor", values, 40) == fraction(values)
    # t(0.975, 1) = 12.7062 times the standard error 0.25
    student = (0.25, 0.25 - 3.17655, 0.25 + 3.17655)
    assert interval("episode_return", values, 40) == pytest.approx(student, rel=1e-5)
    penalty = interval("episode/slip", -values, 40)
    assert penalty == (-0.25, -positive(values).high, -positive(values).low)
    assert interval("explained_variance", np.array([0.8, 0.99]), 0).high < 1
    signed = interval("eval/measure/mean_roll", values - 0.25, 40)
    assert signed == pytest.approx((0.0, -3.17655, 3.17655), rel=1e-5)
    returns = interval("eval/return_mean", values, 40)
    assert returns == pytest.approx(student, rel=1e-5)
    assert interval("episode/fall", values[:1], 20) == (0.0, 0.0, 0.0)


def test_intervals_of_curves_are_those_of_their_points() -> None:
    values = np.random.default_rng(0).uniform(0.0, 1.0, (3, 5))
    for column in ("eval/share/fall_rate", "eval/measure/power", "episode_return"):
        curve = interval(column, values, 60)
        points = [interval(column, values[:, i], 60) for i in range(5)]
        np.testing.assert_allclose(np.array(curve), np.array(points).T)

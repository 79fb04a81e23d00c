"""Intervals of what was measured."""

from __future__ import annotations

import numpy as np

RESAMPLES = 2000
"""Bootstrap resamples of an interval."""


def bootstrap(values: np.ndarray, rng: np.random.Generator) -> dict[str, float | None]:
    """Return the mean over robots and its 95 % percentile bootstrap interval.

    Values (n,) that are not finite are left out; without any left, all three are None.
    """
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return {"mean": None, "low": None, "high": None}
    picks = rng.integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[picks].mean(axis=1), [2.5, 97.5])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def share(values: np.ndarray, rng: np.random.Generator) -> dict[str, float | None]:
    """Return what `bootstrap` does of values 0 and 1, with the ends of Wilson's score interval.

    A bootstrap of nothing but zeros would have no width.
    """
    known = values[np.isfinite(values)]
    interval = bootstrap(values, rng)
    low, high = wilson(known.sum()[None], np.array([len(known)]))[:, 0].tolist()
    return interval | ({"low": low, "high": high} if len(known) else {})


def wilson(successes: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return the ends of the 95 % Wilson score interval of each share (n,), NaN without trials.

    Returns:
        (2, n), low ends and high ends.
    """
    from scipy.stats import binomtest  # takes a second

    ends = [
        binomtest(int(k), int(n)).proportion_ci(0.95, method="wilson") if n else (np.nan, np.nan)
        for k, n in zip(successes, trials, strict=True)
    ]
    return np.transpose(ends)

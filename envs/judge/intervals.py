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

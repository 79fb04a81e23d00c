"""Means over runs with 95 % intervals that stay within what a quantity can be."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

SHARE = re.compile(r"eval/share/.*|(eval|episode)/(fall|diverged)")
"""Columns of metrics.csv that are shares of episodes."""
FRACTION = re.compile(r"eval/fraction/.*")
"""Columns in [0, 1] that are no shares of episodes."""
ONE_SIGNED = re.compile(r"(eval|episode)/.*|kl|std|steps_per_second")
"""Columns, but returns, of one sign unless a run shows both: errors, penalties."""


class Interval(NamedTuple):
    """Means over runs and the ends of their 95 % intervals, of one shape."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def interval(column: str, values: np.ndarray, episodes: float) -> Interval:
    """Return a column's mean over runs with the interval that suits it; one run has none.

    Args:
        column: its name.
        values: (runs, ...).
        episodes: behind all runs' values together, where it is a share of them.
    """
    if len(values) == 1:
        return Interval(values[0], values[0], values[0])
    if SHARE.fullmatch(column):
        return share(values, episodes)
    if FRACTION.fullmatch(column):
        return fraction(values)
    if column == "explained_variance":  # at most 1
        return mirrored(positive(1 - values), 1.0)
    if ONE_SIGNED.fullmatch(column) and "return" not in column:
        if (values >= 0).all():
            return positive(values)
        if (values <= 0).all():
            return mirrored(positive(-values), 0.0)
    mean, half = mean_interval(values)
    return Interval(mean, mean - half, mean + half)


def mean_interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over axis 0 and half of its 95 % interval by Student's t; 0 for one."""
    n = len(values)
    if n == 1:
        return values[0], np.zeros_like(values[0])
    from scipy.special import stdtrit  # takes a while, and train.py imports this module

    half = stdtrit(n - 1, 0.975) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return values.mean(axis=0), half


def positive(values: np.ndarray) -> Interval:
    """Return the interval by Student's t of the mean's logarithm, for values of 0 or more.

    The logarithm's standard error is that of the mean divided by it (the delta method).
    """
    mean, half = mean_interval(values)
    factor = np.exp(np.divide(half, mean, out=np.zeros_like(mean), where=mean > 0))
    return Interval(mean, mean / factor, mean * factor)


def mirrored(of: Interval, end: float) -> Interval:
    """Return the interval of what is an end less the quantity of another one."""
    return Interval(end - of.mean, end - of.high, end - of.low)


def fraction(values: np.ndarray) -> Interval:
    """Return the interval by Student's t of the mean's log-odds, for values in [0, 1]."""
    p, half = mean_interval(values)
    q = 1 - p
    width = np.divide(half, p * q, out=np.zeros_like(p), where=p * q > 0)
    factor = np.exp(np.minimum(width, 50.0))  # of the odds
    return Interval(p, p / (p + q * factor), p * factor / (p * factor + q))


def share(values: np.ndarray, episodes: float) -> Interval:
    """Return Wilson's score interval (1927) of a share of all runs' episodes, (runs, ...) -> (...).

    Where runs differ by more than chance would have it, episodes of one run tell less than as
    many of several: they count as the number that explains the scatter (Kish's design effect).
    How much of it is known from the few runs alone says by how much the quantile is Student's
    (Satterthwaite 1946).
    """
    from scipy.special import stdtrit

    p = values.mean(axis=0)
    error = values.var(axis=0, ddof=1) / len(values)
    n = np.divide(p * (1 - p), error, out=np.full_like(p, episodes), where=error > 0)
    n = np.minimum(n, episodes)
    freedom = (len(values) - 1) / np.maximum(1 - n / episodes, 1e-3) ** 2
    ratio = stdtrit(freedom, 0.975) ** 2 / n
    center = (p + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * (p * (1 - p) + ratio / 4)) / (1 + ratio)
    return Interval(p, np.maximum(center - half, 0.0), np.minimum(center + half, 1.0))

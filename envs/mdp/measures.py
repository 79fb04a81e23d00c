"""How a legged robot walks, measured on recordings of its feet.

Every function takes arrays over time and gives one number a robot, NaN where there is nothing to
measure. `counted` (T, n) marks the control steps that count: the robot is up and told to move.
"""

from __future__ import annotations

import numpy as np


def stride_frequency(contact: np.ndarray, counted: np.ndarray, dt: float) -> np.ndarray:
    """Touchdowns of a foot per second (Hz), mean over the feet, (n,).

    Args:
        contact: whether each foot touches the ground, (T, n, feet) bool.
        counted: which steps count, (T, n) bool.
        dt: time between two rows (s).
    """
    touchdowns = (contact[1:] & ~contact[:-1]).mean(axis=2)  # (T - 1, n)
    return masked_mean(touchdowns, counted[1:]) / dt


def duty_factor(contact: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Share of the time that a foot is on the ground, mean over the feet, (n,)."""
    return masked_mean(contact.mean(axis=2), counted)


def foot_slip(contact: np.ndarray, speed: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean horizontal speed of the feet that touch the ground (m/s), (n,).

    Args:
        contact: (T, n, feet) bool.
        speed: horizontal speed of the feet (m/s), (T, n, feet).
        counted: (T, n) bool.
    """
    planted = contact & counted[:, :, None]
    return _ratio((planted * speed).sum(axis=(0, 2)), planted.sum(axis=(0, 2)))


def swing_apex(contact: np.ndarray, height: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Median over swings of the highest point of a foot's underside (m), (n,).

    A swing runs from lift-off to touchdown; it counts if both were seen and every step between
    counts.

    Args:
        contact: (T, n, feet) bool.
        height: height of the underside of the feet above the ground (m), (T, n, feet).
        counted: (T, n) bool.
    """
    _, n, feet = contact.shape
    apex, whole = np.full((n, feet), -np.inf), np.zeros((n, feet), bool)
    apexes: list[list[float]] = [[] for _ in range(n)]
    for before, now, up, valid in zip(contact, contact[1:], height[1:], counted[1:], strict=False):
        landed = now & ~before & whole & valid[:, None]
        for robot, foot in np.argwhere(landed):
            apexes[robot].append(apex[robot, foot])
        lifted = before & ~now
        apex = np.where(lifted, up, np.maximum(apex, up))
        whole = (whole | lifted) & ~now & valid[:, None]
    return np.array([np.median(a) if a else np.nan for a in apexes])


def masked_mean(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean over time of values (T, n) where mask (T, n) holds, (n,)."""
    return _ratio(np.where(mask, values, 0.0).sum(axis=0), mask.sum(axis=0))


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)

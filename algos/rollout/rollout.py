"""A batch of experience."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from algos.parallel import Group

log = logging.getLogger(__name__)

COUNTS = {"episodes", "nonfinite_rewards", "nonfinite_observations", "diverged"}
"""Metrics that are numbers of something."""


@dataclass
class Rollout:
    """T steps of n environments. A truncated step that also terminated counts as terminated."""

    observations: Tensor  # (T, n, O) float32, or float64 where that would lose digits
    actions: Tensor  # (T, n, A) or (T, n), as sampled
    rewards: Tensor  # (T, n)
    terminated: Tensor  # (T, n) bool
    truncated: Tensor  # (T, n) bool
    next_observations: Tensor  # (n, O), after the last step
    final_observations: Tensor  # (F, O), last observations of truncated episodes
    final_rows: Tensor  # (F,) long, their places t * n + i
    metrics: dict[str, float] = field(default_factory=dict)

    def to(self, device: torch.device) -> "Rollout":
        """The same rollout on `device`; copies from pinned memory do not block."""
        tensors = {k: v for k, v in vars(self).items() if isinstance(v, Tensor)}
        moved = {k: v.to(device, non_blocking=True) for k, v in tensors.items()}
        return Rollout(**moved, metrics=self.metrics)


def sound_samples(group: Group, rollout: Rollout, *estimates: Tensor) -> tuple[list[Tensor], float]:
    """The batch without the environments that gave a NaN or an infinity anywhere in it.

    Args:
        group: the processes that learn together: as many environments are left out in each.
        rollout: the experience.
        estimates: what was made of it, (T, n, ...).

    Returns:
        Estimates, actions and observations (N, ...) of the others; how many are left out.
    """
    arrays = (*estimates, rollout.actions, rollout.observations)
    sums = [a.sum([axis for axis in range(a.ndim) if axis != 1]) for a in arrays]
    sound = torch.stack([total.isfinite() for total in sums]).all(0)
    omitted = 0
    if group.mean(sound.all().float()) < 1:  # or a sum of huge numbers overflowed
        finite = [a.isfinite().movedim(1, 0).flatten(1).all(1) for a in arrays]
        sound = torch.stack(finite).all(0)
        omitted = max(group.gather(len(sound) - int(sound.sum())))
    if omitted:
        log.warning("%d of %d environments left out: not all finite", omitted, len(sound))
        kept = sound.nonzero().flatten()[: len(sound) - omitted]
        arrays = tuple(array[:, kept] for array in arrays)
    return [array.flatten(0, 1) for array in arrays], float(omitted * group.size)


def merged(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Metrics of rollouts that were collected side by side: sums of counts, means of the rest.

    Means over episodes are so over those of all.
    """
    names = dict.fromkeys(name for own in metrics for name in own)
    return {name: _merged(name, [own for own in metrics if name in own]) for name in names}


def _merged(name: str, metrics: Sequence[Mapping[str, float]]) -> float:
    values = [own[name] for own in metrics]
    if name in COUNTS:
        return sum(values)
    weights = [own["episodes"] if name.startswith("episode/") else 1.0 for own in metrics]
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)

"""Running normalisation of observations."""

import torch
from torch import Tensor, nn

from algos.nets.equivariant import Symmetry
from algos.parallel import ALONE, Group

LARGEST = torch.finfo(torch.float32).max


class ObservationNormalizer(nn.Module):
    """Maps observations to (x - mean) / std, clipped, with running statistics as buffers.

    The statistics are those of all observations given to `update`, merged batch by batch in
    float64 (Chan, Golub & LeVeque 1983); with a symmetry, of those observations and all their
    mirror images, so that normalising commutes with the group. They change in `update` only:
    the policy that sampled a batch is then exactly the policy that the batch updates.

    Observations beyond float32 count as its largest number.

    Args:
        size: number of observation entries, O.
        symmetry: signed permutations of the observation, or None.
        clip: bound on the magnitude of normalised entries.
    """

    mean: Tensor  # (O,) float64
    var: Tensor  # (O,) float64
    count: Tensor  # () float64
    _shift: Tensor  # (O,) float32, -mean / std
    _scale: Tensor  # (O,) float32, 1 / std

    def __init__(self, size: int, symmetry: Symmetry | None = None, clip: float = 10.0):
        super().__init__()
        self.clip = clip
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("var", torch.ones(size, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("_shift", torch.zeros(size))
        self.register_buffer("_scale", torch.ones(size))
        index, sign = torch.arange(size)[None], torch.ones(1, size)
        if symmetry is not None:
            index = torch.as_tensor(symmetry.observation_index).long()
            sign = torch.as_tensor(symmetry.observation_sign)
        self.register_buffer("_index", index, persistent=False)
        self.register_buffer("_sign", sign.double(), persistent=False)
        self._index: Tensor
        self._sign: Tensor

    def forward(self, observations: Tensor) -> Tensor:
        """Normalised observations, float32, of the same shape (..., O).

        Those in float64 are shifted there, for they hold what is small beside their mean.
        """
        if observations.dtype == torch.float64:
            scaled = ((observations.clamp(-LARGEST, LARGEST) - self.mean) * self._scale).float()
        else:
            scaled = torch.addcmul(self._shift, observations, self._scale)
        return scaled.clamp_(-self.clip, self.clip)

    def update(self, observations: Tensor, group: Group = ALONE) -> None:
        """Merge the statistics of every process's `observations` (..., O) into the running ones."""
        batch = observations.reshape(-1, observations.shape[-1]).double()
        batch = batch.clamp(-LARGEST, LARGEST)
        raw_mean, var = group.moments(batch)
        mirrored = self._sign * raw_mean[self._index]  # (G, O)
        mean = mirrored.mean(0)
        var = (var[self._index] + (mirrored - mean) ** 2).mean(0)
        size = len(batch) * group.size
        total = self.count + size
        weight, delta = size / total, mean - self.mean
        self.var.lerp_(var, weight).add_(delta**2 * weight * (1 - weight))
        self.mean.add_(delta * weight)
        self.count.copy_(total)
        std = torch.maximum((self.var + 1e-8).sqrt(), self.mean.abs() / 1e30)  # shift stays finite
        self._scale.copy_(1 / std)
        self._shift.copy_(-self.mean / std)

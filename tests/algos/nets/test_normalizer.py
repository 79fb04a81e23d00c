import numpy as np
import pytest
import torch

from algos.nets.normalizer import ObservationNormalizer


def batches() -> list[torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    return [torch.randn(n, 7, generator=g) * 3 + torch.arange(7) for n in (50, 1, 300)]


def test_statistics_equal_those_of_all_observations():
    normalizer = ObservationNormalizer(7)
    for batch in batches():
        normalizer.update(batch)
    everything = torch.cat(batches()).double().numpy()
    np.testing.assert_allclose(normalizer.mean, everything.mean(0), rtol=1e-12)
    np.testing.assert_allclose(normalizer.var, everything.var(0), rtol=1e-12)
    normal = normalizer(torch.cat(batches()))
    np.testing.assert_allclose(normal.mean(0), np.zeros(7), atol=1e-5)
    np.testing.assert_allclose(normal.std(0, correction=0), np.ones(7), atol=1e-5)


def test_statistics_are_those_of_the_observations_and_their_mirror_images(symmetry):
    normalizer = ObservationNormalizer(7, symmetry)
    for batch in batches():
        normalizer.update(batch)
    everything = torch.cat(batches()).double().numpy()
    mirrored = np.concatenate(
        [
            symmetry.observation_sign[g] * everything[:, symmetry.observation_index[g]]
            for g in range(4)
        ]
    )
    np.testing.assert_allclose(normalizer.mean, mirrored.mean(0), atol=1e-12)
    np.testing.assert_allclose(normalizer.var, mirrored.var(0), rtol=1e-12)


def test_normalising_commutes_with_the_group_even_where_it_clips(symmetry):
    normalizer = ObservationNormalizer(7, symmetry, clip=1.0)
    for batch in batches():
        normalizer.update(batch)
    x = torch.cat(batches())
    for index, sign in zip(symmetry.observation_index, symmetry.observation_sign, strict=True):
        sign = torch.as_tensor(sign).float()
        expected = sign * normalizer(x)[:, index]
        torch.testing.assert_close(normalizer(sign * x[:, index]), expected, atol=1e-6, rtol=0)


def test_constant_entries_stay_finite_and_outliers_are_clipped():
    normalizer = ObservationNormalizer(2, clip=10.0)
    normalizer.update(torch.ones(100, 2) * 5)
    assert normalizer(torch.tensor([[5.0, 1e9]])).tolist() == [[0.0, 10.0]]


def test_what_is_small_beside_its_mean_is_kept():
    """A clock that counts seconds from 1970: float32 would see the same number all along."""
    changes = torch.randn(500, 1, generator=torch.Generator().manual_seed(0)).double() * 1e-3
    normalizer = ObservationNormalizer(1)
    normalizer.update(1.7e9 + changes)
    normal = normalizer(1.7e9 + changes)
    assert normal.dtype == torch.float32
    expected = (changes - changes.mean()) / changes.std(correction=0)
    torch.testing.assert_close(normal.double(), expected, atol=1e-3, rtol=0.01)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("low", [-1.0, 1.0])
def test_huge_observations_are_normalised(kind: torch.dtype, low: float) -> None:
    """Of both signs, or all the same."""
    largest = torch.finfo(kind).max
    batch = torch.tensor([[largest], [low * largest]], dtype=kind)
    normalizer = ObservationNormalizer(1)
    for _ in range(3):
        assert normalizer(batch).abs().le(normalizer.clip).all()
        normalizer.update(batch)
        normalizer.update(torch.zeros(2, 1, dtype=kind))
    alone = ObservationNormalizer(1)
    alone.update(batch)
    assert alone(batch).isfinite().all()

import csv
from pathlib import Path

import numpy as np
import pytest

from algos.runs.metrics import CSVLogger, pooled
from algos.usage import UsageError


def rows(path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_header_widens_when_a_metric_appears(tmp_path):
    path = tmp_path / "run" / "metrics.csv"
    logger = CSVLogger(path)
    logger.write(1, {"kl": 0.01})
    logger.write(2, {"kl": 0.02, "episode_return": 5.0})
    logger.write(3, {"episode_return": 6.0})
    assert rows(path) == [
        {"iteration": "1", "kl": "0.01", "episode_return": ""},
        {"iteration": "2", "kl": "0.02", "episode_return": "5.0"},
        {"iteration": "3", "kl": "", "episode_return": "6.0"},
    ]
    assert [p.name for p in path.parent.iterdir()] == ["metrics.csv"]


def test_resuming_drops_rows_after_the_resumed_iteration(tmp_path):
    path = tmp_path / "metrics.csv"
    logger = CSVLogger(path)
    for iteration in range(1, 6):
        logger.write(iteration, {"kl": iteration})
    with path.open("a") as file:
        file.write("6")  # a row that a kill cut short
    logger = CSVLogger(path, resume_from=3)
    logger.write(4, {"kl": 40.0, "std": 1.0})
    assert [row["iteration"] for row in rows(path)] == ["1", "2", "3", "4"]
    assert rows(path)[-1] == {"iteration": "4", "kl": "40.0", "std": "1.0"}


@pytest.mark.parametrize("content", [b"iteration\none\n", b"kl\n1\n", b"\xff\n", b"iteration\n\0"])
def test_damaged_metrics_are_named_where_a_run_goes_on(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content + b"1\n")
    with pytest.raises(UsageError, match=r"metrics\.csv is damaged, or cannot be read"):
        CSVLogger(path, resume_from=3)


def test_a_new_run_begins_an_empty_file(tmp_path):
    CSVLogger(tmp_path / "metrics.csv").write(1, {"kl": 1.0})
    CSVLogger(tmp_path / "metrics.csv").write(1, {"std": 2.0})
    assert rows(tmp_path / "metrics.csv") == [{"iteration": "1", "std": "2.0"}]


def slow_pooled(values: np.ndarray, episodes: np.ndarray, least: int) -> list[float]:
    """The mean over the fewest of the last iterations that have so many episodes."""
    means = []
    for end in range(1, len(values) + 1):
        count, total = 0.0, 0.0
        for value, number in zip(values[:end][::-1], episodes[:end][::-1], strict=True):
            if count >= least:
                break
            if np.isfinite(value):
                count, total = count + number, total + number * value
        means.append(total / count if count >= least else np.nan)
    return means


def test_pooled_means_weigh_iterations_by_their_episodes():
    rng = np.random.default_rng(0)
    for _ in range(20):
        episodes = rng.integers(0, 60, 50).astype(float)
        values = np.where(episodes > 0, rng.normal(size=50), np.nan)
        found = pooled(values, episodes)
        np.testing.assert_allclose(found, slow_pooled(values, episodes, 100), atol=1e-12)
    assert np.isnan(pooled(np.array([1.0, 1.0]), np.array([50.0, 49.0]))).all()
    assert pooled(np.array([1.0, 0.0]), np.array([50.0, 50.0]))[1] == 0.5

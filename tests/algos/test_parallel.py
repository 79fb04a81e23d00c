"""Data-parallel updates: N processes against one on the same samples."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from algos.nets.linearization import flatten
from algos.rollout.rollout import Rollout, merged
from tests.algos import parallel_worker
from tests.launch import together

PRODUCTS, CRITIC_STEPS = 10, 3
CONFIG = {"critic_epochs": CRITIC_STEPS, "critic_minibatches": 1, "cg_iterations": PRODUCTS}
ENVIRONMENTS = 6


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three batches of experience of six environments, with terminations and truncations."""
    g = torch.Generator().manual_seed(0)
    rollouts = []
    for _ in range(3):
        shape = (20, ENVIRONMENTS)
        ends = torch.rand(shape, generator=g)
        rows = torch.nonzero((ends > 0.95).flatten()).flatten()
        rollout = Rollout(
            observations=2 + 3 * torch.randn(*shape, 7, generator=g),
            actions=0.5 * torch.randn(*shape, 4, generator=g),
            rewards=torch.randn(shape, generator=g),
            terminated=ends < 0.05,
            truncated=ends > 0.95,
            next_observations=torch.randn(ENVIRONMENTS, 7, generator=g),
            final_observations=torch.randn(len(rows), 7, generator=g),
            final_rows=rows,
        )
        rollouts.append({k: v for k, v in vars(rollout).items() if k != "metrics"})
    path = tmp_path_factory.mktemp("batches") / "batches.pt"
    torch.save(rollouts, path)
    return path


@pytest.fixture(scope="module")
def learn(batches: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], list[Any]]:
    """What each of `size` processes holds after it has learned from the batches."""
    folder = tmp_path_factory.mktemp("results")

    def run(size: int) -> list[Any]:
        files = [folder / f"{size}-{rank}.pt" for rank in range(size)]
        if size == 1:
            parallel_worker.main(batches, CONFIG, folder)
        elif not files[0].exists():
            together(size, parallel_worker.main, batches, CONFIG, folder)
        return [torch.load(file) for file in files]

    return run


def tensors(state: dict[str, Any]) -> list[torch.Tensor]:
    """Every tensor of nested dicts, in order."""
    nested = [tensors(v) if isinstance(v, dict) else [v] for v in state.values()]
    return [v for part in nested for v in part if isinstance(v, torch.Tensor)]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["trpo", "ppo"])
@pytest.mark.parametrize("size", [2, 3])
def test_several_processes_learn_what_one_does_from_the_same_samples(
    learn: Callable[[int], list[Any]], size: int, algorithm: str
) -> None:
    (one,), several = ([found[algorithm] for found in learn(n)] for n in (1, size))
    assert all(metrics["accepted"] for metrics in one["metrics"])
    for mine, theirs in zip(tensors(several[0]["state"]), tensors(one["state"]), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=2e-4, atol=2e-5)
    for mine, theirs in zip(several[0]["metrics"], one["metrics"], strict=True):
        for name, value in theirs.items():
            if not name.startswith("seconds"):
                assert mine[name] == pytest.approx(value, rel=1e-3, abs=1e-5), name


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
def test_all_processes_hold_bitwise_the_same(learn: Callable[[int], list[Any]], size: int) -> None:
    first, *others = (flatten(tensors(found)) for found in learn(size))
    for other in others:
        assert torch.equal(first, other)


@pytest.mark.slow
def test_an_update_sends_one_parameter_vector_a_product(learn: Callable[[int], list[Any]]) -> None:
    (alone,), (found, _) = ([found["trpo"] for found in learn(n)] for n in (1, 2))
    assert alone["bytes"] == [0, 0, 0]
    parameters = flatten(tensors(found["state"]["policy"])).nbytes
    critic = sum(t.nbytes for n, t in found["state"]["critic"].items() if "network" in n)
    least = (1 + PRODUCTS) * parameters + CRITIC_STEPS * critic
    for sent in found["bytes"]:
        assert least < sent < least + 500  # and the statistics: a few numbers each


def test_metrics_of_processes_are_summed_where_they_count_and_averaged_elsewhere() -> None:
    both = merged(
        [
            {"episodes": 2.0, "nonfinite_rewards": 0.0, "episode_return": 1.0},
            {"episodes": 1.0, "nonfinite_rewards": 3.0, "episode_return": 4.0, "episode/fall": 0.5},
        ]
    )
    assert both == {
        "episodes": 3.0,
        "nonfinite_rewards": 3.0,
        "episode_return": 2.5,
        "episode/fall": 0.5,
    }


def test_means_over_episodes_are_those_of_all_processes_episodes() -> None:
    both = merged([{"episodes": 1.0, "episode/fall": 1.0}, {"episodes": 9.0, "episode/fall": 0.0}])
    assert both == {"episodes": 10.0, "episode/fall": 0.1}

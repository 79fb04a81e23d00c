"""How many environments share an evaluation."""

import pytest

from algos.training.evaluate import side_by_side


@pytest.mark.parametrize(
    ("episodes", "environments"), [(1, 1), (2, 2), (11, 1), (15, 5), (20, 10), (100, 10)]
)
def test_as_many_episodes_are_run_as_were_asked_for(episodes: int, environments: int) -> None:
    assert side_by_side(episodes) == environments

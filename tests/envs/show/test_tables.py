"""The tables of the docs say what a task's terms say."""

from __future__ import annotations

import re

import pytest

from envs import tasks
from envs.show.tables import observation_table, reward_table
from envs.vector import LocomotionVectorEnv
from robots import get_robot


@pytest.mark.parametrize("task", tasks.TASKS)
def test_rows_cover_the_observation_without_gap_or_overlap(task: str) -> None:
    spans = re.findall(r"^\| (\d+)–(\d+) \|", observation_table(task), re.MULTILINE)
    entries = [i for start, end in spans for i in range(int(start), int(end) + 1)]
    env = LocomotionVectorEnv(1, task=task)
    assert entries == list(range(env.reset()[0].shape[1]))
    env.close()


@pytest.mark.parametrize("task", tasks.TASKS)
def test_every_reward_has_its_row_and_weight(task: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", reward_table(task), re.MULTILINE)
    terms = tasks.make(task, get_robot("anymal_c")).rewards
    assert {name: float(weight) for name, weight in rows} == pytest.approx(
        {name: term.weight for name, term in terms.items()}
    )

"""The README says what the code and its results say."""

import json
import re
from pathlib import Path

import pytest

from benchmarks import learning
from envs.tasks.tables import observation_table, reward_table

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("task", ["walk"])
def test_tables_are_the_ones_that_the_code_prints(task: str) -> None:
    assert observation_table(task) in README
    assert reward_table(task) in README


def test_results_are_the_recorded_ones() -> None:
    results = json.loads(learning.RESULTS.read_text())
    assert learning.locomotion_table(results) in README
    assert learning.return_table(results) in README


def test_files_that_the_readme_shows_exist() -> None:
    for path in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / path).exists(), path

"""The README says what the code says."""

import re
from pathlib import Path

import pytest

from envs.tables import observation_table, reward_table

README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.mark.parametrize("task", ["walk"])
def test_tables_are_the_ones_that_the_code_prints(task: str) -> None:
    assert observation_table(task) in README
    assert reward_table(task) in README


def test_files_that_the_readme_shows_exist() -> None:
    for path in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (Path(__file__).parent.parent / path).exists(), path

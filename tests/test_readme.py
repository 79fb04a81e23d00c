"""The README is a door, and the pages behind it say what the recorded results say."""

import json
from pathlib import Path

from benchmarks import learning

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_the_readme_is_short_and_starts_with_the_two_commands() -> None:
    assert len(README.splitlines()) <= 130
    start = README.split("## Start")[1].split("\n## ")[0]
    assert "make demo" in start
    assert "make test" in start


def test_results_are_the_recorded_ones() -> None:
    results, page = json.loads(learning.RESULTS.read_text()), ROOT / "docs" / "results.md"
    assert learning.locomotion_table(results) in page.read_text()
    assert learning.return_table(results) in page.read_text()


def test_the_row_of_the_readme_is_the_one_of_the_committed_policy() -> None:
    table = learning.locomotion_table(json.loads(learning.RESULTS.read_text())).splitlines()
    walk = next(row for row in table if row.startswith("| walk-s1 "))
    recorded = dict(zip(cells(table[0]), cells(walk), strict=True))
    head, _, row = [line for line in README.splitlines() if line.startswith("|")]
    shown = dict(zip(cells(head), cells(row), strict=True))
    del shown["minutes on two cores"]  # walk-s1 shared them when it was recorded
    assert shown.items() <= recorded.items()
    assert len(shown) > 3

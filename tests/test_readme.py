"""The README is a door, and the pages behind it say what the recorded results say."""

import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

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


PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_training_of_a_page_takes_the_folder_of_another(page: Path) -> None:
    """Whoever types all commands of a page, one after the other, is not refused."""
    lines = re.findall(
        r"^python train\.py (.*)$", page.read_text().replace("\\\n", " "), re.MULTILINE
    )
    commands = [shlex.split(line, comments=True) for line in lines]
    begun = [c for c in commands if not {"plot", "actuator", "--help", "--resume"} & set(c)]
    taken = Counter(folder(command) for command in begun)
    assert [name for name, count in taken.items() if count > 1] == []


def folder(command: list[str]) -> str:
    """Return where a training keeps its run."""
    if "--run-dir" in command:
        return command[command.index("--run-dir") + 1]
    seed = command[command.index("--seed") + 1] if "--seed" in command else "1"
    return f"runs/{re.split('[:/]', command[0])[-1]}" + f"-s{seed}" * ("--seeds" not in command)


def test_results_are_the_recorded_ones() -> None:
    results, page = json.loads(learning.RESULTS.read_text()), ROOT / "docs" / "results.md"
    assert learning.locomotion_table(results) in page.read_text()
    assert learning.return_table(results) in page.read_text()


def test_the_row_of_the_readme_is_the_one_of_the_committed_policy() -> None:
    table = learning.locomotion_table(json.loads(learning.RESULTS.read_text())).splitlines()
    walk = next(row for row in table if row.startswith("| walk-s3 "))
    recorded = dict(zip(cells(table[0]), cells(walk), strict=True))
    head, _, row = [line for line in README.splitlines() if line.startswith("|")]
    shown = dict(zip(cells(head), cells(row), strict=True))
    del shown["minutes on two cores"]  # walk-s3 shared them when it was recorded
    assert shown.items() <= recorded.items()
    assert len(shown) > 3

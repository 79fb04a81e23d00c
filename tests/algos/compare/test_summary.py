"""The table that ends an experiment: what is comparable first, intervals, every seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

import algos.compare.summary
from tests.algos.compare.test_plots import returns, walks, write_run


def summary(
    tmp_path: Path,
    rows: Sequence[list[dict[str, float]]],
    capsys: pytest.CaptureFixture[str],
    seconds: float = 60.0,
) -> dict[str, list[str]]:
    """Return the printed rows by their first cell."""
    for row in (row for run in rows for row in run):
        row |= {"seconds": seconds}
    seeds = range(1, len(rows) + 1)
    paths = [write_run(tmp_path / f"x-s{s}", rows[s - 1], seed=s) for s in seeds]
    folders = dict(zip(seeds, paths, strict=True))
    Console(width=80).print(algos.compare.summary.summary(folders, "trot/Walk-v0"))
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    return {row[0]: row[1:] for row in cells if row}


def test_falls_and_errors_stand_before_the_return(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = summary(tmp_path, [walks(0.0, e) for e in (0.1, 0.11, 0.12)], capsys)
    head = table["last evaluation"]
    assert head == ["mean", "95 % interval", "seed 1", "seed 2", "seed 3"]
    assert list(table)[-5:] == ["fall rate", "lin vel error", "return", "steps", "minutes"]
    assert table["fall rate"] == ["0.000", "0.000 to 0.060", "0.000", "0.000", "0.000"]
    # t(0.975, 2) · 0.01 / √3 / 0.11 = 0.2258, and e^0.2258 = 1.2533
    assert table["lin vel error"][:2] == ["0.110", "0.088 to 0.138"]
    assert table["return"] == ["50.0", "50.0 to 50.0", "50.0", "50.0", "50.0"]


def test_of_many_seeds_the_least_and_the_most_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = (0.3, 0.1, 0.5, 0.2, 0.4)
    table = summary(tmp_path, [walks(0.0, e) for e in errors], capsys)
    assert table["lin vel error"][2:] == ["0.100 (seed 2)", "0.500 (seed 3)"]


def test_a_seed_without_an_evaluation_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = summary(tmp_path, [returns([1.0]), walks(0.0, 0.1)], capsys)
    assert table["return"] == ["50.0", "none", "50.0"]
    (tmp_path / "one").mkdir()
    alone = summary(tmp_path / "one", [walks(0.05, 0.1)], capsys)
    assert alone["last evaluation"] == ["seed 1"]
    assert alone["fall rate"] == ["0.050"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "seconds 0.4"), (5.0, "seconds 5.0"), (90.0, "minutes 1.5"), (9000.0, "hours 2.5")],
)
def test_a_time_has_a_unit_that_fits(
    seconds: float, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = summary(tmp_path, [returns([1.0])], capsys, seconds)
    assert f"{list(table)[-1]} {table[list(table)[-1]][0]}" == told

"""What is said of a training at its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from algos.training import outcome

METRICS = """iteration,env_steps,seconds,eval/return_mean,eval/fall
1,1000,30,1.0,0.5
2,2000,60,9.0,0.25
3,3000,90,,
4,4000,120,9.0,0.05
5,600000,1200,8.0,0.1
"""


def lines(rows: list[outcome.Row], capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Return the cells of the table, without its head."""
    table = outcome.evaluations(rows)
    assert table is not None
    Console(width=80).print(table)
    printed = [line for line in capsys.readouterr().out.splitlines() if "│" in line]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in printed]


def test_first_best_and_last_evaluation_stand_in_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics.csv").write_text(METRICS + "6,7")  # a row that a kill cut short
    rows = outcome.read(tmp_path / "metrics.csv")
    assert lines(rows, capsys) == [
        ["first", "1,000", "50 %", "1.0"],
        ["best", "4,000", "5 %", "9.0"],  # of equal ones the later, as best.pt is
        ["last", "600,000", "10 %", "8.0"],
    ]
    assert lines(rows[:2], capsys) == [
        ["first", "1,000", "50 %", "1.0"],
        ["best, last", "2,000", "25 %", "9.0"],
    ]
    assert lines(rows[3:], capsys) == [
        ["first, best", "4,000", "5 %", "9.0"],
        ["last", "600,000", "10 %", "8.0"],
    ]
    assert lines(rows[:1], capsys) == [["only", "1,000", "50 %", "1.0"]]
    assert outcome.pace(rows) == "20.0 minutes, 500 steps/s"
    rows[-1]["seconds"] = 12.4
    assert outcome.pace(rows).startswith("12 seconds, ")


def test_without_an_evaluation_there_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("iteration,env_steps,seconds\n1,1000,30\n")
    assert outcome.evaluations(outcome.read(tmp_path / "metrics.csv")) is None


def test_environments_that_were_left_out_are_in_the_closing_note() -> None:
    rows = [{"omitted_environments": left_out} for left_out in (0.0, 8.0, 1.0)]
    (line,) = outcome.omissions(rows)
    assert line.startswith("environments were left out of the update in 2 of 3 iterations")
    assert outcome.omissions(rows[:1]) == []

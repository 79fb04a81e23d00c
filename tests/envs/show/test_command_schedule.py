"""The schedule of commands that videos and live views follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs.mdp.commands import Command, Commands, velocity
from envs.mdp.gaits.footfalls import asked
from envs.mdp.gaits.library import FOUR_LEGGED
from envs.show.command_schedule import COMMANDS, GAIT_HOLD, HOLD, command_at, read, usual
from tests.envs.helpers import task

FAST = Commands(velocity((-1.0, 2.0), (-0.5, 0.5), (-1.0, 1.0)))


@pytest.mark.parametrize(
    ("time", "command"),
    [
        (0.0, [1.0, 0.0, 0.0]),
        (2.49, [1.0, 0.0, 0.0]),
        (2.5, [2.0, 0.0, 0.0]),
        (5.0, [1.2, 0.0, 0.6]),
        (10.1, [0.0, -0.5, 0.0]),
        (15.0, [-1.0, 0.0, 0.0]),
        (19.9, [0.0, 0.0, 0.0]),
        (20.0, [1.0, 0.0, 0.0]),
    ],
)
def test_each_command_holds_for_its_time_and_all_come_again(
    time: float, command: list[float]
) -> None:
    np.testing.assert_allclose(command_at(time, FAST), command)


def test_it_shows_every_direction_and_stays_within_the_task_s_commands() -> None:
    shares = np.array(COMMANDS)
    assert np.abs(shares).max() <= 1
    for axis in range(3):
        assert shares[:, axis].any()
    assert not shares[-1].any()
    np.testing.assert_allclose(command_at(3 * HOLD, task().commands), [0.0, 0.4, 0.0])


def test_entries_that_are_no_velocities_are_as_near_to_zero_as_they_may() -> None:
    entries = {"height": Command((0.3, 0.6), "m"), "yaw_rate": Command((-2.0, 2.0), "rad/s")}
    np.testing.assert_allclose(command_at(2 * HOLD, Commands(entries)), [0.3, 1.2])
    assert command_at(0.0, Commands({})).shape == (0,)


def test_commands_stay_in_ranges_without_zero() -> None:
    commands = Commands(velocity((0.5, 0.8), (0.2, 0.2), (-0.9, -0.3)))
    shown = np.array([command_at(i * HOLD, commands) for i in range(len(COMMANDS))])
    np.testing.assert_allclose(shown[:, 0], [0.5, 0.8, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert set(shown[:, 1]) == {0.2}
    assert set(shown[:, 2]) == {-0.3}


GAITS = task("gait").commands


def test_where_gaits_are_commanded_each_is_shown_in_turn() -> None:
    schedule = usual(GAITS)
    shown = [schedule((i + 0.5) * GAIT_HOLD) for i in range(len(FOUR_LEGGED) + 1)]
    assert [asked(GAITS.names, row) for row in shown] == [*FOUR_LEGGED, "walk"]
    assert all(row[0] > 0 for row in shown)


def test_a_file_s_rows_hold_for_their_times_and_come_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("seconds,gait,lin_vel_x,duty\n2,pace,0.5,\n1.5, bound ,0.8,0.4\n3,,,\n")
    schedule = read(path, GAITS)
    for time, gait, speed, duty in (
        *((0.0, "pace", 0.5, 0.5), (1.98, "pace", 0.5, 0.5), (2.0, "bound", 0.8, 0.4)),
        *((3.5, "trot", 0.0, 0.5), (6.48, "trot", 0.0, 0.5), (6.5, "pace", 0.5, 0.5)),
    ):
        row = schedule(time)
        assert asked(GAITS.names, row) == gait
        assert (row[0], row[GAITS.names.index("duty")]) == (speed, duty)
    path.write_text("seconds,yaw_rate\n1,0.9\n,\n\n", encoding="utf-8-sig")  # a spreadsheet's
    np.testing.assert_allclose(read(path, FAST)(0.0), [0.0, 0.0, 0.9])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("seconds,gait\n", "is empty"),
        ("gait\ntrot\n", "line 2: seconds is 0.0; it must be above 0 s in every row"),
        ("seconds,gait\n1,hop\n", "gait is 'hop'; it must be one of walk"),
        ("seconds,speed\n1,2\n", "column is 'speed'; it must be one of seconds, gait, lin_vel_x"),
        ("seconds,lin_vel_x\n1,fast\n", "line 2: lin_vel_x is 'fast'; give a number"),
        ("seconds,lin_vel_x\n1,1\n1,nan\n", "line 3: lin_vel_x is nan; it must be in -1 to 1.5"),
        ("seconds,lin_vel_x\n1,1e9\n", "lin_vel_x is 1000000000.0; it must be in -1 to 1.5"),
        ("seconds,lin_vel_x,lin_vel_x\n1,1,0\n", "column is 'lin_vel_x'; it must be there once"),
        ("seconds,gait\n1,walk,3\n", "line 2 is of 3 cells; it must be of 2 at most"),
        ("seconds,gait\n1,walk\n\n,\n1,hop\n", "line 5: gait is 'hop'"),
    ],
)
def test_a_file_that_is_no_schedule_is_told(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        read(path, GAITS)
    with pytest.raises(ValueError, match="cannot be read"):
        read(tmp_path / "none.csv", GAITS)


def test_a_task_without_gaits_refuses_a_row_that_names_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("seconds,gait\n1,trot\n")
    with pytest.raises(ValueError, match="column is 'gait'; it must be one of seconds, lin_vel_x"):
        read(path, FAST)

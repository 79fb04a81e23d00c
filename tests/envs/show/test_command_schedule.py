"""The schedule of commands that videos and live views follow."""

from __future__ import annotations

import numpy as np
import pytest

from envs.mdp.commands import Command, Commands, velocity
from envs.show.command_schedule import COMMANDS, HOLD, command_at
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

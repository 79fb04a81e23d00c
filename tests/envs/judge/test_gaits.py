"""How steps as commanded are judged, on robots whose footfalls are made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.judge import gaits
from envs.mdp.gaits.commanded import command_of
from envs.mdp.gaits.library import FOUR_LEGGED
from tests.envs.helpers import made_up_recording, task

TASK = task("gait")
NAMES = TASK.commands.names
STEPS = 300


def told(*names: str) -> np.ndarray:
    """Commands of gaits by name, (n, entries)."""
    return np.array([command_of(TASK.commands, name, {"lin_vel_x": 0.5}) for name in names])


def contacts(name: str, period: int = 20) -> np.ndarray:
    """Contacts of a gait, (T, feet)."""
    gait = FOUR_LEGGED[name]
    place = (np.arange(STEPS)[:, None] / period - np.array(gait.footfalls) + 1e-9) % 1.0
    return place < gait.duty - 1e-6


def test_errors_of_phase_and_duty_are_shares_of_a_stride() -> None:
    """Three robots are told to trot: one does, one paces, one has fallen."""
    recording = made_up_recording(STEPS, 3)
    feet = np.stack([contacts(name) for name in ("trot", "pace", "trot")], axis=1)
    alive = recording.alive.copy()
    alive[-10:, 2] = False
    recording = replace(recording, foot_contact=feet, alive=alive)
    command = told("trot", "trot", "trot")
    command[1, NAMES.index("duty")] = 0.6
    values, names = gaits.stepped(recording, command, NAMES)
    assert names == ["trot", "pace", "none"]
    np.testing.assert_allclose(values["phase_error"], [0.0, 0.25, np.nan], atol=1e-9)
    np.testing.assert_allclose(values["duty_error"], [0.0, 0.1, np.nan], atol=1e-9)
    assert values["fall_rate"].tolist() == [0.0, 0.0, 1.0]
    # 100 W at 0.5 m/s and 50 kg
    np.testing.assert_allclose(values["cost_of_transport"][:2], 100 / (50 * 9.81 * 0.5))


@pytest.mark.slow
def test_every_gait_and_change_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Robots that hold still take no steps, and stay up."""
    for name, value in {"ROBOTS": 1, "SETTLE": 0.1, "WATCH": 0.4, "CHANGED": 0.2}.items():
        monkeypatch.setattr(gaits, name, value)
    law = replace(TASK.commands.function, gaits=("walk", "trot"))  # pyright: ignore[reportArgumentType]
    config = replace(TASK, commands=replace(TASK.commands, function=law))
    found = gaits.evaluate(lambda n: lambda o: np.zeros((n, 12)), config, seed=0, tries=2)
    assert {
        gait: [rung["command"] for rung in rungs] for gait, rungs in found["gaits"].items()
    } == {
        "walk": pytest.approx([0.24, 0.42, 0.6]),
        "trot": pytest.approx([0.48, 0.84, 1.2]),
    }
    assert all(rung["measured"] == {"none": 1} for rung in found["gaits"]["trot"])
    assert list(found["changes"]) == ["walk to trot", "trot to walk"]
    assert all(change == {"tries": 2, "up": 2} for change in found["changes"].values())
    assert [row[0] for row in gaits.table(found)] == ["gait", *["walk"] * 3, *["trot"] * 3]
    assert gaits.change_table(found)[1:] == [["walk", "", "2/2"], ["trot", "2/2", ""]]

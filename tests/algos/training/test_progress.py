"""What a long run shows: it fits a terminal, and no mean is one that a few episodes could be."""

from __future__ import annotations

import io
import re
import sys

import pytest

from algos import terminal
from algos.training.progress import Progress

WALKING = {
    "episodes": 100.0,
    "episode/lin_vel_error": 0.31,
    "episode/yaw_rate_error": 0.2,
    "episode/fall": 0.04,
    "episode_return": 12.34,
    "kl": 0.01,
    "steps_per_second": 7832.0,
}


def shown(rows: list[dict[str, float]], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines of iterations."""
    with Progress(1000 * len(rows), every=0.0) as progress:
        for i, row in enumerate(rows, 1):
            progress.update(1000 * i, row)
    return capsys.readouterr().out.splitlines()


def test_errors_and_falls_are_means_over_the_last_hundred_episodes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [
        {"episodes": 1.0, "episode/fall": 1.0, "episode/lin_vel_error": 0.65, "kl": 0.01},
        {"episodes": 59.0, "episode/fall": 0.0, "episode/lin_vel_error": 0.5, "kl": 0.01},
        {"episodes": 0.0, "kl": 0.01},
        {"episodes": 40.0, "episode/fall": 0.1, "episode/lin_vel_error": 0.25, "kl": 0.01},
        {"episodes": 60.0, "episode/fall": 0.0, "episode/lin_vel_error": 0.1, "kl": 0.01},
        {"episodes": 0.0, "kl": 0.01},
    ]
    lines = shown(rows, capsys)
    assert len(lines) == 6
    assert not any("falls" in line or "velocity" in line for line in lines[:3])
    # (1 · 0.65 + 59 · 0.5 + 40 · 0.25) / 100, (1 · 1 + 40 · 0.1) / 100
    assert "velocity error 0.40 m/s, falls 5 %" in lines[3]
    # the last 100: (40 · 0.25 + 60 · 0.1) / 100, 40 · 0.1 / 100
    assert "velocity error 0.16 m/s, falls 4 %" in lines[4]
    assert "velocity error 0.16 m/s, falls 4 %" in lines[5]
    assert all("KL 0.010" in line for line in lines)


def test_what_an_environment_does_not_tell_is_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (line,) = shown([{"episodes": 500.0, "episode_return": 3.0}], capsys)
    assert line == "100 %, 0:00 left: return 3.0 over 100 episodes"


def test_no_share_is_beyond_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(1000, every=0.0) as progress:
        progress.update(1024, {"episodes": 1.0, "episode_return": 2.0})
    assert capsys.readouterr().out == "100 %, 0:00 left: return 2.0 over 1 episode\n"


def test_a_running_return_says_over_how_many_episodes(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"episodes": n, "episode_return": 2.0} for n in (1.0, 36.0, 0.0, 90.0)]
    numbers = [line.split("over ")[1] for line in shown(rows, capsys)]
    assert numbers == ["1 episode", "37 episodes", "37 episodes", "100 episodes"]
    with Progress(2000, done=1000, episodes=64, every=0.0) as resumed:
        resumed.update(1500, {"episodes": 2.0, "episode_return": 2.0})
    assert "over 66 episodes" in capsys.readouterr().out


def test_a_log_line_has_share_time_and_errors_in_80_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress(8_000_000, every=0.0) as progress:
        progress.update(800_000, WALKING)
    line = capsys.readouterr().out.rstrip("\n")
    assert re.match(r" 10 %, [\d:]+ left: velocity error 0.31 m/s, yaw 0.20 rad/s, falls 4 %", line)
    assert len(line) <= 80


def test_the_bar_fits_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with Progress(1_000_000_000) as progress:
        progress.update(300_000_000, WALKING)
    plain = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", capsys.readouterr().out)
    *_, bar, told = (line for line in re.split(r"[\r\n]+", plain) if line.strip())
    assert re.search(r"━ +30 % \S+ left, 300,000,000 of 1,000,000,000 steps$", bar.rstrip())
    assert "velocity error 0.31 m/s, yaw 0.20 rad/s, falls 4 %" in told
    assert max(len(bar.rstrip()), len(told.rstrip())) <= 80


def test_no_evaluation_is_under_way_when_the_bar_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    with Progress(100) as progress:
        progress.update(100, WALKING)
        progress.evaluating()
        progress.evaluated(100, {"return_mean": 1.0})
    plain = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", capsys.readouterr().out)
    *_, told = (line for line in re.split(r"[\r\n]+", plain) if line.strip())
    assert told.startswith("velocity error 0.31 m/s")


def test_an_evaluation_is_told_by_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    errors = {"lin_vel_error": 0.31, "yaw_rate_error": 0.2, "fall": 0.04}
    with Progress(1_000_000) as progress:
        progress.evaluated(409_600, {"return_mean": 12.34, "episodes": 20.0, **errors})
        progress.evaluated(5_120, {"return_mean": 500.0, "episodes": 1.0})
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "evaluation after 409,600 steps:"
    found = "velocity error 0.31 m/s, yaw 0.20 rad/s, falls 4 %, return 12.3 (20 episodes)"
    assert second == f"  {found}"
    assert len(second) <= 80
    assert third == "evaluation after 5,120 steps: return 500.0 (1 episode)"


def test_an_evaluation_that_went_badly_fits_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    errors = {"lin_vel_error": 0.54, "yaw_rate_error": 0.47, "fall": 1.0}
    with Progress(1_000_000) as progress:
        progress.evaluated(102_400, {"return_mean": -149.9, "episodes": 20.0, **errors})
    _, found, rest = capsys.readouterr().out.splitlines()
    assert found == "  velocity error 0.54 m/s, yaw 0.47 rad/s, falls 100 %,"
    assert rest == "  return -149.9 (20 episodes)"


@pytest.mark.parametrize("columns", ["0", "1", "7"])
def test_a_terminal_without_width_ends_no_training(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with Progress(1000, every=0.0) as progress:
        progress.update(1000, WALKING)
        progress.evaluated(1000, {"return_mean": 12.34, "episodes": 20.0})
    output = capsys.readouterr().out
    assert "return12.3(20episodes)" in re.sub(r"\s", "", output)
    assert ("velocity error 0.31 m/s" in output) == (columns == "0")  # as on 80 columns


def test_a_stream_that_an_environment_closes_ends_no_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone, own = io.StringIO(), io.StringIO()
    gone.close()
    monkeypatch.setitem(terminal._streams, 1, own)  # as where the programs begin
    with Progress(1000, every=0.0) as progress:
        monkeypatch.setattr(sys, "stdout", gone)
        progress.update(1000, WALKING)
        progress.say("video: run/1.mp4")
    assert own.getvalue().startswith("100 %, 0:00 left: ")
    assert own.getvalue().endswith("video: run/1.mp4\n")

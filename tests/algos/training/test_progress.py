"""What a long run shows: no mean that a few episodes could be."""

from __future__ import annotations

import pytest

from algos.training.progress import Progress


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
    assert "velocity error 0.40 m/s, falls 5%" in lines[3]
    # the last 100: (40 · 0.25 + 60 · 0.1) / 100, 40 · 0.1 / 100
    assert "velocity error 0.16 m/s, falls 4%" in lines[4]
    assert "velocity error 0.16 m/s, falls 4%" in lines[5]
    assert all("KL 0.010" in line for line in lines)


def test_what_an_environment_does_not_tell_is_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (line,) = shown([{"episodes": 500.0, "episode_return": 3.0}], capsys)
    assert line.endswith("return 3.0")

"""A short training is followed by little: its evaluations and videos scale with its steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from algos.presets import PRESETS
from algos.training.settings import Training

WALK = Training("trot/AnymalWalk-v0", total_steps=1_000_000)


@pytest.mark.parametrize("env_id", [*PRESETS, "Ant-v5"])
def test_ordinary_trainings_have_whole_evaluations_and_videos(env_id: str) -> None:
    steps = PRESETS[env_id].total_steps if env_id in PRESETS else 200_000
    training = Training(env_id, total_steps=steps)
    assert (training.evaluated, training.filmed, training.cuts()) == (20, 8.0, None)
    assert (WALK.evaluated, WALK.filmed, WALK.cuts()) == (20, 8.0, None)


def test_a_short_training_is_evaluated_and_filmed_in_proportion() -> None:
    half, tiny = replace(WALK, total_steps=500_000), replace(WALK, total_steps=1)
    assert (half.evaluated, half.filmed) == (10, 4.0)
    assert (tiny.evaluated, tiny.filmed) == (1, 1.0)
    words = tiny.cuts()
    assert words is not None
    for part in ("1 episode (--eval-episodes)", "1.0 s (--video-seconds)"):
        assert part in words
    assert max(map(len, words.splitlines())) <= 80


def test_what_is_asked_for_is_done_in_full() -> None:
    tiny = replace(WALK, total_steps=1, eval_episodes=20, video_seconds=8.0)
    assert (tiny.evaluated, tiny.filmed, tiny.cuts()) == (20, 8.0, None)
    silent = replace(WALK, total_steps=1, video_interval=0, eval_episodes=3)
    assert silent.cuts() is None
    with pytest.raises(ValueError, match="--eval-episodes is 0"):
        replace(WALK, eval_episodes=0)
    with pytest.raises(ValueError, match="--video-seconds is 0"):
        replace(WALK, video_seconds=0.0)

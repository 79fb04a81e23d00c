"""The walking reward ranks behaviours as a roboticist would."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import play
from algos.rollout.environments import make_vec
from algos.training.evaluate import evaluate
from envs.task import as_judged
from envs.tasks import make
from robots import get_robot

POLICY = Path(__file__).parent.parent / "policies" / "walk.pt"
ENV_ID = "trot/AnymalWalk-v0"
ROBOTS, SECONDS, DT = 8, 10.0, 0.02


def score(act: Callable[[np.ndarray], np.ndarray]) -> float:
    """Mean undiscounted return of 10 s under random commands, every reward at full weight."""
    config = replace(as_judged(make("walk", get_robot("anymal_c"))), episode_length=SECONDS)
    environment = make_vec(ENV_ID, ROBOTS, config=config)
    result = evaluate(act, environment, ROBOTS, seed=3)
    environment.close()
    return result["return_mean"]


@pytest.fixture(scope="module")
def trained() -> float:
    options = play.Play(str(POLICY), evaluate=True)
    return score(play.policy_of(options, play.find_subject(options), ROBOTS))


def stand(observations: np.ndarray) -> np.ndarray:
    """Hold the nominal stance."""
    return np.zeros((len(observations), 12), np.float32)


class Drag:
    """Swing the legs to and fro in diagonal pairs at 2 Hz, feet on the ground all the while."""

    def __init__(self) -> None:
        self._step = 0

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        phase = 2 * np.pi * 2.0 * self._step * DT
        self._step += 1
        diagonal = np.array([1.0, -1.0, -1.0, 1.0])  # LF RF LH RH
        action = np.zeros((len(observations), 4, 3), np.float32)
        action[:, :, 1] = 0.25 * np.sin(phase) * diagonal
        return action.reshape(len(observations), 12)


def fall(observations: np.ndarray) -> np.ndarray:
    """Fold the legs of one side."""
    action = np.zeros((len(observations), 4, 3), np.float32)
    action[:, [0, 2], 1] = [1.0, -1.0]
    action[:, [0, 2], 2] = [-1.0, 1.0]
    return action.reshape(len(observations), 12)


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", [stand, Drag(), fall], ids=["stand", "drag", "fall"])
def test_trained_policy_scores_above(
    behaviour: Callable[[np.ndarray], np.ndarray], trained: float
) -> None:
    assert score(behaviour) < 0.75 * trained


@pytest.mark.slow
def test_falling_scores_below_standing() -> None:
    assert score(fall) < score(stand)

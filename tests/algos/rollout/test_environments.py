"""Any id becomes a vector environment that the algorithm understands, or a clear error."""

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from algos.rollout.collector import Collector
from algos.rollout.environments import make_vec
from algos.training.evaluate import evaluate
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO
from algos.usage import UsageError

IMAGE = spaces.Box(0, 255, (8, 8, 3), np.uint8)
VECTOR = spaces.Box(-1.0, 1.0, (2,))


class Levers(gymnasium.Env):
    """Two levers of 2 and 3 places; a step pays 1 for each in the place that the state shows."""

    def __init__(self, observation_space: spaces.Space = VECTOR) -> None:
        self.observation_space = observation_space
        self.action_space = spaces.MultiDiscrete([2, 3])

    def _draw(self) -> np.ndarray:
        self._wanted = self.np_random.integers([2, 3])
        return (self._wanted - [0.5, 1.0]).astype(np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return self._draw(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        reward = float((action == self._wanted).sum())
        self._steps += 1
        return self._draw(), reward, False, self._steps == 10, {}


def make_levers(**kwargs: Any) -> gymnasium.Env:
    return Levers(**kwargs)


@pytest.fixture
def levers() -> Iterator[str]:
    gymnasium.register("test/Levers-v0", make_levers)
    yield "test/Levers-v0"
    del gymnasium.registry["test/Levers-v0"]


@pytest.mark.slow
def test_learns_several_choices_at_once(levers: str) -> None:
    envs = make_vec(levers, 16)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    config = TRPOConfig(hidden=(32,), critic_hidden=(32,), gamma=0.5, max_kl=0.1)
    agent = TRPO(envs.single_observation_space, envs.single_action_space, config)
    collector = Collector(envs, agent.sample, 20, seed=0)
    for _ in range(40):
        agent.update(collector.collect())
    result = evaluate(lambda o: agent.act(o, deterministic=True), make_vec(levers, 4), 20, seed=1)
    assert result["return_mean"] > 19.5  # of 20; chance gets 8.3


@pytest.mark.parametrize("space", [IMAGE, spaces.Dict({"camera": IMAGE, "joints": VECTOR})])
def test_images_are_refused(levers: str, space: spaces.Space) -> None:
    with pytest.raises(ValueError, match="hold images"):
        make_vec(levers, 2, observation_space=space)


def test_unknown_id_is_named() -> None:
    with pytest.raises(ValueError, match="CartPoll"):
        make_vec("CartPoll-v1", 2)


@pytest.mark.parametrize("env_id", ["Ant-v3", "LunarLander-v3", "CartPole-v7"])
def test_an_id_that_gymnasium_cannot_make_is_named(env_id: str) -> None:
    with pytest.raises(UsageError, match=f"environment '{env_id}': "):
        make_vec(env_id, 2)


@pytest.mark.parametrize(
    "error", [ImportError("no my_maps"), ValueError("map"), gymnasium.error.InvalidAction("bad")]
)
def test_what_an_environment_raises_when_it_is_made_is_its_own(
    error: Exception, monkeypatch: pytest.MonkeyPatch, levers: str
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(Levers, "__init__", fail)
    with pytest.raises(type(error)) as caught:
        make_vec(levers, 2)
    assert caught.value is error

"""Environments return to where a checkpoint left them, by playing their episodes again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from algos.rollout import repeatable
from algos.rollout.collector import Collector
from algos.rollout.environments import make_vec
from algos.rollout.repeatable import EpisodeError
from algos.runs.checkpoint import load_checkpoint, save_checkpoint


class Drunkard(gymnasium.Env):
    """A walk with chance at every step; with `memory`, episodes differ by their number alone."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,))
    action_space = spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, memory: bool = False) -> None:
        self._memory, self._episode = memory, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._episode += 1
        self._place = self.np_random.normal(size=2) + self._memory * self._episode
        return self._place.astype(np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._place += self.np_random.normal(size=2) + action
        over = bool(np.abs(self._place).max() > 4)
        return self._place.astype(np.float32), float(self._place[0]), over, False, {}


def make_drunkard(**kwargs: Any) -> gymnasium.Env:
    return Drunkard(**kwargs)


@pytest.fixture(autouse=True)
def drunkard() -> Iterator[None]:
    gymnasium.register("test/Drunkard-v0", make_drunkard)
    yield
    del gymnasium.registry["test/Drunkard-v0"]


def collector(env_id: str, **kwargs: Any) -> tuple[Collector, np.random.Generator]:
    """A collector with a random policy, and the policy's generator."""
    envs, rng = make_vec(env_id, 3, **kwargs), np.random.default_rng(0)
    space = envs.single_action_space

    def sample(observations: torch.Tensor) -> tuple[torch.Tensor, np.ndarray]:
        if isinstance(space, spaces.Box):
            actions = rng.uniform(-1, 1, (3, *space.shape)).astype(np.float32)
        else:
            actions = rng.integers(0, 2, 3)
        return torch.from_numpy(actions), actions

    return Collector(envs, sample, 20, seed=7), rng


@pytest.mark.parametrize("env_id", ["test/Drunkard-v0", "CartPole-v1", "Ant-v5"])
def test_what_follows_is_the_same_to_the_last_bit(env_id: str, tmp_path: Path) -> None:
    first, rng = collector(env_id)
    for _ in range(3):
        first.collect()
    save_checkpoint(tmp_path / "state.pt", first.state_dict())
    policy = rng.bit_generator.state
    later = first.collect()
    wanted = {name: value.clone() for name, value in vars(later).items() if name != "metrics"}

    second, rng = collector(env_id)
    second.load_state_dict(load_checkpoint(tmp_path / "state.pt"))
    rng.bit_generator.state = policy
    found = second.collect()
    for name, value in wanted.items():
        assert torch.equal(getattr(found, name), value), name
    assert found.metrics["episode_length"] == later.metrics["episode_length"]


def test_an_environment_that_does_not_return_starts_new_episodes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, _ = collector("test/Drunkard-v0", memory=True)
    first.collect()
    state = first.state_dict()
    second, _ = collector("test/Drunkard-v0", memory=True)
    second.load_state_dict(state)
    assert "new episodes begin" in caplog.text
    assert second.collect().metrics["episode_length"] > 0
    assert not second.state_dict()["length"].gt(20).any()  # none goes on with an older length


class Foreign(Drunkard):
    """Chance that is not NumPy's."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        if seed is not None:
            self.np_random = random.Random(seed)  # pyright: ignore[reportAttributeAccessIssue]
        self._place = np.zeros(2)
        return self.np_random.gauss(0, 1) + self._place.astype(np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._place += self.np_random.gauss(0, 1)
        over = bool(np.abs(self._place).max() > 1)
        return self._place.astype(np.float32), 0.0, over, False, {}


class Refusing(Drunkard):
    """A generator that is not shown."""

    def __init__(self) -> None:
        super().__init__()
        self._chance = np.random.default_rng(0)

    @property
    def np_random(self) -> np.random.Generator:  # pyright: ignore
        raise NotImplementedError("use chance")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        self._place = self._chance.normal(size=2)
        return self._place.astype(np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._place += self._chance.normal(size=2)
        over = bool(np.abs(self._place).max() > 2)
        return self._place.astype(np.float32), 0.0, over, False, {}


@pytest.mark.parametrize("kind", [Foreign, Refusing])
def test_chance_that_is_not_numpys_costs_the_exact_resume_alone(
    kind: type[gymnasium.Env], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gymnasium.register("test/Foreign-v0", lambda **kwargs: kind(**kwargs))
    first, _ = collector("test/Foreign-v0")
    first.collect()
    save_checkpoint(tmp_path / "state.pt", first.state_dict())
    second, _ = collector("test/Foreign-v0")
    second.load_state_dict(load_checkpoint(tmp_path / "state.pt"))
    del gymnasium.registry["test/Foreign-v0"]
    assert "new episodes begin" in caplog.text
    assert second.collect().metrics["episode_length"] > 0


def test_a_generator_that_is_gone_starts_new_episodes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = collector("test/Drunkard-v0")
    first.collect()
    second, _ = collector("test/Drunkard-v0")
    monkeypatch.setattr(repeatable, "_generator", lambda env: None)
    second.load_state_dict(first.state_dict())
    assert "new episodes begin" in caplog.text


class Unready(Drunkard):
    """Fails at its first reset, once `failing`, as where a machine is unplugged."""

    failing = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        if self.failing:
            raise KeyError("robot")
        return super().reset(seed=seed)


def test_a_reset_that_fails_is_no_fault_of_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    gymnasium.register("test/Unready-v0", lambda **kwargs: Unready(**kwargs))
    first, _ = collector("test/Unready-v0")
    first.collect()
    state = first.state_dict()
    for episode in state["envs"]["episodes"].values():
        episode["whole"] = False
    second, _ = collector("test/Unready-v0")
    monkeypatch.setattr(Unready, "failing", True)
    with pytest.raises(
        EpisodeError, match="new episodes cannot begin: KeyError: 'robot'"
    ) as caught:
        second.load_state_dict(state)
    assert isinstance(caught.value.__cause__, KeyError)
    del gymnasium.registry["test/Unready-v0"]


def test_endless_episodes_are_forgotten(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(repeatable, "LONGEST", 10)
    first, _ = collector("Pendulum-v1")  # 200 steps
    first.collect()
    second, _ = collector("Pendulum-v1")
    second.load_state_dict(first.state_dict())
    assert "new episodes begin" in caplog.text


def test_a_wrapper_that_remembers_earlier_episodes_starts_new_ones(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scaled = {"wrappers": ["gymnasium.wrappers:NormalizeReward"]}
    first, _ = collector("CartPole-v1", **scaled)
    for _ in range(3):
        first.collect()
    second, _ = collector("CartPole-v1", **scaled)
    second.load_state_dict(first.state_dict())
    assert "an episode played again has another return: new episodes begin" in caplog.text


def test_vectors_without_a_state_start_new_episodes(caplog: pytest.LogCaptureFixture) -> None:
    first, _ = collector("CartPole-v1")
    first.collect()
    state = first.state_dict()
    del state["envs"]
    first.load_state_dict(state)
    assert "cannot tell where they stand: new episodes begin" in caplog.text


def test_another_number_of_environments_is_refused() -> None:
    first, _ = collector("CartPole-v1")
    state = first.state_dict()
    del state["envs"]["episodes"]["2"]
    with pytest.raises(ValueError, match="2 environments, not 3"):
        first.load_state_dict(state)

"""Environments that cannot be drawn say so before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from algos.rollout.environments import make_vec
from envs.render.gl import OpenGLError
from envs.show import rendering
from envs.show.rendering import rendering_env
from robots.usage import UsageError


class Dot(gymnasium.Env):
    """Draws nothing at all, by what it says of itself."""

    def __init__(self) -> None:
        self.observation_space = self.action_space = spaces.Box(-1, 1, (1,))


class Shown(Dot):
    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__()
        self.render_mode = render_mode

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return np.zeros(1, np.float32), {}

    def render(self) -> Any:
        return np.full((8, 8), 7, np.uint8)


class Silent(Shown):
    metadata = {"render_fps": 5}  # noqa: RUF012


class Human(Shown):
    metadata = {"render_modes": ["human"]}  # noqa: RUF012


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Gymnasium's, of the same


@pytest.fixture(autouse=True)
def ids(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rendering, "choose_backend", lambda: "egl")
    classes = [Dot, Shown, Silent, Human]
    for one in classes:
        gymnasium.register(f"own/{one.__name__}-v0", one)
    yield
    for one in classes:
        gymnasium.registry.pop(f"own/{one.__name__}-v0")


def make(name: str) -> VectorEnv:
    def vector(env_id: str, n: int, **kwargs: Any) -> VectorEnv:
        return gymnasium.make_vec(env_id, n, vectorization_mode="sync", **kwargs)

    return rendering_env(vector, f"own/{name}-v0", "", None, 1, (8, 8), 1.0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Dot", "'own/Dot-v0' cannot be drawn: its __init__ takes no render_mode"),
        ("Shown", r"its metadata has render_modes \[\], without 'rgb_array'"),
        ("Human", r"its metadata has render_modes \['human'\], without 'rgb_array'"),
    ],
)
def test_what_cannot_be_drawn_is_told(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make(name)


def test_metadata_without_render_modes_are_no_hindrance() -> None:
    envs = make("Silent")
    envs.reset()
    assert envs.render()[0].shape == (8, 8)  # pyright: ignore[reportOptionalSubscript]


def test_another_type_error_of_a_constructor_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Shown, render_mode: str | None = None) -> None:
        raise TypeError("unsupported operand")

    monkeypatch.setattr(Shown, "__init__", broken)
    with pytest.raises(TypeError, match="unsupported operand"):
        make("Shown")


def test_what_mujoco_does_not_draw_needs_no_opengl(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise OpenGLError("no OpenGL")

    monkeypatch.setattr(rendering, "choose_backend", missing)
    size = (64, 64)
    rendering_env(make_vec, "CartPole-v1", "", None, 1, size, 1.0).close()
    with pytest.raises(OpenGLError):
        rendering_env(make_vec, "Ant-v5", "", None, 1, size, 1.0)

"""Environments that render, for videos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from envs.render.gl import choose_backend
from envs.task import TaskConfig, with_random_start


def rendering_env(
    make: Callable[..., VectorEnv],
    env_id: str,
    robot: str,
    task: TaskConfig | None,
    n: int,
    size: tuple[int, int],
    seconds: float,
) -> VectorEnv:
    """Make n environments of an id that render.

    Several robots of a task start each from a state of its own.

    Args:
        make: makes environments from an id, their number and keyword arguments.
        env_id: Gymnasium id.
        robot: of a trot/ task.
        task: definition of a trot/ task, None for any other id, which has its own size and length.
        n: number of environments.
        size: width and height of a frame (pixels).
        seconds: length of an episode (s).

    Raises:
        OpenGLError: this machine cannot render.
    """
    choose_backend()
    kwargs: dict[str, Any] = {"render_mode": "rgb_array"}
    if task is not None:
        started = with_random_start(task) if n > 1 else task
        config = replace(started, episode_length=seconds)
        kwargs |= {"render_size": size, "robot": robot, "config": config}
    elif _in_gymnasium_mujoco(env_id):
        kwargs["camera_name"] = "track"  # its model's own, which follows; by default none does
    return make(env_id, n, **kwargs)


def _in_gymnasium_mujoco(env_id: str) -> bool:
    spec = gymnasium.registry.get(env_id)
    return spec is not None and str(spec.entry_point).startswith("gymnasium.envs.mujoco")

"""Environments that render, for videos."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from envs.render.gl import OpenGLError, choose_backend
from envs.task import TaskConfig, with_random_start
from robots.usage import UsageError


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
        OpenGLError: this machine cannot render what MuJoCo draws.
        UsageError: these environments cannot.
    """
    with suppress(*([] if task is not None or _draws_with_mujoco(env_id) else [OpenGLError])):
        choose_backend()
    kwargs: dict[str, Any] = {"render_mode": "rgb_array"}
    if task is not None:
        started = with_random_start(task) if n > 1 else task
        config = replace(started, episode_length=seconds)
        kwargs |= {"render_size": size, "robot": robot, "config": config}
    elif _in_gymnasium_mujoco(env_id):
        kwargs["camera_name"] = "track"  # its model's own, which follows; by default none does
    return _that_renders(partial(make, env_id, n, **kwargs), env_id)


def _that_renders(make: Callable[[], VectorEnv], env_id: str) -> VectorEnv:
    """Make environments whose class says that they can render arrays of pixels."""
    refused = f"environment {env_id!r} cannot be drawn:"
    try:
        envs = make()
    except TypeError as error:
        if "unexpected keyword argument 'render_mode'" not in str(error):
            raise
        raise UsageError(f"{refused} its __init__ takes no render_mode") from error
    modes = envs.metadata.get("render_modes")
    if modes is not None and "rgb_array" not in modes:
        envs.close()
        raise UsageError(f"{refused} its metadata has render_modes {modes}, without 'rgb_array'")
    return envs


def _draws_with_mujoco(env_id: str) -> bool:
    return env_id.startswith("dm_control/") or _in_gymnasium_mujoco(env_id)


def _in_gymnasium_mujoco(env_id: str) -> bool:
    spec = gymnasium.registry.get(env_id)
    return spec is not None and str(spec.entry_point).startswith("gymnasium.envs.mujoco")

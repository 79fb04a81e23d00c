"""Environments for a camera: how a task is filmed, and the round of commands that leads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from envs.render.gl import choose_backend
from envs.show import tour
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv


def stage(
    make: Callable[..., VectorEnv], env_id: str, robot: str, task: TaskConfig | None
) -> Callable[[int, tuple[int, int], float], VectorEnv]:
    """Return what makes n environments that render, for frames of a size and some seconds.

    Several robots of a task start each from a state of its own.

    Args:
        make: makes environments from an id, their number and keyword arguments.
        env_id: Gymnasium id.
        robot: of a trot/ task.
        task: definition of a trot/ task, None for any other id, which has its own size and length.

    Raises:
        OpenGLError: from what is returned, where this machine cannot render.
    """

    def staged(n: int, size: tuple[int, int], seconds: float) -> VectorEnv:
        choose_backend()
        kwargs: dict[str, Any] = {"render_mode": "rgb_array"}
        if task is not None:
            random = n > 1 or task.randomization.start_state
            start = replace(task.randomization, start_state=random)
            config = replace(task, episode_length=seconds, randomization=start)
            kwargs |= {"render_size": size, "robot": robot, "config": config}
        elif _in_gymnasium_mujoco(env_id):
            kwargs["camera_name"] = "track"  # its model's own, which follows; by default none does
        return make(env_id, n, **kwargs)

    return staged


def _in_gymnasium_mujoco(env_id: str) -> bool:
    spec = gymnasium.registry.get(env_id)
    return spec is not None and str(spec.entry_point).startswith("gymnasium.envs.mujoco")


def lead(envs: Sequence[VectorEnv]) -> Callable[[float], None] | None:
    """Return what leads all robots on one round of commands, None where there is no robot."""
    robots = [env for env in envs if isinstance(env, LocomotionVectorEnv)]
    return tour.guide(robots) if robots else None

"""Trot's environments; importing this registers their Gymnasium ids."""

from __future__ import annotations

import gymnasium

from envs.render.gl import import_mujoco

import_mujoco()

from envs.tasks import TASKS  # noqa: E402 - they import MuJoCo, too

IDS = {f"trot/{name.title().replace('_', '')}-v0": name for name in TASKS}
IDS |= {"trot/AnymalStand-v0": "stand", "trot/AnymalWalk-v0": "walk"}
"""Gymnasium id -> task of `envs.tasks.TASKS`."""
_ROBOTS = dict.fromkeys(("trot/AnymalStand-v0", "trot/AnymalWalk-v0"), "anymal_c")
"""Ids with a robot of their own; it may be another model of the same one."""

for _id, _task in IDS.items():
    gymnasium.register(
        id=_id,
        entry_point="envs.single:LocomotionEnv",
        vector_entry_point="envs.vector:LocomotionVectorEnv",
        kwargs={"task": _task} | ({"robot": _ROBOTS[_id]} if _id in _ROBOTS else {}),
    )

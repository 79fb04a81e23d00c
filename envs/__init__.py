"""Trot's environments; importing this registers their Gymnasium ids."""

from __future__ import annotations

import gymnasium

from envs.render.gl import check_backend

check_backend()

from envs.tasks import TASKS  # noqa: E402 - it imports MuJoCo, whose backend was checked first

IDS = {f"trot/{name.title().replace('_', '')}-v0": name for name in TASKS}
IDS |= {"trot/AnymalStand-v0": "stand", "trot/AnymalWalk-v0": "walk"}
"""Gymnasium id -> task of `envs.tasks.TASKS`. Those of ANYmal have their robot by name."""

for _id, _task in IDS.items():
    gymnasium.register(
        id=_id,
        entry_point="envs.single:LocomotionEnv",
        vector_entry_point="envs.vector:LocomotionVectorEnv",
        kwargs={"task": _task} | ({"robot": "anymal_c"} if "Anymal" in _id else {}),
    )

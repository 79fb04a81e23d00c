"""MuJoCo's interactive viewer on one simulation, in real time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import mujoco
import mujoco.viewer
import numpy as np

from envs import scene
from envs.vector import LocomotionVectorEnv


def watch(
    env: LocomotionVectorEnv,
    act: Callable[[np.ndarray], np.ndarray],
    seed: int,
    before_step: Callable[[float], None] | None,
) -> None:
    """Show the first simulation until the window is closed.

    Args:
        env: the environment.
        act: observations (n, O) to actions (n, joints).
        seed: seed of the environment's reset.
        before_step: called with the time (s) ahead of every step.

    Raises:
        ValueError: no display.
    """
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        raise ValueError("the viewer needs a display, and there is none; make a video instead")

    simulation = env.config.simulation
    model = scene.build(env.robot, simulation, env.config.action.mode, visual=True)
    shown, batch = mujoco.MjData(model), env.physics.batch
    simulated = mujoco.MjData(batch.model)
    observation, _ = env.reset(seed=seed)
    start = time.monotonic()
    with mujoco.viewer.launch_passive(model, shown) as viewer:
        viewer.cam.type = mujoco.mjtCamera.mjCAMERA_TRACKING
        viewer.cam.trackbodyid = model.body(env.robot.base).id
        viewer.cam.distance = 3.0
        steps = 0
        while viewer.is_running():
            if before_step is not None:
                before_step(steps * simulation.dt)
            observation, *_ = env.step(act(observation))
            steps += 1
            batch.get_data(0, simulated)
            shown.qpos, shown.qvel = simulated.qpos, simulated.qvel
            mujoco.mj_forward(model, shown)
            viewer.sync()
            time.sleep(max(start + steps * simulation.dt - time.monotonic(), 0.0))

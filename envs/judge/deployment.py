"""What another program must know to run a policy: joints, drives, observation, gait, model."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.mdp.state import MOVING
from envs.sim import scene
from envs.vector import LocomotionVectorEnv


def description(env: LocomotionVectorEnv) -> dict[str, Any]:
    """Return it as plain numbers and strings, SI units, with the MJCF of the simulation."""
    robot, config = env.robot, env.config
    simulation = config.simulation
    blocks = [
        {"term": name, "start": block.start, "stop": block.stop, "scale": term.scale}
        for (name, block), term in zip(
            env.layout.items(), config.observations.values(), strict=True
        )
    ]
    return {
        "robot": robot.name,
        "joints": robot.joints,
        "nominal_pose": robot.nominal_pose,
        "nominal_height": robot.nominal_height,
        "kp": robot.kp.tolist(),
        "kd": robot.kd.tolist(),
        "torque_limit": robot.torque_limit.tolist(),
        "action_mode": config.action.mode,
        "control_rate": 1 / simulation.dt,
        "substeps": simulation.substeps,
        "observation": blocks,
        "gait_frequency": config.gait.frequency,
        "gait_offsets": config.gait.offsets,
        "moving_above": MOVING,
        "mjcf": scene.describe(robot, simulation, config.action.mode).to_xml(),
    }


def joint_target(env: LocomotionVectorEnv) -> tuple[np.ndarray, float | np.ndarray]:
    """Return offset and scale of the control, offset + scale * action (rad or N·m).

    The offset is (joints,), the scale one number or (joints,).
    """
    if env.config.action.mode == "pd":
        return np.array(env.robot.nominal_pose), env.config.action.scale
    return np.zeros(len(env.robot.joints)), env.robot.torque_limit

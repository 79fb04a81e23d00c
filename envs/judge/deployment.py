"""What another program must know to run a policy: joints, drives, observation, gait, model."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.mdp.state import MOVING
from envs.sim import scene, standalone
from envs.sim.drives import ControlLaw, Drive
from envs.vector import LocomotionVectorEnv
from robots.robot import Robot


def description(env: LocomotionVectorEnv) -> dict[str, Any]:
    """Return it as plain numbers and strings, SI units, with the MJCF of the simulation.

    `drive` says how an action becomes the controls: offset + scale × action, in `unit`, plus what
    `added_to` names; without these no formula says it. Where it acts `every_substep`, the machine
    changes the controls again in every physics step.
    """
    robot, config = env.robot, env.config
    simulation = config.simulation
    blocks = [
        {
            "term": name,
            "start": block.start,
            "stop": block.stop,
            "scale": term.scale,
            "function": term.function.__name__,
            "params": term.params,
        }
        for (name, block), term in zip(
            env.layout.items(), config.observations.values(), strict=True
        )
    ]
    commands = [
        {"entry": name, "unit": entry.unit, "range": entry.range, "rest": float(rest)}
        for (name, entry), rest in zip(
            config.commands.entries.items(), config.commands.nearest, strict=True
        )
    ]
    world = scene.describe(robot, simulation, config.drive, config.terrain)
    return {
        "robot": robot.name,
        "joints": robot.joints,
        "nominal_pose": robot.nominal_pose,
        "nominal_height": robot.nominal_height,
        "kp": robot.kp.tolist(),
        "kd": robot.kd.tolist(),
        "torque_limit": robot.torque_limit.tolist(),
        "drive": _drive(config.drive, robot),
        "control_rate": 1 / simulation.dt,
        "substeps": simulation.substeps,
        "observation": blocks,
        "command": commands,
        "gait_frequency": config.gait.frequency,
        "gait_offsets": config.gait.offsets or (0.0,) * len(robot.legs),
        "gait_duty": config.gait.duty,
        "moving_above": MOVING,
        "mjcf": standalone.to_xml(world),
    }


def _drive(drive: Drive, robot: Robot) -> dict[str, Any]:
    told = {"name": drive.name, "every_substep": drive.every_substep} | drive.described(robot)
    law = drive.law(robot)
    return told | _formula(law) if law is not None else told


def _formula(law: ControlLaw) -> dict[str, Any]:
    offset, scale = law.offset.tolist(), law.scale.tolist()
    return {"offset": offset, "scale": scale, "unit": law.unit, "added_to": law.added_to}


def control_law(env: LocomotionVectorEnv) -> tuple[np.ndarray, np.ndarray] | None:
    """Return offset and scale of the controls, (joints,) each, offset + scale × action.

    None where more than the action decides them.
    """
    law = env.config.drive.law(env.robot)
    return (law.offset, law.scale) if law is not None and law.added_to == "nothing" else None

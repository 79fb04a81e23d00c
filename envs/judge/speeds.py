"""How fast a policy runs: forward speeds that are commanded one by one, and held or not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from envs.judge import protocol
from envs.judge.intervals import bootstrap, share
from envs.judge.protocol import Act
from envs.mdp.recording import Recording, planar
from envs.sim.randomization import PUSH_INTERVAL
from envs.task import TaskConfig, with_random_start
from envs.vector import LocomotionVectorEnv

ROBOTS = 100
"""Robots that are commanded each speed, from random starts about the nominal stance."""
SETTLE, HELD = 5.0, 10.0
"""Time to get to a speed, and how long it is to be held then (s)."""
WINDOW = 1.0
"""Time over which a speed is averaged (s): some strides."""
LEVEL = 0.95
"""Share of the robots that must hold a speed."""
TOLD = f"{ROBOTS} robots a speed, {HELD:g} s"
"""What is done, in short."""


def evaluate(
    agent: Callable[[int], Act],
    config: TaskConfig,
    robot: str = "anymal_c",
    seed: int = 0,
) -> dict[str, Any]:
    """Command the protocol's speeds, each to ROBOTS robots, all at once.

    Args:
        agent: makes the policy for a number of robots.
        config: a task as `envs.task.as_judged` gives it, with a command of `lin_vel_x`; the other
            entries are at rest, or as near to it as their ranges allow.
        robot: a robot of `robots.ROBOTS`.
        seed: seed of the starts and of the intervals.

    Returns:
        `held`, the highest speed (m/s) that LEVEL of the robots hold for HELD seconds, and
        `speeds`: for each its `command` and `held` (m/s), and means with their 95 % intervals, as
        `protocol.evaluate` gives them, of `lin_vel_error` (m/s) and `fall_rate`.
    """
    speeds = config.protocol.speeds
    calm = replace(config.randomization, push=None, push_interval=PUSH_INTERVAL)
    config = replace(config, randomization=calm, episode_length=SETTLE + HELD)
    env = LocomotionVectorEnv(
        ROBOTS * len(speeds), robot=robot, config=with_random_start(config), autoreset=False
    )
    command = np.tile(config.commands.nearest, (env.num_envs, 1))
    command[:, config.commands.names.index("lin_vel_x")] = np.repeat(speeds, ROBOTS)

    def tell(step: int) -> np.ndarray | None:
        return None if step else env.set_command(command)

    try:
        recording = protocol.run(agent(env.num_envs), env, seed, tell)
    finally:
        env.close()
    kept, rng = held(recording, SETTLE), np.random.default_rng(seed)
    groups = (
        {n: values.reshape(-1, ROBOTS)[i] for n, values in kept.items()} for i in range(len(speeds))
    )
    rungs = [
        {
            "command": float(speed),
            "held": held_by(group["held"]),
            "lin_vel_error": bootstrap(group["lin_vel_error"], rng),
            "fall_rate": share(group["fall_rate"], rng),
        }
        for speed, group in zip(speeds, groups, strict=True)
    ]
    return {"held": max(rung["held"] for rung in rungs), "speeds": rungs}


def held(recording: Recording, settle: float) -> dict[str, np.ndarray]:
    """Return what each robot does once `settle` seconds have passed, (n,) each.

    `held`: the smallest forward speed (m/s) over any WINDOW, 0 for a robot that falls;
    `lin_vel_error`: its mean planar velocity error (m/s), NaN for one; `fall_rate`: 1 for one.
    """
    rows = recording.rows(slice(round(settle / recording.dt), None))
    up, width = recording.alive[-1], round(WINDOW / recording.dt)
    windows = np.lib.stride_tricks.sliding_window_view(rows.velocity[..., 0], width, axis=0)
    error = planar(rows.velocity_command - rows.velocity).mean(axis=0)
    return {
        "held": np.where(up, windows.mean(axis=-1).min(axis=0), 0.0),
        "lin_vel_error": np.where(up, error, np.nan),
        "fall_rate": 1.0 - up,
    }


def held_by(speeds: np.ndarray, level: float = LEVEL) -> float:
    """Return the highest speed that a share `level` of the robots reaches, of (n,) speeds."""
    return float(np.sort(speeds)[-math.ceil(level * len(speeds) - 1e-9)])


def table(found: dict[str, Any]) -> list[list[str]]:
    """Return the head and the rows of what `evaluate` found."""
    rows = [["forward (m/s)", f"held by {LEVEL:.0%} (m/s)", "lin vel error (m/s)", "fall rate"]]
    for rung in found["speeds"]:
        cells = [
            "none" if (v := rung[name]["mean"]) is None else f"{v:.3f}"
            for name in ("lin_vel_error", "fall_rate")
        ]
        rows.append([f"{rung['command']:.2f}", f"{rung['held']:.2f}", *cells])
    return rows

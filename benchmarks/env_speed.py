"""How fast the environments are: `python -m benchmarks.env_speed`.

Control steps per second of a vector environment with rewards, observations, random actions and
resets, against (a) bare `mujoco.batch` stepping of the same model under the same controls, and
(b) the single environment under Gymnasium's AsyncVectorEnv on the same cores. The rivals take
turns in short blocks and the ratios are medians over the rounds, so that a busy machine slows
all alike.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import gymnasium
import mujoco
import numpy as np
import tyro
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from mujoco.batch import Batch
from rich.console import Console
from rich.table import Table

import envs
from envs.vector import LocomotionVectorEnv


@dataclass(frozen=True)
class Options:
    """What is timed."""

    env_id: str = "trot/AnymalWalk-v0"
    """Gymnasium id."""
    num_envs: int = 256
    """Simulations of the vector environment and of the bare batch."""
    steps: int = 20
    """Control steps in a block."""
    rounds: int = 30
    """Blocks of each rival."""
    workers: int = os.cpu_count() or 1
    """Processes of the AsyncVectorEnv, one single environment each."""
    seed: int = 0
    """Seed of the environments and the actions."""


class Bare:
    """The batch alone: the environment's model and recorded controls, no reward, no reset.

    Before each block it takes over the environment's states, so that both meet the same contacts.
    """

    def __init__(self, env: LocomotionVectorEnv) -> None:
        simulation = env.config.simulation
        self._env, self._substeps = env, simulation.substeps
        self._batch = Batch(env.physics.model, env.num_envs, simulation.nthread)
        self._ctrl = self._batch.bind("ctrl")
        for field in ("sensordata", "actuator_force"):
            self._batch.bind(field)
        self._stage = int(mujoco.mjtStage.mjSTAGE_VEL)

    def take_over(self) -> None:
        self._batch.state[:] = self._env.physics.state

    def step(self, control: np.ndarray) -> None:
        self._ctrl[:] = control
        self._batch.step(nstep=self._substeps, stage=self._stage)


def seconds(step: Callable[[np.ndarray], object], inputs: np.ndarray) -> float:
    """Time calls of step with the inputs, one after the other."""
    start = time.perf_counter()
    for value in inputs:
        step(value)
    return time.perf_counter() - start


def measure(options: Options) -> dict[str, np.ndarray]:
    """Return control steps per second of each rival in each round."""
    env = gymnasium.make_vec(options.env_id, num_envs=options.num_envs).unwrapped
    assert isinstance(env, LocomotionVectorEnv)
    single = lambda: gymnasium.make(options.env_id)  # noqa: E731 - pickled by cloudpickle
    workers = AsyncVectorEnv([single] * options.workers, autoreset_mode=AutoresetMode.SAME_STEP)
    env.reset(seed=options.seed)
    workers.reset(seed=options.seed)
    bare, rng, joints = Bare(env), np.random.default_rng(options.seed), env.single_action_space
    law = env.config.drive.law(env.robot)
    assert law is not None
    shape = (options.steps, options.num_envs, *(joints.shape or ()))
    speeds: dict[str, list[float]] = {"env": [], "bare": [], "async": []}
    for _ in range(options.rounds):
        actions = rng.uniform(-1.0, 1.0, shape).astype(np.float32)
        bare.take_over()
        total = options.steps * options.num_envs
        speeds["env"].append(total / seconds(env.step, actions))
        speeds["bare"].append(total / seconds(bare.step, law.offset + law.scale * actions))
        few = actions[:, : options.workers]
        speeds["async"].append(few.shape[0] * few.shape[1] / seconds(workers.step, few))
    workers.close()
    env.close()
    return {name: np.array(values) for name, values in speeds.items()}


def report(options: Options, speeds: dict[str, np.ndarray]) -> Table:
    """Return the table of median speeds and median ratios."""
    table = Table(title=f"{options.env_id}, {os.cpu_count()} cores, {options.rounds} rounds")
    table.add_column("what")
    table.add_column("control steps/s", justify="right")
    table.add_column("the environment against it", justify="right")
    names = {
        "env": f"vector environment, {options.num_envs} simulations",
        "bare": "bare mujoco.batch, the same model and controls",
        "async": f"AsyncVectorEnv, {options.workers} single environments",
    }
    for rival, name in names.items():
        ratio = float(np.median(speeds["env"] / speeds[rival]))
        text = f"{100 * ratio:.0f} %" if ratio < 2 else f"{ratio:.1f} ×"
        table.add_row(name, f"{np.median(speeds[rival]):,.0f}", "" if rival == "env" else text)
    return table


def main(options: Options) -> None:
    if options.env_id not in envs.IDS:
        raise ValueError(f"env_id is {options.env_id!r}; choose from {', '.join(envs.IDS)}")
    Console().print(report(options, measure(options)))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))

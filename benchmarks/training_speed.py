"""How fast training is: `python -m benchmarks.training_speed`.

Steps per second of whole iterations (collecting and learning) of Trot on one of its tasks, against
sb3-contrib's TRPO with the same batch, widths of the networks and numbers of conjugate-gradient
iterations, critic epochs and minibatches (it cannot take the preset's half of the batch for the
Fisher matrix alone, and takes all of it): (a) on the same vector environment through SB3's VecEnv
interface, (b) on single environments in SB3's DummyVecEnv. The rivals take turns; ratios are
medians over the rounds. Last, the share of Trot's rollout that is spent inside mujoco.batch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table
from sb3_contrib import TRPO as SB3TRPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

import envs
from algos.presets import preset
from algos.rollout.collector import Collector
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO
from envs.sim.batch import BatchPhysics
from envs.vector import LocomotionVectorEnv


@dataclass(frozen=True)
class Options:
    """What is timed."""

    env_id: str = "trot/AnymalWalk-v0"
    """Gymnasium id of a task of Trot."""
    rounds: int = 15
    """Iterations of each."""
    threads: int = 1
    """Threads of torch; the simulation takes every core."""
    seed: int = 0
    """Seed of everything."""


class SB3Adapter(VecEnv):
    """A vector environment of ours through SB3's interface."""

    def __init__(self, env: LocomotionVectorEnv, seed: int) -> None:
        self._env, self._seed_value = env, seed
        spaces = env.single_observation_space, env.single_action_space
        super().__init__(env.num_envs, *spaces)

    def reset(self) -> np.ndarray:
        """First observations (n, O)."""
        return self._env.reset(seed=self._seed_value)[0]

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions (n, A)."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Step; SB3 wants a dict of each environment."""
        observations, rewards, terminated, truncated, info = self._env.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        done = terminated | truncated
        for i in np.flatnonzero(done):
            infos[i]["terminal_observation"] = info["final_obs"][i]
            infos[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        return observations, rewards.astype(np.float32), done, infos

    def close(self) -> None:
        """Free the environments."""
        self._env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the one object that all environments are."""
        return [getattr(self._env, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of it."""
        setattr(self._env, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kw: Any) -> list[Any]:
        """Call a method of it."""
        return [getattr(self._env, method_name)(*args, **kw)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No environment is wrapped."""
        return [False] * self.num_envs


def make_ours(options: Options) -> tuple[Callable[[], None], LocomotionVectorEnv]:
    """Return one iteration of Trot with its preset, and its environments."""
    known = preset(options.env_id)
    env = gymnasium.make_vec(options.env_id, num_envs=known.num_envs)
    base = env.unwrapped
    assert isinstance(base, LocomotionVectorEnv)
    agent = TRPO(
        env.single_observation_space,
        env.single_action_space,
        known.algo(TRPOConfig),
        base.symmetry,
        seed=options.seed,
    )
    collector = Collector(env, agent.sample, known.rollout_steps, seed=options.seed)
    return lambda: _discard(agent.update(collector.collect())), base


def make_theirs(options: Options, env: VecEnv) -> Callable[[], None]:
    """Return one iteration of sb3-contrib's TRPO with the same settings."""
    known = preset(options.env_id)
    c, batch = known.algo(TRPOConfig), known.num_envs * known.rollout_steps
    steps = batch // env.num_envs
    model = SB3TRPO(
        "MlpPolicy",
        env,
        n_steps=steps,
        batch_size=batch // c.critic_minibatches,
        n_critic_updates=c.critic_epochs,
        cg_max_steps=c.cg_iterations,
        policy_kwargs={"net_arch": {"pi": list(c.hidden), "vf": list(c.critic_hidden)}},
        seed=options.seed,
        device="cpu",
    )
    return lambda: _discard(model.learn(batch, reset_num_timesteps=False))


def _discard(value: object) -> None:
    """Ignore a result."""


def alternate(options: Options, rivals: dict[str, Callable[[], None]]) -> dict[str, np.ndarray]:
    """Return every rival's steps per second in every round; the first round warms up."""
    known = preset(options.env_id)
    speeds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(options.rounds + 1):
        for name, iterate in rivals.items():
            start = time.perf_counter()
            iterate()
            seconds = time.perf_counter() - start
            speeds[name].append(known.num_envs * known.rollout_steps / seconds)
    return {name: np.array(values[1:]) for name, values in speeds.items()}


def share_in_batch(options: Options) -> float:
    """Share of the time of collecting that passes inside mujoco.batch."""
    known = preset(options.env_id)
    env = gymnasium.make_vec(options.env_id, num_envs=known.num_envs).unwrapped
    assert isinstance(env, LocomotionVectorEnv)
    agent = TRPO(
        env.single_observation_space, env.single_action_space, known.algo(TRPOConfig), env.symmetry
    )
    collector = Collector(env, agent.sample, known.rollout_steps, seed=options.seed)
    collector.collect()
    assert isinstance(env.physics, BatchPhysics)
    timed = env.physics._batch = Timed(env.physics._batch)
    start = time.perf_counter()
    for _ in range(options.rounds):
        collector.collect()
    return timed.seconds / (time.perf_counter() - start)


class Timed:
    """A batch whose steps and forward passes are timed."""

    def __init__(self, batch: Any) -> None:
        self._batch, self.seconds = batch, 0.0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._batch, name)
        if name not in ("step", "forward"):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return value(*arguments, **options)
            finally:
                self.seconds += time.perf_counter() - start

        return call


def report(speeds: dict[str, np.ndarray], names: Sequence[str]) -> Table:
    """Return the table of median speeds and ratios."""
    table = Table(title=f"whole training loop, {os.cpu_count()} cores")
    table.add_column("what")
    table.add_column("steps/s", justify="right")
    table.add_column("Trot against it", justify="right")
    for name in names:
        ratio = float(np.median(speeds[names[0]] / speeds[name]))
        text = "" if name == names[0] else f"{ratio:.1f} ×"
        table.add_row(name, f"{np.median(speeds[name]):,.0f}", text)
    return table


def main(options: Options) -> None:
    if options.env_id not in envs.IDS:
        raise ValueError(f"env_id is {options.env_id!r}; choose from {', '.join(envs.IDS)}")
    torch.set_num_threads(options.threads)
    ours, env = make_ours(options)
    adapted = SB3Adapter(LocomotionVectorEnv(env.num_envs, config=env.config), options.seed)
    dummies = make_vec_env(options.env_id, env.num_envs, options.seed, vec_env_cls=DummyVecEnv)
    rivals = {
        "Trot": ours,
        "sb3-contrib TRPO, the same vector environment": make_theirs(options, adapted),
        f"sb3-contrib TRPO, DummyVecEnv of {env.num_envs}": make_theirs(options, dummies),
    }
    console = Console()
    console.print(report(alternate(options, rivals), list(rivals)))
    console.print(f"share of Trot's rollout inside mujoco.batch: {share_in_batch(options):.0%}")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))

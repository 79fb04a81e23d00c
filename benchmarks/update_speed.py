"""How fast and how large one TRPO update is: `python -m benchmarks.update_speed`.

(1) The policy step (gradient, 10 conjugate-gradient iterations over every state, line search) on
one batch, from the same weights, against sb3-contrib's TRPO; the two take turns, ratios are medians
over the rounds, and the cosine is that of the two parameter changes. (2) The peak memory of a whole
update, the critic's part included, on a batch of a million states, in a process of its own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
import tyro
from gymnasium import spaces
from rich.console import Console
from rich.table import Table
from sb3_contrib import TRPO as SB3TRPO
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import Tensor

from algos.rollout.rollout import Rollout
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO

HIDDEN = (256, 128)
ROOT = Path(__file__).parent.parent
GIB = 1 << 30


@dataclass(frozen=True)
class Options:
    """What is timed."""

    envs: int = 512
    """Environments of the batch."""
    steps: int = 100
    """Steps of each."""
    observations: int = 48
    """Entries of an observation."""
    actions: int = 12
    """Entries of an action."""
    rounds: int = 7
    """Updates of each implementation."""
    large: int = 1_000_000
    """States of the batch whose memory is measured; 0 leaves it out."""
    threads: int = os.cpu_count() or 1
    """Threads of torch."""
    seed: int = 0
    """Seed of the weights and the batch."""


class Spaces(gymnasium.Env):
    """An environment that is only its spaces."""

    def __init__(self, observations: int, actions: int) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (observations,))
        self.action_space = spaces.Box(-1.0, 1.0, (actions,))


def make_ours(options: Options, device: str = "cpu") -> TRPO:
    """Return Trot's agent, without observation statistics."""
    shape = Spaces(options.observations, options.actions)
    config = TRPOConfig(hidden=HIDDEN, critic_hidden=HIDDEN, normalize_observations=False)
    return TRPO(
        shape.observation_space, shape.action_space, config, device=device, seed=options.seed
    )


def make_batch(agent: TRPO, options: Options) -> Rollout:
    """Return random states, the agent's own actions in them and random rewards."""
    g = torch.Generator().manual_seed(options.seed)
    states = torch.randn(options.steps, options.envs, options.observations, generator=g)
    return Rollout(
        observations=states,
        actions=agent.sample(states)[0],
        rewards=torch.randn(options.steps, options.envs, generator=g),
        terminated=torch.zeros(options.steps, options.envs, dtype=torch.bool),
        truncated=torch.zeros(options.steps, options.envs, dtype=torch.bool),
        next_observations=states[-1],
        final_observations=states.new_empty(0, options.observations),
        final_rows=torch.empty(0, dtype=torch.long),
    )


def make_advantages(batch: Rollout, generator: torch.Generator) -> Tensor:
    """Return advantages (T, n) with something to learn: how near an action is to a target.

    (On pure noise the gradient is as small as the random start of the peer's conjugate gradients.)
    """
    observations, actions = batch.observations.shape[-1], batch.actions.shape[-1]
    weight = torch.randn(observations, actions, generator=generator) / observations**0.5
    return -(batch.actions - (batch.observations @ weight).tanh()).square().sum(-1)


class Peer:
    """sb3-contrib's TRPO with our weights and our batch in its buffer; the critic is left out."""

    def __init__(self, agent: TRPO, batch: Rollout, advantages: Tensor, options: Options) -> None:
        env = DummyVecEnv([lambda: Spaces(options.observations, options.actions)] * options.envs)
        c = agent.config
        self._model = model = SB3TRPO(
            "MlpPolicy",
            env,
            n_steps=options.steps,
            cg_max_steps=c.cg_iterations,
            # its KL is the mean over the actions, not their sum: all is smaller by their number
            cg_damping=c.damping / options.actions,
            target_kl=c.max_kl / options.actions,
            n_critic_updates=0,
            device="cpu",
            policy_kwargs={"net_arch": {"pi": list(HIDDEN), "vf": list(HIDDEN)}},
        )
        policy = model.policy
        hidden = policy.mlp_extractor.policy_net
        self._layers = [hidden[0], hidden[2], policy.action_net]
        self._log_std = policy.log_std
        with torch.no_grad():
            for layer, w, b in zip(self._layers, *self._weights(agent), strict=True):
                layer.weight.copy_(w[0].T)
                layer.bias.copy_(b)
            policy.log_std.copy_(agent.policy.log_std)  # pyright: ignore[reportArgumentType]
        buffer = model.rollout_buffer
        buffer.observations[:] = batch.observations.numpy()
        buffer.actions[:] = batch.actions.numpy()
        buffer.advantages[:] = advantages.numpy()
        with torch.no_grad():
            log_prob = agent.policy(batch.observations).log_prob(batch.actions)
        buffer.log_probs[:] = log_prob.numpy()
        buffer.full = True
        model._logger = _Silent()
        self._start = self.get_flat()

    @staticmethod
    def _weights(agent: TRPO) -> tuple[list[Tensor], list[Tensor]]:
        tensors = list(agent.policy.network.tensors)  # pyright: ignore[reportArgumentType]
        return tensors[::2], tensors[1::2]

    def get_flat(self) -> Tensor:
        """Parameters in the order of our policy."""
        layers = [t.reshape(-1) for x in self._layers for t in (x.weight.detach().T, x.bias)]
        return torch.cat([*layers, self._log_std]).detach()

    def step(self) -> None:
        """One policy step."""
        with warnings.catch_warnings(action="ignore"):  # it averages the critic's loss of no steps
            self._model.train()

    def restore(self) -> None:
        """Go back to the first weights."""
        at = 0
        with torch.no_grad():
            for layer in self._layers:
                rows, columns = layer.weight.shape
                size = rows * columns
                layer.weight.copy_(self._start[at : at + size].view(columns, rows).T)
                layer.bias.copy_(self._start[at + size : at + size + rows])
                at += size + rows
            self._log_std.copy_(self._start[at:])


class _Silent:
    def record(self, *arguments: Any, **options: Any) -> None:
        """Take no note."""


def policy_step(options: Options) -> Table:
    """Time the policy step of both."""
    agent = make_ours(options)
    batch = make_batch(agent, options)
    states, actions = batch.observations.flatten(0, 1), batch.actions.flatten(0, 1)
    advantages = make_advantages(batch, agent.generator)
    peer = Peer(agent, batch, advantages, options)
    start = agent.policy.get_flat()
    assert torch.allclose(start, peer.get_flat())
    times: dict[str, list[float]] = {"trot": [], "sb3-contrib": []}
    for _ in range(options.rounds + 1):
        agent.policy.set_flat(start)
        begin = time.perf_counter()
        with torch.no_grad():
            agent._improve_policy(states, actions, advantages.flatten(), agent.config.max_kl)
        times["trot"].append(time.perf_counter() - begin)
        peer.restore()
        begin = time.perf_counter()
        peer.step()
        times["sb3-contrib"].append(time.perf_counter() - begin)
    ours, theirs = agent.policy.get_flat() - start, peer.get_flat() - start
    cosine = float(torch.cosine_similarity(ours.double(), theirs.double(), dim=0))
    rounds = {name: np.array(values[1:]) for name, values in times.items()}  # without the first
    ratio = float(np.median(rounds["sb3-contrib"] / rounds["trot"]))
    size = f"{options.envs * options.steps:,} × {options.observations}"
    table = Table(title=f"policy step on {size} states, {options.threads} threads")
    for column in ("implementation", "ms", "times slower", "cosine of the steps"):
        table.add_column(column, justify="left" if column == "implementation" else "right")
    table.add_row("trot", f"{1e3 * np.median(rounds['trot']):.0f}", "", "")
    milliseconds = f"{1e3 * np.median(rounds['sb3-contrib']):.0f}"
    table.add_row("sb3-contrib", milliseconds, f"{ratio:.2f}", f"{cosine:.6f}")
    return table


def peak_memory(options: Options) -> None:
    """Update once on a large batch and print the process's peak memory in GiB."""
    agent = make_ours(options)
    agent.update(make_batch(agent, options))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB)


def main(options: Options, only_memory: bool = False) -> None:
    torch.set_num_threads(options.threads)
    if only_memory:
        return peak_memory(options)
    console = Console()
    console.print(policy_step(options))
    if options.large:
        steps = options.large // options.envs
        same = {**vars(options), "steps": steps}
        flags = [part for name, v in same.items() for part in (f"--options.{name}", str(v))]
        command = [sys.executable, "-m", "benchmarks.update_speed", "--only-memory", *flags]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        peak = float(done.stdout)
        states = steps * options.envs
        console.print(f"update on {states:,} states: peak memory of the process {peak:.2f} GiB")
    return None


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)

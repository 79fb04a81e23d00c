"""One process of a data-parallel update.

Saves what it holds after it has learned from its share of the environments of each batch.
"""

from pathlib import Path
from typing import Any

import torch
from gymnasium import spaces

from algos import parallel
from algos.agent import Agent
from algos.parallel import Group
from algos.ppo.config import PPOConfig
from algos.ppo.ppo import PPO
from algos.rollout.rollout import Rollout
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO


def share(batch: Rollout, rank: int, size: int) -> Rollout:
    """The rank's share of a batch, along the environments' axis."""
    n = batch.rewards.shape[1]
    own = n // size
    columns = slice(rank * own, (rank + 1) * own)
    parts = ("observations", "actions", "rewards", "terminated", "truncated")
    split = {name: getattr(batch, name)[:, columns] for name in parts}
    step, column = batch.final_rows // n, batch.final_rows % n
    mine = (column >= columns.start) & (column < columns.stop)
    return Rollout(
        **split,
        next_observations=batch.next_observations[columns],
        final_observations=batch.final_observations[mine],
        final_rows=(step * own + column - columns.start)[mine],
    )


def main(batches: Path, config: dict[str, Any], results: Path) -> None:
    torch.set_num_threads(1)
    rollouts = [Rollout(**plain) for plain in torch.load(batches)]
    size, actions = rollouts[0].observations.shape[-1], rollouts[0].actions.shape[-1]
    with parallel.join() as group:
        shapes = spaces.Box(-10, 10, (size,)), spaces.Box(-1, 1, (actions,))
        critic = {name: value for name, value in config.items() if name.startswith("critic_")}
        agent = TRPO(*shapes, TRPOConfig((32, 16), (32, 16), **config), group=group)
        whole = PPOConfig((32, 16), (32, 16), **critic, epochs=3, minibatches=1)
        other = PPO(*shapes, whole, group=group)
        found = {"trpo": learned(agent, rollouts, group), "ppo": learned(other, rollouts, group)}
        torch.save(found, results / f"{group.size}-{group.rank}.pt")


def learned(agent: Agent, rollouts: list[Rollout], group: Group) -> dict[str, Any]:
    """What an agent holds, and has sent, after it has learned from its share of the batches."""
    metrics, traffic = [], []
    for rollout in rollouts:
        before = group.bytes
        metrics.append(agent.update(share(rollout, group.rank, group.size)))
        traffic.append(group.bytes - before)
    kept = {name: value for name, value in agent.state_dict().items() if name != "generator"}
    return {"state": kept, "metrics": metrics, "bytes": traffic}

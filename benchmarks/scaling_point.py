"""One training of `benchmarks.scaling`, in this process or in those of torchrun; prints JSON."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
import tyro

from algos import parallel
from algos.nets.linearization import flatten
from algos.rollout.collector import Collector
from train import build_agent, defaults, make_environment


@dataclass(frozen=True)
class Point:
    """What is timed."""

    envs: int = 256
    """Simulations, in all processes."""
    hidden: tuple[int, ...] = (256, 128)
    """Widths of both networks."""
    rollout_steps: int = 32
    """Control steps of each in one iteration."""
    seconds: float = 10.0
    """Iterations are timed for at least as long, and three of them at least."""
    seed: int = 1
    """Seed of everything."""


def measure(point: Point, group: parallel.Group) -> dict[str, float]:
    """Return medians over iterations of a training of trot/AnymalWalk-v0."""
    config = defaults("trot/AnymalWalk-v0")
    algo = replace(config.algo, hidden=point.hidden, critic_hidden=point.hidden)
    config = replace(
        config, num_envs=point.envs, rollout_steps=point.rollout_steps, algo=algo, seed=point.seed
    )
    environment = make_environment(config, group)
    agent = build_agent(config, environment, torch.device("cpu"), group)
    seed = group.seed(config.seed, 0)
    collector = Collector(environment, agent.sample, config.rollout_steps, seed=seed)
    agent.update(collector.collect())
    rows, sent, start, going = [], group.bytes, time.perf_counter(), True
    while going:
        rollout = collector.collect()
        metrics = rollout.metrics | agent.update(rollout)
        rows.append([metrics["seconds_rollout"], metrics["seconds_update"]])
        enough = len(rows) >= 3 and time.perf_counter() - start > point.seconds
        going = not group.gather(enough)[0]
    whole = (time.perf_counter() - start) / len(rows)
    policy = agent.policy.get_flat().nbytes
    critic = flatten(list(agent.critic.network.parameters())).nbytes
    steps = algo.critic_epochs * algo.critic_minibatches
    rollout_seconds, update_seconds = np.median(rows, axis=0)
    return {
        "steps_per_second": point.envs * point.rollout_steps / whole,
        "seconds_rollout": rollout_seconds,
        "seconds_update": update_seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "sent_bytes": (group.bytes - sent) / len(rows),
        "least_bytes": (1 + algo.cg_iterations) * policy + steps * critic,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    with parallel.join() as processes:
        found = measure(tyro.cli(Point), processes)
        if processes.main:
            print(json.dumps(found))

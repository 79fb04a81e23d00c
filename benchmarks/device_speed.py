"""An update's parts on the CPU and on CUDA: `python -m benchmarks.device_speed`.

The same batch and weights on each device that torch sees. TFLOP/s count the multiplications and
additions of the Fisher-vector product's matrix products alone, activations being cached.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import tyro
from rich.console import Console
from rich.table import Table
from torch.utils.benchmark import Timer

from algos.rollout.rollout import Rollout
from algos.trpo.fisher import LinearizedPolicy
from algos.trpo.trpo import TRPO
from benchmarks.update_speed import HIDDEN, Options, make_batch, make_ours

PRODUCT = "Fisher-vector product"


def product_flops(options: Options) -> float:
    """Return the operations of one Fisher-vector product, given the cached activations.

    Two matrix products a layer (dW forward, the weight gradient back), and two more in each but
    the first (the change passed forward, the gradient passed back), of 2 · in · out each a state.
    """
    widths = (options.observations, *HIDDEN, options.actions)
    layers = [a * b for a, b in pairwise(widths)]
    return options.steps * options.envs * 2.0 * (2 * sum(layers) + 2 * sum(layers[1:]))


def parts(agent: TRPO, batch: Rollout) -> dict[str, Callable[[], object]]:
    """Return what is timed; every call does the same work."""
    states = batch.observations.flatten(0, 1)
    flat = states, batch.actions.flatten(0, 1), batch.rewards.flatten()
    local, start, c = LinearizedPolicy(agent.policy, states), agent.policy.get_flat(), agent.config

    def policy_step() -> None:
        agent.policy.set_flat(start)
        agent._improve_policy(*flat, c.max_kl)

    timed: dict[str, Callable[[], object]] = {
        PRODUCT: lambda: local.fisher_product(start),
        "search direction, by kernels": lambda: agent._search_direction(*flat),
        "policy step": policy_step,
        "critic's regression": lambda: agent.critic.fit(
            states, flat[2], agent.optimizer, c.critic_epochs, c.critic_minibatches, agent.generator
        ),
    }
    if agent.device.type == "cuda":
        timed["search direction, CUDA graph"] = lambda: agent._search(*flat)
    return timed


@torch.no_grad()
def main(options: Options) -> None:
    torch.set_num_threads(options.threads)
    states = f"{options.steps * options.envs:,} × {options.observations}"
    table = Table(title=f"an update's parts on {states} states")
    for column in ("device", "part", "ms", "TFLOP/s"):
        table.add_column(column, justify="left" if column in ("device", "part") else "right")
    batch = make_batch(make_ours(options), options)
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        agent = make_ours(options, device)
        name = torch.cuda.get_device_name() if device == "cuda" else f"{options.threads} threads"
        for part, call in parts(agent, batch.to(agent.device)).items():
            timer = Timer("call()", globals={"call": call}, num_threads=options.threads)
            seconds = timer.blocked_autorange(min_run_time=2).median
            rate = f"{product_flops(options) / seconds / 1e12:.3f}" if part == PRODUCT else ""
            table.add_row(f"{device} ({name})", part, f"{1e3 * seconds:.1f}", rate)
    Console().print(table)
    if not torch.cuda.is_available():
        Console().print("CUDA: unmeasured, torch sees no device")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))

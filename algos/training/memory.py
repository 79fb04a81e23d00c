"""What a run needs of the machine's memory, told before it starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import torch
from gymnasium.vector import VectorEnv

from algos.agent import AgentConfig
from algos.nets.networks import ROWS
from algos.nets.policy import output_size
from algos.rollout.collector import check_observation_space, observation_type
from algos.usage import UsageError, reason

SIMULATION = 4096
"""Bytes of one environment, at least."""
COPIES = 8
"""Of the parameters: gradient, Adam's moments, conjugate gradient's vectors, old and new ones."""
GIB = 2**30


def machine_memory() -> int:
    """Return this machine's memory, or its container's share (bytes)."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, ValueError):  # no such group, or "max"
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(limits)


def require_memory(needed: float, what: str, remedy: str) -> None:
    """Raise a ValueError with both sizes unless this machine has so many bytes."""
    if needed > machine_memory():
        raise UsageError(
            f"{what} needs {needed / GIB:,.1f} GiB of memory, and this machine has "
            f"{machine_memory() / GIB:.1f}: {remedy}"
        )


@contextmanager
def told_remedy() -> Iterator[None]:
    """Add to the traceback of memory that ran out all the same what to do, as its last line."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        error.add_note(f"{reason(error)}: take a smaller --num-envs or --rollout-steps")
        raise


def require_room(one: VectorEnv, num_envs: int, rollout_steps: int, config: AgentConfig) -> None:
    """Raise ValueError where training cannot fit into the machine's memory.

    Counts what there is at least: environments, the batch with its normalised copy, a hidden
    layer's activations, and the parameters.

    Args:
        one: an environment like those of the training.
        num_envs: their number.
        rollout_steps: control steps of each in a batch.
        config: settings of the algorithm.
    """
    observation = check_observation_space(one.single_observation_space)
    outputs = output_size(one.single_action_space)
    batch = num_envs * rollout_steps
    kind = observation_type(one.single_observation_space.dtype)
    per_step = (1 + kind.itemsize // 4) * observation + outputs + 4
    networks = config.widths(observation, outputs)
    hidden = [sizes[1:-1] for sizes in networks]
    active = min(batch, ROWS) * max((0, *(width for widths in hidden for width in widths)))
    parameters = sum(a * b for sizes in networks for a, b in pairwise(sizes))
    needed = SIMULATION * num_envs + 4 * (batch * per_step + active + COPIES * parameters)
    what = f"training with --num-envs {num_envs}, --rollout-steps {rollout_steps}"
    if hidden:
        what += f" and hidden layers of {' and '.join(map(str, hidden))}"
    require_memory(needed, what, "take fewer or smaller ones")

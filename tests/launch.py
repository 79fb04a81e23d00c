"""Starting trainings as a user does."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def torchrun_command(processes: int, arguments: Sequence[str], *options: str) -> list[str]:
    """The command, on a free port of this machine."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*launch, f"--nproc-per-node={processes}", *options, *arguments]


def together(size: int, call: Callable[..., None], *arguments: Any) -> None:
    """Run a call in `size` processes that are told what torchrun tells those of one machine.

    They are forked where train.py is imported, which takes longer than a short training.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["train"])
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    group = [
        context.Process(
            target=_member,
            args=(rank, size, port, call, *arguments),
            daemon=True,  # one that waits for another in vain ends with the tests
        )
        for rank in range(size)
    ]
    for process in group:
        process.start()
    for process in group:
        process.join(240)
    assert [process.exitcode for process in group] == [0] * size


def _member(rank: int, size: int, port: int, call: Callable[..., None], *arguments: Any) -> None:
    os.environ |= dict.fromkeys(("RANK", "LOCAL_RANK"), str(rank))
    os.environ |= dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), str(size))
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    os.environ["TORCHELASTIC_RUN_ID"] = "test"
    call(*arguments)

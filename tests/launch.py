"""Starting trainings as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent


def torchrun(
    processes: int, arguments: Sequence[str], *options: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a script of Python by torchrun, with one thread of torch a process."""
    command = torchrun_command(processes, arguments, *options)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=check
    )


def torchrun_command(processes: int, arguments: Sequence[str], *options: str) -> list[str]:
    """The command, on a free port of this machine."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*launch, f"--nproc-per-node={processes}", *options, *arguments]

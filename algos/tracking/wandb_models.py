"""Checkpoints of runs in Weights & Biases."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from algos.runs.checkpoint import load_checkpoint
from algos.tracking.wandb import logged_in
from algos.tracking.wandb_settings import prepare, refused
from algos.usage import UsageError

PREFIX = "wandb:"
SECONDS = 20
"""Time that one request may take."""


def download(source: str, which: Literal["best", "last"]) -> dict[str, Any]:
    """Return the content of a checkpoint that a run has logged.

    Args:
        source: wandb:ENTITY/PROJECT/RUN, with the run's id as in the address of its page.
        which: the checkpoint; a run that has no best one yet gives its last.

    Raises:
        ValueError: no such run or no model in it, no login, or no network.
    """
    path = source.removeprefix(PREFIX)
    if not re.fullmatch(r"[^/]+/[^/]+/[^/]+", path):
        raise UsageError(f"{source!r} must be wandb:ENTITY/PROJECT/RUN, with the run's id")
    try:
        prepare()
        if problems := refused():
            raise UsageError(f"W&B cannot read {'; '.join(problems.values())}")
        if not logged_in():
            raise UsageError("it needs a login: run wandb login, or set WANDB_API_KEY")
        import wandb

        run = wandb.Api(timeout=SECONDS).run(path)
        models = [a for a in run.logged_artifacts() if a.type == "model"]
        alias = "best" if which == "best" else "latest"
        wanted = [a for a in models if alias in a.aliases] or models[-1:]
        if not wanted:
            raise UsageError("the run has logged no model")
        with TemporaryDirectory() as folder:
            (file,) = Path(wanted[0].download(root=folder)).glob("*.pt")
            return load_checkpoint(file)
    except Exception as error:  # wandb raises what its HTTP library does, and its own
        problem = str(error).partition("\n")[0] or type(error).__name__
        raise UsageError(f"{source} cannot be played: {problem}") from error

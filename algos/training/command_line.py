"""Which training is asked for: the folder of a new run, an earlier run."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from algos.runs import codec
from algos.runs.directory import RUNS, RunDirectory
from algos.runs.shell import quoted
from algos.terminal import absolute
from algos.training.settings import ResumeConfig, Training, require_wandb
from algos.usage import UsageError

log = logging.getLogger(__name__)

C = TypeVar("C", bound=Training)


def locate(config: Training) -> RunDirectory:
    """Return the folder of a new run, or of an experiment, whose runs add their seeds to it.

    Raises:
        UsageError: an experiment's has no name to add them to.
    """
    base = Path(RUNS) / re.split("[:/]", config.env_id)[-1]
    sweep, trial = (os.environ.get(f"WANDB_{name}_ID", "").strip() for name in ("SWEEP", "RUN"))
    trial = f"-{trial}" if sweep and trial else ""
    if config.seeds:
        if config.run_dir is not None and config.run_dir.name in ("", ".."):
            raise UsageError(
                f"--run-dir is {config.run_dir}, which has no name of its own: each seed trains "
                "in RUN_DIR-sSEED, so give a name, runs/walk for example"
            )
        where, here = config.run_dir or base.with_name(base.name + trial), absolute(".").resolve()
        where = absolute(where).resolve()
        return RunDirectory(where.relative_to(here) if where.parent.is_relative_to(here) else where)
    return RunDirectory(config.run_dir or base.with_name(f"{base.name}-s{config.seed}{trial}"))


def reopen(
    options: ResumeConfig, defaults: Callable[[dict[str, Any]], C]
) -> tuple[C, RunDirectory, bool]:
    """Return the settings of an earlier run, its folder, and whether it has begun.

    Settings that it lacks, or that this code does not know, are warned of one by one.

    Args:
        options: which run, and what is to be changed.
        defaults: of the choice that a config.json tells.

    Raises:
        ValueError: the folder holds no run, a damaged one, or one without checkpoints; or an option
            of W&B's has no effect on the run's logger.
    """
    run, plain = RunDirectory.open(options.resume)
    try:
        reading = codec.read(defaults(plain), plain)
    except (KeyError, TypeError, ValueError) as error:
        problem = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise UsageError(
            f"{run.config} is damaged or of other code ({problem}); restore it, or resume it with "
            "the code that made it (git.json names the commit)"
        ) from error
    for line in reading.differences(run.config):
        log.warning("%s", line)
    if run.begun and not (run.last.exists() or run.previous.exists()):
        raise UsageError(f"{run.path} has no checkpoint to go on from; start a new run")
    if not run.begun and not run.prepared:
        log.warning("%s was left before its first checkpoint; it starts anew", quoted(run.path))
    given = {name: getattr(options, name) for name in ("total_steps", "device", "logger", "wandb")}
    config = replace(reading.value, **{n: v for n, v in given.items() if v is not None})
    require_wandb(config.logger, "wandb" if options.wandb in ("online", "offline") else None)
    return config, run, run.begun

"""Which training a command line asks for: a first look at it, the run's folder, an earlier run."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, get_type_hints

import tyro
from tyro.constructors import (
    ConstructorRegistry,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from algos.runs import codec
from algos.runs.directory import RunDirectory
from algos.training.settings import ResumeConfig, Training
from algos.usage import UsageError

log = logging.getLogger(__name__)

C = TypeVar("C", bound=Training)
MARKERS = (tyro.conf.SuppressFixed, tyro.conf.AvoidSubcommands)
"""How tyro treats a training's settings: functions are none of them."""


def glance(default: Any, arguments: list[str]) -> SimpleNamespace:
    """Parse a command line before it is known which defaults and bounds hold.

    Dataclasses are not made, so that none of them refuses a value; unknown options are passed
    over, with all that follows them to the next known one.

    Args:
        default: a dataclass with the options that are known.
        arguments: of the command line.

    Returns:
        The values by their names, nested dataclasses likewise.
    """
    with _UNCHECKED:
        seen, _ = tyro.cli(
            type(default),
            default=default,
            args=arguments,
            config=MARKERS,
            return_unknown_args=True,
            add_help=False,
        )
    return seen


_UNCHECKED = ConstructorRegistry()


@_UNCHECKED.struct_rule
def _unchecked(info: StructTypeInfo) -> StructConstructorSpec | None:
    """Make a namespace where a dataclass is declared."""
    if not is_dataclass(info.default):
        return None
    hints = get_type_hints(type(info.default), include_extras=True)
    known = ((f.name, hints[f.name], getattr(info.default, f.name)) for f in fields(info.default))
    return StructConstructorSpec(SimpleNamespace, tuple(StructFieldSpec(*one) for one in known))


def locate(config: Training) -> RunDirectory:
    """Return the folder of a new run, or of an experiment, whose runs add their seeds to it."""
    base = Path("runs") / config.env_id.split("/")[-1]
    trial = f"-{os.environ.get('WANDB_RUN_ID')}" if "WANDB_SWEEP_ID" in os.environ else ""
    if config.seeds:
        return RunDirectory((config.run_dir or base.with_name(base.name + trial)).resolve())
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
        ValueError: the folder holds no run, a damaged one, or one without checkpoints.
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
        log.warning("%s was left before its first checkpoint; it starts anew", run.path)
    given = {name: getattr(options, name) for name in ("total_steps", "device", "logger", "wandb")}
    config = replace(reading.value, **{n: v for n, v in given.items() if v is not None})
    return config, run, run.begun

"""Where a policy is played from: a run's folder, a checkpoint file, or a run in W&B."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from algos.rollout.environments import is_id, suggestion
from algos.runs.checkpoint import load_checkpoint, save_checkpoint
from algos.runs.codec import from_plain
from algos.runs.directory import RUNS, RunDirectory
from algos.runs.files import reading
from algos.runs.near import near
from algos.terminal import absolute, stderr
from algos.tracking import wandb_models
from algos.usage import UsageError

T = TypeVar("T")
Which = Literal["best", "last"]
CONTENT = {"env_id", "robot", "algorithm", "algo_config", "algo"}
"""What a checkpoint must hold to be played."""
KEPT = (
    *("env_id", "robot", "algorithm", "algo_config", "env", "play", "iteration", "env_steps"),
    *("env_kwargs", "wrapper", "recipe", "seed", "commit"),
)
"""What a policy alone keeps of it, beside network and normaliser."""


def load(source: str, which: Which) -> dict[str, Any] | None:
    """Return the checkpoint that a source names, None for a Gymnasium id.

    Args:
        source: a folder, a file, wandb:ENTITY/PROJECT/RUN or an id.
        which: the checkpoint of a run.

    Raises:
        ValueError: none of these, a run without checkpoints, or a damaged checkpoint.
    """
    path = Path(source)
    with reading(path):
        content = _content(source, path, which)
    missing = ", ".join(sorted(CONTENT - content.keys())) if content is not None else ""
    if missing:
        raise UsageError(f"the checkpoint of {path} lacks {missing}: it is no policy")
    return content


def _content(source: str, path: Path, which: Which) -> dict[str, Any] | None:
    if source.startswith(wandb_models.PREFIX):
        return wandb_models.download(source, which)
    if absolute(path).is_dir():
        return load_checkpoint(_of_run(path, which))
    if absolute(path).is_file():
        return load_checkpoint(path)
    if is_id(source):
        return None
    raise UsageError(
        f"{source!r} is no run's folder, no checkpoint file and no environment id; "
        f"{suggestion(source, *near(path, RUNS, 'policies'))}"
    )


def own_id(source: str) -> str | None:
    """Return the id that a source is, None for a run or a checkpoint, or where it is neither."""
    return source if not is_policy(source) and is_id(source) else None


def is_policy(source: str) -> bool:
    """Whether a source is a run or a checkpoint that there is, or one in W&B."""
    return source.startswith(wandb_models.PREFIX) or os.path.lexists(absolute(source))


def is_single(source: str) -> bool:
    """Whether a source is a checkpoint's file or an id, and so has no others to choose from."""
    return os.path.isfile(absolute(source)) or own_id(source) is not None


def _of_run(path: Path, which: Which) -> Path:
    """Return the file of a run's checkpoint, of the other where it is missing."""
    run = RunDirectory(path)
    if not run.last.exists() and not run.best.exists():
        raise UsageError(f"{path} holds no checkpoints of a run; give a run's folder or a .pt file")
    wanted, other = (run.best, run.last) if which == "best" else (run.last, run.best)
    if wanted.exists():
        return wanted
    print(f"{path} has no {wanted.name} yet: playing {other.name}", file=stderr())
    return other


def checkpoints(source: str, content: dict[str, Any] | None) -> dict[str, Callable[[], Any]]:
    """Return what loads each checkpoint of a source, by its name.

    Args:
        source: as in `load`.
        content: what that returned.
    """
    path = Path(source)
    if absolute(path).is_dir():
        run = RunDirectory(path)
        files = {"best": run.best, "last": run.last}
        return {n: lambda file=f: load_checkpoint(file) for n, f in files.items() if f.exists()}
    if content is None:
        return {}
    name = path.name.removesuffix(".pt")
    return {"trained" if name in ("zero", "random") else name: lambda: content}


def as_trained(task: T, settings: dict[str, Any]) -> T:
    """Return today's task with a run's own settings, but for those that are no longer as they were.

    They say how the policy is judged; what it acts on is kept apart.

    Args:
        task: a dataclass.
        settings: of a checkpoint, as `algos.runs.codec` writes them.
    """
    for name, plain in settings.items():
        with suppress(ValueError):
            task = from_plain(task, {name: plain})
    return task


def require_one_task(tasks: Mapping[str, str]) -> None:
    """Raise ValueError unless ids, each with the name of its task, are of one task."""
    if len(set(tasks.values())) > 1:
        raise UsageError(
            f"--compare shows policies of one task, and these are of {' and '.join(tasks)}: "
            "make a video of each"
        )


def labels(sources: Sequence[str]) -> list[str]:
    """Return short names of several sources; one alone needs none."""
    if len(sources) == 1:
        return [""]
    short = [absolute(source).resolve().name.removesuffix(".pt") for source in sources]
    return list(sources) if len(set(short)) < len(short) else short


def save_policy(content: dict[str, Any], path: Path) -> None:
    """Write what playing needs of a checkpoint: the policy, its normaliser and its task."""
    algo = {name: content["algo"][name] for name in ("policy", "normalizer")}
    save_checkpoint(path, {name: content.get(name) for name in KEPT} | {"algo": algo})

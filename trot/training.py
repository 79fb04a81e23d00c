"""What is trained, and how: the options of `train.py`, and an earlier run's settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import tyro

import envs
from algos.presets import Preset, preset
from algos.registry import DEFAULT_ALGORITHM, registered
from algos.rollout.environments import is_id, unknown_id
from algos.runs.codec import to_plain
from algos.runs.directory import RunDirectory
from algos.terminal import absolute
from algos.training import own, parsing
from algos.training.command_line import locate, reopen
from algos.training.options import require
from algos.training.settings import ResumeConfig, Training
from algos.usage import UsageError
from envs import tasks
from envs.sim import DRIVES, TERRAINS
from envs.task import TaskConfig, with_gait
from robots import get_robot, is_file

PhysicsName = Literal["auto", "batch", "warp"]
ROBOT = "anymal_c"
CHOSEN = ("drive", "terrain", "recipe", "gait")
"""Options that decide which settings a trot/ task has; None leaves it to the task."""
USUAL_ID = "trot/AnymalWalk-v0"
"""Whose settings help shows where no id is given."""


@dataclass(frozen=True)
class TrainConfig(Training):
    """Train a policy on a Gymnasium environment.

    Every default shown is the preset of the id. Go on with an earlier run by
    `train.py --resume RUN [--total-steps N] [--device D] [--wandb MODE]`.
    """

    robot: str = ROBOT
    """Robot of a trot/ task: a name, a robot_descriptions name such as go1_mj_description, or a
    model's file, .xml, .mjcf or .urdf."""
    recipe: str | None = None
    """Definition of a trot/ task with settings to match: trot, Trot's own, which is the default;
    paper, that of Hwangbo et al. 2019 (Command, Run, Recover); earned, commands that widen as
    they are followed (Run)."""
    drive: str | None = None
    """What an action means in a trot/ task, torque for example; by default as the task has it."""
    terrain: str | None = None
    """Ground of a trot/ task, slope for example; by default as the task has it."""
    gait: str | None = None
    """Gait of a trot/ task with a clock, pace for example; by default as the task has it."""
    physics: PhysicsName = "auto"
    """What simulates a trot/ task: batch, MuJoCo on the CPU's cores; warp, MuJoCo Warp on the GPU
    that the algorithm runs on; auto takes warp where it can and the extra `warp` is installed."""
    env: TaskConfig | None = None
    """Settings of a trot/ task."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of bounds, or the settings of another id's task."""
        super().__post_init__()
        if is_file(self.robot):  # the same file wherever the run is resumed from
            object.__setattr__(self, "robot", str(absolute(self.robot)))
        if self.physics == "warp":
            require(self.env is not None, "physics", "warp", "batch: only trot/ tasks have warp")
        if self.env is not None and self.wrapper:
            raise UsageError(f"--wrapper is for single environments, and {self.env_id} has many")
        if (self.env is None) == (self.env_id in envs.IDS):
            need = "settings of its task" if self.env is None else "no settings of a task"
            raise UsageError(f"env_id is {self.env_id!r}; it must have {need}")

    def require_effect(self, usual: Training) -> None:
        """Raise ValueError for a setting that was changed from the preset and has no effect."""
        super().require_effect(usual)
        if self.physics != "auto" and self.env is None:
            raise UsageError(f"--physics has no effect: {self.env_id} simulates itself")

    @property
    def preset(self) -> Preset:
        """The settings that the id has by default, of its recipe."""
        return preset(self.env_id, self.recipe)


@dataclass(frozen=True)
class _AnyTask(TrainConfig):
    """What may stand on the command line before it is known which settings there are."""

    env_id: tyro.conf.Positional[tuple[str, ...]] = ()  # pyright: ignore[reportIncompatibleVariableOverride]
    resume: Path | None = None
    help: Annotated[bool, tyro.conf.arg(aliases=["-h"])] = False

    def __post_init__(self) -> None:
        """Nothing has to hold yet."""


class Choice(NamedTuple):
    """What decides which settings there are, and their defaults."""

    env_id: str
    robot: str = ROBOT
    algorithm: str = DEFAULT_ALGORITHM
    drive: str | None = None
    terrain: str | None = None
    recipe: str | None = None
    gait: str | None = None


def defaults(
    env_id: str,
    robot: str = ROBOT,
    algorithm: str = DEFAULT_ALGORITHM,
    drive: str | None = None,
    terrain: str | None = None,
    recipe: str | None = None,
    gait: str | None = None,
) -> TrainConfig:
    """Return the preset of an id and an algorithm, for a robot where it is a trot/ task."""
    _, kind = registered(algorithm)
    name = envs.IDS.get(env_id)
    recipe = (recipe or tasks.USUAL) if name else None
    task = make_task(name, robot, drive, terrain, recipe or tasks.USUAL, gait) if name else None
    known = preset(env_id, recipe)
    return TrainConfig(
        env_id,
        total_steps=known.total_steps,
        num_envs=known.num_envs,
        rollout_steps=known.rollout_steps,
        eval_interval=known.eval_interval,
        algorithm=algorithm,
        algo=known.algo(kind),
        robot=robot,
        recipe=recipe,
        drive=task.drive.name if task else None,
        terrain=task.terrain.name if task else None,
        gait=gait if task else None,
        env=task,
    )


def make_task(
    name: str,
    robot: str,
    drive: str | None,
    terrain: str | None,
    recipe: str = tasks.USUAL,
    gait: str | None = None,
) -> TaskConfig:
    """Return a task for a robot, with another drive, terrain or gait than its own where named."""
    known = tasks.recipes(name)
    need = f"{' or '.join(known)}, which the task {name} has"
    require(recipe in known, "recipe", recipe, need)
    task = tasks.make(name, get_robot(robot), recipe)
    if gait is not None:
        task = with_gait(task, gait, get_robot(robot))
    if drive is not None:
        require(drive in DRIVES, "drive", drive, f"one of {', '.join(DRIVES)}")
        task = replace(task, drive=DRIVES[drive]())
    if terrain is not None:
        require(terrain in TERRAINS, "terrain", terrain, f"one of {', '.join(TERRAINS)}")
        task = replace(task, terrain=TERRAINS[terrain]())
    return task


def parse(arguments: list[str], restarted: bool = False) -> tuple[TrainConfig, RunDirectory, bool]:
    """Return the settings, the run's folder, and whether to go on with the run there.

    The command line is parsed twice: for what is chosen, then with the defaults of that choice.

    Args:
        arguments: of the command line.
        restarted: whether torchrun has started the same command before: an earlier run goes on.
    """
    usual = defaults(USUAL_ID)
    known = replace(_AnyTask(**vars(usual) | {"env_id": (), "robot": ""}), **dict.fromkeys(CHOSEN))
    seen, _ = parsing.glance(replace(known, env=None), arguments)
    if not seen.env_id and seen.resume is None:
        seen, _ = parsing.glance(known, arguments)  # the id may stand behind settings of its task
    if seen.resume is not None:
        told = ResumeConfig.__doc__
        options = parsing.parse(ResumeConfig, arguments, owner="--resume", description=told)
        return reopen_run(options)
    if not seen.env_id:
        if seen.help:
            parsing.parse(TrainConfig, ["--help"], usual, owner=USUAL_ID)
        raise UsageError(f"{unknown_id(None)}; it comes first: train.py ID [options]")
    chosen = {name: getattr(seen, name) for name in CHOSEN}
    choice = Choice(seen.env_id[0], seen.robot or ROBOT, seen.algorithm, **chosen)
    if not is_id(choice.env_id):
        raise UsageError(unknown_id(choice.env_id))
    default = defaults(*choice)
    for part in ("robot", *CHOSEN):
        if default.env is None and (given := getattr(seen, part)):
            raise UsageError(f"--{part} is {given}; {choice.env_id} is no trot/ task and has none")
    if default.env is None:
        config = own.parse(TrainConfig, arguments, choice.env_id, default)
    else:
        config = parsing.parse(TrainConfig, arguments, default, owner=choice.env_id)
    if config.env_id != choice.env_id:
        raise UsageError(f"is the id {config.env_id} or {choice.env_id}? train.py ID [options]")
    config.require_effect(default)
    run = locate(config)
    if restarted and not config.seeds and run.holds(to_plain(config)):
        return reopen_run(ResumeConfig(run.path))
    return config, run, False


def reopen_run(options: ResumeConfig) -> tuple[TrainConfig, RunDirectory, bool]:
    """Return what `parse` does, of an earlier run."""

    def of_run(plain: dict[str, Any]) -> TrainConfig:
        choice = {n: plain[n] for n in Choice._fields if n == "env_id" or n in plain}
        for name, value in choice.items():
            require(value is None or isinstance(value, str), name, value, "a name")
        return defaults(**choice)

    return reopen(options, of_run)

"""Train a policy: `python train.py ENV_ID [options]`; go on: `python train.py --resume RUN`.

With `--seeds 1 2 3` an experiment; `python train.py plot RUN …` draws learning curves.
"""

from __future__ import annotations

from algos import terminal

if __name__ == "__main__":  # before torch, whose import takes seconds
    terminal.begin()

import logging
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
import tyro
from gymnasium.vector import VectorEnv

import envs
from algos import parallel
from algos.agent import Act, Agent, symmetry_of
from algos.compare import experiment, plots
from algos.parallel import ALONE, Group, GroupError
from algos.presets import preset
from algos.registry import DEFAULT_ALGORITHM, registered
from algos.rollout.environments import is_id, make_vec, unknown_id
from algos.runs.codec import to_plain
from algos.runs.directory import RunDirectory
from algos.runs.files import WriteError, whole
from algos.training import own, parsing
from algos.training.command_line import locate, reopen
from algos.training.evaluate import evaluate
from algos.training.launch import Learning, launch
from algos.training.memory import require_room
from algos.training.options import require
from algos.training.settings import ResumeConfig, Training, check_group, choose_device
from algos.usage import UsageError
from envs import playable, tasks
from envs.judge import protocol
from envs.render.gl import prepare
from envs.show.rendering import rendering_env
from envs.show.video import Actor, Video, write_video
from envs.sim import DRIVES, TERRAINS
from envs.task import TaskConfig, as_judged
from robots import get_robot
from robots.usage import UsageError as RobotUsageError

ROBOT = "anymal_c"
USUAL_ID = "trot/AnymalWalk-v0"
"""Whose settings help shows where no id is given."""
VIDEO = Video(size=(640, 360))
"""The videos made during training, but for their length."""
RECORDED = 100
"""Largest number of robots that an evaluation measures, 1.4 MB each in 30 s."""


@dataclass(frozen=True)
class TrainConfig(Training):
    """Train a policy on a Gymnasium environment.

    Every default shown is the preset of the id. Go on with an earlier run by
    `train.py --resume RUN [--total-steps N] [--device D] [--wandb MODE]`.
    """

    robot: str = ROBOT
    """Robot of a trot/ task."""
    drive: str | None = None
    """What an action means in a trot/ task, torque for example; by default as the task has it."""
    terrain: str | None = None
    """Ground of a trot/ task, slope for example; by default as the task has it."""
    env: TaskConfig | None = None
    """Settings of a trot/ task."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of bounds, or the settings of another id's task."""
        super().__post_init__()
        if self.env is not None and self.wrapper:
            raise UsageError(f"--wrapper is for single environments, and {self.env_id} has many")
        if (self.env is None) == (self.env_id in envs.IDS):
            need = "settings of its task" if self.env is None else "no settings of a task"
            raise UsageError(f"{self.env_id} must have {need}")


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


def defaults(
    env_id: str,
    robot: str = ROBOT,
    algorithm: str = DEFAULT_ALGORITHM,
    drive: str | None = None,
    terrain: str | None = None,
) -> TrainConfig:
    """Return the preset of an id and an algorithm, for a robot where it is a trot/ task."""
    known = preset(env_id)
    _, kind = registered(algorithm)
    name = envs.IDS.get(env_id)
    task = make_task(name, robot, drive, terrain) if name else None
    return TrainConfig(
        env_id,
        total_steps=known.total_steps,
        num_envs=known.num_envs,
        rollout_steps=known.rollout_steps,
        eval_interval=known.eval_interval,
        algorithm=algorithm,
        algo=known.algo(kind),
        robot=robot,
        drive=task.drive.name if task else None,
        terrain=task.terrain.name if task else None,
        env=task,
    )


def make_task(name: str, robot: str, drive: str | None, terrain: str | None) -> TaskConfig:
    """Return a task for a robot, with another drive or terrain than its own where one is named."""
    task = tasks.make(name, get_robot(robot))
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
    seen, _ = parsing.glance(
        _AnyTask(**vars(usual) | {"env_id": (), "robot": "", "drive": None, "terrain": None}),
        arguments,
    )
    if seen.resume is not None:
        told = ResumeConfig.__doc__
        options = parsing.parse(ResumeConfig, arguments, owner="--resume", description=told)
        return reopen_run(options)
    if not seen.env_id:
        if seen.help:
            parsing.parse(TrainConfig, ["--help"], usual, owner=USUAL_ID)
        raise UsageError(f"{unknown_id(None)}; it comes first: train.py ID [options]")
    choice = Choice(seen.env_id[0], seen.robot or ROBOT, seen.algorithm, seen.drive, seen.terrain)
    if not is_id(choice.env_id):
        raise UsageError(unknown_id(choice.env_id))
    default = defaults(*choice)
    for part in ("robot", "drive", "terrain"):
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


def maker(config: TrainConfig) -> Callable[..., VectorEnv]:
    """Return what makes environments like those of the training."""
    return partial(make_vec, wrappers=config.wrapper, **config.env_kwargs)


def make_environment(config: TrainConfig, group: Group = ALONE) -> VectorEnv:
    """Make this process's share of the training environments."""
    prepare(config.env_id)
    share = config.num_envs // group.size
    if config.env is None:
        return maker(config)(config.env_id, share)
    task, cores = config.env, (os.cpu_count() or 1) // group.local_size
    if group.local_size > 1 and not task.simulation.nthread:
        task = replace(task, simulation=replace(task.simulation, nthread=max(1, cores)))
    total = config.num_envs
    return make_vec(config.env_id, share, robot=config.robot, config=task, total_envs=total)


def check_memory(config: TrainConfig, group: Group) -> None:
    """Raise ValueError where this machine's memory cannot hold its processes of the training."""
    one = make_environment(replace(config, num_envs=1))
    one.close()
    here = config.num_envs * group.local_size // group.size
    require_room(one, here, config.rollout_steps, config.algo)


def evaluate_policy(config: TrainConfig, act: Act) -> dict[str, float]:
    """Evaluate a policy: a trot/ task under its protocol, by its measures too, others as is."""
    episodes, seed = config.evaluated, config.seed + 1_000_000
    if config.env is None:
        with closing(maker(config)(config.env_id, min(episodes, 10))) as environment:
            return evaluate(act, environment, episodes, seed)
    judged = as_judged(config.env)
    with closing(make_vec(config.env_id, episodes, robot=config.robot, config=judged)) as many:
        recorder = protocol.Recorder(many, robots=RECORDED)
        metrics = evaluate(act, recorder, episodes, seed)
        return metrics | protocol.means(recorder.recording(), judged.measures)


def build_agent(
    config: TrainConfig, environment: VectorEnv, device: torch.device, group: Group = ALONE
) -> Agent:
    """Make the algorithm's agent for an environment, equivariant where that declares a symmetry."""
    make, _ = registered(config.algorithm)
    return make(
        environment.single_observation_space,
        environment.single_action_space,
        config.algo,
        symmetry=symmetry_of(environment),
        device=device,
        seed=config.seed,
        group=group,
    )


def make_video_writer(config: TrainConfig) -> Callable[[Act, Path], None] | None:
    """Return what writes a video of a policy, None where the run wants none."""
    if not config.video_interval:
        return None
    judged = as_judged(config.env) if config.env else None
    make = partial(rendering_env, maker(config), config.env_id, config.robot, judged)
    video = replace(VIDEO, seconds=config.filmed)

    def write(act: Act, path: Path) -> None:
        with whole(path) as draft:
            write_video(draft, [Actor(make, act)], video)

    return write


def checkpoint_facts(config: TrainConfig) -> dict[str, Any]:
    """Return what a checkpoint says of its run, so that it can be played without the run."""
    return {
        "env_id": config.env_id,
        "robot": config.robot if config.env else None,
        "env_kwargs": config.env_kwargs,
        "wrapper": list(config.wrapper),
        "algorithm": config.algorithm,
        "algo_config": to_plain(config.algo),
        "env": to_plain(config.env),
        "play": playable.describe(config.env) if config.env else None,
    }


def main(arguments: list[str]) -> None:
    """Parse, and train one seed or several, or draw the curves of earlier runs."""
    if arguments[:1] == ["plot"]:
        return plots.main(arguments[1:])
    with parallel.join() as group:
        restarted = max(group.gather(parallel.restarts())) > 0
        config, run, resumed = group.share(lambda: parse(arguments, restarted))
        check_group(config, group)
        group.share(lambda: check_memory(config, group))
        if config.seeds:
            program = [sys.executable, __file__]
            return experiment.run(run.path, to_plain(config), program)
        return train(config, run, resumed, group)


def train(config: TrainConfig, run: RunDirectory, resumed: bool, group: Group) -> None:
    """Wire and run one training, alone in its folder, or one process of it."""
    device = choose_device(config.device, group)
    torch.set_num_threads(config.torch_threads)
    environment = make_environment(config, group)
    agent = build_agent(config, environment, device, group)
    learning = Learning(
        agent,
        environment,
        checkpoint_facts(config),
        evaluate=lambda act: evaluate_policy(config, act),
        make_video=make_video_writer(config),
    )
    with ExitStack() as stack:
        group.share(lambda: stack.enter_context(run.lock()))
        launch(learning, config, run, resumed, group)
    environment.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.raiseExceptions = False  # of libraries that log to a full disk
    with terminal.program(UsageError, RobotUsageError, WriteError, GroupError):
        try:
            main(sys.argv[1:])
        except MemoryError as error:
            raise UsageError(f"out of memory ({error}): take a smaller --num-envs") from error

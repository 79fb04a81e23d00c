"""Train a policy: `python train.py ENV_ID [options]`; go on: `python train.py --resume RUN`.

With `--seeds 1 2 3` an experiment; `python train.py plot RUN …` draws learning curves.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any

import torch
import tyro
from gymnasium.vector import VectorEnv
from rich.console import Console

import envs
from algos import ALGORITHMS, TRPO, parallel
from algos.compare import experiment, plots
from algos.parallel import ALONE, Group
from algos.playing.video import Film, Player, record_video
from algos.presets import preset
from algos.rollout.collector import Collector
from algos.rollout.environments import is_id, make_vec, unknown_id
from algos.runs.checkpoint import load_newest
from algos.runs.directory import RunDirectory, from_plain, to_plain
from algos.tracking import make_tracker
from algos.tracking.tracker import Tracker
from algos.training.evaluate import evaluate
from algos.training.memory import require_room
from algos.training.settings import ResumeConfig, Training, check_group, choose_device
from algos.training.trainer import Act, Schedule, Trainer
from envs import tasks
from envs.judge.protocol import evaluation_config
from envs.render.gl import prepare
from envs.show import film
from envs.task import TaskConfig
from envs.tasks import switches
from robots import get_robot

log = logging.getLogger(__name__)

ROBOT = "anymal_c"
FILM = Film(seconds=8.0, size=(640, 360))
"""The videos made during training."""


@dataclass(frozen=True)
class TrainConfig(Training):
    """Train a policy with TRPO on a Gymnasium environment.

    Every default shown is the preset of the id. Go on with an earlier run by
    `train.py --resume RUN [--total-steps N] [--device D] [--wandb MODE]`.
    """

    robot: str = ROBOT
    """Robot of a trot/ task."""
    env: TaskConfig | None = None
    """Settings of a trot/ task."""

    def require_effect(self, preset: Training) -> None:
        """Raise ValueError for a setting that was changed from the preset and has no effect."""
        super().require_effect(preset)
        if self.env is not None and isinstance(preset, TrainConfig) and preset.env is not None:
            switches.require_effect(self.env, preset.env)


def defaults(env_id: str, robot: str = ROBOT) -> TrainConfig:
    """Return the preset of an id, for a robot where it is a trot/ task."""
    known = preset(env_id)
    task = envs.IDS.get(env_id)
    return TrainConfig(
        env_id,
        total_steps=known.total_steps,
        num_envs=known.num_envs,
        rollout_steps=known.rollout_steps,
        eval_interval=known.eval_interval,
        algo=known.algo,
        robot=robot,
        env=tasks.make(task, get_robot(robot)) if task else None,
    )


def parse(arguments: list[str], restarted: bool = False) -> tuple[TrainConfig, RunDirectory, bool]:
    """Return the settings, the run's folder, and whether to go on with the run there.

    Args:
        arguments: of the command line.
        restarted: whether torchrun has started the same command before: an earlier run goes on.
    """
    if any(a.split("=")[0] == "--resume" for a in arguments):
        return _reopen(tyro.cli(ResumeConfig, args=arguments, description=ResumeConfig.__doc__))
    env_id = next((a for a in arguments if is_id(a)), None)
    if env_id is None and not {"-h", "--help"} & set(arguments):
        raise ValueError(unknown_id(next((a for a in arguments if not a.startswith("-")), None)))
    robot = experiment.option(arguments, "--robot")
    default = defaults(env_id or "trot/AnymalWalk-v0", robot or ROBOT)
    if robot and default.env is None:
        raise ValueError(f"--robot is {robot}; {env_id} is no trot/ task and has none")
    config = tyro.cli(TrainConfig, default=default, args=arguments, config=_CLI)
    config.require_effect(default)
    base = Path("runs") / config.env_id.split("/")[-1]
    trial = f"-{os.environ.get('WANDB_RUN_ID')}" if "WANDB_SWEEP_ID" in os.environ else ""
    if config.seeds:
        default_dir = base.with_name(base.name + trial)
        return config, RunDirectory((config.run_dir or default_dir).resolve()), False
    run = RunDirectory(config.run_dir or base.with_name(f"{base.name}-s{config.seed}{trial}"))
    if restarted and run.config.exists():
        return _reopen(ResumeConfig(run.path))
    return config, run, False


_CLI = (tyro.conf.SuppressFixed, tyro.conf.AvoidSubcommands)


def _reopen(options: ResumeConfig) -> tuple[TrainConfig, RunDirectory, bool]:
    run, plain = RunDirectory.open(options.resume)
    try:
        config = from_plain(defaults(plain["env_id"], plain["robot"]), plain)
        if not isinstance(config.env, TaskConfig if config.env_id in envs.IDS else NoneType):
            raise TypeError(f"settings of another task than {config.env_id}'s")
    except (KeyError, TypeError, ValueError) as error:
        problem = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{run.config} is damaged ({problem}); restore it") from error
    given = {name: getattr(options, name) for name in ("total_steps", "device", "logger", "wandb")}
    config = replace(config, **{name: v for name, v in given.items() if v is not None})
    if not run.begun:
        log.warning("%s was left before its first checkpoint; it starts anew", run.path)
    elif not (run.last.exists() or run.previous.exists()):
        raise ValueError(f"{run.path} has no checkpoint to go on from; start a new run")
    return config, run, run.begun


def make_environment(config: TrainConfig, group: Group = ALONE) -> VectorEnv:
    """Make this process's share of the training environments."""
    prepare(config.env_id)
    own = config.num_envs // group.size
    if config.env is None:
        return make_vec(config.env_id, own)
    task, cores = config.env, (os.cpu_count() or 1) // group.local_size
    if group.local_size > 1 and not task.simulation.nthread:
        task = replace(task, simulation=replace(task.simulation, nthread=max(1, cores)))
    total = config.num_envs
    return make_vec(config.env_id, own, robot=config.robot, config=task, total_envs=total)


def check_memory(config: TrainConfig, group: Group) -> None:
    """Raise ValueError where this machine's memory cannot hold its processes of the training."""
    one = make_environment(replace(config, num_envs=1))
    one.close()
    here = config.num_envs * group.local_size // group.size
    require_room(one, here, config.rollout_steps, config.algo)


def judge(config: TrainConfig, act: Act) -> dict[str, float]:
    """Evaluate a policy: a trot/ task under its protocol, any other id as it is."""
    if config.env is None:
        envs_ = make_vec(config.env_id, min(config.eval_episodes, 10))
    else:
        protocol = evaluation_config(config.env)
        envs_ = make_vec(config.env_id, config.eval_episodes, robot=config.robot, config=protocol)
    try:
        return evaluate(act, envs_, config.eval_episodes, seed=config.seed + 1_000_000)
    finally:
        envs_.close()


def make_agent(
    config: TrainConfig, environment: VectorEnv, device: torch.device, group: Group = ALONE
) -> TRPO:
    """Make the algorithm for an environment, equivariant where that declares a symmetry."""
    algorithm, _ = ALGORITHMS["trpo"]
    return algorithm(
        environment.single_observation_space,
        environment.single_action_space,
        config.algo,
        symmetry=getattr(environment.unwrapped, "symmetry", None),
        device=device,
        seed=config.seed,
        group=group,
    )


def make_recorder(config: TrainConfig) -> Callable[[Act, Path], None] | None:
    """Return what makes a video of a policy, None where the run wants none."""
    if not config.video_interval:
        return None
    judged = evaluation_config(config.env) if config.env else None
    make = film.stage(make_vec, config.env_id, config.robot, judged)
    return lambda act, path: record_video(path, [Player(make, act)], FILM, film.lead)


def identity(config: TrainConfig) -> dict[str, Any]:
    """Return what a checkpoint says of its run, so that it can be played without the run."""
    return {
        "env_id": config.env_id,
        "robot": config.robot if config.env else None,
        "algorithm": "trpo",
        "algo_config": to_plain(config.algo),
        "env": to_plain(config.env),
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
            return experiment.run(run.path, to_plain(config), program, arguments)
        return train(config, run, resumed, group)


def train(config: TrainConfig, run: RunDirectory, resumed: bool, group: Group) -> None:
    """Wire and run one training, alone in its folder, or one process of it."""
    device = choose_device(config.device, group)
    torch.set_num_threads(config.torch_threads)
    environment = make_environment(config, group)
    agent = make_agent(config, environment, device, group)
    with ExitStack() as stack:
        group.share(lambda: stack.enter_context(run.lock()))
        checkpoint = group.share(lambda: load_newest(run.last, run.previous)) if resumed else None
        _train(config, run, checkpoint, group, environment, agent)


def _train(
    config: TrainConfig,
    run: RunDirectory,
    checkpoint: dict[str, Any] | None,
    group: Group,
    environment: VectorEnv,
    agent: TRPO,
) -> None:
    plain = to_plain(config)
    if checkpoint is None:
        group.share(lambda: RunDirectory.create(run.path, plain))
    group.share(run.sweep)
    seed = group.seed(config.seed, checkpoint["iteration"] if checkpoint else 0)
    device = agent.device
    collector = Collector(environment, agent.sample, config.rollout_steps, device, seed)
    schedule = Schedule(
        config.total_steps,
        config.eval_interval,
        config.checkpoint_interval,
        config.video_interval,
    )
    tracker = make_tracker(run.path, plain, checkpoint) if group.main else Tracker()
    trainer = Trainer(
        agent,
        collector,
        run,
        schedule,
        identity(config),
        lambda act: judge(config, act),
        make_recorder(config),
        tracker,
        group,
    )
    if checkpoint is not None:
        trainer.load(checkpoint)
        group.share(lambda: run.write_config(plain))
        if trainer.env_steps >= config.total_steps:
            log.warning("the run has its steps already; give a larger --total-steps for more")
    finished = trainer.train(resumed=checkpoint is not None)
    if group.main:
        _conclude(finished, trainer, run, tracker)
    environment.close()


def _conclude(finished: bool, trainer: Trainer, run: RunDirectory, tracker: Tracker) -> None:
    for page in sorted(run.path.glob("*.html")):
        tracker.log_html(page, trainer.env_steps)
    tracker.finish()
    if finished:
        outcome = f"Trained {trainer.env_steps:,} steps: {run.path}"
        then = f"Watch:  python play.py {run.path} --video {run.path}/policy.mp4"
    else:
        outcome = f"Stopped after {trainer.env_steps:,} steps, saved: {run.path}"
        then = f"Go on:  python train.py --resume {run.path}"
    Console().print(f"{outcome}\n{then}", soft_wrap=True, markup=False, highlight=False)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.raiseExceptions = False  # of libraries that log to a full disk
    try:
        main(sys.argv[1:])
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except MemoryError as error:
        print(f"error: out of memory ({error}): take a smaller --num-envs", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("left at once; what the last checkpoint holds is kept", file=sys.stderr)
        sys.exit(130)

"""Train a policy: `python train.py ENV_ID [options]`; go on: `python train.py --resume RUN`.

With `--seeds 1 2 3` an experiment; `python train.py plot RUN …` draws learning curves;
`python train.py actuator DATA --out FILE` fits a model of a drive.
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
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from gymnasium.vector import VectorEnv

from algos import parallel
from algos.agent import Act, Agent, symmetry_of
from algos.compare import experiment, plots
from algos.parallel import ALONE, Group, GroupError
from algos.registry import registered
from algos.rollout import environments
from algos.rollout.checked import close
from algos.rollout.environments import make_vec, named
from algos.runs.codec import to_plain
from algos.runs.directory import RunDirectory
from algos.runs.files import WriteError, whole
from algos.training.evaluate import evaluate, side_by_side
from algos.training.launch import Learning, launch
from algos.training.memory import require_room, told_remedy
from algos.training.settings import check_group, choose_device
from algos.usage import SpaceError, UsageError
from envs import playable
from envs.judge import protocol
from envs.mdp.curriculum import Earned
from envs.render.gl import prepare
from envs.show.rendering import rendering_env
from envs.show.video import Actor, Video, write_video
from envs.sim import engines
from envs.task import as_judged
from robots.usage import UsageError as RobotUsageError
from trot import actuator
from trot.training import TrainConfig, parse
from trot.training import defaults as defaults  # for who starts trainings from Python

log = logging.getLogger(__name__)

VIDEO = Video(size=(640, 360))
"""The videos made during training, but for their length."""
RECORDED = 100
"""Largest number of robots that an evaluation measures, 1.4 MB each in 30 s."""


def maker(config: TrainConfig) -> Callable[..., VectorEnv]:
    """Return what makes environments like those of the training."""
    return environments.maker(config.wrapper, config.env_kwargs)


def make_environment(config: TrainConfig, group: Group = ALONE) -> VectorEnv:
    """Make this process's share of the training environments."""
    prepare(config.env_id)
    share = config.num_envs // group.size
    if config.env is None:
        return maker(config)(config.env_id, share)
    device = choose_device(config.device, group)
    task, cores = config.env, (os.cpu_count() or 1) // group.local_size
    if group.local_size > 1 and not task.simulation.nthread:
        task = replace(task, simulation=replace(task.simulation, nthread=max(1, cores)))
    return make_vec(
        config.env_id,
        share,
        robot=config.robot,
        config=task,
        total_envs=config.num_envs,
        physics=engines.choose(config.physics, device.type == "cuda"),
        device=str(device),
    )


def tell_device(config: TrainConfig, device: torch.device) -> None:
    """Say so where the GPU simulates, or is asked for and the CPU does the work."""
    asked = [
        f"--{option} {value}"
        for option, value in (("device", "cuda"), ("physics", "warp"))
        if getattr(config, option) == value
    ]
    if asked and device.type == "cpu":
        why = "the device is cpu" if torch.cuda.is_available() else "torch sees no CUDA device"
        log.warning("%s: %s, so all is done on the CPU", " ".join(asked), why)
    if config.env and engines.choose(config.physics, device.type == "cuda") == "warp":
        told = f"physics: MuJoCo Warp on {device}; the first time, kernels compile for minutes"
        print(told, file=terminal.stdout())


def check_curricula(config: TrainConfig, group: Group) -> None:
    """Raise ValueError where a curriculum counts episodes, which every process has of its own."""
    if config.env is not None and group.size > 1:
        for scaled, curriculum in config.env.curricula.items():
            if isinstance(curriculum, Earned):
                raise UsageError(
                    f"the curriculum of {scaled} is earned by the episodes of one process: "
                    "train without torchrun"
                )


def check_memory(config: TrainConfig, group: Group) -> None:
    """Raise ValueError where this machine's memory cannot hold its processes of the training."""
    one = make_environment(replace(config, num_envs=1, physics="batch"))
    close(one)
    here = config.num_envs * group.local_size // group.size
    with named(config.env_id, SpaceError):
        require_room(one, here, config.rollout_steps, config.algo)


def evaluate_policy(config: TrainConfig, act: Act) -> dict[str, float]:
    """Evaluate a policy: a trot/ task under its protocol, by its measures too, others as is."""
    episodes, seed = config.evaluated, config.seed + 1_000_000
    if config.env is None:
        with closing(maker(config)(config.env_id, side_by_side(episodes))) as environment:
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
        "recipe": config.recipe,
        "env_kwargs": config.env_kwargs,
        "wrapper": list(config.wrapper),
        "algorithm": config.algorithm,
        "algo_config": to_plain(config.algo),
        "env": to_plain(config.env),
        "play": playable.describe(config.env) if config.env else None,
    }


def main(arguments: list[str]) -> None:
    """Parse, and train one seed or several, draw earlier runs' curves, or fit a drive's model."""
    if arguments[:1] == ["plot"]:
        return plots.main(arguments[1:])
    if arguments[:1] == ["actuator"]:
        return actuator.main(arguments[1:])
    with parallel.join() as group, told_remedy():
        restarted = max(group.gather(parallel.restarts())) > 0
        config, run, resumed = group.share(lambda: parse(arguments, restarted))
        check_group(config, group)
        check_curricula(config, group)
        group.share(lambda: check_memory(config, group))
        if config.seeds:
            program = [sys.executable, __file__]
            return experiment.run(run.path, to_plain(config), program)
        return train(config, run, resumed, group)


def train(config: TrainConfig, run: RunDirectory, resumed: bool, group: Group) -> None:
    """Wire and run one training, alone in its folder, or one process of it."""
    device = choose_device(config.device, group)
    if group.main:
        tell_device(config, device)
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
    close(environment)


if __name__ == "__main__":
    logging.basicConfig(
        stream=terminal.stderr(), level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    logging.raiseExceptions = False  # of libraries that log to a full disk
    with terminal.program(UsageError, RobotUsageError, WriteError, GroupError):
        main(sys.argv[1:])

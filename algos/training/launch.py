"""One training from its first iteration or its checkpoint to its end, and what is said of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gymnasium.vector import VectorEnv

from algos import terminal
from algos.agent import Act, Agent
from algos.parallel import Group
from algos.rollout.collector import Collector
from algos.runs.checkpoint import load_newest
from algos.runs.codec import to_plain
from algos.runs.directory import RunDirectory
from algos.runs.shell import quoted
from algos.tracking import make_tracker
from algos.tracking.tracker import Tracker
from algos.training import outcome
from algos.training.settings import Training
from algos.training.trainer import Trainer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Learning:
    """Who learns, where, and what is done with the policy on the way."""

    agent: Agent
    environment: VectorEnv
    facts: dict[str, Any]
    """What a checkpoint says of its run, so that it can be played without the run."""
    evaluate: Callable[[Act], dict[str, float]]
    """How well a deterministic policy does."""
    make_video: Callable[[Act, Path], None] | None
    """Makes a video of a policy at a path."""


def launch(
    learning: Learning, config: Training, run: RunDirectory, resumed: bool, group: Group
) -> None:
    """Run a training in its folder, which is locked, or one process of it."""
    checkpoint = group.share(lambda: load_newest(run.last, run.previous)) if resumed else None
    plain = to_plain(config)
    if checkpoint is None:
        group.share(lambda: RunDirectory.create(run.path, plain))
    group.share(run.sweep)
    tracker = make_tracker(run.root, plain, checkpoint) if group.main else Tracker()
    seed = group.seed(config.seed, checkpoint["iteration"] if checkpoint else 0)
    if group.main and (cuts := config.cuts()):
        print(cuts, file=terminal.stdout())
    trainer = _trainer(learning, config, run, seed, tracker, group)
    if checkpoint is not None:
        trainer.load(checkpoint)
        group.share(lambda: run.write_config(plain))
        if trainer.env_steps >= config.total_steps and not checkpoint.get("unjudged"):
            log.warning("the run has its steps already; give a larger --total-steps for more")
    finished = trainer.train(resumed=checkpoint is not None)
    if group.main:
        _conclude(finished, trainer, run, tracker)


def _trainer(
    learning: Learning,
    config: Training,
    run: RunDirectory,
    seed: int,
    tracker: Tracker,
    group: Group,
) -> Trainer:
    agent, environment = learning.agent, learning.environment
    return Trainer(
        agent,
        Collector(environment, agent.sample, config.rollout_steps, agent.device, seed),
        run,
        config,
        learning.facts,
        learning.evaluate,
        learning.make_video,
        tracker,
        group,
    )


def _conclude(finished: bool, trainer: Trainer, run: RunDirectory, tracker: Tracker) -> None:
    """Close the tracker, and say what there is, what failed and what to do next."""
    steps, place = trainer.env_steps, quoted(run.path)
    for page in sorted(run.root.glob("*.html")):
        tracker.log_html(page, steps)
    tracker.finish()
    rows = outcome.read(run.metrics)
    if table := outcome.evaluations(rows):
        terminal.console().print(table)
    if finished:
        took = f" in {outcome.pace(rows)}" if rows else ""
        said = f"Trained {steps:,} steps{took}: {run.path}"
        then = f"Watch:  python play.py {place} --video policy.mp4"
    else:
        said = f"Stopped after {steps:,} steps, saved: {run.path}"
        then = f"Go on:  python train.py --resume {place}"
    problems = *outcome.omissions(rows), *trainer.failures.values(), *tracker.problems
    terminal.conclude(said, *(f"Failed: {what}" for what in problems), then)

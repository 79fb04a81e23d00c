"""The training loop: collect, update, log, evaluate, save, until the steps are done."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from algos.agents import Act
from algos.checkpoint import save_checkpoint
from algos.logger import CSVLogger
from algos.progress import Progress
from algos.rollout import Collector
from algos.run_directory import RunDirectory
from algos.tracking import Tracker
from algos.trpo import TRPO

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long to train, and how often to do what; intervals in iterations, 0 is never."""

    total_steps: int
    eval_interval: int
    checkpoint_interval: int
    video_interval: int


class Trainer:
    """Runs the loop over one run directory and holds what a resumed run needs.

    Args:
        agent: the algorithm.
        collector: its environments.
        run: where files go.
        schedule: when things happen.
        identity: what a checkpoint says of the run: env_id, robot, algorithm, algo_config.
        evaluate: judges a deterministic policy; `return_mean` chooses the best checkpoint.
        record: makes a video of a policy at a path, or None.
        tracker: where the run is shown beside its folder.
    """

    def __init__(
        self,
        agent: TRPO,
        collector: Collector,
        run: RunDirectory,
        schedule: Schedule,
        identity: dict[str, Any],
        evaluate: Callable[[Act], dict[str, float]],
        record: Callable[[Act, Path], None] | None,
        tracker: Tracker,
    ) -> None:
        self._agent, self._collector, self._run = agent, collector, run
        self._schedule, self._identity = schedule, identity
        self._evaluate, self._record, self._tracker = evaluate, record, tracker
        self.iteration, self.env_steps = 0, 0
        self._best = -np.inf
        self._seconds = 0.0
        self._saved = -1

    def train(self, resumed: bool) -> bool:
        """Train to the end of the schedule; return False where Ctrl-C ended it before."""
        csv = CSVLogger(self._run.metrics, resume_from=self.iteration if resumed else None)
        total = self._schedule.total_steps
        if not resumed:
            self._checkpoint()
        with Interrupt() as interrupt, Progress(total, self.env_steps) as progress:
            while self.env_steps < total and not interrupt.requested:
                metrics = self._iterate()
                finished = self.env_steps >= total
                if finished or self._due(self._schedule.eval_interval):
                    metrics |= self._judge()
                csv.write(self.iteration, metrics)
                self._tracker.log(metrics, self.env_steps)
                progress.update(self.env_steps, metrics)
                if self._record and (finished or self._due(self._schedule.video_interval)):
                    self._video(progress)
                if self._due(self._schedule.checkpoint_interval):  # a resumed run redoes the rest
                    self._checkpoint()
            self._checkpoint()
            self._tracker.log_model(self._run.last, "latest", self.env_steps)
        return self.env_steps >= total

    def _due(self, interval: int) -> bool:
        return interval > 0 and self.iteration % interval == 0

    def _iterate(self) -> dict[str, float]:
        """One iteration of the algorithm."""
        start = time.perf_counter()
        rollout = self._collector.collect()
        progress = min(self.env_steps / self._schedule.total_steps, 1.0)
        metrics = rollout.metrics | self._agent.update(rollout, progress)
        seconds = time.perf_counter() - start
        self._seconds += seconds
        steps = rollout.rewards.numel()
        self.iteration += 1
        self.env_steps += steps
        return {
            "env_steps": self.env_steps,
            **metrics,
            "steps_per_second": steps / seconds,
            "seconds": self._seconds,
        }

    def _judge(self) -> dict[str, float]:
        """Evaluate the deterministic policy and keep it if it is the best so far."""
        metrics = self._evaluate(lambda o: self._agent.act(o, deterministic=True))
        if metrics["return_mean"] >= self._best:
            self._best = metrics["return_mean"]
            save_checkpoint(self._run.best, self.state_dict())
            self._tracker.log_model(self._run.best, "best", self.env_steps)
        return {f"eval/{name}": value for name, value in metrics.items()}

    def _video(self, progress: Progress) -> None:
        assert self._record is not None
        path = self._run.videos / f"{self.env_steps:010d}.mp4"
        try:
            self._record(lambda o: self._agent.act(o, deterministic=True), path)
        except (OSError, RuntimeError, ValueError) as error:
            progress.say(f"no more videos in this run: {error}")
            self._record = None
            return
        self._tracker.log_video(path, self.env_steps)

    def _checkpoint(self) -> None:
        """Write last.pt, once an iteration, and keep the one before."""
        if self._saved != self.iteration:
            save_checkpoint(self._run.last, self.state_dict(), self._run.previous)
            self._saved = self.iteration

    def state_dict(self) -> dict[str, Any]:
        """Return a checkpoint's content."""
        return {
            **self._identity,
            "algo": self._agent.state_dict(),
            "collector": self._collector.state_dict(),
            "iteration": self.iteration,
            "env_steps": self.env_steps,
            "best": float(self._best),
            "seconds": self._seconds,
            "wandb_id": self._tracker.run_id,
        }

    def load(self, content: dict[str, Any]) -> None:
        """Go on from a checkpoint's content.

        Raises:
            ValueError: it is of a run with other settings, or no training checkpoint.
        """
        try:
            self._agent.load_state_dict(content["algo"])
            self._collector.load_state_dict(content["collector"])
            self.iteration, self.env_steps = content["iteration"], content["env_steps"]
            self._best, self._seconds = content["best"], content["seconds"]
            self._saved = self.iteration
        except (KeyError, RuntimeError, ValueError) as error:
            cause = " ".join(str(error).split())
            raise ValueError(
                f"{self._run.last} does not fit {self._run.config} ({cause}); restore the one or "
                "the other, or start a new run"
            ) from error


class Interrupt:
    """Turns the first Ctrl-C or SIGTERM into a request; the second one acts as usual."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> Interrupt:
        self._old = {s: signal.signal(s, self._request) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._restore()
        log.warning("stopping after this iteration; again to leave at once, without saving")

    def _restore(self) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

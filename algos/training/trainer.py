"""The training loop: collect, update, log, evaluate, save, until the steps are done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from algos.agent import Act, Agent
from algos.parallel import ALONE, Group
from algos.rollout.collector import Collector
from algos.rollout.rollout import merged
from algos.runs.checkpoint import is_finite, load_newest, save_checkpoint
from algos.runs.directory import RunDirectory
from algos.runs.files import WriteError
from algos.runs.metrics import CSVLogger
from algos.runs.shell import quoted
from algos.tracking.tracker import Tracker
from algos.training.interrupt import Interrupt
from algos.training.progress import Progress
from algos.training.settings import Training
from algos.usage import UsageError, placed

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_REFUSED = 10
"""Updates in a row that may be refused before the training stops."""


class Trainer:
    """Runs the loop over one run directory and holds what a resumed run needs.

    Args:
        agent: the algorithm.
        collector: its environments.
        run: where files go.
        schedule: how long to train, and how often to do what; intervals of 0 are never.
        facts: what a checkpoint says of the run: env_id, robot, algorithm, algo_config.
        evaluate: how well a deterministic policy does; `return_mean` chooses the best checkpoint.
        make_video: makes a video of a policy at a path, or None.
        tracker: where the run is shown beside its folder.
        group: the processes that train; the first one evaluates, logs and saves.
    """

    def __init__(
        self,
        agent: Agent,
        collector: Collector,
        run: RunDirectory,
        schedule: Training,
        facts: dict[str, Any],
        evaluate: Callable[[Act], dict[str, float]],
        make_video: Callable[[Act, Path], None] | None,
        tracker: Tracker,
        group: Group = ALONE,
    ) -> None:
        self._agent, self._collector, self._run = agent, collector, run
        self._schedule, self._facts = schedule, facts
        self._evaluate, self._make_video, self._tracker = evaluate, make_video, tracker
        self._group = group
        self.iteration, self.env_steps = 0, 0
        self._best = -np.inf
        self._best_of: float | None = None  # episodes; more of them have another scatter
        self._seconds = 0.0
        self._saved, self._refused = -1, 0
        self._unjudged: dict[str, Any] | None = None  # what last.pt holds, while it is
        self.failures: dict[str, str] = {}
        """What the run goes on without, evaluations or videos, and why."""

    def train(self, resumed: bool) -> bool:
        """Train to the end of the schedule; return False where Ctrl-C ended it before.

        Raises:
            WriteError: the disk is full or the folder gone, for example.
            UsageError: MAX_REFUSED updates in a row were refused, or the agent's numbers are not
                finite.
        """
        try:
            return self._train(resumed)
        except (WriteError, UsageError) as error:
            kind = WriteError if isinstance(error, WriteError) else UsageError
            raise kind(f"{error}; {self._remedy()}") from error

    def _remedy(self) -> str:
        if self._run.last.exists():
            return f"put that right, then: python train.py --resume {quoted(self._run.path)}"
        return f"put that right, delete {self._run.path} and start again"

    def _train(self, resumed: bool) -> bool:
        kept = self.iteration - (self._unjudged is not None) if resumed else None
        csv = CSVLogger(self._run.metrics, resume_from=kept) if self._group.main else None
        total = self._schedule.total_steps
        if not resumed:
            self._checkpoint()
        known = self._collector.known_episodes
        bar = Progress(total, self.env_steps, csv is not None, known)
        with Interrupt() as interrupt, bar as progress:
            if self._unjudged is not None:
                self._judge(self._unjudged["unjudged"], csv, progress)
            while self.env_steps < total and not any(self._group.gather(interrupt.requested)):
                try:
                    metrics = self._iterate()
                except BaseException as error:
                    if not interrupt.ending or self._group.size > 1:
                        raise
                    self._salvage(error)
                    break
                if csv is not None:
                    self._run.check()
                    self._write_faults(progress)
                    progress.update(self.env_steps, metrics)
                self._judge(metrics, csv, progress)
            self._checkpoint()
            self._tracker.log_model(self._run.last, "latest", self.env_steps)
        return self.env_steps >= total

    def _due(self, interval: int) -> bool:
        """Whether something is due at this iteration; what is done at all is done at the end."""
        finished = self.env_steps >= self._schedule.total_steps
        return finished or (interval > 0 and self.iteration % interval == 0)

    def _judge(self, metrics: dict[str, float], csv: CSVLogger | None, progress: Progress) -> None:
        """Log an iteration, evaluate and film its policy, and save it, each where it is due."""
        schedule = self._schedule
        saves = self._due(schedule.checkpoint_interval)  # a resumed run redoes the rest
        if saves and (self._due(schedule.eval_interval) or self._due(schedule.video_interval)):
            self._checkpoint(unjudged=metrics)  # judging may end the process
        if csv is not None:
            evaluation = self._evaluation(progress)
            csv.write(self.iteration, metrics | evaluation)
            self._tracker.log(metrics | evaluation, self.env_steps)
        self._check_refusals(metrics)
        if self._group.main:
            self._video(progress)
        if self._unjudged is not None and self._group.main:
            self._save(self._run.last, self._unjudged | self._judgement() | {"unjudged": None})
        self._unjudged = None
        if saves:
            self._checkpoint()

    def _iterate(self) -> dict[str, float]:
        """One iteration of the algorithm."""
        start = time.perf_counter()
        rollout = self._collector.collect()
        progress = min(self.env_steps / self._schedule.total_steps, 1.0)
        metrics = merged(self._group.gather(rollout.metrics))
        metrics |= self._agent.update(rollout, progress)
        seconds = time.perf_counter() - start
        self._seconds += seconds
        steps = rollout.rewards.numel() * self._group.size
        self.iteration += 1
        self.env_steps += steps
        return {
            "env_steps": self.env_steps,
            **{name: float(value) for name, value in metrics.items()},  # a checkpoint may hold them
            "steps_per_second": steps / seconds,
            "seconds": self._seconds,
        }

    def _evaluation(self, progress: Progress) -> dict[str, float]:
        """Evaluate the deterministic policy, if that is due, and keep it if it is the best yet."""
        if "evaluations" in self.failures or not self._due(self._schedule.eval_interval):
            return {}
        progress.evaluating()
        metrics = self._attempt("evaluations", lambda: self._evaluate(self._act), progress)
        if metrics is None:
            return {}
        progress.evaluated(self.env_steps, metrics)
        comparable = self._best_of in (None, metrics.get("episodes"))
        if metrics["return_mean"] >= self._best or not comparable:
            self._best, self._best_of = metrics["return_mean"], metrics.get("episodes")
            self._save(self._run.best, self.state_dict())
            self._tracker.log_model(self._run.best, "best", self.env_steps)
        return {f"eval/{name}": value for name, value in metrics.items()}

    def _video(self, progress: Progress) -> None:
        make = self._make_video if self._due(self._schedule.video_interval) else None
        if make is None or "videos" in self.failures:
            return
        path = self._run.videos / f"{self.env_steps:010d}.mp4"
        progress.say(f"video: {self._run.shown(path)}")
        if self._attempt("videos", lambda: make(self._act, path) or path, progress):
            self._tracker.log_video(path, self.env_steps)

    def _act(self, observations: np.ndarray) -> np.ndarray:
        return self._agent.act(observations, deterministic=True)

    def _attempt(self, what: str, call: Callable[[], T], progress: Progress) -> T | None:
        """Return what `call` does; the training goes on without it once it has failed."""
        try:
            return call()
        except (GeneratorExit, KeyboardInterrupt, SystemExit):  # and a signal: they ask for an end
            raise
        except BaseException as error:  # of ffmpeg, OpenGL or the environment, Rust's panics too
            self.failures[what] = f"no more {what} in this run: {placed(error)}"
            progress.say(self.failures[what])
            return None

    def _checkpoint(self, unjudged: dict[str, float] | None = None) -> None:
        """Write last.pt, once an iteration, and keep the one before.

        Args:
            unjudged: metrics of an iteration that is still to be judged, by a resumed run too.
        """
        if self._saved == self.iteration:
            return
        _, *others = self._group.gather(self._own_state())
        if self._group.main:
            content = self.state_dict() | {"others": others, "unjudged": unjudged}
            self._save(self._run.last, content, self._run.previous)
            self._unjudged = content if unjudged else None
        self._saved = self.iteration

    def _salvage(self, error: BaseException) -> None:
        """Save what is learned where an environment has ended by the signal that its user gave.

        A terminal gives it to the environment's processes, too. Where the episodes stood is lost
        with them: those of the last checkpoint are kept.
        """
        log.warning(
            "the environment has ended by that signal, and this iteration: %s", placed(error)
        )
        if self._saved < self.iteration:
            before = load_newest(self._run.last, self._run.previous)
            kept = {"collector": before["collector"], "others": [], "unjudged": None}
            self._save(self._run.last, self._learned() | kept, self._run.previous)
            self._saved = self.iteration

    def _own_state(self) -> dict[str, Any]:
        """Return what each process has for itself."""
        generator = self._agent.generator.get_state()
        return {"collector": self._collector.state_dict(), "generator": generator}

    def _save(self, path: Path, content: dict[str, Any], previous: Path | None = None) -> None:
        if not is_finite(content["algo"]):
            raise UsageError(
                f"iteration {self.iteration}: the policy or the critic has numbers that are not "
                f"finite, so {path.name} was not saved and holds an earlier one"
            )
        save_checkpoint(path, content, previous)

    def _check_refusals(self, metrics: dict[str, float]) -> None:
        """Raise ValueError where too many updates in a row were refused."""
        self._refused = self._refused + 1 if metrics["critic_refused"] else 0
        if self._refused < MAX_REFUSED:
            return
        seen = {name: int(metrics[f"nonfinite_{name}"]) for name in ("rewards", "observations")}
        cause = " and ".join(f"{count:,} non-finite {name}" for name, count in seen.items())
        if not any(seen.values()):
            cause = "finite rewards, yet returns that are beyond the critic"
        raise UsageError(
            f"{MAX_REFUSED} updates in a row were refused; the last batch had {cause}: look at "
            f"the environment's rewards and observations and at {self._run.shown(self._run.faults)}"
        )

    def _write_faults(self, progress: Progress) -> None:
        """Keep what this process's environments recorded of simulations that went wrong."""
        for fault in self._collector.faults:
            path = self._run.keep_fault(f"{self.env_steps:010d}", fault)
            if path is not None:
                shown = quoted(self._run.shown(path))
                progress.say(f"{fault['reason']}; watch it: python play.py --replay-nan {shown}")

    def state_dict(self) -> dict[str, Any]:
        """Return a checkpoint's content."""
        return {"collector": self._collector.state_dict(), **self._learned()}

    def _learned(self) -> dict[str, Any]:
        """Return a checkpoint's content but for where the episodes stand."""
        return {
            **self._facts,
            "algo": self._agent.state_dict(),
            "iteration": self.iteration,
            "env_steps": self.env_steps,
            "seconds": self._seconds,
            **self._judgement(),
        }

    def _judgement(self) -> dict[str, Any]:
        """Return what judging an iteration changes of a checkpoint."""
        return {
            "best": float(self._best),
            "best_of": self._best_of,
            "wandb_id": self._tracker.run_id,
        }

    def load(self, content: dict[str, Any]) -> None:
        """Go on from a checkpoint's content.

        Raises:
            ValueError: it is of a run with other settings, or no training checkpoint.
        """
        try:
            self.iteration, self.env_steps = content["iteration"], content["env_steps"]
            self._load_own(content)
            self._best, self._seconds = content["best"], content["seconds"]
            self._best_of = content.get("best_of")
            self._saved = self.iteration
            self._unjudged = content if content.get("unjudged") else None
        except (KeyError, RuntimeError, ValueError) as error:
            cause = " ".join(str(error).split())
            raise UsageError(
                f"{self._run.last} does not fit {self._run.config} ({cause}); restore the one or "
                "the other, or start a new run"
            ) from error

    def _load_own(self, content: dict[str, Any]) -> None:
        """Load what all processes share, and this one's own generator and environments."""
        agent, group = self._agent, self._group
        states = [content["algo"] | {"collector": content["collector"]}, *content.get("others", ())]
        if len(states) == group.size:
            own = states[group.rank]
            agent.load_state_dict(content["algo"] | {"generator": own["generator"]})
            self._collector.load_state_dict(own["collector"])
            return
        log.warning(
            "the run had %d processes and goes on with %d: its episodes start anew",
            len(states),
            group.size,
        )
        seed = group.seed(agent.generator.initial_seed(), self.iteration)
        agent.load_state_dict(content["algo"])
        agent.generator.manual_seed(seed)
        self._collector.load_state_dict(content["collector"], rows=False)

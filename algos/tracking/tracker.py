"""What shows a run beside its folder."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from algos.runs.shell import legible
from algos.usage import UsageError, reason

log = logging.getLogger(__name__)

LoggerName = Literal["wandb", "tensorboard", "none"]
Alias = Literal["best", "latest"]


class Tracker:
    """Shows a run nowhere; its subclasses do, and may fail without the run noticing.

    Args:
        run_id: W&B's id of the run, which its checkpoints keep.
    """

    name = "nothing"

    def __init__(self, run_id: str | None = None):
        self.run_id = run_id
        self.problems: list[str] = []
        """What went wrong, a line each."""
        self._run: Any = None  # the library's own object, while it works

    def log(self, metrics: Mapping[str, float], env_steps: int) -> None:
        """Log metrics at a number of environment steps."""

    def log_video(self, path: str | Path, env_steps: int) -> None:
        """Log an mp4 file."""

    def log_html(self, path: str | Path, env_steps: int) -> None:
        """Log a page, a report for example."""

    def log_model(self, path: str | Path, alias: Alias, env_steps: int) -> None:
        """Log a checkpoint as it is now."""

    def finish(self) -> None:
        """Close the run."""

    def _takes(self, folder: Path) -> bool:
        """Whether a library in another language can name a folder; warn where it cannot."""
        if legible(str(folder)) == str(folder):
            return True
        self._warn(f"{self.name} takes no folder whose name is no UTF-8: {legible(str(folder))}")
        return False

    def _guarded(self, call: Callable[[], object]) -> bool:
        """Run `call`, return whether that went well; a failure ends this tracker's work.

        Raises:
            UsageError: an option cannot be used, which the beginning of the work tells.
        """
        try:
            call()
        except UsageError:
            raise
        except Exception as error:
            self._run = None
            self._warn(f"{self.name} failed, {reason(error)}")
            return False
        return True

    def _warn(self, problem: str) -> None:
        log.warning(problem)
        self.problems.append(problem)

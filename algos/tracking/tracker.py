"""What shows a run beside its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

LoggerName = Literal["wandb", "tensorboard", "none"]
Alias = Literal["best", "latest"]


class Tracker:
    """Shows a run nowhere; its subclasses do.

    Args:
        run_id: W&B's id of the run, which its checkpoints keep.
    """

    def __init__(self, run_id: str | None = None):
        self.run_id = run_id

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

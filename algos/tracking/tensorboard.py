"""TensorBoard."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algos.tracking.tracker import Tracker


class TensorBoardTracker(Tracker):
    """Event files in the run's folder `tensorboard`: scalars over environment steps.

    Args:
        run_dir: the run's folder.
        config: what is shown as the run's configuration, as text.
        resume_from: on a resumed run, its steps so far; earlier points after them are hidden.
        run_id: see `Tracker`.
    """

    name = "tensorboard"

    def __init__(
        self,
        run_dir: str | Path,
        config: Mapping[str, Any],
        resume_from: int | None = None,
        run_id: str | None = None,
    ):
        super().__init__(run_id)
        folder = Path(run_dir) / "tensorboard"
        if self._takes(folder):
            self._guarded(lambda: self._start(folder, config, resume_from))

    def log(self, metrics: Mapping[str, float], env_steps: int) -> None:
        if self._run is not None:
            self._guarded(lambda: self._log(metrics, env_steps))

    def finish(self) -> None:
        if self._run is not None:
            self._guarded(self._run.close)

    def _start(self, folder: Path, config: Mapping[str, Any], resume_from: int | None) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second

        purge = None if resume_from is None else resume_from + 1
        writer = SummaryWriter(str(folder), purge_step=purge)
        writer.add_text("config", f"```json\n{json.dumps(config, indent=2)}\n```", resume_from)
        self._run = writer

    def _log(self, metrics: Mapping[str, float], env_steps: int) -> None:
        for name, value in metrics.items():
            self._run.add_scalar(name, value, env_steps)

"""TensorBoard."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algos.runs.files import writing
from algos.tracking.tracker import Tracker


class TensorBoardTracker(Tracker):
    """Event files in the run's folder `tensorboard`: scalars over environment steps.

    Args:
        run_dir: the run's folder.
        config: what is shown as the run's configuration, as text.
        resume_from: on a resumed run, its steps so far; earlier points after them are hidden.
        run_id: see `Tracker`.
    """

    def __init__(
        self,
        run_dir: str | Path,
        config: Mapping[str, Any],
        resume_from: int | None = None,
        run_id: str | None = None,
    ):
        super().__init__(run_id)
        from torch.utils.tensorboard import SummaryWriter  # takes a second

        purge = None if resume_from is None else resume_from + 1
        self._folder = Path(run_dir) / "tensorboard"
        text = f"```json\n{json.dumps(config, indent=2)}\n```"
        with writing(self._folder):
            self._writer = SummaryWriter(str(self._folder), purge_step=purge)
            self._writer.add_text("config", text, resume_from)

    def log(self, metrics: Mapping[str, float], env_steps: int) -> None:
        with writing(self._folder):
            for name, value in metrics.items():
                self._writer.add_scalar(name, value, env_steps)

    def finish(self) -> None:
        with writing(self._folder):
            self._writer.close()

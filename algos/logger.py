"""Where metrics go: a CSV file and Weights & Biases."""

import csv
import logging
import netrc
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

log = logging.getLogger(__name__)

WandbMode = Literal["auto", "online", "offline", "disabled"]


class CSVLogger:
    """One row an iteration in a CSV file whose header widens as metrics appear.

    Args:
        path: the file; its folder is made if it is missing.
        resume_from: on a resumed run, the last iteration to keep; None starts a new file.
    """

    def __init__(self, path: str | Path, resume_from: int | None = None):
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._columns: list[str] = []
        rows: list[dict[str, str]] = []
        if resume_from is not None and self._path.is_file():
            rows = [row for row in self._read() if int(row["iteration"]) <= resume_from]
        self._rewrite(rows)

    def write(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Append a row; cells of metrics that are not given stay empty."""
        row = {"iteration": iteration, **metrics}
        new = [name for name in row if name not in self._columns]
        if new:
            rows = self._read()
            self._columns += new
            self._rewrite(rows)
        with self._path.open("a", newline="") as file:
            csv.DictWriter(file, self._columns).writerow(row)

    def _read(self) -> list[dict[str, str]]:
        with self._path.open(newline="") as file:
            reader = csv.DictReader(file)
            rows = [row for row in reader if None not in row.values()]
            self._columns = list(reader.fieldnames or [])
        return rows

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        handle, name = tempfile.mkstemp(dir=self._path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            if self._columns:
                writer.writeheader()
            writer.writerows(rows)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, self._path)


class WandbLogger:
    """Weights & Biases that can fail without the run noticing.

    Args:
        run_dir: the run's folder; W&B writes to its subfolder `wandb`.
        config: what is shown as the run's configuration.
        mode: auto is online where the user has logged in, offline elsewhere.
        project, name, run_id: shown names; a `run_id` of an earlier run continues it.
    """

    def __init__(
        self,
        run_dir: str | Path,
        config: Mapping[str, Any],
        mode: WandbMode = "auto",
        project: str = "trot",
        name: str | None = None,
        run_id: str | None = None,
    ):
        self._run: Any = None
        if mode == "auto":
            mode = "online" if logged_in() else "offline"
        self.mode = mode
        if mode == "disabled":
            return
        start: Literal["online", "offline"] = mode
        options = {"project": project, "name": name, "id": run_id, "config": dict(config)}
        self._guarded(lambda: self._start(Path(run_dir), options, start))
        if self._run is None and mode == "online":
            log.warning("wandb goes on offline")
            self.mode = "offline"
            self._guarded(lambda: self._start(Path(run_dir), options, "offline"))

    @property
    def run_id(self) -> str | None:
        """W&B's id of the run, to resume it with."""
        return self._run.id if self._run is not None else None

    def log(self, metrics: Mapping[str, float], env_steps: int) -> None:
        """Log metrics at a number of environment steps."""
        if self._run is not None:
            self._guarded(lambda: self._run.log({**metrics, "env_steps": env_steps}))

    def log_video(self, path: str | Path, env_steps: int, key: str = "policy") -> None:
        """Log an mp4 file."""
        if self._run is not None:
            self._guarded(lambda: self._log_video(str(path), env_steps, key))

    def finish(self) -> None:
        """Close the run."""
        if self._run is not None:
            self._guarded(lambda: self._run.finish())
            self._run = None

    def _start(
        self, run_dir: Path, options: dict[str, Any], mode: Literal["online", "offline"]
    ) -> None:
        import wandb

        run_dir.mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(init_timeout=20, silent=True, console="off", disable_git=True)
        resume = "allow" if options["id"] else None
        self._run = wandb.init(
            dir=str(run_dir), mode=mode, settings=settings, resume=resume, **options
        )
        self._run.define_metric("env_steps", hidden=True)
        self._run.define_metric("*", step_metric="env_steps")

    def _log_video(self, path: str, env_steps: int, key: str) -> None:
        import wandb

        self._run.log({key: wandb.Video(path, format="mp4"), "env_steps": env_steps})

    def _guarded(self, call: Callable[[], None]) -> None:
        """Run `call`; a failure is one warning and ends this logger's work."""
        try:
            call()
        except Exception as error:
            log.warning("wandb failed, %s: %s", type(error).__name__, error)
            self._run = None


def logged_in() -> bool:
    """Whether W&B finds an API key without asking: in the environment or in the netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    path = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
    try:
        return netrc.netrc(path).authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False

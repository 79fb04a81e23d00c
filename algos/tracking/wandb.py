"""Weights & Biases."""

import logging
import netrc
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

from algos.runs.directory import code_state
from algos.tracking.tracker import Alias, Tracker

log = logging.getLogger(__name__)

WandbMode = Literal["auto", "online", "offline", "disabled"]
PATIENCE = 10.0
"""Seconds that logging a model may take; if the network is that slow, it was the last one."""


class WandbTracker(Tracker):
    """Weights & Biases that can fail without the run noticing.

    W&B's step is the number of environment steps, so that a resumed run goes on from its
    checkpoint. What cannot be sent stays in the run's folder, for `wandb sync`.

    Args:
        run_dir: the run's folder; W&B writes to its subfolder `wandb`.
        config: what is shown as the run's configuration.
        mode: auto is online where the user has logged in, offline elsewhere.
        project, name, group, tags: where the run is shown, and as what.
        run_id: W&B's id of an earlier run, which is continued.
    """

    def __init__(
        self,
        run_dir: str | Path,
        config: Mapping[str, Any],
        mode: WandbMode = "auto",
        project: str = "trot",
        name: str | None = None,
        run_id: str | None = None,
        group: str | None = None,
        tags: Sequence[str] = (),
    ):
        super().__init__(run_id)
        self._run: Any = None
        self._takes_models = True
        self._folder = Path(run_dir) / "wandb"
        if mode == "auto":
            mode = _chosen_mode()
        self.mode: WandbMode = mode
        if mode == "disabled":
            return
        options: dict[str, Any] = {
            "project": os.environ.get("WANDB_PROJECT", project),
            "name": name,
            "group": group,
            "tags": list(tags),
            "config": dict(config),
            "id": run_id or os.environ.get("WANDB_RUN_ID") or secrets.token_hex(4),
            "resume": "allow" if run_id else None,
        }
        self._guarded(lambda: self._start(options))
        if self._run is None and mode == "online":
            log.warning("wandb goes on offline")
            self._guarded(lambda: self._restart_offline(options))

    def log(self, metrics: Mapping[str, float], env_steps: int) -> None:
        self._log(lambda: metrics, env_steps)

    def log_video(self, path: str | Path, env_steps: int) -> None:
        self._log(lambda: {"policy": self._wandb.Video(str(path), format="mp4")}, env_steps)

    def log_html(self, path: str | Path, env_steps: int) -> None:
        page = Path(path)
        self._log(lambda: {page.stem: self._wandb.Html(page, inject=False)}, env_steps)

    def log_model(self, path: str | Path, alias: Alias, env_steps: int) -> None:
        if self._run is None or not self._takes_models:
            return
        start = time.monotonic()
        problem = self._problem(lambda: self._log_model(Path(path), alias, env_steps))
        if problem or time.monotonic() - start > PATIENCE:  # it asks the server, and waits
            log.warning("wandb gets no more models of this run: %s", problem or "it is too slow")
            self._takes_models = False

    def finish(self) -> None:
        if self._run is not None:
            self._guarded(lambda: self._run.finish())
            self._run = None

    def _start(self, options: dict[str, Any]) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it awaits the network at exit
        import wandb

        self._wandb = wandb
        self._folder.mkdir(parents=True, exist_ok=True)
        code = code_state()
        settings = wandb.Settings(
            init_timeout=_seconds("WANDB_INIT_TIMEOUT", 20.0),
            finish_timeout=_seconds("WANDB_FINISH_TIMEOUT", 60.0),
            finish_timeout_raises=True,
            silent=True,
            console="off",
            git_root=str(Path(__file__).parent),
            git_commit=code["commit"],
        )
        options = options | {"dir": str(self._folder.parent), "mode": self.mode}
        self._run = wandb.init(settings=settings, **options)
        self.run_id = self._run.id
        self._run.define_metric("env_steps", hidden=True)
        self._run.define_metric("*", step_metric="env_steps")
        if code["diff"]:
            patch = Path(self._run.dir) / "diff.patch"
            patch.write_text(code["diff"] + "\n")
            self._run.save(str(patch), base_path=self._run.dir, policy="now")

    def _restart_offline(self, options: dict[str, Any]) -> None:
        import wandb

        wandb.teardown()  # the attempt that failed still holds the id
        self.mode = "offline"
        self._start(options)

    def _log(self, row: Callable[[], Mapping[str, Any]], env_steps: int) -> None:
        if self._run is not None:
            step = {"env_steps": env_steps}
            self._guarded(lambda: self._run.log({**row(), **step}, step=env_steps))

    def _log_model(self, path: Path, alias: Alias, env_steps: int) -> None:
        kept = self._folder / "models" / f"{alias}-{env_steps:010d}.pt"
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, kept)  # the run overwrites its own before the upload may happen
        name = re.sub(r"[^\w.-]", "-", f"{self._run.name}-{self._run.id}")
        artifact = self._wandb.Artifact(name, type="model", metadata={"env_steps": env_steps})
        artifact.add_file(str(kept), name=path.name, skip_cache=True, policy="immutable")
        self._run.log_artifact(artifact, aliases=[alias])

    def _guarded(self, call: Callable[[], None]) -> None:
        """Run `call`; a failure is one warning and ends this tracker's work."""
        problem = self._problem(call)
        if problem:
            log.warning("wandb failed, %s", problem)
            self._run = None

    def _problem(self, call: Callable[[], None]) -> str:
        """Run `call`; return what went wrong, the empty string where nothing did."""
        try:
            call()
        except Exception as error:
            return f"{type(error).__name__}: {error}".partition("\n")[0]
        return ""


def _seconds(variable: str, default: float) -> float:
    """Return a timeout that the user may have set."""
    return float(os.environ.get(variable, default))


def _chosen_mode() -> WandbMode:
    """Return what WANDB_MODE says, or online where the user has logged in."""
    wanted = os.environ.get("WANDB_MODE")
    if wanted == "online" or wanted == "offline" or wanted == "disabled":
        return wanted
    return "online" if logged_in() else "offline"


def logged_in() -> bool:
    """Whether W&B finds an API key without asking: in the environment or in the netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    path = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return netrc.netrc(path).authenticators(host or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False

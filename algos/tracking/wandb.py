"""Weights & Biases."""

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any, Literal

from algos.runs.code_state import code_state
from algos.runs.shell import legible
from algos.tracking.tracker import Alias, Tracker
from algos.tracking.wandb_settings import (
    is_told,
    lend_home,
    prepare,
    refused,
    require,
    seconds,
    switched,
)
from algos.usage import reason

WandbMode = Literal["auto", "online", "offline", "disabled"]
PROJECT = "trot"
PATIENCE = 10.0
"""Seconds that logging a model may take; if the network is that slow, it was the last one."""


class WandbTracker(Tracker):
    """Weights & Biases.

    W&B's step is the number of environment steps, so that a resumed run goes on from its
    checkpoint. What cannot be sent stays in the run's folder, for `wandb sync`.

    Args:
        run_dir: the run's folder; W&B writes to its subfolder `wandb`.
        config: what is shown as the run's configuration.
        mode: auto is what the user has told W&B, and offline where there is no login, or where a
            run that is continued has been offline.
        project, name, group, tags: where the run is shown, and as what; without them what the
            user has told W&B. A project is trot, and a name the folder's, where nobody has said.
        run_id: W&B's id of an earlier run, which is continued.
    """

    name = "wandb"

    def __init__(
        self,
        run_dir: str | Path,
        config: Mapping[str, Any],
        mode: WandbMode = "auto",
        project: str | None = None,
        name: str | None = None,
        run_id: str | None = None,
        group: str | None = None,
        tags: Sequence[str] = (),
    ):
        super().__init__(run_id)
        self._takes_models = True
        self._folder = Path(run_dir).absolute() / "wandb"  # W&B takes `~` for the home directory
        self.mode: WandbMode = mode
        if mode == "disabled":
            return
        options: dict[str, Any] = {
            "project": project and legible(project),
            "name": name and legible(name),
            "group": group and legible(group),
            "tags": [legible(tag) for tag in tags] or None,
            "config": dict(config),
            "resume": "allow" if run_id else None,
        }
        self._id = run_id
        if not self._guarded(lambda: self._start(options)) and self.mode != "offline":
            self._warn("wandb goes on offline")
            self._guarded(lambda: self._restart_offline(options))

    def log(self, metrics: Mapping[str, float], env_steps: int) -> None:
        self._log(lambda: metrics, env_steps)

    def log_video(self, path: str | Path, env_steps: int) -> None:
        self._log(
            lambda: {"policy": self._wandb.Video(str(Path(path).absolute()), format="mp4")},
            env_steps,
        )

    def log_html(self, path: str | Path, env_steps: int) -> None:
        page = Path(path)
        self._log(lambda: {page.stem: self._wandb.Html(page, inject=False)}, env_steps)

    def log_model(self, path: str | Path, alias: Alias, env_steps: int) -> None:
        if self._run is None or not self._takes_models:
            return
        start = time.monotonic()
        problem = ""
        try:
            self._log_model(Path(path), alias, env_steps)
        except Exception as error:
            problem = reason(error)
        if problem or time.monotonic() - start > PATIENCE:  # it asks the server, and waits
            self._warn(f"wandb gets no more models of this run: {problem or 'it is too slow'}")
            self._takes_models = False

    def finish(self) -> None:
        if self._run is not None:
            self._guarded(self._run.finish)
            self._run = None

    def _start(self, options: dict[str, Any]) -> None:
        prepare()
        lend_home(self._folder)
        self._choose_mode()
        if self.mode == "disabled" or not self._takes(self._folder):
            return
        import wandb

        require("--wandb-project", project=options["project"])
        require("--wandb-tags", run_tags=options["tags"])
        self._wandb = wandb
        self._folder.mkdir(parents=True, exist_ok=True)
        code = code_state()
        settings = wandb.Settings(
            init_timeout=seconds("WANDB_INIT_TIMEOUT", 20.0),
            finish_timeout=seconds("WANDB_FINISH_TIMEOUT", 60.0),
            finish_timeout_raises=True,
            silent=True,
            console="off",
            git_root=str(Path(__file__).parent),
            git_commit=code["commit"],
        )
        self._id = self._id or os.environ.get("WANDB_RUN_ID") or secrets.token_hex(4)
        folder = self._folder.parent.name
        options = options | {
            "project": options["project"] or (None if is_told("project") else PROJECT),
            "name": options["name"] or (None if is_told("run_name") else legible(folder)),
            "id": self._id,
            "dir": str(self._folder.parent),
            "mode": self.mode,
        }
        self._run = wandb.init(settings=settings, **options)
        self.run_id = self._run.id
        self._run.define_metric("env_steps", hidden=True)
        self._run.define_metric("*", step_metric="env_steps")
        if code["diff"]:
            patch = Path(self._run.dir) / "diff.patch"
            patch.write_text(code["diff"] + "\n", encoding="utf-8")
            self._run.save(str(patch), base_path=self._run.dir, policy="now")

    def _choose_mode(self) -> None:
        """Settle what auto is; stay offline, and say so, where W&B cannot read what it is told."""
        if self.mode == "auto":
            self.mode = switched() or ("offline" if self._offline_so_far() else "auto")
        if self.mode == "disabled":
            return
        import wandb

        wandb.termsetup(wandb.Settings(silent=True), None)  # it tells of files as it reads them
        if problems := refused():
            for name in os.environ.keys() & problems.keys():
                del os.environ[name]
            what = "; ".join(problems.values())
            self._warn(f"wandb cannot read {what}: that is left out, and the run stays offline")
            self.mode = "offline"
        elif self.mode == "auto":
            self.mode = "offline"
            try:
                self.mode = "online" if logged_in() else "offline"
            except Exception as error:  # of a key that cannot be one, and of many other kinds
                self._warn(f"wandb finds no login ({reason(error)}): the run stays offline")

    def _offline_so_far(self) -> bool:
        """Whether what is continued was kept offline: a server lacks its start."""
        found = self._folder.glob(f"*run-*-{escape(self._id)}") if self._id else ()
        names = [folder.name for folder in found]
        return bool(names) and all(name.startswith("offline-") for name in names)

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
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", f"{self._run.name}-{self._run.id}")
        artifact = self._wandb.Artifact(name, type="model", metadata={"env_steps": env_steps})
        artifact.add_file(str(kept), name=path.name, skip_cache=True, policy="immutable")
        self._run.log_artifact(artifact, aliases=[alias])


def logged_in() -> bool:
    """Whether W&B finds a key, which it is not to ask for; be it switched off for runs or not.

    Raises:
        Exception: W&B's own, of a key that cannot be one for example.
    """
    import wandb

    wandb.setup(wandb.Settings(mode="online", silent=True))  # else it does not look for one
    return wandb.login(prompt=False, verify=False)

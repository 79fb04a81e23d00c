"""Where a policy comes from: the facts of its checkpoint and of its run's folder."""

import json
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from algos.terminal import absolute

UNKNOWN = "unknown"
PACKAGES = ("trot", "mujoco", "torch")
"""Whose versions are told."""


def tell(source: Path, content: dict[str, Any] | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return what a report tells of a policy: short facts, and long texts by their titles.

    Args:
        source: a run's folder, or a checkpoint file, which `--save` tells seed and commit.
        content: of the checkpoint, None where nothing trained acts.
    """
    if content is None:
        return _made_with(), {}
    return _facts(source, content) | _made_with(), _details(source, content)


def origin(source: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Return seed and commit of a policy's training, as the checkpoint or its folder tells."""
    config, git = _read(source / "config.json"), _read(source / "git.json")
    commit = git.get("commit")
    if commit:
        commit = commit[:12] + (" with uncommitted changes" if git.get("diff") else "")
    seed = config.get("seed", content.get("seed"))
    return {"seed": seed, "commit": commit or content.get("commit")}


def _facts(source: Path, content: dict[str, Any]) -> dict[str, str]:
    found = origin(source, content)
    return {
        "Algorithm": f"{content['algorithm']}, deterministic policy",
        "Environment steps": f"{content.get('env_steps') or 0:,}",
        "Iteration": str(content.get("iteration", UNKNOWN)),
        "Training seed": str(UNKNOWN if found["seed"] is None else found["seed"]),
        "Commit": found["commit"] or UNKNOWN,
    }


def _details(source: Path, content: dict[str, Any]) -> dict[str, str]:
    settings = {name: content.get(name) for name in ("algo_config", "env")}
    config, diff = _read(source / "config.json"), _read(source / "git.json").get("diff")
    texts = {"Configuration": json.dumps(config or settings, indent=2)}
    return texts | ({"Uncommitted changes": str(diff)} if diff else {})


def _made_with() -> dict[str, str]:
    return {
        "Made with": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON file's object, empty where there is none."""
    try:
        content = json.loads(absolute(path).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return UNKNOWN

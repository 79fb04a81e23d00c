"""Where a run is shown beside its folder: Weights & Biases, TensorBoard or nowhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algos.tracking.tensorboard import TensorBoardTracker
from algos.tracking.tracker import Tracker
from algos.tracking.wandb import WandbTracker


def make_tracker(
    run_dir: Path, config: Mapping[str, Any], checkpoint: Mapping[str, Any] | None
) -> Tracker:
    """Return what a run's settings ask for, going on from a checkpoint if there is one."""
    run_id = checkpoint["wandb_id"] if checkpoint else None
    if config["logger"] == "none":
        return Tracker(run_id)
    if config["logger"] == "tensorboard":
        done = checkpoint["env_steps"] - bool(checkpoint.get("unjudged")) if checkpoint else None
        return TensorBoardTracker(run_dir, config, done, run_id)
    return WandbTracker(
        run_dir,
        config,
        config["wandb"],
        config["wandb_project"],
        None,
        run_id,
        config["wandb_group"],
        config["wandb_tags"],
    )

"""What shows a run: TensorBoard, and Weights & Biases that may fail."""

import logging
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from algos.tracking import make_tracker
from algos.tracking import wandb as tracking
from algos.tracking.tensorboard import TensorBoardTracker
from algos.tracking.tracker import Tracker
from algos.tracking.wandb import WandbTracker, logged_in


def scalars(run_dir: Path, name: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(run_dir / "tensorboard"))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_tensorboard_holds_metrics_over_steps_and_the_configuration(tmp_path):
    tracker = TensorBoardTracker(tmp_path, {"algo": {"max_kl": 0.02}})
    tracker.log({"kl": 0.5, "episode/lin_vel": 1.0}, 100)
    tracker.log({"kl": 0.25}, 200)
    tracker.finish()
    assert scalars(tmp_path, "kl") == [(100, 0.5), (200, 0.25)]
    assert scalars(tmp_path, "episode/lin_vel") == [(100, 1.0)]
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (text,) = events.Tensors("config/text_summary")
    assert '"max_kl": 0.02' in text.tensor_proto.string_val[0].decode()


def test_tensorboard_of_a_resumed_run_has_no_point_twice(tmp_path):
    first = TensorBoardTracker(tmp_path, {})
    for step in (100, 200, 300):  # the checkpoint is of step 200
        first.log({"kl": 1.0}, step)
    first.finish()
    second = TensorBoardTracker(tmp_path, {}, resume_from=200)
    second.log({"kl": 2.0}, 300)
    second.finish()
    assert scalars(tmp_path, "kl") == [(100, 1.0), (200, 1.0), (300, 2.0)]


def test_the_id_of_wandb_outlives_other_trackers(tmp_path):
    checkpoint = {"wandb_id": "abc", "env_steps": 10}
    tensorboard = make_tracker(tmp_path, {"logger": "tensorboard"}, checkpoint)
    assert isinstance(tensorboard, TensorBoardTracker)
    tensorboard.finish()
    nothing = make_tracker(tmp_path, {"logger": "none"}, checkpoint)
    assert type(nothing) is Tracker
    assert tensorboard.run_id == nothing.run_id == "abc"


@pytest.fixture
def no_login(monkeypatch, tmp_path):
    """An environment without W&B credentials."""
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_the_users_wandb_mode_is_kept(no_login, monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_API_KEY", "x")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert WandbTracker(tmp_path / "run", {}).mode == "disabled"
    assert not (tmp_path / "run").exists()


def test_login_is_found_in_the_environment_and_in_netrc(no_login, monkeypatch, tmp_path):
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password x\n")
    assert logged_in()
    (tmp_path / "netrc").unlink()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert logged_in()


def test_login_is_looked_up_for_the_host_in_use(no_login, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine wandb.here login user password x\n")
    assert not logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.here")
    assert logged_in()


def test_offline_run_appears_in_the_run_directory(no_login, tmp_path):
    tracker = WandbTracker(tmp_path / "run", {"seed": 1})
    assert tracker.mode == "offline"
    assert tracker.run_id is not None
    tracker.log({"kl": 0.01}, env_steps=100)
    tracker.finish()
    assert list((tmp_path / "run" / "wandb").glob(f"offline-run-*-{tracked_id(tmp_path)}"))


def tracked_id(tmp_path) -> str:
    (folder,) = (tmp_path / "run" / "wandb").glob("offline-run-*")
    (file,) = folder.glob("run-*.wandb")
    assert file.stat().st_size > 0
    return file.stem.removeprefix("run-")


class BrokenWandb:
    """Stands in for the module: its runs fail after they start."""

    Settings = staticmethod(lambda **_: None)

    def __init__(self):
        self.calls = 0

    def init(self, **_):
        return self

    id = "abc"

    def define_metric(self, *_, **__):
        pass

    def log(self, *_, **__):
        self.calls += 1
        raise ConnectionError("network is gone")


def test_a_failure_is_one_warning_and_the_run_goes_on(tmp_path, monkeypatch, caplog):
    broken = BrokenWandb()
    monkeypatch.setitem(sys.modules, "wandb", broken)
    monkeypatch.setattr(tracking, "code_state", lambda: {"commit": None, "diff": None})
    tracker = WandbTracker(tmp_path, {}, mode="offline")
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            tracker.log({"kl": 1.0}, step)
        tracker.log_video(tmp_path / "missing.mp4", 3)
        tracker.log_model(tmp_path / "missing.pt", "best", 3)
        tracker.finish()
    assert broken.calls == 1
    assert len(caplog.records) == 1
    assert "network is gone" in caplog.text


def test_missing_wandb_is_survived(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "wandb", None)
    tracker = WandbTracker(tmp_path, {}, mode="online")
    tracker.log({"kl": 1.0}, 1)
    assert tracker.run_id is None
    assert "wandb" in caplog.text


def test_disabled_does_nothing(tmp_path):
    tracker = WandbTracker(tmp_path / "run", {}, mode="disabled")
    tracker.log({"kl": 1.0}, 1)
    tracker.finish()
    assert not (tmp_path / "run").exists()

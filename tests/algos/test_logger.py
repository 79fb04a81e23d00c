import csv
import logging
import sys

import pytest

from algos.logger import CSVLogger, WandbLogger, logged_in


def rows(path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_header_widens_when_a_metric_appears(tmp_path):
    path = tmp_path / "run" / "metrics.csv"
    logger = CSVLogger(path)
    logger.write(1, {"kl": 0.01})
    logger.write(2, {"kl": 0.02, "episode_return": 5.0})
    logger.write(3, {"episode_return": 6.0})
    assert rows(path) == [
        {"iteration": "1", "kl": "0.01", "episode_return": ""},
        {"iteration": "2", "kl": "0.02", "episode_return": "5.0"},
        {"iteration": "3", "kl": "", "episode_return": "6.0"},
    ]
    assert [p.name for p in path.parent.iterdir()] == ["metrics.csv"]


def test_resuming_drops_rows_after_the_resumed_iteration(tmp_path):
    path = tmp_path / "metrics.csv"
    logger = CSVLogger(path)
    for iteration in range(1, 6):
        logger.write(iteration, {"kl": iteration})
    with path.open("a") as file:
        file.write("6")  # a row that a kill cut short
    logger = CSVLogger(path, resume_from=3)
    logger.write(4, {"kl": 40.0, "std": 1.0})
    assert [row["iteration"] for row in rows(path)] == ["1", "2", "3", "4"]
    assert rows(path)[-1] == {"iteration": "4", "kl": "40.0", "std": "1.0"}


def test_a_new_run_begins_an_empty_file(tmp_path):
    CSVLogger(tmp_path / "metrics.csv").write(1, {"kl": 1.0})
    CSVLogger(tmp_path / "metrics.csv").write(1, {"std": 2.0})
    assert rows(tmp_path / "metrics.csv") == [{"iteration": "1", "std": "2.0"}]


@pytest.fixture
def no_login(monkeypatch, tmp_path):
    """An environment without W&B credentials."""
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_login_is_found_in_the_environment_and_in_netrc(no_login, monkeypatch, tmp_path):
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password x\n")
    assert logged_in()
    (tmp_path / "netrc").unlink()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert logged_in()


def test_offline_run_appears_in_the_run_directory(no_login, tmp_path):
    logger = WandbLogger(tmp_path / "run", {"seed": 1})
    assert logger.mode == "offline"
    assert logger.run_id is not None
    logger.log({"kl": 0.01}, env_steps=100)
    logger.finish()
    assert list((tmp_path / "run" / "wandb").glob(f"offline-run-*-{logger_id(tmp_path)}"))


def logger_id(tmp_path) -> str:
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

    def log(self, *_):
        self.calls += 1
        raise ConnectionError("network is gone")


def test_a_failure_is_one_warning_and_the_run_goes_on(tmp_path, monkeypatch, caplog):
    broken = BrokenWandb()
    monkeypatch.setitem(sys.modules, "wandb", broken)
    logger = WandbLogger(tmp_path, {}, mode="offline")
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            logger.log({"kl": 1.0}, step)
        logger.log_video(tmp_path / "missing.mp4", 3)
        logger.finish()
    assert broken.calls == 1
    assert len(caplog.records) == 1
    assert "network is gone" in caplog.text


def test_missing_wandb_is_survived(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "wandb", None)
    logger = WandbLogger(tmp_path, {}, mode="online")
    logger.log({"kl": 1.0}, 1)
    assert logger.run_id is None
    assert "wandb" in caplog.text


def test_disabled_does_nothing(tmp_path):
    logger = WandbLogger(tmp_path / "run", {}, mode="disabled")
    logger.log({"kl": 1.0}, 1)
    logger.finish()
    assert not (tmp_path / "run").exists()

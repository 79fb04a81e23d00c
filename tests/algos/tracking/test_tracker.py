"""What shows a run: TensorBoard, and Weights & Biases that may fail."""

import logging
import os
import pwd
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from algos.tracking import make_tracker
from algos.tracking import wandb as tracking
from algos.tracking.tensorboard import TensorBoardTracker
from algos.tracking.tracker import Tracker
from algos.tracking.wandb import WandbTracker, logged_in
from algos.usage import UsageError


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


def test_tensorboard_has_a_point_once_that_the_resumed_run_logs_again(tmp_path):
    first = TensorBoardTracker(tmp_path, {})
    for step in (100, 200):
        first.log({"kl": 1.0}, step)
    first.finish()
    checkpoint = {"wandb_id": None, "env_steps": 200, "unjudged": {"kl": 1.0}}
    second = make_tracker(tmp_path, {"logger": "tensorboard"}, checkpoint)
    second.log({"kl": 1.0}, 200)
    second.finish()
    assert scalars(tmp_path, "kl") == [(100, 1.0), (200, 1.0)]


def test_the_id_of_wandb_outlives_other_trackers(tmp_path):
    checkpoint = {"wandb_id": "abc", "env_steps": 10}
    tensorboard = make_tracker(tmp_path, {"logger": "tensorboard"}, checkpoint)
    assert isinstance(tensorboard, TensorBoardTracker)
    tensorboard.finish()
    nothing = make_tracker(tmp_path, {"logger": "none"}, checkpoint)
    assert type(nothing) is Tracker
    assert tensorboard.run_id == nothing.run_id == "abc"


def test_a_tensorboard_that_fails_is_one_warning(tmp_path, caplog):
    (tmp_path / "tensorboard").write_text("a file where the folder should be")
    tracker = TensorBoardTracker(tmp_path, {})
    tracker.log({"kl": 1.0}, 100)
    tracker.finish()
    (problem,) = tracker.problems
    assert problem.startswith("tensorboard failed, ")
    assert [record.message for record in caplog.records] == [problem]


KEY = "0123456789" * 4


@pytest.fixture
def no_login(monkeypatch, tmp_path):
    """A home and a working folder in which nobody has told W&B anything."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    wandb.teardown()  # it reads settings once
    yield
    wandb.teardown()


def found_login() -> bool:
    wandb.teardown()
    return logged_in()


@pytest.mark.slow
def test_login_is_found_in_the_environment_and_in_netrc(no_login, monkeypatch, tmp_path):
    assert not found_login()
    (tmp_path / "netrc").write_text(f"machine api.wandb.ai login user password {KEY}\n")
    assert found_login()
    (tmp_path / "netrc").unlink()
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert found_login()
    monkeypatch.setenv("WANDB_MODE", "disabled")  # what is asked for may be fetched all the same
    assert found_login()


@pytest.mark.slow
def test_login_is_looked_up_for_the_host_in_use(no_login, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text(f"machine wandb.here login user password {KEY}\n")
    assert not found_login()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.here")
    assert found_login()


class Counting(BaseHTTPRequestHandler):
    """A server that nobody should ask."""

    asked: ClassVar[list[str]] = []

    def do_POST(self):
        self.asked.append(self.path)
        self.send_error(403)

    def do_GET(self):
        self.do_POST()

    def log_message(self, format, *args):
        pass


@pytest.fixture
def asked(no_login, monkeypatch):
    """What a W&B server is asked for whose key is set."""
    Counting.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield Counting.asked
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "file", "mode"),
    [
        ("disabled", None, "disabled"),
        ("Disabled", None, "disabled"),
        ("DRYRUN", None, "offline"),
        ("offline", "disabled", "offline"),
        (None, "disabled", "disabled"),
        ("", "offline", "offline"),
        ("off", None, "disabled"),
        (None, "Offline", "offline"),
        (None, "DISABLED", "disabled"),
    ],
)
def test_what_a_user_has_switched_off_asks_no_server(
    asked, monkeypatch, tmp_path, capfd, variable, file, mode
):
    if variable is not None:
        monkeypatch.setenv("WANDB_MODE", variable)
    if file is not None:
        (tmp_path / "wandb").mkdir()
        (tmp_path / "wandb" / "settings").write_text(f"[default]\nmode = {file}\n")
    tracker = WandbTracker(tmp_path / "run", {})
    tracker.log({"kl": 0.01}, env_steps=100)
    tracker.finish()
    wandb.teardown()
    assert tracker.mode == mode
    assert (tmp_path / "run").exists() == (mode == "offline")
    assert asked == []
    assert tracker.problems == []
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_the_command_line_decides_against_what_is_switched_off(asked, monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    tracker = WandbTracker(tmp_path / "run", {}, mode="online")
    tracker.finish()
    assert asked
    assert "wandb goes on offline" in tracker.problems  # the server knows no key


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("WANDB_INIT_TIMEOUT", "20s", "WANDB_INIT_TIMEOUT=20s (input should be a valid number"),
        ("WANDB_API_KEY", f"{KEY}\n", "WANDB_API_KEY (API key cannot start or end with white"),
    ],
)
def test_a_setting_that_wandb_refuses_is_told_and_left_out(
    asked, monkeypatch, tmp_path, capfd, name, value, told
):
    monkeypatch.setenv(name, value)
    tracker = WandbTracker(tmp_path / "run", {})
    tracker.log({"kl": 0.01}, env_steps=100)
    tracker.finish()
    (problem,) = tracker.problems
    assert told in problem
    assert "\n" not in problem
    assert KEY not in problem
    assert problem.endswith("the run stays offline")
    assert tracked_id(tmp_path) == tracker.run_id
    assert asked == []
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_an_empty_variable_is_an_unset_one(asked, monkeypatch, tmp_path):
    for name in ("RUN_ID", "PROJECT", "INIT_TIMEOUT", "FINISH_TIMEOUT", "TAGS"):
        monkeypatch.setenv(f"WANDB_{name}", "")
    tracker = WandbTracker(tmp_path / "run", {}, mode="offline")
    tracker.finish()
    assert tracker.problems == []
    assert tracked_id(tmp_path) == tracker.run_id


def test_an_option_that_wandb_refuses_is_told_before_the_training(no_login, tmp_path):
    with pytest.raises(UsageError, match=r"--wandb-project is 'a/b', which W&B refuses: Invalid"):
        WandbTracker(tmp_path / "run", {}, mode="offline", project="a/b")
    with pytest.raises(UsageError, match=r"--wandb-tags is .*, which W&B refuses: .* is empty"):
        WandbTracker(tmp_path / "run", {}, mode="offline", tags=("a", ""))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [("WANDB_API_KEY", "no key at all")])
def test_settings_that_wandb_refuses_send_nothing(asked, monkeypatch, tmp_path, name, value):
    monkeypatch.setenv(name, value)
    tracker = WandbTracker(tmp_path / "run", {})
    tracker.log({"kl": 0.01}, env_steps=100)
    tracker.finish()
    assert tracker.mode == "offline"
    assert asked == []
    (problem,) = tracker.problems
    assert "API key" in problem
    assert tracked_id(tmp_path) == tracker.run_id


@pytest.mark.slow
def test_offline_run_appears_in_the_run_directory(no_login, tmp_path):
    tracker = WandbTracker(tmp_path / "run", {"seed": 1})
    assert tracker.mode == "offline"
    assert tracker.run_id is not None
    tracker.log({"kl": 0.01}, env_steps=100)
    tracker.finish()
    assert list((tmp_path / "run" / "wandb").glob(f"offline-run-*-{tracked_id(tmp_path)}"))


@pytest.mark.slow
def test_a_run_that_was_kept_offline_stays_so(no_login, monkeypatch, tmp_path):
    first = WandbTracker(tmp_path / "run", {"seed": 1})
    first.finish()
    monkeypatch.setenv("WANDB_API_KEY", 40 * "a")
    wandb.teardown()
    again = WandbTracker(tmp_path / "run", {"seed": 1}, run_id=first.run_id)
    assert (again.mode, again.problems) == ("offline", [])
    again.finish()


@pytest.mark.slow
def test_a_model_of_a_run_of_any_name_is_logged(no_login, tmp_path):
    model = tmp_path / "last.pt"
    model.write_bytes(b"weights")
    tracker = WandbTracker(tmp_path / "行走 é", {"seed": 1}, name="行走 é")
    tracker.log_model(model, "latest", env_steps=10)
    tracker.finish()
    assert tracker.problems == []


@pytest.mark.slow
def test_a_user_without_a_home_is_tracked(no_login, monkeypatch, tmp_path):
    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    tracker = WandbTracker(tmp_path / "run", {"seed": 1})
    tracker.log({"kl": 0.01}, env_steps=100)
    tracker.finish()
    assert tracker.problems == []
    assert tracked_id(tmp_path) == tracker.run_id


@pytest.mark.slow
@pytest.mark.parametrize("home", [None, ""])
def test_a_home_is_where_the_users_entry_says(no_login, monkeypatch, tmp_path, capfd, home):
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_dir=str(tmp_path / "own")))
    (tmp_path / "own").mkdir()
    if home is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", home)
    tracker = WandbTracker(tmp_path / "run", {"seed": 1})
    tracker.finish()
    wandb.teardown()
    assert os.environ["HOME"] == str(tmp_path / "own")
    assert tracker.problems == []
    assert capfd.readouterr().err == ""  # of its core, which finds no home


@pytest.mark.slow
def test_labels_of_any_bytes_are_shown(no_login, tmp_path):
    odd = "caf\udce9"
    tracker = WandbTracker(tmp_path / "run", {"a": odd}, "offline", group=odd, tags=(odd,))
    tracker.finish()
    assert tracker.problems == []


@pytest.mark.parametrize("logger", ["wandb", "tensorboard"])
def test_a_folder_whose_name_is_no_utf8_is_one_warning(no_login, tmp_path, logger):
    labels = {"wandb_project": "trot", "wandb_group": None, "wandb_tags": ()}
    config = {"logger": logger, "wandb": "offline", **labels}
    tracker = make_tracker(tmp_path / "caf\udce9", config, None)
    tracker.finish()
    (problem,) = tracker.problems
    assert "caf\\udce9" in problem
    assert not list(tmp_path.iterdir())


def tracked_id(tmp_path) -> str:
    (folder,) = (tmp_path / "run" / "wandb").glob("offline-run-*")
    (file,) = folder.glob("run-*.wandb")
    assert file.stat().st_size > 0
    return file.stem.removeprefix("run-")


class BrokenWandb:
    """Stands in for the module: its runs fail after they start."""

    Settings = wandb.Settings
    termsetup = staticmethod(wandb.termsetup)

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


@pytest.mark.parametrize(
    ("given", "variables", "file", "found"),
    [
        ({}, {}, "", ("trot", "run", None)),
        ({}, {"WANDB_PROJECT": "theirs", "WANDB_NAME": "own", "WANDB_TAGS": "a"}, "", (None,) * 3),
        ({}, {}, "project = theirs\nrun_name = own", (None,) * 3),
        (
            {"project": "mine", "tags": ("b",)},
            {"WANDB_PROJECT": "theirs", "WANDB_TAGS": "a"},
            "project = others",
            ("mine", "run", ["b"]),
        ),
    ],
)
def test_labels_are_the_options_then_what_wandb_was_told(
    no_login, tmp_path, monkeypatch, given, variables, file, found
):
    class Told(BrokenWandb):
        def init(self, **options):
            self.options = options
            return self

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "settings").write_text(f"[default]\n{file}\n")
    monkeypatch.setitem(sys.modules, "wandb", told := Told())
    monkeypatch.setattr(tracking, "code_state", lambda: {"commit": None, "diff": None})
    WandbTracker(tmp_path / "run", {}, mode="offline", **given)
    assert tuple(told.options[name] for name in ("project", "name", "tags")) == found


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

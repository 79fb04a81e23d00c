"""Weights & Biases from train.py and play.py: what a run holds, and what a bad network does."""

from __future__ import annotations

import csv
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio
import numpy as np
import pytest
import torch
import wandb
import yaml

import play
import train
from algos.runs.checkpoint import load_checkpoint
from algos.tracking import wandb as tracking
from algos.tracking.wandb import WandbTracker

ROOT = Path(__file__).parent.parent
WALK = ["trot/AnymalWalk-v0", "--num-envs", "4", "--rollout-steps", "8", "--eval-episodes", "1"]
SHORT = ["--env.protocol.seconds", "0.2", "--env.episode-length", "0.1", "--total-steps", "64"]
CARTPOLE = ["CartPole-v1", "--total-steps", "1024", "--video-interval", "0"]
CODE = {"commit": "0123456789abcdef", "diff": "--- a\n+++ b\n+a line"}


def write_video(path: Path, actors: object, video: object) -> None:
    imageio.mimsave(path, [np.zeros((16, 16, 3), np.uint8)] * 2, fps=10)  # type: ignore


def read(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the records of an offline run by their type, as wandb's own reader gives them."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    records: dict[str, list[dict[str, Any]]] = {}
    for record in map(json.loads, lines):
        records.setdefault(record["type"], []).append(record.get(record["type"], {}))
    return records


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run tracked offline, and then resumed."""
    run = tmp_path_factory.mktemp("runs") / "walk"
    labels = ["--wandb", "offline", "--wandb-group", "seeds", "--wandb-tags", "a", "b"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "write_video", write_video)
        patch.setattr(tracking, "code_state", lambda: CODE)
        train.main([*WALK, *SHORT, *labels, "--run-dir", str(run)])
        (run / "report.html").write_text("<p>all is well</p>")
        train.main(["--resume", str(run), "--total-steps", "96"])
    return run


@pytest.fixture(scope="module")
def records(run: Path) -> list[dict[str, list[dict[str, Any]]]]:
    return [read(folder) for folder in sorted((run / "wandb").glob("offline-run-*"))]


@pytest.mark.slow
def test_an_offline_run_holds_everything(run: Path, records: Any) -> None:
    first = records[0]
    (head,) = first["run"]
    assert head["config"]["update"]["algo"]["max_kl"] == 0.04
    assert (head["run_group"], head["tags"]) == ("seeds", ["a", "b"])
    assert head["git"]["commit"] == CODE["commit"]
    rows = [record["item"] for record in first["history"]]
    assert [(row["_step"], row["env_steps"]) for row in rows] == [(32, 32), (64, 64)]
    with (run / "metrics.csv").open(newline="") as file:
        written = next(csv.DictReader(file))
    for name in ("kl", "steps_per_second", "episode/lin_vel"):
        assert rows[0][name] == pytest.approx(float(written[name]))
    assert rows[1]["policy._type"] == "video-file"
    assert {"proc.memory.rssMB", "memory_percent"} <= first["stats"][0]["item"].keys()


@pytest.mark.slow
def test_an_offline_run_holds_the_uncommitted_changes(run: Path) -> None:
    for patch in (run / "wandb").glob("offline-run-*/files/diff.patch"):
        assert patch.read_text() == CODE["diff"] + "\n"
    assert len(list((run / "wandb").glob("offline-run-*/files/diff.patch"))) == 2


@pytest.mark.slow
def test_models_are_logged_where_they_are_best_and_at_the_end(run: Path, records: Any) -> None:
    best, last = records[0]["artifact"]
    assert (best["type"], last["type"]) == ("model", "model")
    assert "best" in best["aliases"]
    assert last["aliases"] == ["latest"]
    assert best["name"] == last["name"] == f"walk-{records[0]['run'][0]['run_id']}"
    for artifact, name in ((best, "best.pt"), (last, "last.pt")):
        (entry,) = artifact["manifest"]["contents"]
        assert entry["path"] == name
        assert load_checkpoint(entry["local_path"])["env_steps"] == 64


@pytest.mark.slow
def test_a_resumed_run_is_the_same_in_wandb(run: Path, records: Any) -> None:
    first, second = (record["run"][0] for record in records)
    assert first["run_id"] == second["run_id"]
    assert second["resume"]  # so wandb sync asks the server where the history ends
    assert not first.get("resume")
    assert [record["item"]["_step"] for record in records[1]["history"]] == [96]
    assert load_checkpoint(run / "checkpoints" / "last.pt")["wandb_id"] == first["run_id"]


@pytest.mark.slow
def test_a_report_in_the_folder_is_logged(records: Any) -> None:
    assert records[1]["history"][-1]["item"]["report._type"] == "html-file"


class Unauthorized(BaseHTTPRequestHandler):
    """A server that knows no key."""

    def do_POST(self) -> None:
        self.answer(401, {"errors": [{"message": "unauthorized"}]})

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Mortal(Unauthorized):
    """A server that begins a run and never answers again."""

    dead = threading.Event()

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        if self.dead.is_set() or content.get("operationName") != "UpsertBucket":
            time.sleep(30)
            return
        project = {"id": "P", "name": "trot", "entity": {"id": "E", "name": "me"}}
        name = content["variables"]["name"]
        bucket = {"id": "R", "name": name, "displayName": name, "config": "{}", "project": project}
        answer = {"upsertBucket": {"bucket": bucket, "inserted": True}}
        self.answer(200, {"data": answer})


@pytest.fixture
def network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A W&B server that refuses connections, never answers, knows no key, or dies."""
    kind = request.param
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = None
    if kind != "hangs":
        listener.close()
    if kind in ("unauthorized", "dies"):
        handler = Unauthorized if kind == "unauthorized" else Mortal
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "2" if kind != "dies" else "20")
    monkeypatch.setenv("WANDB_FINISH_TIMEOUT", "1")
    wandb.teardown()  # it reads the environment once
    yield kind
    wandb.teardown()
    listener.close()
    if server is not None:
        server.shutdown()
        server.server_close()


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("network", ["refuses", "hangs", "unauthorized"], indirect=True)
def test_no_network_stops_no_training(
    network: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    start = time.monotonic()
    train.main([*CARTPOLE, "--eval-episodes", "1", "--run-dir", str(run)])
    assert time.monotonic() - start < 30
    assert "wandb goes on offline" in caplog.text
    content = load_checkpoint(run / "checkpoints" / "last.pt")
    assert content["env_steps"] == 1024
    (offline,) = (run / "wandb").glob(f"offline-run-*-{content['wandb_id']}")
    assert [record["item"]["_step"] for record in read(offline)["history"]] == [1024]


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("network", ["dies"], indirect=True)
def test_a_server_that_dies_holds_nobody_up(network: str, tmp_path: Path) -> None:
    Mortal.dead.clear()
    tracker = WandbTracker(tmp_path, {}, "online")
    assert tracker.mode == "online"
    Mortal.dead.set()
    start = time.monotonic()
    for step in range(1000):
        tracker.log({"kl": 1.0}, step)
    tracker.finish()
    assert time.monotonic() - start < 15
    (folder,) = (tmp_path / "wandb").glob("run-*")
    assert len(read(folder)["history"]) == 1000


class Artifact(SimpleNamespace):
    """Stands in for an artifact of W&B."""

    def download(self, root: str) -> str:
        content = {"format": "trot-checkpoint", "version": 1, "content": self.content}
        torch.save(content, Path(root) / "any.pt")
        return root


@pytest.fixture
def shared(run: Path, monkeypatch: pytest.MonkeyPatch) -> list[Artifact]:
    """The artifacts of the one run that W&B has, me/trot/abc."""
    policy = load_checkpoint(run / "checkpoints" / "best.pt")
    artifacts = [
        Artifact(type="dataset", aliases=["best", "latest"], content={}),
        Artifact(type="model", aliases=["v0", "best"], content=policy | {"iteration": 1}),
        Artifact(type="model", aliases=["v1", "latest"], content=policy | {"iteration": 2}),
    ]

    def find(path: str) -> SimpleNamespace:
        if path != "me/trot/abc":
            raise ValueError(f"Could not find run <Run {path} (not found)>\nand more")
        return SimpleNamespace(logged_artifacts=lambda: artifacts)

    monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
    monkeypatch.setattr(wandb, "Api", lambda timeout: SimpleNamespace(run=find))
    return artifacts


@pytest.mark.slow
@pytest.mark.parametrize(("which", "iteration"), [("best", 1), ("last", 2)])
def test_a_run_in_wandb_is_played(
    shared: list[Artifact], tmp_path: Path, which: str, iteration: int
) -> None:
    policy = tmp_path / "policy.pt"
    play.main(["wandb:me/trot/abc", "--checkpoint", which, "--save", str(policy)])
    assert load_checkpoint(policy)["iteration"] == iteration


@pytest.mark.slow
def test_a_run_in_wandb_that_cannot_be_played_is_one_clear_line(
    shared: list[Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--save", str(tmp_path / "policy.pt")]
    with pytest.raises(ValueError, match=r"^wandb:me/trot/x cannot .*not found\)>$"):
        play.main(["wandb:me/trot/x", *arguments])
    with pytest.raises(ValueError, match="must be wandb:ENTITY/PROJECT/RUN"):
        play.main(["wandb:abc", *arguments])
    del shared[1:]
    with pytest.raises(ValueError, match="has logged no model"):
        play.main(["wandb:me/trot/abc", *arguments])
    monkeypatch.delenv("WANDB_API_KEY")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    wandb.teardown()  # it reads the environment once
    with pytest.raises(ValueError, match="needs a login"):
        play.main(["wandb:me/trot/abc", *arguments])


@pytest.mark.slow
def test_the_sweep_gives_flags_that_train_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from wandb.sdk.launch.sweeps.utils import (  # takes a second
        create_sweep_command,
        create_sweep_command_args,
    )

    sweep = yaml.safe_load((ROOT / "docs" / "sweep.yaml").read_text())
    assert (ROOT / sweep["program"]).is_file()
    chosen = {
        name: {"value": law["values"][-1] if "values" in law else law["max"]}
        for name, law in sweep["parameters"].items()
    }
    flags = create_sweep_command_args({"args": chosen})["args"]
    command = create_sweep_command(sweep["command"])
    begin, end = command.index("${program}") + 1, command.index("${args}")
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    monkeypatch.setenv("WANDB_RUN_ID", "trial")
    config, run, _ = train.parse([*command[begin:end], *flags])
    assert (config.algo.max_kl, config.algo.critic_epochs, config.seed) == (0.05, 20, 3)
    assert run.path == Path("runs/Pendulum-v1-s3-trial")
    assert sweep["metric"]["name"].removeprefix("eval/") == "return_mean"

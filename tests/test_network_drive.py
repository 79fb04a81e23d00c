"""A learned drive from its file to a run that outlives it; what is wrong is told before work."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import play
import train
from algos.playing import sources
from algos.runs.fingerprint import digest
from robots.usage import UsageError
from tests.envs.networks import tiny

SHORT = ["--num-envs", "4", "--rollout-steps", "10", "--total-steps", "40", "--eval-interval", "0"]
QUIET = ["--wandb", "disabled", "--video-interval", "0", "--eval-episodes", "1"]
BRIEF = ["--env.episode-length", "0.1", "--env.protocol.seconds", "0.1"]
WALK = ["trot/Walk-v0", "--drive", "network", *SHORT, *QUIET, *BRIEF]


@pytest.mark.slow
def test_a_run_goes_on_and_plays_without_the_file(tmp_path: Path) -> None:
    """It resumes to the last bit, from what it keeps; play, save and export do as well."""
    file, run, whole = tmp_path / "knee.npz", tmp_path / "run", tmp_path / "whole"
    tiny().save(file)
    flags = ["--env.drive.file", str(file)]
    train.main([*WALK, *flags, "--run-dir", str(run)])
    train.main([*WALK, *flags, "--run-dir", str(whole), "--total-steps", "80"])
    file.unlink()
    train.main(["--resume", str(run), "--total-steps", "80"])
    ends = [sources.load(str(path), "last") for path in (run, whole)]
    one, other = (digest(end["collector"]) for end in ends if end is not None)
    assert one == other
    small, out = tmp_path / "small.pt", tmp_path / "a.onnx"
    play.main([str(run), "--save", str(small), "--export", str(out)])
    play.main([str(small), "--evaluate", "--episodes", "1"])
    info = json.loads(onnxruntime.InferenceSession(out).get_modelmeta().custom_metadata_map["trot"])
    assert info["drive"]["file"] == "knee.npz"
    assert str(tmp_path) not in json.dumps(info["drive"])
    np.testing.assert_allclose(info["drive"]["network"]["linear"], tiny().linear)


def test_what_is_wrong_is_told_before_a_run_begins(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(ValueError, match=r"--env.drive.file is .*none.npz; it must be a file that"):
        train.main([*WALK, "--env.drive.file", str(tmp_path / "none.npz"), "--run-dir", str(run)])
    with pytest.raises(UsageError, match=r"lag is 0.005 s; it must be a multiple of .* 0.004 s"):
        train.main([*WALK, "--env.simulation.timestep", "0.004", "--run-dir", str(run)])
    delay = ["--drive", "delayed", "--env.drive.delay", "0.011", "0.012"]
    with pytest.raises(ValueError, match=r"drive delay is \(0.011, 0.012\)"):
        train.main(["trot/Walk-v0", *delay, *SHORT, *QUIET, *BRIEF, "--run-dir", str(run)])
    assert not run.exists()


@pytest.mark.slow
def test_the_trainer_of_actuators_writes_a_model_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    t, out = np.arange(400) / 400, tmp_path / "model.npz"
    error, speed = 0.2 * np.sin(9 * t), 2 * np.cos(7 * t)
    np.savez(
        tmp_path / "data.npz",
        position_error=error,
        joint_velocity=speed,
        torque=30 * error - 2 * speed,
    )
    data = ["actuator", str(tmp_path / "data.npz")]
    train.main([*data, "--out", str(out), "--fitting.steps", "20"])
    told = capsys.readouterr().out
    assert "PD, 30.0 and 2.00 fitted" in told
    assert "line, 2 inputs" in told
    assert "µs a robot of 12 joints" in told
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    train.main([*WALK, "--env.drive.file", str(out), "--run-dir", str(tmp_path / "run")])
    with pytest.raises(ValueError, match=r"must end in \.npz"):
        train.main([*data, "--out", str(tmp_path / "model.txt")])

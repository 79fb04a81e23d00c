"""play.py --export, and the file's use outside Trot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import onnxruntime
import pytest

import play
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from robots import get_robot

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "walk.onnx"
    play.main([str(ROOT / "policies" / "walk.pt"), "--export", str(path)])
    return path


@pytest.mark.slow
def test_the_committed_policy_walks_in_plain_mujoco(exported: Path) -> None:
    script = ROOT / "docs" / "run_onnx.py"
    command = [sys.executable, str(script), str(exported), "0.8", "0", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    way, height = (float(word) for word in (done.stdout.split()[0], done.stdout.split()[-2]))
    assert way == pytest.approx(8.0, abs=0.5)
    assert height > 0.45


@pytest.mark.slow
def test_the_file_tells_what_a_robot_needs(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported)
    info = json.loads(session.get_modelmeta().custom_metadata_map["trot"])
    robot = get_robot("anymal_c")
    assert info["joints"] == list(robot.joints)
    assert info["nominal_pose"] == pytest.approx(robot.nominal_pose)
    for name in ("kp", "kd", "torque_limit"):
        assert info[name] == getattr(robot, name).tolist()
    assert info["control_rate"] == 50
    stops = [block["stop"] for block in info["observation"]]
    assert [block["start"] for block in info["observation"]] == [0, *stops[:-1]]
    assert session.get_inputs()[0].shape[1] == stops[-1]


@pytest.mark.slow
def test_the_files_model_is_the_simulations(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported)
    info = json.loads(session.get_modelmeta().custom_metadata_map["trot"])
    mine = scene.build(get_robot("anymal_c"), Simulation(), PD(), visual=True)
    theirs = mujoco.MjModel.from_xml_string(info["mjcf"])
    for name in ("body_mass", "body_inertia", "geom_size", "jnt_range", "actuator_gainprm"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(mine, name), rtol=1e-4, atol=1e-6)


def test_an_environment_without_a_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CartPole-v1"):
        play.main(["CartPole-v1", "--export", str(tmp_path / "a.onnx")])
    with pytest.raises(ValueError, match=r"must end in \.onnx or \.pt2"):
        play.main([str(ROOT / "policies" / "walk.pt"), "--export", str(tmp_path / "a.txt")])

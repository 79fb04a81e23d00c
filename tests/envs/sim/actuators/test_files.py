"""Files of actuators that cannot be used: one line, with the file and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.sim.actuators import pack
from robots.usage import UsageError
from tests.envs.networks import MLP_LAYOUT, NETWORKS, text, tiny


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as told:
        pack(str(path), path)
    message = str(told.value)
    assert "\n" not in message
    assert message.startswith(f"drive file is {path}; it must ")
    return message


def test_a_file_that_is_not_there_or_no_network(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "knee.npz")
    for name in ("knee.npz", "knee.txt", "knee.pt", "knee.onnx"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
    assert "no .npz file" in refusal(tmp_path / "knee.npz")
    assert "could not convert" in refusal(tmp_path / "knee.txt")
    refusal(tmp_path / "knee.pt")
    assert "a layout in" in refusal(tmp_path / "knee.onnx")
    assert "it must end in .npz, .txt, .pt, .onnx" in refusal(tmp_path / "knee.bin")


def test_an_npz_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, torque=np.zeros(3))
    assert "not a trot-actuator-1" in refusal(path)
    tiny().save(path)
    with np.load(path) as file:
        content: dict[str, Any] = dict(file)
    without = content.copy()
    del without["bias"]
    np.savez(path, **without)
    assert "lacks 'bias" in refusal(path)
    changed: dict[str, Any] = content | {"weight": np.zeros((1, 3))}
    np.savez(path, **changed)
    assert "network layer is (1, 3); it must be (1, 4)" in refusal(path)
    changed = content | {"lags": np.array([0.0, -0.005])}
    np.savez(path, **changed)
    assert "network lag is -0.005; it must be in [0, 1] s" in refusal(path)


def test_a_text_of_another_size(tmp_path: Path) -> None:
    path = text(tmp_path)
    path.write_text(path.read_text() + ", 1.0")
    assert "it has 1314 numbers, and a 6-32-32-1 network 1313" in refusal(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"inputs": [["torque", 0.0]], "scale": [], "offset": []}, "network input is torque"),
        ({"scale": [1.0]}, "layout scale is (1.0,); it must be 4 numbers"),
        ({"lag": 0.1}, "a setting of its layout is lag; it must be one of inputs"),
        ({"torque_limit": -1.0}, "network torque_limit is -1.0; it must be positive"),
        ({"stall_torque": None}, "network stall_torque is None; it must be given with no_load"),
        ({"inputs": [["position_error", 0.0]], "scale": [], "offset": []}, "be multiplied"),
        ({"inputs": []}, "layout inputs is ()"),
        ({"torque_scale": "a"}, "layout torque_scale is a; it must be of finite numbers"),
        ({"torque_scale": None}, "layout torque_scale is None; it must be of finite numbers"),
        ({"torque_scale": float("nan")}, "layout torque_scale is nan"),
        ({"offset": ["x", 0, 0, 0]}, "layout offset is ('x', 0, 0, 0)"),
        ({"timestep": "5ms"}, "layout timestep is 5ms"),
        ({"states": [[2]]}, "layout states is ((2,),)"),
        ({"states": [[2, 8]]}, "forward() expected at most 2 argument(s)"),
    ],
)
def test_a_layout_that_does_not_fit(change: dict[str, object], told: str, tmp_path: Path) -> None:
    path = NETWORKS["perceptron.pt"](tmp_path)
    path.with_suffix(".json").write_text(json.dumps(MLP_LAYOUT | change))
    message = refusal(path)
    assert told in message or change == {"states": [[2, 8]]}


def test_a_layout_that_is_no_json(tmp_path: Path) -> None:
    path = NETWORKS["perceptron.pt"](tmp_path)
    path.with_suffix(".json").write_text("{inputs}")
    assert "JSON in" in refusal(path)
    path.with_suffix(".json").write_text("{}")
    assert "its layout lacks inputs" in refusal(path)

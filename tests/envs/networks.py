"""Files of actuator networks as others have them, with random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from algos.actuator.model import ActuatorModel

State = tuple[Tensor, Tensor]
MLP_LAYOUT = {
    "inputs": [
        ["position_error", 0.0],
        ["joint_velocity", 0.0],
        ["position_error", 0.005],
        ["joint_velocity", 0.01],
    ],
    "scale": [5.0, 0.2, 5.0, 0.2],
    "offset": [0.01, 0.1, 0.01, 0.1],
    "torque_scale": 20.0,
    "torque_limit": 40.0,
    "stall_torque": 60.0,
    "no_load_speed": 20.0,
}
"""In JSON beside the perceptrons."""


class Lstm(nn.Module):
    """The interface of legged_gym's `anydrive_v3_lstm.pt`: x (k, 1, 2), states (2, k, 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 8, 2, batch_first=True)
        self.out = nn.Linear(8, 1)

    def forward(self, x: Tensor, states: State) -> tuple[Tensor, State]:
        y, after = self.lstm(x, states)
        return 60.0 * self.out(y[:, 0])[:, 0], after


class FlatLstm(Lstm):
    """The same with its states one by one, as ONNX has them."""

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        y, (h, c) = self.lstm(x, (h, c))
        return 60.0 * self.out(y[:, 0])[:, 0], h, c


def perceptron() -> nn.Sequential:
    """A network of four inputs."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.ELU(), nn.Linear(16, 1)).eval()


def lstm(folder: Path) -> Path:
    """As legged_gym's: no layout stands beside it."""
    torch.manual_seed(0)
    path = folder / "lstm.pt"
    torch.jit.script(Lstm().eval()).save(path)
    return path


def torchscript(folder: Path) -> Path:
    path = folder / "perceptron.pt"
    torch.jit.script(perceptron()).save(path)
    path.with_suffix(".json").write_text(json.dumps(MLP_LAYOUT))
    return path


def onnx(folder: Path) -> Path:
    path = folder / "perceptron.onnx"
    axes = {0: torch.export.Dim("joints")}
    made = torch.onnx.export(
        perceptron(), (torch.zeros(3, 4),), dynamic_shapes=(axes,), verbose=False
    )
    assert made is not None
    path.write_bytes(made.model_proto.SerializeToString())
    path.with_suffix(".json").write_text(json.dumps(MLP_LAYOUT))
    return path


def text_weights() -> list[tuple[np.ndarray, np.ndarray]]:
    """Layers of a 6-32-32-1 network, (outputs, inputs) and (outputs,)."""
    rng = np.random.default_rng(0)
    shapes = [(32, 6), (32, 32), (1, 32)]
    return [(rng.normal(0, n**-0.5, (m, n)), rng.normal(0, 0.1, m)) for m, n in shapes]


def text(folder: Path) -> Path:
    """As those of Hwangbo et al. 2019: weights column by column, then biases."""
    path = folder / "seaModel.txt"
    layers = [part for w, b in text_weights() for part in (w.T.ravel(), b)]
    path.write_text(", ".join(f"{number:.10g}" for number in np.concatenate(layers)) + "\n")
    return path


NETWORKS: dict[str, Callable[[Path], Path]] = {
    "lstm.pt": lstm,
    "perceptron.pt": torchscript,
    "perceptron.onnx": onnx,
    "seaModel.txt": text,
}
"""Makers of files in a folder, by name. The text's lags need physics steps of 2.5 ms."""


def tiny(**changes: float) -> ActuatorModel:
    """A model of two lags and one pair of hidden units, with easy numbers."""
    limits = {"torque_limit": 30.0, "stall_torque": 60.0, "no_load_speed": 20.0} | changes
    return ActuatorModel(
        lags=(0.0, 0.005),
        linear=np.array([40.0, 10.0, -1.0, -0.5]),
        weight=np.array([[2.0, 0.0, 0.5, 0.0]]),
        bias=np.array([0.25]),
        output=np.array([4.0]),
        **limits,
    )

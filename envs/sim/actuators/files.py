"""Files of learned actuators: read once, then carried along as text."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from envs.sim.actuators.foreign import Foreign
from envs.sim.actuators.inputs import QUANTITIES, Inputs, Limits
from envs.sim.actuators.layout import HWANGBO_2019, LEGGED_GYM, Layout
from envs.sim.actuators.perceptron import Perceptron
from robots.usage import UsageError

FORMAT = "trot-actuator-1"
"""Of the .npz files that `train.py actuator` writes."""
SUFFIXES = (".npz", ".txt", ".pt", ".onnx")
LAYOUTS = {".txt": HWANGBO_2019, ".pt": LEGGED_GYM}
"""Of files without a layout beside them."""


class Actuator(Protocol):
    """A learned model of one joint's drive."""

    def memory(self, n: int, joints: int, timestep: float) -> dict[str, np.ndarray]:
        """Return what n simulations remember at the start of an episode, with a row each."""
        ...

    def torque(
        self, error: np.ndarray, velocity: np.ndarray, memory: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Return the torques (N·m) of a physics step, (n, joints), and remember it.

        Args:
            error: joint targets less positions (rad), (n, joints).
            velocity: of the joints (rad/s), (n, joints).
            memory: of `memory`.
        """
        ...

    def described(self) -> dict[str, Any]:
        """Return all that is needed to evaluate it, as JSON can hold it."""
        ...


def pack(file: str, path: Path) -> str:
    """Return a file's content, and its layout's, as text that `unpack` reads.

    Args:
        file: what the user calls it.
        path: where it is.

    Raises:
        ValueError: there is no such file, or it holds no actuator.
    """
    beside = path.with_suffix(".json")
    if path.suffix not in SUFFIXES:
        raise UsageError(f"drive file is {file}; it must end in {', '.join(SUFFIXES)}")
    try:
        data = path.read_bytes()
        layout = json.loads(beside.read_text("utf-8")) if beside.is_file() else None
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise UsageError(
            f"drive file is {file}; it must be a file that can be read ({problem})"
        ) from error
    except ValueError as error:
        raise UsageError(f"drive file is {file}; it must have JSON in {beside}: {error}") from error
    if path.suffix == ".npz":
        layout = None  # it has its own
    elif layout is None and path.suffix not in LAYOUTS:
        raise UsageError(
            f"drive file is {file}; it must have a layout in {beside}, which says what the "
            "network's inputs are"
        )
    text = base64.b64encode(data).decode()
    content = json.dumps({"file": file, "suffix": path.suffix, "layout": layout, "data": text})
    unpack(content)
    return content


def named(content: str) -> str:
    """Return what the user calls the file of a packed one, "" of none."""
    return json.loads(content)["file"] if content else ""


@lru_cache(maxsize=32)
def unpack(content: str) -> Actuator:
    """Return the actuator that `pack` gave.

    Raises:
        ValueError: it is damaged, or does not fit its layout.
    """
    packed = json.loads(content)
    file, suffix, data = packed["file"], packed["suffix"], base64.b64decode(packed["data"])
    try:
        if suffix == ".npz":
            return _own(data)
        given = packed["layout"]
        layout = LAYOUTS[suffix] if given is None else Layout.of(given, "its layout")
        if suffix == ".txt":
            return _text(data.decode(), layout)
        return Foreign("torchscript" if suffix == ".pt" else "onnx", data, layout)
    except Exception as error:  # those of torch and onnxruntime have no class of their own
        lines = str(error).strip().splitlines() or [type(error).__name__]
        problem = lines[-1].strip() if not isinstance(error, KeyError) else f"lacks {error}"
        raise UsageError(
            f"drive file is {file}; it must be an actuator that docs/tasks.md describes ({problem})"
        ) from error


def _own(data: bytes) -> Perceptron:
    """Return the network of `train.py actuator`: hidden units in pairs of opposite bias.

    torque = linear · x + Σ output · (tanh(weight · x + bias) + tanh(weight · x - bias)), with
    `weight` (units, inputs), `bias` and `output` (units,), `linear` (inputs,); x holds at each
    of `lags` (s) the position error, then at each the joint velocity.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            content = dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError("it is damaged, or no .npz file") from error
    if str(content.get("format")) != FORMAT:
        raise UsageError(f"it is an .npz file, but not a {FORMAT}")
    lags = tuple(content["lags"].tolist())
    quantities = tuple(name for name in QUANTITIES for _ in lags)
    weight, bias, output, linear = (
        content[name].astype(np.float32) for name in ("weight", "bias", "output", "linear")
    )
    layers = (weight, bias), (output[None], np.zeros(1, np.float32))
    limits = (float(content[n]) for n in ("torque_limit", "stall_torque", "no_load_speed"))
    seen = Inputs(quantities, lags * 2)
    return Perceptron(seen, layers, linear, "tanh", Limits(*limits), "paired")


def _text(text: str, layout: Layout) -> Perceptron:
    """Return the network of a text file, its layout's scales within its weights."""
    numbers = np.array([float(word) for word in text.replace(",", " ").split()], np.float32)
    widths = [len(layout.inputs), *layout.hidden, 1]
    sizes = [m * (k + 1) for k, m in pairwise(widths)]
    if len(numbers) != sum(sizes):
        shape = "-".join(map(str, widths))
        raise UsageError(f"it has {len(numbers)} numbers, and a {shape} network {sum(sizes)}")
    layers = []
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    for part, (k, m) in zip(parts, pairwise(widths), strict=True):
        layers.append([part[: k * m].reshape(k, m).T.copy(), part[k * m :].copy()])
    first, last = layers[0], layers[-1]
    first[1] += first[0] @ (layout.shift * layout.factor)
    first[0] *= layout.factor
    last[0] *= np.float32(layout.torque_scale)
    last[1] *= np.float32(layout.torque_scale)
    frozen = tuple((weight, bias) for weight, bias in layers)
    straight = np.zeros(len(layout.inputs), np.float32)
    return Perceptron(layout.seen, frozen, straight, layout.activation, layout.limits)

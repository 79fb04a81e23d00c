"""Networks that others trained, as TorchScript or ONNX: their own programs evaluate them."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from envs.bounds import require
from envs.sim.actuators.inputs import HISTORY, Inputs, Limits
from envs.sim.actuators.layout import Layout
from robots.usage import UsageError

Format = Literal["torchscript", "onnx"]
States = list[np.ndarray]
"""Hidden states of k joints, (layers, k, width) each."""
Call = Callable[[np.ndarray, States], tuple[np.ndarray, States]]
"""Outputs and next states, of inputs (k, inputs), or (k, 1, inputs) of a recurrent network."""


def _torchscript(data: bytes) -> Call:
    import torch

    module = torch.jit.load(io.BytesIO(data), map_location="cpu").eval()

    def call(x: np.ndarray, states: States) -> tuple[np.ndarray, States]:
        with torch.inference_mode():
            given = [torch.from_numpy(np.ascontiguousarray(state)) for state in states]
            if not given:
                return module(torch.from_numpy(x)).numpy(), []
            hidden = tuple(given) if len(given) > 1 else given[0]
            output, after = module(torch.from_numpy(x), hidden)
            after = after if len(given) > 1 else (after,)
            return output.numpy(), [state.numpy() for state in after]

    return call


def _onnx(data: bytes) -> Call:
    try:
        import onnxruntime
    except ImportError as error:
        raise UsageError(f"{error}: pip install -c constraints.txt -e '.[export]'") from error
    session = onnxruntime.InferenceSession(data)
    names = [entry.name for entry in session.get_inputs()]

    def call(x: np.ndarray, states: States) -> tuple[np.ndarray, States]:
        output, *after = session.run(None, dict(zip(names, [x, *states], strict=True)))
        return np.asarray(output), [np.asarray(state) for state in after]

    return call


_OPEN: dict[Format, Callable[[bytes], Call]] = {"torchscript": _torchscript, "onnx": _onnx}


@dataclass(frozen=True, eq=False)
class Foreign:
    """A network of a file, made odd: (g(x) - g(-x)) / 2, each sign with hidden states of its own.

    It takes inputs (k, inputs) of k joints and returns k torques. A recurrent one takes inputs
    (k, 1, inputs) and its states (layers, k, width), as a pair where there are two, and returns
    torques and states; in ONNX these are inputs and outputs in that order.

    Raises:
        ValueError: the file cannot be opened, or the network does not fit its layout.
    """

    format: Format
    """Of the file."""
    data: bytes
    """The file's content."""
    layout: Layout
    """What goes in and out."""
    call: Call = field(init=False, repr=False)
    """Evaluates it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "call", _OPEN[self.format](self.data))
        shapes = [(layers, 2, width) for layers, width in self.layout.states]
        x = np.zeros((2, len(self.layout.inputs)), np.float32)
        output, after = self.call(
            x[:, None] if shapes else x, [np.zeros(shape, np.float32) for shape in shapes]
        )
        require(output.size == 2, "the network's output", output.shape, "a number for each of 2")
        found = [state.shape for state in after]
        require(found == shapes, "the network's states", found, str(shapes))

    @property
    def inputs(self) -> Inputs:
        """What it sees."""
        return self.layout.seen

    @property
    def limits(self) -> Limits:
        """Between which torques it stays."""
        return self.layout.limits

    def memory(self, n: int, joints: int, timestep: float) -> dict[str, np.ndarray]:
        """Return what n simulations remember at the start of an episode.

        That is their past and, of a recurrent network, each hidden state for x and for -x,
        (n, 2, layers, joints, width).
        """
        own = self.layout.timestep
        fits = own is None or abs(own - timestep) < 1e-9
        need = (
            f"{own} s, in which the network was trained: give --env.simulation.timestep {own}, and "
            "--env.simulation.substeps so that their product stays"
        )
        require(fits, "the physics step", f"{timestep:g} s", need)
        states = {
            f"state_{i}": np.zeros((n, 2, layers, joints, width), np.float32)
            for i, (layers, width) in enumerate(self.layout.states)
        }
        return self.inputs.memory(n, joints, timestep) | states

    def torque(
        self, error: np.ndarray, velocity: np.ndarray, memory: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Return the torques (N·m) of a physics step; as `Perceptron.torque`."""
        layout, planes = self.layout, self.inputs.push(memory[HISTORY], error, velocity)
        x = planes[self.inputs.planes(len(planes) // 2)]
        both = np.concatenate([x, -x], axis=1).T  # (2 × n × joints, inputs)
        both = np.ascontiguousarray((both + layout.shift) * layout.factor)
        kept = [memory[f"state_{i}"] for i in range(len(layout.states))]
        states = [_for_network(rows) for rows in kept]
        output, after = self.call(both[:, None] if kept else both, states)
        for rows, state in zip(kept, after, strict=True):
            n, signs, layers, joints, width = rows.shape
            rows[:] = state.reshape(layers, signs, n, joints, width).transpose(2, 1, 0, 3, 4)
        plus, minus = output.reshape(2, *error.shape)
        torque = np.float32(layout.torque_scale) * (plus - minus) / 2
        return self.limits.clip(torque, velocity.astype(np.float32))

    def described(self) -> dict[str, Any]:
        """Return all that is needed to evaluate it, as JSON can hold it."""
        layout = self.layout
        return {
            "kind": self.format,
            "inputs": layout.inputs,
            "offset": layout.shift.tolist(),
            "scale": layout.factor.tolist(),
            "torque_scale": layout.torque_scale,
            "states": layout.states,
            "data": base64.b64encode(self.data).decode(),
            **self.limits.described(),
        }


def _for_network(rows: np.ndarray) -> np.ndarray:
    """Return hidden states (layers, 2 × n × joints, width) of (n, 2, layers, joints, width)."""
    layers, width = rows.shape[2], rows.shape[4]
    return np.ascontiguousarray(rows.transpose(2, 1, 0, 3, 4)).reshape(layers, -1, width)

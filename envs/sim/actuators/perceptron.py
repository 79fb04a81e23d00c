"""A perceptron as actuator: all joints of all simulations at once, in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from envs.bounds import require
from envs.sim.actuators.inputs import HISTORY, Inputs, Limits

_PRODUCT = 2**18
"""Multiplications up to which OpenBLAS multiplies matrices in one thread: waking others for so
little takes a millisecond where the cores are busy. The values of a block also stay in cache."""


def _times(weight: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return weight @ x; a weight of one row gets another, which spares it more threads, too."""
    if len(weight) > 1:
        return weight @ x
    return (np.concatenate([weight, 0 * weight]) @ x)[:1]


def _softsign(z: np.ndarray) -> None:
    z /= 1.0 + np.abs(z)


ACTIVATIONS: dict[str, Callable[[np.ndarray], Any]] = {
    "tanh": lambda z: np.tanh(z, out=z),
    "softsign": _softsign,
    "relu": lambda z: np.maximum(z, 0.0, out=z),
}
"""What the hidden layers do to their values, in place."""


Oddness = Literal["difference", "paired", "none"]


@dataclass(frozen=True, eq=False)
class Perceptron:
    """Torque = linear · x + g(x), g a perceptron, made odd and kept within the limits.

    A joint and its mirror image then have opposite torques, and one at rest on its target none.
    """

    inputs: Inputs
    """What x is."""
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    """Weights (outputs, inputs) and biases (outputs,) of each layer, in N·m, rad and rad/s."""
    linear: np.ndarray
    """Of each input, (inputs,)."""
    activation: str
    """One of `ACTIVATIONS`."""
    limits: Limits
    """Of the torque."""
    oddness: Oddness = "difference"
    """How g becomes odd. `difference`: by (g(x) - g(-x)) / 2. `paired`: each unit of the only
    hidden layer stands for two, of opposite biases, and the last bias is 0. `none`: not at all."""

    def __post_init__(self) -> None:
        known = ", ".join(ACTIVATIONS)
        require(self.activation in ACTIVATIONS, "network activation", self.activation, known)
        width = len(self.inputs.lags)
        for weight, bias in self.layers:
            need = f"({len(bias)}, {width}) and finite"
            finite = bool(np.isfinite(weight).all() and np.isfinite(bias).all())
            ok = weight.shape == (len(bias), width) and finite
            require(ok, "network layer", weight.shape, need)
            width = len(bias)
        require(width == 1, "network outputs", width, "one, the torque")

    def memory(self, n: int, joints: int, timestep: float) -> dict[str, np.ndarray]:
        """Return what n simulations remember at the start of an episode."""
        return self.inputs.memory(n, joints, timestep)

    def torque(
        self, error: np.ndarray, velocity: np.ndarray, memory: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Return the torques (N·m) of a physics step, (n, joints).

        Args:
            error: joint targets less positions (rad), (n, joints).
            velocity: of the joints (rad/s), (n, joints).
            memory: of `memory`; the present is added to it.
        """
        planes = self.inputs.push(memory[HISTORY], error, velocity)
        rows, joints = self.inputs.planes(len(planes) // 2), planes.shape[1]
        torque = np.empty(joints, np.float32)
        size = max(1, _PRODUCT // max(weight.size for weight, _ in self.layers))
        for start in range(0, joints, size):
            block = slice(start, start + size)
            torque[block] = self._raw(planes[rows, block])
        return self.limits.clip(torque.reshape(error.shape), velocity.astype(np.float32))

    def _raw(self, x: np.ndarray) -> np.ndarray:
        """Return the torques (k,) of inputs (inputs, k), without limits."""
        straight = _times(self.linear[None], x)[0]
        if self.oddness == "paired":
            return self._paired(x) + straight
        g = self._g(x)
        if self.oddness == "difference":
            g = (g - self._g(-x)) / 2
        return g + straight

    def _g(self, x: np.ndarray) -> np.ndarray:
        activate = ACTIVATIONS[self.activation]
        for i, (weight, bias) in enumerate(self.layers):
            if i:
                activate(x)
            x = _times(weight, x)
            x += bias[:, None]
        return x[0]

    def _paired(self, x: np.ndarray) -> np.ndarray:
        """Return g, whose pairs cancel exactly where weight · x is 0."""
        activate = ACTIVATIONS[self.activation]
        (weight, bias), (output, _) = self.layers
        low = _times(weight, x)
        high = low + bias[:, None]
        low -= bias[:, None]
        activate(low)
        activate(high)
        low += high
        return _times(output, low)[0]

    def described(self) -> dict[str, Any]:
        """Return all that is needed to evaluate it, as JSON can hold it."""
        layers = self.layers
        if self.oddness == "paired":
            (weight, bias), (output, last) = layers
            twice = np.concatenate([weight, weight]), np.concatenate([bias, -bias])
            layers = twice, (np.concatenate([output, output], axis=1), last)
        return {
            "kind": "perceptron",
            "inputs": list(zip(self.inputs.quantities, self.inputs.lags, strict=True)),
            "layers": [(weight.tolist(), bias.tolist()) for weight, bias in layers],
            "linear": self.linear.tolist(),
            "activation": self.activation,
            **self.limits.described(),
        }

"""What a joint's drive does: a linear part, and a bounded odd correction that is learned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from algos.runs.files import replacing

FORMAT = "trot-actuator-1"
"""Of its files, which `envs.sim.actuators.files` reads."""


@dataclass(frozen=True)
class ActuatorModel:
    """Torque = linear · x + Σ output · (tanh(weight · x + b) + tanh(weight · x - b)), then limited.

    x holds the position error (rad) at each lag, then the joint speed (rad/s) at each. The sum is
    odd and bounded: mirrored inputs give the opposite torque, rest without error gives none, and
    far from what was measured the linear part decides. The limits are those of a DC motor at the
    present speed v: -limit <= τ <= limit and stall × (-1 - v / no_load) <= τ <= stall ×
    (1 - v / no_load), so that every torque opposes a joint that turns faster than no_load.
    """

    lags: tuple[float, ...]
    """Before the present (s)."""
    linear: np.ndarray
    """(inputs,), N·m per rad and per rad/s."""
    weight: np.ndarray
    """(units, inputs), per rad and per rad/s."""
    bias: np.ndarray
    """(units,)."""
    output: np.ndarray
    """(units,), N·m."""
    torque_limit: float
    """Largest torque (N·m)."""
    stall_torque: float
    """Torque at rest, were there no limit (N·m)."""
    no_load_speed: float
    """Speed without torque (rad/s)."""

    def torque(self, inputs: np.ndarray) -> np.ndarray:
        """Return torques (N·m), (N,), of inputs (N, inputs)."""
        z = inputs @ self.weight.T
        odd = np.tanh(z + self.bias) + np.tanh(z - self.bias)
        speed = inputs[:, len(self.lags) + self.lags.index(min(self.lags))] / self.no_load_speed
        limit, stall = self.torque_limit, self.stall_torque
        low, high = (np.clip(stall * (sign - speed), -limit, limit) for sign in (-1.0, 1.0))
        return np.clip(inputs @ self.linear + odd @ self.output, low, high)

    def save(self, path: Path) -> None:
        """Write the model as .npz, in 32 bits."""
        content: dict[str, Any] = {"format": FORMAT, "lags": self.lags}
        for name in ("linear", "weight", "bias", "output"):
            content[name] = getattr(self, name).astype(np.float32)
        for name in ("torque_limit", "stall_torque", "no_load_speed"):
            content[name] = getattr(self, name)
        with replacing(path) as file:
            np.savez_compressed(file, **content)

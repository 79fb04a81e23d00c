"""What a learned actuator sees of each joint, and between which torques it stays."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from envs.bounds import require
from envs.sim.actuators.curve import torque_range

QUANTITIES = ("position_error", "joint_velocity")
"""Joint target less position (rad), and speed (rad/s)."""
HISTORY = "history"
"""Name of the past in a drive's memory."""
_ROUNDING = 1e-6
"""Of a number of physics steps: 0.015 / 0.005 is a little more than 3."""


@dataclass(frozen=True)
class Inputs:
    """The inputs of a network, in its order: a quantity of `QUANTITIES` some time ago each."""

    quantities: tuple[str, ...]
    """What each input is."""
    lags: tuple[float, ...]
    """How long ago it was (s)."""

    def __post_init__(self) -> None:
        for name in self.quantities:
            require(name in QUANTITIES, "network input", name, f"one of {', '.join(QUANTITIES)}")
        alike = len(self.lags) == len(self.quantities) > 0
        require(alike, "network lags", self.lags, "one for each input, of which there is one")
        for lag in self.lags:
            require(0 <= lag <= 1, "network lag", lag, "in [0, 1] s")

    def depth(self, timestep: float) -> int:
        """Return how many physics steps are kept, the present one included.

        Raises:
            ValueError: a lag is no multiple of the physics step.
        """
        for lag in self.lags:
            steps = lag / timestep
            require(
                abs(steps - round(steps)) < _ROUNDING,
                "network lag",
                f"{lag:g} s",
                f"a multiple of the physics step, {timestep:g} s: give --env.simulation.timestep "
                "another, and --env.simulation.substeps so that their product stays",
            )
        return round(max(self.lags) / timestep) + 1

    def memory(self, n: int, joints: int, timestep: float) -> dict[str, np.ndarray]:
        """Return the past of n simulations at rest on their targets, (n, 2 × depth, joints).

        It is a view of planes (2, depth, n, joints), in which a network's inputs lie together.
        """
        planes = np.zeros((2, self.depth(timestep), n, joints), np.float32)
        return {HISTORY: planes.reshape(-1, n, joints).transpose(1, 0, 2)}

    def push(self, history: np.ndarray, error: np.ndarray, velocity: np.ndarray) -> np.ndarray:
        """Add the present to a history; return its planes, (2 × depth, n × joints)."""
        planes = history.transpose(1, 0, 2)
        now = planes.reshape(2, -1, *error.shape)
        now[:, 1:] = now[:, :-1]
        now[0, 0], now[1, 0] = error, velocity
        return now.reshape(len(planes), -1)

    def planes(self, depth: int) -> np.ndarray:
        """Return which plane of a history of some depth each input is, (inputs,)."""
        # The longest lag is the oldest plane, whatever the physics step is.
        step = max(self.lags) / (depth - 1) if depth > 1 else 1.0
        rows = [
            QUANTITIES.index(name) * depth + round(lag / step)
            for name, lag in zip(self.quantities, self.lags, strict=True)
        ]
        return np.array(rows)


@dataclass(frozen=True)
class Limits:
    """Between which torques an actuator stays; None where nothing is said."""

    torque_limit: float | None = None
    """Largest torque (N·m)."""
    stall_torque: float | None = None
    """Torque at rest, were there no limit, see `torque_range` (N·m)."""
    no_load_speed: float | None = None
    """Speed beyond which every torque opposes the turning (rad/s)."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            ok = value is None or 0 < value < np.inf
            require(ok, f"network {name}", value, "positive, or left out")
        alone = (self.stall_torque is None) == (self.no_load_speed is None)
        require(alone, "network stall_torque", self.stall_torque, "given with no_load_speed")

    def clip(self, torque: np.ndarray, speed: np.ndarray) -> np.ndarray:
        """Return torques (N·m) within the limits at joint speeds (rad/s), both (…)."""
        limit = np.float32(np.inf if self.torque_limit is None else self.torque_limit)
        if self.stall_torque is None or self.no_load_speed is None:
            return np.clip(torque, -limit, limit)
        stall, no_load = np.float32(self.stall_torque), np.float32(self.no_load_speed)
        return np.clip(torque, *torque_range(speed, limit, stall, no_load))

    def described(self) -> dict[str, Any]:
        """Return them as JSON can hold them."""
        return asdict(self)

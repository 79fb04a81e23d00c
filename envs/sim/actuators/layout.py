"""How a network that others trained is to be read: what goes in, in which order and scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from itertools import chain
from numbers import Integral, Real
from typing import Any

import numpy as np

from envs.bounds import require
from envs.sim.actuators.inputs import Inputs, Limits
from robots.usage import UsageError


@dataclass(frozen=True)
class Layout:
    """What stands in the JSON file beside a network's, of the same name but for its ending."""

    inputs: tuple[tuple[str, float], ...]
    """Quantity (`position_error`, `joint_velocity`) and lag (s) of each input, in order."""
    offset: tuple[float, ...] = ()
    """Added to each input (rad, rad/s) ahead of its scale; () for none."""
    scale: tuple[float, ...] = ()
    """Factor on each input; () for 1."""
    torque_scale: float = 1.0
    """Factor on the output (N·m)."""
    torque_limit: float | None = None
    """Largest torque (N·m); None leaves it to the robot."""
    stall_torque: float | None = None
    """Torque at rest, were there no limit (N·m); None for no torque-speed curve."""
    no_load_speed: float | None = None
    """Speed without torque (rad/s)."""
    timestep: float | None = None
    """Time between evaluations (s), which a recurrent network has learned; None for any."""
    states: tuple[tuple[int, int], ...] = ()
    """Layers and width of each hidden state of a recurrent network, as (2, 8) and (2, 8) of an
    LSTM; () for a network that forgets."""
    hidden: tuple[int, ...] = ()
    """Widths of the hidden layers of a text file."""
    activation: str = "softsign"
    """Of the hidden layers of a text file."""

    seen: Inputs = field(init=False)
    """The inputs."""
    limits: Limits = field(init=False)
    """Between which torques it stays."""

    def __post_init__(self) -> None:
        require(
            len(self.inputs) > 0, "layout inputs", self.inputs, "[quantity, lag in seconds] each"
        )
        self._require_numbers()
        names, lags = zip(*self.inputs, strict=True)
        limits = Limits(self.torque_limit, self.stall_torque, self.no_load_speed)
        object.__setattr__(self, "seen", Inputs(tuple(names), tuple(lags)))
        object.__setattr__(self, "limits", limits)
        for name in ("offset", "scale"):
            ok = len(getattr(self, name)) in (0, len(self.inputs))
            require(ok, f"layout {name}", getattr(self, name), f"{len(self.inputs)} numbers")

    def _require_numbers(self) -> None:
        """Raise ValueError for what is no number, or none of its kind."""
        for name in ("offset", "scale", "torque_scale", "timestep"):
            value = getattr(self, name)
            several = value if isinstance(value, tuple) else (value,)
            ok = all(isinstance(v, Real) and np.isfinite(float(v)) for v in several)
            ok = ok or (name == "timestep" and value is None)
            require(ok, f"layout {name}", value, "of finite numbers")
        pairs = all(isinstance(state, tuple) and len(state) == 2 for state in self.states)
        need = "[layers, width] each, whole numbers from 1 on"
        require(pairs and _whole(chain(*self.states)), "layout states", self.states, need)
        require(_whole(self.hidden), "layout hidden", self.hidden, "whole numbers from 1 on")

    @property
    def shift(self) -> np.ndarray:
        """What is added to the inputs, (inputs,)."""
        return np.array(self.offset or (0.0,) * len(self.inputs), np.float32)

    @property
    def factor(self) -> np.ndarray:
        """What the inputs are multiplied by, (inputs,)."""
        return np.array(self.scale or (1.0,) * len(self.inputs), np.float32)

    @classmethod
    def of(cls, content: Any, where: str) -> Layout:
        """Return the layout in a JSON file's content.

        Raises:
            ValueError: a setting is unknown, lacking, or of another kind.
        """
        known = [one.name for one in fields(cls) if one.init]
        if not isinstance(content, dict) or "inputs" not in content:
            raise UsageError(f"{where} lacks inputs: give a list of [quantity, lag in seconds]")
        for name in content:
            require(name in known, f"a setting of {where}", name, f"one of {', '.join(known)}")
        try:
            return cls(**{name: _tuples(value) for name, value in content.items()})
        except (TypeError, AttributeError) as error:
            raise UsageError(f"{where} does not fit: {error}; docs/tasks.md says how") from error
        except ValueError as error:
            raise UsageError(f"{where}: {error}") from error


def _whole(values: Iterable[Any]) -> bool:
    return all(isinstance(v, Integral) and int(v) >= 1 for v in values)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


_THRICE = (0.015, 0.0075, 0.0)
HWANGBO_2019 = Layout(
    inputs=(
        *(("joint_velocity", lag) for lag in _THRICE),
        *(("position_error", lag) for lag in _THRICE),
    ),
    offset=(0.003,) * 3 + (0.005,) * 3,
    scale=(0.474, 0.473, 0.473, 7.629, 7.629, 7.628),
    torque_scale=20.0,
    torque_limit=40.0,
    hidden=(32, 32),
)
"""The networks that are published with Hwangbo et al. 2019, `seaModel_*.txt`: a line of numbers
with commas, layer by layer the weights, column by column, and the biases. Scales and lags are
those of its simulation (`ANYmal_minimal.hpp`)."""
LEGGED_GYM = Layout(
    inputs=(("position_error", 0.0), ("joint_velocity", 0.0)),
    timestep=0.005,
    states=((2, 8), (2, 8)),
)
"""`anydrive_v3_lstm.pt` of legged_gym (Rudin et al. 2021, arXiv 2109.11978): an LSTM of two layers
of 8, evaluated in physics steps of 5 ms."""

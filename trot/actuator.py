"""`python train.py actuator DATA --out FILE`: fit a model of a drive to measurements of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import tyro
from rich.table import Table

from algos import terminal
from algos.actuator import data, fitting, plot
from algos.actuator.fitting import Fitting, rms
from algos.runs.files import check_writable
from algos.training.options import require
from algos.training.parsing import parse
from envs.sim import actuators
from envs.sim.actuators.timing import microseconds

SIMULATIONS, JOINTS = 1024, 12
"""Of the speed that is told."""


@dataclass(frozen=True)
class Options:
    """Fit a model of a joint's drive, for `--drive network --env.drive.file FILE`."""

    data: tyro.conf.Positional[Path]
    """An .npz or .csv with position_error (rad), joint_velocity (rad/s) and torque (N·m): series,
    or in an .npz histories (N, H) of the first two, oldest first."""
    out: Path
    """Write the model here, .npz; a picture is written beside it."""
    rate: float = 400.0
    """Samples a second of the data (Hz)."""
    lags: tuple[float, ...] = (0.0, 0.005, 0.01, 0.015)
    """How long ago the model sees error and speed (s). A simulation's physics step must divide
    them."""
    train_share: float = 0.75
    """Share of the samples, from the start, that the model is fitted to; it is judged by the
    later ones."""
    torque_limit: float | None = None
    """Largest torque of the drive (N·m); by default 1.25 times the largest measured one."""
    seed: int = 0
    """Of the networks' first weights."""
    fitting: Fitting = field(default_factory=Fitting)
    """How it is fitted."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of bounds."""
        require(0 < self.rate <= 1e6, "rate", self.rate, "in (0, 1e6] Hz")
        require(0 < self.train_share < 1, "train_share", self.train_share, "in (0, 1)")
        ok = 0.0 in self.lags and all(0 <= lag <= 1 for lag in self.lags)
        require(ok, "lags", self.lags, "times in [0, 1] s that include the present, 0")
        require(0 <= self.seed < 2**32, "seed", self.seed, "in [0, 2**32)")
        limit = self.torque_limit
        require(limit is None or 0 < limit < 1e6, "torque_limit", limit, "positive (N·m)")
        for name in ("units", "networks", "steps"):
            value = getattr(self.fitting, name)
            require(1 <= value <= 100_000, f"fitting.{name}", value, "in 1 to 100000")
        for name in ("learning_rate", "weight_decay"):
            value = getattr(self.fitting, name)
            require(0 <= value <= 10, f"fitting.{name}", value, "in [0, 10]")


def main(arguments: list[str]) -> None:
    """Parse, fit, write the model and its picture, and print how good it is."""
    options = parse(Options, arguments, owner="train.py actuator", prog="train.py actuator")
    check_writable(options.out, ".npz")
    picture = options.out.with_suffix(".png")
    check_writable(picture, ".png")
    measured = data.load(options.data, options.rate, options.lags)
    train, test = measured.split(options.train_share)
    every, _ = data.load(options.data, options.rate, None).split(options.train_share)
    began = time.perf_counter()
    torch.set_num_threads(1)  # the matrices are small
    model = fitting.fit(train, options.fitting, options.seed, options.torque_limit)
    seconds = time.perf_counter() - began
    model.save(options.out)
    gains = fitting.pd_gains(train)
    names = f"model, {len(model.output)} pairs", f"PD, {gains[0]:.1f} and {gains[1]:.2f} fitted"
    parts = {
        names[0]: [model.torque(part.inputs) for part in (train, test)],
        names[1]: [fitting.pd_torque(gains, part) for part in (train, test)],
    }
    plot.draw(picture, test.torque, {name: torques[1] for name, torques in parts.items()})
    _tell(options, parts, (train, test), every)
    actuator = actuators.unpack(actuators.pack(str(options.out), terminal.absolute(options.out)))
    speed = microseconds(actuator, SIMULATIONS, JOINTS) / SIMULATIONS
    console = terminal.console()
    console.print(
        f"fitted in {seconds:.1f} s; {speed:.2f} µs a robot of {JOINTS} joints, "
        f"{SIMULATIONS} at once"
    )
    print(f"model: {options.out}\npicture: {picture}", file=terminal.stdout())


def _tell(
    options: Options,
    parts: dict[str, list[np.ndarray]],
    samples: tuple[data.Measurements, data.Measurements],
    every: data.Measurements,
) -> None:
    """Print RMS errors, with those of a line through all that the data has of the past."""
    train, test = samples
    table = Table("", "fitted to", "held out", title="RMS torque error (N·m)")
    for name, torques in parts.items():
        errors = [rms(t, part.torque) for t, part in zip(torques, samples, strict=True)]
        table.add_row(name, *(f"{error:.3f}" for error in errors))
    whole = data.load(options.data, options.rate, None)
    line = fitting.least_squares(every.inputs, every.torque)
    errors = [rms(p.inputs @ line, p.torque) for p in (every, whole.rows(slice(len(every), None)))]
    table.add_row(f"line, {len(line)} inputs", *(f"{error:.3f}" for error in errors))
    table.caption = f"{len(train)} samples, and the {len(test)} after them"
    terminal.console().print(table)

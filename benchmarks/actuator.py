"""How long learned actuators take: `python -m benchmarks.actuator`.

One evaluation for all joints of many robots, histories included, of the committed knee, of the
architecture of Hwangbo et al. 2019 (6-32-32-1, softsign; random weights) evaluated once, and of the
same made odd, as the drive evaluates networks that others trained. The rivals take turns, so that a
busy machine slows all alike. Prints the table and writes benchmarks/actuator.json.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from envs.sim import actuators
from envs.sim.actuators import Actuator
from envs.sim.actuators.inputs import Inputs
from envs.sim.actuators.layout import HWANGBO_2019
from envs.sim.actuators.perceptron import Perceptron
from envs.sim.actuators.timing import microseconds

FILE = Path(__file__).with_suffix(".json")
KNEE = Path(__file__).parent.parent / "policies" / "anydrive_knee.npz"
WIDTHS = (6, 32, 32, 1)
"""Of the paper's network."""


@dataclass(frozen=True)
class Options:
    """What is timed."""

    robots: int = 1024
    """Robots at once."""
    joints: int = 12
    """Joints of each."""
    rounds: int = 20
    """Turns of each rival."""
    evaluations: int = 20
    """Evaluations in a turn, whose median counts."""


def paper() -> Perceptron:
    """Return a network of the paper's architecture, its lags in steps of 5 ms."""
    rng = np.random.default_rng(0)
    layers = tuple(
        (rng.normal(0, k**-0.5, (m, k)).astype(np.float32), np.zeros(m, np.float32))
        for k, m in pairwise(WIDTHS)
    )
    seen = Inputs(HWANGBO_2019.seen.quantities, (0.01, 0.005, 0.0) * 2)
    straight = np.zeros(WIDTHS[0], np.float32)
    return Perceptron(seen, layers, straight, "softsign", HWANGBO_2019.limits)


def main(options: Options) -> None:
    """Time the rivals, print and write what they take."""
    network = paper()
    rivals: dict[str, Actuator] = {
        "the committed knee": actuators.unpack(actuators.pack(str(KNEE), KNEE)),
        "6-32-32-1, once": replace(network, oddness="none"),
        "6-32-32-1, made odd": network,
    }
    turns: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(options.rounds):
        for name, actuator in rivals.items():
            time = microseconds(actuator, options.robots, options.joints, options.evaluations)
            turns[name].append(time / options.robots)
    table = Table("", "µs a robot", "fastest turn", title=f"{options.robots} robots at once")
    found = {}
    for name, times in turns.items():
        found[name] = {"median": statistics.median(times), "fastest": min(times)}
        table.add_row(name, *(f"{value:.2f}" for value in found[name].values()))
    Console().print(table)
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    content = {"machine": machine, **vars(options), "microseconds_a_robot": found}
    FILE.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options))

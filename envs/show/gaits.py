"""Footfall diagrams of the gaits, for the docs: `python -m envs.show.gaits FILE.svg`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from envs.mdp.gaits.library import FOUR_LEGGED, NamedGait
from envs.show.report.figures import QUADRUPED, STYLE

LEGS = ("LF", "RF", "LH", "RH")
STRIDES = 2.0
"""Time that is drawn, in strides."""
FLAT: Any = STYLE | {"font.size": 9, "axes.titlesize": 10, "axes.grid": False}


def stances(gait: NamedGait) -> list[list[tuple[float, float]]]:
    """Return for each leg when its stances begin and how long they are (strides)."""
    return [
        [
            (max(start, 0.0), min(start + gait.duty, STRIDES) - max(start, 0.0))
            for start in place + np.arange(-1.0, STRIDES)
            if start + gait.duty > 0.0
        ]
        for place in gait.footfalls
    ]


def diagram(axis: Axes, name: str, gait: NamedGait) -> None:
    """Draw when each foot is on the ground (Hildebrand's diagram)."""
    for row, (bars, colour) in enumerate(zip(stances(gait), QUADRUPED, strict=True)):
        axis.broken_barh(bars, (row - 0.36, 0.72), facecolors=colour)
    axis.set_title(f"{name}: duty {gait.duty:g}, {gait.frequency:g} Hz", loc="left")
    axis.set_yticks(range(len(LEGS)), LEGS)
    axis.invert_yaxis()
    axis.set_xlim(0, STRIDES)
    axis.set_xticks(np.arange(0, STRIDES + 0.1, 0.5))
    axis.tick_params(axis="y", length=0)


def draw() -> Figure:
    """Return the diagrams of all gaits."""
    figure = Figure((9.0, 4.8))
    axes = figure.subplots(3, 3, sharex=True)
    for axis, (name, gait) in zip(axes.flat, FOUR_LEGGED.items(), strict=True):
        diagram(axis, name, gait)
    for axis in axes[-1]:
        axis.set_xlabel("strides")
    return figure


def main(path: Path) -> None:
    """Write the diagrams."""
    nothing = dict.fromkeys(("Date", "Creator"))
    with mpl.rc_context(FLAT):
        draw().savefig(path, facecolor="white", metadata=nothing)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    main(parser.parse_args().file)

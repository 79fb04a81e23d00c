"""A picture of a drive's model: predicted against measured torques."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from algos.runs.files import replacing


def draw(path: Path, measured: np.ndarray, predicted: dict[str, np.ndarray]) -> None:
    """Write a PNG: the torques over the samples, and against each other.

    Args:
        path: of the PNG.
        measured: torques that were held out (N·m), (N,).
        predicted: those of each model by its label, (N,) each.
    """
    from matplotlib.figure import Figure  # takes half a second that no training needs

    figure = Figure(figsize=(11, 4), layout="constrained")
    course, against = figure.subplots(1, 2, width_ratios=(2, 1))
    course.plot(measured, color="black", linewidth=1.5, label="measured")
    reach = [float(measured.min()), float(measured.max())]
    against.plot(reach, reach, color="black", linewidth=1)
    for label, torque in predicted.items():
        course.plot(torque, linewidth=1, label=label)
        against.plot(measured, torque, ".", markersize=3, label=label)
    course.set(xlabel="held-out sample", ylabel="torque (N·m)")
    against.set(xlabel="measured torque (N·m)", ylabel="predicted torque (N·m)")
    course.legend()
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=120)

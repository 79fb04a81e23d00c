"""A report's figures, as SVG to be set into a page; text and axes take the page's colour."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from colorsys import hsv_to_rgb
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure

from envs.judge.intervals import wilson
from envs.judge.rising import Rising
from envs.judge.trials import RECOVERY, Pushes, Steady, Tracking

WIDTH = 11.0
"""Width of a figure (inches); the page scales it."""
INK = "#0a0b0c"
"""Stands for the page's text colour."""
COMMANDED, ACTUAL, LIMIT = "#2eb352", "#2f7ff0", "#d6453d"
"""Colours of commands, of what the robot did, and of limits; the first two near the video's."""
QUADRUPED = ("#2f6fd0", "#e07b26", "#edb27c", "#86b3ee")
"""Colours of LF RF LH RH; diagonal legs share a hue."""
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "trot",  # the same ids every time
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "figure.constrained_layout.use": True,
    **{f"{name}.color": INK for name in ("text", "xtick", "ytick")},
    **{f"axes.{name}": INK for name in ("edgecolor", "labelcolor", "titlecolor")},
    "legend.frameon": False,
}
_BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "boxstyle": "round,pad=0.2"}
_CENTRED: Any = {"ha": "center", "va": "center", "fontsize": 8.5}


def tracking(errors: Tracking) -> str:
    """Draw the velocity and yaw rate errors over the commanded forward speed and yaw rate."""
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 4.4))
        axes = figure.subplots(1, 2)
        speeds, yaws = _middles(errors.speed_edges), _middles(errors.yaw_edges)
        shown = (("Velocity error (m/s)", errors.velocity), ("Yaw rate error", errors.yaw_rate))
        for axis, (title, values), unit in zip(axes, shown, ("", " (rad/s)"), strict=True):
            largest = max(float(np.nan_to_num(values).max()), 1e-6)
            axis.pcolormesh(errors.yaw_edges, errors.speed_edges, values, vmin=0, vmax=largest)
            for (i, j), value in np.ndenumerate(values):
                if np.isfinite(value):
                    colour = "black" if value > 0.6 * largest else "white"
                    axis.text(yaws[j], speeds[i], f"{value:.2f}", color=colour, **_CENTRED)
            axis.set_title(title + unit)
            axis.set_xlabel("commanded yaw rate (rad/s), left positive")
            axis.set_ylabel("commanded forward speed (m/s)")
            axis.set_xticks(errors.yaw_edges)
            axis.set_yticks(errors.speed_edges)
            axis.grid(visible=False)
        return _svg(figure, "tracking", "Tracking errors by command")


def leg_colours(legs: int) -> tuple[str, ...]:
    """Return a colour for each leg: QUADRUPED's of four, else hues from orange to violet."""
    if legs == len(QUADRUPED):
        return QUADRUPED
    hues = 0.08 + 0.84 * np.arange(legs) / legs  # red is for limits
    return tuple(to_hex(hsv_to_rgb(hue, 0.7, 0.8)) for hue in hues)


def footfall_diagram(steady: Steady, legs: Sequence[str]) -> str:
    """Draw when each leg's foot is on the ground (Hildebrand's diagram)."""
    r = steady.recording
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 0.7 + 0.35 * len(legs)))
        axis = figure.subplots()
        for row, (leg, colour) in enumerate(zip(legs, leg_colours(len(legs)), strict=True)):
            contact = np.concatenate([[False], r.foot_contact[:, 0, row], [False]])
            edges = np.flatnonzero(contact[1:] != contact[:-1]).reshape(-1, 2) * r.dt
            bars = [(start, end - start) for start, end in edges]
            axis.broken_barh(bars, (row - 0.36, 0.72), facecolors=colour, label=leg)
        axis.set_yticks(range(len(legs)), legs)
        axis.invert_yaxis()
        axis.set_xlim(0, len(r.alive) * r.dt)
        axis.set_xlabel("time (s)")
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False, axis="y")
        return _svg(figure, "gait", "Contacts of the feet over time")


def body_motion(steady: Steady) -> str:
    """Draw forward speed against its command, height and tilt of the base over time."""
    r = steady.recording
    time = np.arange(len(r.alive)) * r.dt
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 2.5))
        axes = figure.subplots(1, 3)
        axes[0].plot(time, r.velocity[:, 0, 0], color=ACTUAL, label="actual")
        if not np.isnan(forward := r.velocity_command[0, 0, 0]):
            axes[0].axhline(forward, color=COMMANDED, ls="--", label="commanded")
        axes[0].legend(ncols=2, loc="lower right", fontsize=9)
        axes[1].plot(time, r.base_height[:, 0], color=ACTUAL)
        axes[2].plot(time, np.degrees(r.base_tilt[:, 0]), color=ACTUAL)
        axes[2].set_ylim(bottom=0)
        _widen(axes[0], 0.2)
        _widen(axes[1], 0.04)
        for axis, title in zip(
            axes, ("Forward speed (m/s)", "Base height (m)", "Base tilt (°)"), strict=True
        ):
            axis.set_title(title)
            axis.set_xlabel("time (s)")
            axis.set_xlim(0, len(time) * r.dt)
        return _svg(figure, "body", "Speed, height and tilt of the base over time")


def joints(steady: Steady, names: Sequence[str], legs: int) -> str:
    """Draw position, velocity and torque of every joint over time, with the limits in reach.

    Args:
        steady: what was recorded.
        names: of the joints, leg by leg, every leg with as many.
        legs: number of legs, a column each.
    """
    per_leg, colours = len(names) // legs, leg_colours(legs)
    fixed = {"figure.constrained_layout.use": False}  # which takes 2 s for so many axes
    with mpl.rc_context(STYLE | fixed | {"lines.linewidth": 1.1}):
        figure = Figure((WIDTH, 3.5 * per_leg))
        parts = figure.subfigures(per_leg, 1, squeeze=False)[:, 0]
        for part, subfigure in enumerate(parts):
            axes = subfigure.subplots(3, legs, sharex=True, sharey="row", squeeze=False)
            subfigure.subplots_adjust(0.065, 0.15, 0.995, 0.91, 0.08, 0.16)
            for leg, column in enumerate(axes.T):
                joint = leg * per_leg + part
                column[0].set_title(names[joint], fontweight="bold")
                _draw_joint(column, steady, joint, colours[leg])
            _add_reachable_limits(axes[0], steady.limits["position"][part::per_leg])
            for axis, label in zip(axes[:, 0], ("rad", "rad/s", "N·m"), strict=True):
                axis.set_ylabel(label)
            for axis in axes[-1]:
                axis.set_xlabel("time (s)")
            subfigure.align_ylabels()
        return _svg(figure, "joints", "Joint positions, velocities and torques over time")


def _draw_joint(column: np.ndarray, steady: Steady, joint: int, colour: str) -> None:
    """Draw one joint into three axes."""
    r, limits = steady.recording, steady.limits
    time = np.arange(len(r.alive)) * r.dt
    for axis, values in zip(column, (r.joint_pos, r.joint_vel, r.torque), strict=True):
        axis.plot(time, values[:, 0, joint], color=colour)
        axis.set_xlim(0, len(time) * r.dt)
    for axis, kind in zip(column[1:], ("speed", "torque"), strict=True):
        for bound in (-limits[kind][joint], limits[kind][joint]):
            axis.axhline(bound, color=LIMIT, lw=0.9, ls="--")


def push_map(pushes: Pushes) -> str:
    """Draw the share that withstood its push, by size and direction, and by size alone."""
    with np.errstate(invalid="ignore"):
        share = pushes.withstood / pushes.robots
        by_size = pushes.withstood.sum(axis=1) / pushes.robots.sum(axis=1)
    sector, ring = _step(pushes.directions), _step(pushes.sizes)
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 4.2))
        polar: Any = figure.add_subplot(1, 2, 1, projection="polar")
        colours = mpl.colormaps["viridis"]
        for size, row in zip(pushes.sizes, share, strict=True):
            fill = [colours(v) if np.isfinite(v) else "none" for v in row]
            bottom = size - ring / 2
            polar.bar(pushes.directions, ring, sector, bottom, color=fill, edgecolor=fill, lw=0.5)
        polar.set_theta_zero_location("N")
        polar.set_thetagrids([0, 90, 180, 270], ["ahead", "left", "back", "right"])
        polar.set_rgrids([], [])
        for size in pushes.sizes[1::2]:
            polar.text(sector / 2, size, f"{size:g} m/s", bbox=_BOX, color="black", **_CENTRED)
        polar.spines["polar"].set_visible(False)
        polar.grid(visible=False)
        scale = ScalarMappable(Normalize(0, 1), colours)
        figure.colorbar(scale, ax=polar, label="share still up", pad=0.12, shrink=0.8)
        curve = figure.add_subplot(1, 2, 2)
        low, high = wilson(pushes.withstood.sum(axis=1), pushes.robots.sum(axis=1))
        curve.fill_between(pushes.sizes, low, high, color=ACTUAL, alpha=0.2, lw=0)
        curve.plot(pushes.sizes, by_size, "o-", color=ACTUAL)
        curve.set_ylim(-0.02, 1.04)
        curve.set_xlabel("size of the push (m/s)")
        curve.set_ylabel(f"share still up after {RECOVERY:g} s")
        curve.set_title("All directions, with 95 % interval")
        return _svg(figure, "pushes", "Share of the robots that withstand a push")


def speed_ladder(found: dict[str, Any]) -> str:
    """Draw the speed that is held and the velocity error by commanded forward speed."""
    rungs = found["speeds"]
    told = [rung["command"] for rung in rungs]
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 3.2))
        held, error = figure.subplots(1, 2)
        held.plot(told, told, color=COMMANDED, ls="--", label="commanded")
        held.plot(told, [rung["held"] for rung in rungs], "o-", color=ACTUAL, label="held")
        held.legend(loc="upper left", fontsize=9)
        held.set_title("Speed that is held (m/s)")
        errors = {r["command"]: r["lin_vel_error"] for r in rungs if r["fall_rate"]["mean"] < 1}
        ends = [[v["low"], v["high"]] for v in errors.values()]
        for speed, span in zip(errors, ends, strict=True):
            error.plot([speed] * 2, span, color=ACTUAL, lw=3)
        error.plot([*errors], [v["mean"] for v in errors.values()], "o-", color=ACTUAL)
        error.set_ylim(bottom=0)
        error.set_title("Velocity error (m/s), with 95 % interval")
        for axis in (held, error):
            axis.set_xlabel("commanded forward speed (m/s)")
        return _svg(figure, "speeds", "Speed held and velocity error by commanded speed")


def rising_curves(rising: Rising) -> str:
    """Draw the share of robots that are upright, and in the nominal stance, over time."""
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, 3.2))
        axis = figure.subplots()
        for label, times, colour in (
            ("upright", rising.upright, ACTUAL),
            ("in the nominal stance", rising.stance, COMMANDED),
        ):
            at = np.append(np.sort(times[np.isfinite(times)]), rising.seconds)
            share = np.minimum(np.arange(1, len(at) + 1), len(at) - 1) / len(times)
            axis.step(at, share, where="post", color=colour, label=label)
        axis.set_xlim(0, rising.seconds)
        axis.set_ylim(-0.02, 1.04)
        axis.set_xlabel("time since the drop (s)")
        axis.set_ylabel("share of the robots, for good")
        axis.legend(loc="lower right", fontsize=9)
        return _svg(figure, "rising", "Share of the robots that are up over time")


def _add_reachable_limits(row: np.ndarray, limits: np.ndarray) -> None:
    """Draw those position limits, (axes, 2), that lie within a row's axes or close to them."""
    low, high = row[0].get_ylim()
    margin = 0.5 * (high - low)
    for axis, bounds in zip(row, limits, strict=True):
        for bound in bounds:
            if low - margin <= bound <= high + margin:
                axis.axhline(bound, color=LIMIT, lw=0.9, ls="--")


def _widen(axis: Axes, least: float) -> None:
    """Give an axis a span of at least `least`, so that a steady value looks steady."""
    low, high = axis.get_ylim()
    more = max(least - (high - low), 0.0) / 2
    axis.set_ylim(low - more, high + more)


def _middles(edges: np.ndarray) -> np.ndarray:
    return (edges[1:] + edges[:-1]) / 2


def _step(values: np.ndarray) -> float:
    """Distance of evenly spaced values."""
    return float(values[1] - values[0]) if len(values) > 1 else float(values[0])


def _svg(figure: Figure, name: str, label: str) -> str:
    """Return the figure as an svg element with a label, its ids preceded by its name."""
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)

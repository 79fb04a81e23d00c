"""Plots of the web page: commanded against actual velocity, and what each reward term pays."""

from __future__ import annotations

import colorsys
from collections import deque

import numpy as np
import viser
from viser import uplot

from envs.mdp.commands import VELOCITY
from envs.show.live import Live

SPAN, MEAN_OVER = 10.0, 0.1
"""Length of the plots, and over what each of their points averages (s)."""
_MARGIN = 1.25
"""Height of a velocity's plot, in its largest command."""
_COMMANDED, _ACTUAL = (0.05, 0.55, 0.20), (0.16, 0.46, 0.95)
"""Green and blue as over the robot, with _LUMINANCE."""
_LUMINANCE = 0.2
"""Relative luminance of a line: 4 : 1 against white, and against viser's dark panels, too."""
_DASH = (6.0, 4.0)
"""Length of a line's dashes and of its gaps (pixels)."""
_DIGITS = 3
"""Digits after the point in the legends."""
_LATEST = uplot.Cursor(left=1e5, top=0.0, x=False, y=False, points=uplot.Cursor_Points(show=False))
"""A cursor beyond the right edge, so that the legend says the latest values."""
AXES = ("vx (m/s)", "vy (m/s)", "yaw (rad/s)")
"""Forward, leftward, turning left."""


class Plots:
    """A panel with the last seconds of a live simulation.

    Args:
        gui: where the panel is added.
        live: the simulation.
    """

    def __init__(self, gui: viser.GuiApi, live: Live) -> None:
        self._live, terms = live, list(live.env.reward_rates())
        self._rows: deque[np.ndarray] = deque(maxlen=round(SPAN / MEAN_OVER))
        self._pending: list[np.ndarray] = []
        self._every = max(round(MEAN_OVER / live.env.config.simulation.dt), 1)
        self._seen = live.steps
        panel = gui.add_panel()
        empty = np.zeros(1)
        with panel.add_tab("Velocity"):
            self._velocities = [
                gui.add_uplot(
                    (empty, empty, empty),
                    (
                        _line("s"),
                        _line("command", _COMMANDED, dashed=True),
                        _line("actual", _ACTUAL),
                    ),
                    title=name,
                    scales={"x": uplot.Scale(time=False), "y": _scale(limits)},
                    axes=(uplot.Axis(), uplot.Axis(space=20)),
                    cursor=_LATEST,
                    height=140,
                    padding=(8, 24, 0, 0),
                )
                for name, limits in zip(AXES, _velocity_limits(live), strict=True)
            ]
        with panel.add_tab("Rewards"):
            weights = np.array([live.env.config.rewards[name].weight for name in terms])
            signs = {"gains": weights > 0, "costs": weights < 0}
            self._rewards = [
                (chosen, _reward_plot(gui, title, [terms[i] for i in chosen]))
                for title, sign in signs.items()
                if len(chosen := np.flatnonzero(sign))
            ]
        panel.dock_left()

    def add_step(self) -> None:
        """Take in a new step, if there is one."""
        live = self._live
        if live.steps == self._seen:
            return
        self._seen = live.steps
        rewards = [float(value[0]) for value in live.env.reward_rates().values()]
        self._pending.append(
            np.array([live.time, *live.velocity_command, *live.velocity, *rewards])
        )
        if len(self._pending) == self._every:
            self._rows.append(np.mean(self._pending, axis=0))
            self._pending.clear()

    def draw(self) -> None:
        """Send the plots."""
        if not self._rows:
            return
        time, *columns = np.array(self._rows).T.round(_DIGITS)
        for axis, plot in enumerate(self._velocities):
            plot.data = (time, columns[axis], columns[3 + axis])
        for terms, plot in self._rewards:
            plot.data = (time, *(columns[6 + i] for i in terms))


def _reward_plot(gui: viser.GuiApi, title: str, terms: list[str]) -> viser.GuiUplotHandle:
    """Add a plot with a line of its own hue for each term, solid and dashed in turn."""
    n = len(terms)
    lines = (_line(name, hue(i / n), dashed=i % 2 == 1) for i, name in enumerate(terms))
    return gui.add_uplot(
        (np.zeros(1),) * (1 + n),
        (_line("s"), *lines),
        title=f"{title} per second (click a name to hide)",
        scales={"x": uplot.Scale(time=False)},
        cursor=_LATEST,
        height=280,
        padding=(8, 24, 0, 0),
    )


def hue(share: float) -> tuple[float, float, float]:
    """Return the colour of a hue, in turns from red, that is _LUMINANCE bright."""
    low, high = 0.0, 1.0
    while high - low > 1e-3:
        lightness = (low + high) / 2
        darker = luminance(colorsys.hls_to_rgb(share, lightness, 0.9)) < _LUMINANCE
        low, high = (lightness, high) if darker else (low, lightness)
    return colorsys.hls_to_rgb(share, low, 0.9)


def luminance(colour: tuple[float, float, float]) -> float:
    """Return the relative luminance of an sRGB colour (WCAG 2.2), in [0, 1]."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _line(
    name: str, colour: tuple[float, float, float] = (0.0, 0.0, 0.0), dashed: bool = False
) -> uplot.Series:
    red, green, blue = (round(255 * c) for c in colour)
    line = uplot.Series(label=name, stroke=f"rgb({red},{green},{blue})", width=2)
    return line | uplot.Series(dash=_DASH) if dashed else line


def _velocity_limits(live: Live) -> list[np.ndarray]:
    """Lowest and highest velocity commands, (2,) each, 0 of those that the task lacks."""
    limits = dict(zip(live.env.config.commands.names, live.limits, strict=True))
    return [limits.get(name, np.zeros(2)) for name in VELOCITY]


def _scale(limits: np.ndarray) -> uplot.Scale:
    """Return an axis that holds still, a little longer than a command's limits."""
    largest = _MARGIN * (np.abs(limits).max() or 1.0)
    return uplot.Scale(auto=False, range=(-largest, largest))

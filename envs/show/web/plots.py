"""Plots of the web page: commanded against actual velocity, and what each reward term pays."""

from __future__ import annotations

import colorsys
from collections import deque

import numpy as np
import viser
from viser import uplot

from envs.mdp.commands import VELOCITY
from envs.render.overlay import ACTUAL, COMMANDED
from envs.show.live import Live

SPAN, MEAN_OVER = 10.0, 0.1
"""Length of the plots, and over what each of their points averages (s)."""
_MARGIN = 1.25
"""Height of a velocity's plot, in its largest command."""
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
                    (_line("s"), _line("command", COMMANDED), _line("actual", ACTUAL)),
                    title=name,
                    scales={"x": uplot.Scale(time=False), "y": _scale(limits)},
                    axes=(uplot.Axis(), uplot.Axis(space=20)),
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
        time, *columns = np.array(self._rows).T.copy()
        for axis, plot in enumerate(self._velocities):
            plot.data = (time, columns[axis], columns[3 + axis])
        for terms, plot in self._rewards:
            plot.data = (time, *(columns[6 + i] for i in terms))


def _reward_plot(gui: viser.GuiApi, title: str, terms: list[str]) -> viser.GuiUplotHandle:
    """Add a plot with a line of its own hue for each term, dark and light in turn."""
    n = len(terms)
    hues = [colorsys.hls_to_rgb(i / n, (0.35, 0.6)[i % 2], 0.8) for i in range(n)]
    return gui.add_uplot(
        (np.zeros(1),) * (1 + n),
        (_line("s"), *map(_line, terms, hues)),
        title=f"{title} per second (click to hide)",
        scales={"x": uplot.Scale(time=False)},
        height=280,
    )


def _line(name: str, colour: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> uplot.Series:
    red, green, blue = (round(255 * c) for c in colour)
    return uplot.Series(label=name, stroke=f"rgb({red},{green},{blue})", width=2)


def _velocity_limits(live: Live) -> list[np.ndarray]:
    """Lowest and highest velocity commands, (2,) each, 0 of those that the task lacks."""
    limits = dict(zip(live.env.config.commands.names, live.limits, strict=True))
    return [limits.get(name, np.zeros(2)) for name in VELOCITY]


def _scale(limits: np.ndarray) -> uplot.Scale:
    """Return an axis that holds still, a little longer than a command's limits."""
    largest = _MARGIN * (np.abs(limits).max() or 1.0)
    return uplot.Scale(auto=False, range=(-largest, largest))

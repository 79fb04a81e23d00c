"""What a long run shows on the terminal."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple

import numpy as np
from rich.console import RenderableType
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from algos.runs.metrics import ENOUGH, pooled
from algos.terminal import console


class Quantity(NamedTuple):
    """How a metric is told."""

    name: str
    text: str
    factor: float = 1.0

    def told(self, value: float) -> str:
        """Return a value with its unit."""
        return self.text.format(self.factor * value)


JUDGED = {
    "lin_vel_error": Quantity("velocity error", "{:.2f} m/s"),
    "yaw_rate_error": Quantity("yaw", "{:.2f} rad/s"),
    "fall": Quantity("falls", "{:.0f} %", 100.0),
}
"""Means over episodes by which robots are compared, by their names in `episode_means`."""


class Progress:
    """A live bar on a terminal; elsewhere, in a log file say, a line every `every` seconds.

    Args:
        total: environment steps of the whole run.
        done: environment steps of its earlier part, on a resumed run.
        shown: False shows nothing.
        episodes: finished episodes that `episode_return` is a mean of at the beginning.
        every: seconds between lines.
    """

    def __init__(
        self,
        total: int,
        done: int = 0,
        shown: bool = True,
        episodes: int = 0,
        every: float = 15.0,
    ) -> None:
        self._console = console(quiet=not shown)
        self._total, self._every = total, every
        self._bar = _Bar(
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            TextColumn("left, {task.completed:,.0f} of {task.total:,.0f} steps"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total, completed=done)
        self._start, self._done = time.monotonic(), done
        self._next_line, self._line = 0.0, ""
        self._episodes = episodes
        self._recent: list[Mapping[str, float]] = []

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.line = self._line
        self._bar.stop()

    def update(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Show how far the run is and its most telling metrics, as many as a line holds."""
        told = self._told(metrics)
        self._bar.line = self._line = fitting("", told, self._console.width)
        self._bar.update(self._task, completed=env_steps)
        now = time.monotonic()
        if self._bar.disable and (now >= self._next_line or env_steps >= self._total):
            left = (now - self._start) * (self._total - env_steps) / (env_steps - self._done)
            share = min(env_steps / self._total, 1.0)  # the last iteration is a whole one
            head = f"{100 * share:3.0f} %, {_clock(left)} left: "
            self.say(fitting(head, told, self._console.width))
            self._next_line = now + self._every

    def evaluating(self) -> None:
        """Say on the bar that an evaluation is running."""
        self._bar.line = "evaluating"
        self._bar.refresh()

    def evaluated(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Print what an evaluation found, in lines of its own where it is too long for one.

        Args:
            env_steps: steps of the training until then.
            metrics: `return_mean`, and if there are any `episodes`, errors and falls.
        """
        head = f"evaluation after {env_steps:,} steps:"
        told = [*judged(metrics), f"return {metrics['return_mean']:.1f}"]
        if "episodes" in metrics:
            told[-1] += f" ({_number(metrics['episodes'])})"
        found, width = ", ".join(told), self._console.width
        if len(head) + 1 + len(found) <= width:
            self.say(f"{head} {found}")
            return
        unbroken = ", ".join(words.replace(" ", "\xa0") for words in told)
        lines = textwrap.wrap(unbroken, max(width, 3), initial_indent="  ", subsequent_indent="  ")
        self.say("\n".join([head, *lines]).replace("\xa0", " "))

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(text, soft_wrap=True, highlight=False)

    def _told(self, metrics: Mapping[str, float]) -> list[str]:
        """Return what there is to tell, the most telling first."""
        self._episodes = min(self._episodes + int(metrics.get("episodes", 0)), ENOUGH)
        told = judged(self._pooled(metrics))
        if np.isfinite(metrics.get("episode_return", np.nan)):
            told.append(f"return {metrics['episode_return']:.1f} over {_number(self._episodes)}")
        if np.isfinite(metrics.get("kl", np.nan)):
            told.append(f"KL {metrics['kl']:.3f}")
        if "steps_per_second" in metrics:
            told.append(f"{metrics['steps_per_second']:,.0f} steps/s")
        return told

    def _pooled(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Return the means over enough of the last episodes, NaN while there are fewer."""
        self._recent.append(metrics)
        episodes = np.array([row.get("episodes", 0.0) for row in self._recent])
        keep = len(episodes) - np.searchsorted(np.cumsum(episodes[::-1]), ENOUGH) - 1
        del self._recent[: max(keep, 0)]
        episodes = episodes[-len(self._recent) :]
        columns = {
            name: np.array([row.get(f"episode/{name}", np.nan) for row in self._recent])
            for name in JUDGED
        }
        return {n: float(pooled(values, episodes)[-1]) for n, values in columns.items()}


class _Bar(RichProgress):
    """A bar with a line of text below it."""

    line = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield Text(self.line, no_wrap=True, overflow="ellipsis")


def judged(metrics: Mapping[str, float]) -> list[str]:
    """Return the errors and falls among means over episodes, in words."""
    known = {n: metrics[n] for n in JUDGED if np.isfinite(metrics.get(n, np.nan))}
    return [f"{JUDGED[n].name} {JUDGED[n].told(value)}" for n, value in known.items()]


def fitting(head: str, parts: Sequence[str], width: int) -> str:
    """Return a line of a head and those parts that it has room for, the first ones first."""
    kept: list[str] = []
    for part in parts:
        if len(head + ", ".join([*kept, part])) <= width:
            kept.append(part)
    return head + ", ".join(kept)


def _number(episodes: float) -> str:
    return "1 episode" if episodes == 1 else f"{episodes:.0f} episodes"


def _clock(seconds: float) -> str:
    """Return a time as 59:59 or 1:00:00."""
    minutes, seconds = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

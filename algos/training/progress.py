"""What a long run shows on the terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from algos.runs.metrics import ENOUGH, pooled

_POOLED = {
    "episode/lin_vel_error": "velocity error {:.2f} m/s",
    "episode/yaw_rate_error": "yaw {:.2f} rad/s",
    "episode/fall": "falls {:.0%}",
}
"""Means over episodes, shown when there are enough of them."""
_SHOWN = {
    "episode_return": "return {:.1f}",
    **_POOLED,
    "kl": "KL {:.3f}",
    "steps_per_second": "{:,.0f} steps/s",
}


class Progress:
    """A live bar on a terminal; elsewhere, in a log file say, a line every `every` seconds.

    Args:
        total: environment steps of the whole run.
        done: environment steps of its earlier part, on a resumed run.
        shown: False shows nothing.
        every: seconds between lines.
    """

    def __init__(self, total: int, done: int = 0, shown: bool = True, every: float = 15.0) -> None:
        self._console = Console(quiet=not shown)
        self._total, self._every = total, every
        self._bar = RichProgress(
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total, completed=done)
        self._start, self._done = time.monotonic(), done
        self._next_line = 0.0
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
        self._bar.stop()

    def update(self, env_steps: int, metrics: Mapping[str, float]) -> None:
        """Show how far the run is and its most telling metrics."""
        told = {n: v for n, v in {**metrics, **self._pooled(metrics)}.items() if np.isfinite(v)}
        shown = [text.format(told[name]) for name, text in _SHOWN.items() if name in told]
        self._bar.update(self._task, completed=env_steps, description=", ".join(shown))
        now = time.monotonic()
        if self._bar.disable and (now >= self._next_line or env_steps >= self._total):
            left = (now - self._start) * (self._total - env_steps) / (env_steps - self._done)
            head = f"{env_steps:>12,} / {self._total:,} steps, {max(left, 0):.0f} s left"
            self._console.print(
                f"{head}: {', '.join(shown)}", soft_wrap=True, markup=False, highlight=False
            )
            self._next_line = now + self._every

    def _pooled(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Return the means over enough of the last episodes, NaN while there are fewer."""
        self._recent.append(metrics)
        episodes = np.array([row.get("episodes", 0.0) for row in self._recent])
        keep = len(episodes) - np.searchsorted(np.cumsum(episodes[::-1]), ENOUGH) - 1
        del self._recent[: max(keep, 0)]
        episodes = episodes[-len(self._recent) :]
        columns = {n: np.array([row.get(n, np.nan) for row in self._recent]) for n in _POOLED}
        return {n: float(pooled(values, episodes)[-1]) for n, values in columns.items()}

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(text, soft_wrap=True, markup=False, highlight=False)

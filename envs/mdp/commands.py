"""Commands: what each robot is told to do, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import tyro

from envs.bounds import Range, require, require_choice, require_range, require_within

Component = Literal[
    "polar_x", "polar_y", "polar_z", "axial_x", "axial_y", "axial_z", "scalar", "foot"
]
"""How an entry transforms under the robot's mirrors: as a component of a polar vector (a velocity)
or of an axial one (a turning rate) in the base frame, or not at all. Those of a foot change places:
there is one for every leg, in leg order."""
VELOCITY = ("lin_vel_x", "lin_vel_y", "yaw_rate")
"""Names of the velocity command's entries: forward, leftward, turning left."""


@dataclass(frozen=True)
class Command:
    """One entry of the command vector."""

    range: Range
    """Smallest and largest value, in `unit`."""
    unit: Annotated[str, tyro.conf.Fixed] = ""
    """Unit of the value."""
    component: Annotated[Component, tyro.conf.Fixed] = "scalar"
    """How it transforms under the robot's mirrors."""
    rest: Annotated[float, tyro.conf.Fixed] = 0.0
    """Its value where nothing is asked for, or as near to that as the range allows."""

    def __post_init__(self) -> None:
        require_range("command range", self.range, -1e3, 1e3)
        require_choice("command component", self.component, Component)
        require_within("command rest", self.rest, -1e3, 1e3)


def velocity(
    lin_vel_x: Range = (0.0, 0.0), lin_vel_y: Range = (0.0, 0.0), yaw_rate: Range = (0.0, 0.0)
) -> dict[str, Command]:
    """Return the entries of a velocity command: forward and leftward (m/s), turning (rad/s)."""
    for name, value in zip(VELOCITY, (lin_vel_x, lin_vel_y, yaw_rate), strict=True):
        require_range(name, value, -10, 10)
    return {
        "lin_vel_x": Command(lin_vel_x, "m/s", "polar_x"),
        "lin_vel_y": Command(lin_vel_y, "m/s", "polar_y"),
        "yaw_rate": Command(yaw_rate, "rad/s", "axial_z"),
    }


def uniform(ranges: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n commands (n, entries), each entry uniform in its range, (entries, 2)."""
    return rng.uniform(ranges[:, 0], ranges[:, 1], (n, len(ranges)))


@dataclass(frozen=True)
class Commands:
    """A command vector of named entries, drawn anew after a random time."""

    entries: dict[str, Command] = field(default_factory=velocity)
    """Entries of the vector, in order; none for a task without commands."""
    function: Callable[[np.ndarray, int, np.random.Generator], np.ndarray] = uniform
    """Draws commands (n, entries) from ranges (entries, 2)."""
    interval: Range = (4.0, 4.0)
    """Time until the next command (s), uniform."""
    standing_share: float = 0.0
    """Probability that a new command is to stand: its velocities are 0, other entries at rest."""

    def __post_init__(self) -> None:
        require_range("interval", self.interval, 1e-3, 1e6)
        share = self.standing_share
        require(0 <= share <= 1, "standing_share", share, "a probability")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the entries."""
        return tuple(self.entries)

    @cached_property
    def ranges(self) -> np.ndarray:
        """Lowest and highest values, (entries, 2)."""
        return np.array([entry.range for entry in self.entries.values()]).reshape(-1, 2)

    @cached_property
    def nearest(self) -> np.ndarray:
        """The values of the ranges that are nearest to rest, (entries,)."""
        rest = np.array([entry.rest for entry in self.entries.values()])
        return np.clip(rest, *self.ranges.T)

    @cached_property
    def standing(self) -> np.ndarray:
        """The command to stand, (entries,): velocities are 0, others at rest."""
        return np.where([name in VELOCITY for name in self.names], 0.0, self.nearest)

    def fixed(self, command: Sequence[float]) -> Commands:
        """Return the commands that are this one, (entries,), throughout."""
        pairs = zip(self.entries.items(), command, strict=True)
        entries = {name: replace(e, range=(float(v), float(v))) for (name, e), v in pairs}
        return Commands(entries)


def sample(
    config: Commands, n: int, rng: np.random.Generator, share: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw n commands (n, entries), and how long each holds (s), (n,).

    Args:
        config: the commands.
        n: how many.
        rng: where they are drawn from.
        share: of the ranges, from their values nearest to rest; a curriculum may lower it.
    """
    ranges = config.ranges
    if share != 1.0:
        ranges = share * ranges + (1.0 - share) * config.nearest[:, None]
    command = config.function(ranges, n, rng)
    command[rng.random(n) < config.standing_share] = config.standing
    return command, rng.uniform(*config.interval, n)

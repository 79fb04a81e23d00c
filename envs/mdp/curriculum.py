"""Curricula: what the progress of a training changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from envs.bounds import require, require_whole

Scaled = Literal["rewards", "commands"]
"""What a curriculum can scale: the factor on the rewards that ask for it, the share of the
commands' ranges."""


@dataclass(frozen=True)
class Curriculum:
    """A level that is `initial` at first and then rises linearly to 1.

    The idea of Hwangbo et al. 2019 (k_{j+1} = k_j^{k_d}): track first, then walk well.
    Counted in transitions of the whole vector environment.
    """

    initial: float = 1.0
    """Level at the start."""
    hold: float = 0.0
    """Transitions at the initial level."""
    ramp: float = 1.0
    """Transitions over which it rises to 1."""

    def __post_init__(self) -> None:
        require(0 <= self.initial <= 1, "curriculum initial", self.initial, "in [0, 1]")
        require(0 <= self.hold < np.inf, "curriculum hold", self.hold, "0 or more transitions")
        need = "a positive number of transitions"
        require(0 < self.ramp < np.inf, "curriculum ramp", self.ramp, need)

    def level(self, transitions: int) -> float:
        """Return the level after this many transitions."""
        progress = min(max((transitions - self.hold) / self.ramp, 0.0), 1.0)
        return self.initial + (1.0 - self.initial) * progress


@dataclass(frozen=True)
class Geometric:
    """A level k that is `initial` at first, then k ** `power` after every iteration.

    k_{j+1} = k_j^{k_d} of Hwangbo et al. 2019, where an iteration j is `every` transitions of the
    whole vector environment.
    """

    initial: float = 0.3
    """Level at the start, k_0."""
    power: float = 0.997
    """Its exponent from one iteration to the next, k_d."""
    every: float = 8_192
    """Transitions in an iteration."""

    def __post_init__(self) -> None:
        require(0 <= self.initial <= 1, "curriculum initial", self.initial, "in [0, 1]")
        require(0 < self.power <= 1, "curriculum power", self.power, "in (0, 1]")
        need = "at least 1 transition"
        require(1 <= self.every < np.inf, "curriculum every", self.every, need)

    def level(self, transitions: int) -> float:
        """Return the level after this many transitions."""
        return self.initial ** (self.power ** (transitions // self.every))


@dataclass(frozen=True)
class Earned:
    """A level that rises by `step` when velocities are tracked well, episode by episode.

    As in legged_gym (Rudin et al. 2021, arXiv 2109.11978, `update_command_curriculum`), where the
    range of commands grows when the episodes that end are paid 80 % of what tracking can pay. Here
    an episode has succeeded if its mean velocity error is small and it did not end in a fall, and
    the level rises when `share` of the last `episodes` have; the next `episodes` are counted anew.
    """

    initial: float = 0.4
    """Level at the start."""
    step: float = 0.05
    """By how much it rises."""
    error: float = 0.3
    """Mean velocity error of an episode up to which it has succeeded (m/s)."""
    share: float = 0.8
    """Share of the episodes that must have succeeded."""
    episodes: int = 128
    """Episodes that are counted together."""

    def __post_init__(self) -> None:
        for name in ("initial", "step", "share"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"curriculum {name}", value, "in [0, 1]")
        require(0 < self.error < np.inf, "curriculum error", self.error, "above 0 m/s")
        require_whole("curriculum episodes", self.episodes, 1, 10**6)


Schedule = Curriculum | Geometric | Earned


class Levels:
    """The levels of all that can be scaled, 1 without a curriculum, as a training goes on.

    Args:
        curricula: by what they scale.
    """

    def __init__(self, curricula: Mapping[str, Schedule]) -> None:
        self._fixed = {n: c for n, c in curricula.items() if not isinstance(c, Earned)}
        self._earned = {n: c for n, c in curricula.items() if isinstance(c, Earned)}
        self._reached = {name: curriculum.initial for name, curriculum in self._earned.items()}
        self._counts = {name: [0, 0] for name in self._earned}  # that ended, that succeeded

    def __call__(self, transitions: int) -> dict[Scaled, float]:
        """Return the levels after this many transitions of the whole vector environment."""
        given = {name: c.level(transitions) for name, c in self._fixed.items()} | self._reached
        return {scaled: given.get(scaled, 1.0) for scaled in get_args(Scaled)}

    def count(self, means: dict[str, np.ndarray], done: np.ndarray) -> None:
        """Take note of the episodes that end, done (n,) bool, by their means, (n,) each."""
        for name, curriculum in self._earned.items():
            good = (means["lin_vel_error"] < curriculum.error) & (means["fall"] == 0)
            counts = self._counts[name]
            counts[0] += int(done.sum())
            counts[1] += int((good & done).sum())
            if counts[0] >= curriculum.episodes:
                rises = counts[1] >= curriculum.share * counts[0]
                self._reached[name] = min(1.0, self._reached[name] + curriculum.step * rises)
                counts[:] = 0, 0

    def state_dict(self) -> dict[str, Any]:
        """Return what was earned, under `levels`, if anything can be."""
        if not self._earned:
            return {}
        counts = {name: np.array(counts) for name, counts in self._counts.items()}
        return {"levels": {"reached": dict(self._reached), "counts": counts}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        for name in self._earned:
            self._reached[name] = float(state["levels"]["reached"][name])
            self._counts[name] = [int(count) for count in state["levels"]["counts"][name]]

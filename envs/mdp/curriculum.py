"""Curricula: what the progress of a training changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from envs.bounds import require

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


def levels(curricula: dict[str, Curriculum], transitions: int) -> dict[Scaled, float]:
    """Return the level of all that can be scaled, 1 without a curriculum."""
    given = {name: curriculum.level(transitions) for name, curriculum in curricula.items()}
    return {scaled: given.get(scaled, 1.0) for scaled in get_args(Scaled)}

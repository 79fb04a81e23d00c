"""Gaits that are commanded: the entries of the command, how they are drawn, the clock they set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from envs.bounds import require, require_within
from envs.mdp.commands import VELOCITY, Command, Commands
from envs.mdp.gaits.gait import Gait, foot_phase
from envs.mdp.gaits.library import FOUR_LEGGED, NamedGait, named, pace

FREQUENCY, DUTY = "gait_frequency", "duty"
SWING_HEIGHT, BODY_HEIGHT = "swing_height", "body_height"
FOOTFALL = "footfall_"
"""Begins the name of a leg's entry: when its foot comes down, as a share of the stride."""
SHIFT = 0.25
"""How fast a foot moves to another place in the stride, as a share of the clock's speed: half a
stride takes two, and no foot's phase ever runs backwards."""


def entries(
    legs: Sequence[str], leg_length: float, body_height: float, usual: NamedGait
) -> dict[str, Command]:
    """Return the entries of a command that says how to step.

    Args:
        legs: names of the legs.
        leg_length: of a stretched leg (m).
        body_height: of the base as one stands (m).
        usual: the gait in force where none is asked for.
    """
    faster, high = pace(leg_length), round(leg_length / 5, 3)
    told = {
        f"{FOOTFALL}{leg}": Command((0.0, 1.0), "of a stride", "foot", rest=place)
        for leg, place in zip(legs, usual.footfalls, strict=True)
    }
    lowest = round(body_height - 0.1 * leg_length, 3)
    return told | {
        FREQUENCY: Command(
            (round(1.2 * faster, 2), round(3.2 * faster, 2)),
            "Hz",
            rest=usual.clock(leg_length).frequency,
        ),
        DUTY: Command((0.3, 0.75), "of a stride", rest=usual.duty),
        SWING_HEIGHT: Command((round(leg_length / 12, 3), high), "m", rest=round(high * 0.8, 3)),
        BODY_HEIGHT: Command((lowest, body_height), "m", rest=body_height),
    }


@dataclass(frozen=True)
class Suited:
    """Draws gaits, and velocities that suit each: a function of `Commands`.

    A row has one of `gaits` or, as often, its image in the mirror that swaps left and right.
    """

    gaits: tuple[str, ...] = tuple(FOUR_LEGGED)
    """Which gaits are drawn, each as often."""
    leg_length: float = 0.6
    """Of a stretched leg (m)."""
    jitter: float = 0.03
    """Largest scatter of footfalls (shares of a stride), and of the duty factor."""
    spread: float = 0.1
    """Largest scatter of the frequency, as a share of it."""

    def __post_init__(self) -> None:
        require(len(self.gaits) > 0, "gaits", self.gaits, "at least one name")
        require_within("leg_length", self.leg_length, 1e-3, 1e3, "m")
        require_within("jitter", self.jitter, 0.0, 0.5)
        require_within("spread", self.spread, 0.0, 0.9)

    def __call__(self, ranges: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n commands (n, entries) within ranges (entries, 2), as `entries` has them."""
        feet = len(ranges) - len(VELOCITY) - 4
        known = [named(name, feet) for name in self.gaits]
        which = rng.integers(len(known), size=n)
        table = np.array([[*g.footfalls, g.frequency, g.duty, *g.speeds] for g in known])[which]
        footfalls, (frequency, duty, slow, fast) = table[:, :feet], table[:, feet:].T
        mirrored = rng.random(n) < 0.5
        footfalls = np.where(mirrored[:, None], footfalls[:, swapped(feet)], footfalls)
        command = rng.uniform(ranges[:, 0], ranges[:, 1], (n, len(ranges)))
        faster = pace(self.leg_length)
        command[:, 0] = rng.uniform(slow, fast) / faster
        scatter = rng.uniform(-1.0, 1.0, (n, feet + 2))
        told = command[:, len(VELOCITY) :]
        told[:, :feet] = (footfalls + self.jitter * scatter[:, :feet]) % 1.0
        told[:, feet] = faster * frequency * (1.0 + self.spread * scatter[:, feet])
        told[:, feet + 1] = duty + self.jitter * scatter[:, feet + 1]
        return command.clip(*ranges.T)


def swapped(feet: int) -> list[int]:
    """Return the legs with left and right swapped, which alternate along the body."""
    return [foot ^ 1 if foot ^ 1 < feet else foot for foot in range(feet)]


def of_gait(gait: NamedGait, leg_length: float, names: Sequence[str]) -> dict[str, float]:
    """Return the entries of a command, of those named, that ask for a gait."""
    feet = [name for name in names if name.startswith(FOOTFALL)]
    told = dict(zip(feet, gait.footfalls, strict=True))
    return told | {FREQUENCY: gait.clock(leg_length).frequency, DUTY: gait.duty}


def command_of(commands: Commands, gait: str | None, values: Mapping[str, float]) -> np.ndarray:
    """Return a command (entries,) by a gait's name and entries' values; the others are at rest.

    Raises:
        ValueError: an unknown gait or entry, or a gait where none is commanded.
    """
    told = dict(zip(commands.names, commands.standing, strict=True))
    if gait is not None:
        law = commands.function
        need = "left out: the task commands no gait"
        require(isinstance(law, Suited), "gait", repr(gait), need)
        assert isinstance(law, Suited)
        feet = sum(name.startswith(FOOTFALL) for name in commands.names)
        told |= of_gait(named(gait, feet), law.leg_length, commands.names)
    for name in values:
        require(name in told, "command", repr(name), f"one of {', '.join(told)}")
    return np.array(list((told | dict(values)).values()), float).clip(*commands.ranges.T)


def named_gaits(commands: Commands) -> tuple[str, ...]:
    """Return the gaits that are commanded by name, none of them where gaits are not commanded."""
    return commands.function.gaits if isinstance(commands.function, Suited) else ()


def fastest(commands: Commands, gait: str) -> float:
    """Return the fastest forward speed that suits a gait (m/s), within the range of commands."""
    law = commands.function
    assert isinstance(law, Suited)
    feet = sum(name.startswith(FOOTFALL) for name in commands.names)
    suited = named(gait, feet).speeds[1] / pace(law.leg_length)
    return float(min(suited, commands.ranges[0, 1]))


class Clock:
    """What runs the feet of n simulations: the task's gait, or the one that each is commanded.

    A commanded gait is taken up without a jump of any foot's phase: its place in the stride and its
    duty factor move there, at most SHIFT times as fast as the clock.

    Args:
        gait: the task's, in force where none is commanded.
        names: of the command's entries.
        n: number of simulations.
        feet: number of feet.
    """

    def __init__(self, gait: Gait, names: Sequence[str], n: int, feet: int) -> None:
        self.commanded = FREQUENCY in names
        """Whether each simulation is commanded a gait of its own."""
        self._gait = gait
        self._footfalls = [i for i, name in enumerate(names) if name.startswith(FOOTFALL)]
        if self.commanded:
            self._frequency, self._duty = names.index(FREQUENCY), names.index(DUTY)
        self.offsets = np.tile(gait.offsets or (0.0,) * feet, (n, 1))
        """How far each foot is ahead of the clock (shares of a stride), (n, feet)."""
        self.duty = np.full((n, 1), gait.duty)
        """Share of a stride that each foot is on the ground, (n, 1)."""

    def frequency(self, command: np.ndarray) -> np.ndarray | float:
        """Return the strides per second (Hz), (n,) or one for all, of commands (n, entries)."""
        return command[:, self._frequency] if self.commanded else self._gait.frequency

    def foot_phase(self, phase: np.ndarray) -> np.ndarray:
        """Return the feet's phases (rad), (n, feet), as the clock is at `phase` (shares), (n,)."""
        place = phase[:, None] + self.offsets
        return foot_phase(place, self.duty if self.commanded else self._gait.duty)

    def advance(self, command: np.ndarray, dt: float) -> None:
        """Move the feet nearer to what is commanded, (n, entries), in a step of dt seconds."""
        if not self.commanded:
            return
        most = SHIFT * dt * command[:, [self._frequency]]
        offsets, duty = self._wanted(command)
        way = (offsets - self.offsets + 0.5) % 1.0 - 0.5  # the shorter one round
        self.offsets = (self.offsets + way.clip(-most, most)) % 1.0
        self.duty = self.duty + (duty - self.duty).clip(-most, most)

    def restart(self, ids: np.ndarray, command: np.ndarray) -> None:
        """Have the feet of simulations ids where their commands, of (n, entries), want them."""
        if self.commanded:
            self.offsets[ids], self.duty[ids] = self._wanted(command[ids])

    def _wanted(self, command: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return -command[:, self._footfalls] % 1.0, command[:, [self._duty]]

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return copies of what commands have changed."""
        kept = {"offsets": self.offsets, "duty": self.duty} if self.commanded else {}
        return {name: array.copy() for name, array in kept.items()}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Restore what `state_dict` returned."""
        for name, array in state.items():
            getattr(self, name)[:] = array

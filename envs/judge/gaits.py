"""How a policy steps as it is told: every gait at speeds that suit it, and every change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

from envs.judge import protocol
from envs.judge.intervals import bootstrap, share
from envs.judge.protocol import Act
from envs.mdp import measures
from envs.mdp.gaits import footfalls
from envs.mdp.gaits.commanded import DUTY, FOOTFALL, command_of, fastest, named_gaits
from envs.mdp.recording import Recording
from envs.sim.randomization import PUSH_INTERVAL
from envs.task import TaskConfig, with_random_start
from envs.vector import LocomotionVectorEnv

SHARES = (0.4, 0.7, 1.0)
"""Forward speeds, as shares of the fastest that suits a gait."""
ROBOTS = 20
"""Robots that are commanded a gait at a speed, from random starts about the nominal stance."""
SETTLE, WATCH = 3.0, 6.0
"""Time to take a gait up, and how long it is watched then (s)."""
TRIES = 20
"""Robots that change from one gait to another."""
CHANGED = 4.0
"""A robot that is up this long after it was told to change has done so (s)."""
TOLD = f"{ROBOTS} robots a gait and speed, {WATCH:g} s; {TRIES} robots a change"
"""What is done, in short."""
UNITS = {
    "lin_vel_error": "m/s",
    "yaw_rate_error": "rad/s",
    "phase_error": "",
    "duty_error": "",
    "fall_rate": "",
    "cost_of_transport": "",
}
FREE = (
    *("lin_vel_error", "fall_rate", "cost_of_transport", "stride_frequency", "duty_factor"),
    *("swing_apex", "foot_slip"),
)
"""Measures of a policy that steps as it likes."""


@dataclass(frozen=True)
class Stepping:
    """What makes commands for one robot and task."""

    config: TaskConfig
    robot: str

    def command(self, gait: str, speed: float) -> np.ndarray:
        """Return the command (entries,) to go forward at a speed (m/s) in a gait, level."""
        return command_of(self.config.commands, gait, {"lin_vel_x": speed})

    @property
    def gaits(self) -> tuple[str, ...]:
        """Names of the gaits that the task draws."""
        return named_gaits(self.config.commands)

    def fastest(self, gait: str) -> float:
        """Return the fastest forward speed that suits a gait (m/s), within the task's range."""
        return fastest(self.config.commands, gait)


def evaluate(
    agent: Callable[[int], Act],
    config: TaskConfig,
    robot: str = "anymal_c",
    seed: int = 0,
    tries: int = TRIES,
) -> dict[str, Any]:
    """Command every gait of a task by itself, and every change from one to another.

    Args:
        agent: makes the policy for a number of robots.
        config: a task as `envs.task.as_judged` gives it, whose commands are `Suited`.
        robot: a robot of `robots.ROBOTS`.
        seed: seed of the starts and of the intervals.
        tries: robots that change from each gait to each other.

    Returns:
        `gaits`: for each a list by speed of `command` (m/s), means with their 95 % intervals, as
        `protocol.evaluate` gives them, of what `UNITS` names, and `measured`, how many robots
        stepped in each gait by their footfalls. Errors of phase and duty factor are shares of a
        stride, means over the feet. `changes`: for each pair of gaits `tries`, and `up`, how many
        of them were on their feet CHANGED seconds later.
    """
    stepping = Stepping(calm(config), robot)
    rungs = [(gait, s * stepping.fastest(gait)) for gait in stepping.gaits for s in SHARES]
    return {
        "gaits": steady(agent, stepping, seed, rungs),
        "changes": changes(agent, stepping, seed, tries),
    }


def steady(
    agent: Callable[[int], Act], stepping: Stepping, seed: int, rungs: list[tuple[str, float]]
) -> dict[str, Any]:
    """Return `gaits` of what `evaluate` gives, at these gaits and forward speeds (m/s)."""
    command = np.repeat([stepping.command(*rung) for rung in rungs], ROBOTS, axis=0)
    kept = _watched(agent, stepping, seed, command)
    values, names = stepped(kept, command, stepping.config.commands.names)
    found: dict[str, list[dict[str, Any]]] = {gait: [] for gait, _ in rungs}
    for (gait, speed), told in zip(rungs, _told(values, names, tuple(UNITS), seed), strict=True):
        found[gait].append({"command": round(speed, 3)} | told)
    return found


def free(
    agent: Callable[[int], Act],
    config: TaskConfig,
    robot: str,
    seed: int,
    speeds: Sequence[float],
) -> list[dict[str, Any]]:
    """Return what a policy that steps as it likes does at forward speeds (m/s).

    Returns:
        For each `command` (m/s), means with their 95 % intervals of what FREE names, and
        `measured`, how many robots stepped in each gait by their footfalls.
    """
    stepping = Stepping(calm(config), robot)
    forward = [command_of(config.commands, None, {"lin_vel_x": speed}) for speed in speeds]
    kept = _watched(agent, stepping, seed, np.repeat(forward, ROBOTS, axis=0))
    up = kept.alive[-1]
    values = {name: getattr(measures, name)(kept) for name in FREE if name != "fall_rate"}
    values = {name: np.where(up, value, np.nan) for name, value in values.items()}
    values["fall_rate"] = 1.0 - up
    gaits = _names([footfalls.analyse(contact, kept.dt) for contact in _contacts(kept)], up)
    return [
        {"command": float(speed)} | told
        for speed, told in zip(speeds, _told(values, gaits, FREE, seed), strict=True)
    ]


def _watched(
    agent: Callable[[int], Act], stepping: Stepping, seed: int, command: np.ndarray
) -> Recording:
    """Record robots under commands (n, entries) for WATCH seconds, SETTLE after the start."""
    recording = _run(agent, stepping, seed, SETTLE + WATCH, lambda step: command)
    return recording.rows(slice(round(SETTLE / recording.dt), None))


def _told(
    values: dict[str, np.ndarray], gaits: list[str], names: Sequence[str], seed: int
) -> Iterator[dict[str, Any]]:
    """Yield means with intervals, and the gaits, of each ROBOTS robots."""
    rng = np.random.default_rng(seed)
    for start in range(0, len(gaits), ROBOTS):
        rows = slice(start, start + ROBOTS)
        told = {n: (share if n == "fall_rate" else bootstrap)(values[n][rows], rng) for n in names}
        yield told | {"measured": dict(Counter(gaits[rows]).most_common())}


def _names(found: list[footfalls.Footfalls], up: np.ndarray) -> list[str]:
    """Return the gait of each robot by its footfalls, `footfalls.NO_GAIT` of one that fell."""
    return [f.gait if u else footfalls.NO_GAIT for f, u in zip(found, up, strict=True)]


def _contacts(recording: Recording) -> Iterator[np.ndarray]:
    """Yield the contacts of each robot, (T, feet) bool."""
    return iter(recording.foot_contact.swapaxes(0, 1))


def stepped(
    recording: Recording, command: np.ndarray, names: tuple[str, ...]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return what `UNITS` names of n robots, (n,) each, and their gaits by their footfalls.

    Of a robot that fell all but the fall is NaN, and its gait is `footfalls.NO_GAIT`.

    Args:
        recording: of the robots.
        command: in force throughout, (n, entries).
        names: of its entries.
    """
    feet = [i for i, name in enumerate(names) if name.startswith(FOOTFALL)]
    wanted, duty = command[:, feet], command[:, names.index(DUTY)]
    up = recording.alive[-1]
    found = [footfalls.analyse(contact, recording.dt) for contact in _contacts(recording)]
    late = [footfalls.phase_error(f.phase, w) for f, w in zip(found, wanted, strict=True)]
    values = {
        "lin_vel_error": measures.lin_vel_error(recording),
        "yaw_rate_error": measures.yaw_rate_error(recording),
        "phase_error": np.array(late),
        "duty_error": np.abs(np.array([f.duty for f in found]) - duty[:, None]).mean(axis=1),
        "cost_of_transport": measures.cost_of_transport(recording),
    }
    values = {name: np.where(up, value, np.nan) for name, value in values.items()}
    return values | {"fall_rate": 1.0 - up}, _names(found, up)


def changes(
    agent: Callable[[int], Act], stepping: Stepping, seed: int, tries: int
) -> dict[str, Any]:
    """Return `changes` of what `evaluate` gives: at half the speed that suits both gaits."""
    pairs = list(permutations(stepping.gaits, 2))
    if not pairs:
        return {}
    speeds = [0.5 * min(map(stepping.fastest, pair)) for pair in pairs]
    before, after = (
        np.repeat(
            [stepping.command(p[i], v) for p, v in zip(pairs, speeds, strict=True)], tries, axis=0
        )
        for i in (0, 1)
    )
    moment = round(SETTLE / stepping.config.simulation.dt)
    recording = _run(
        agent, stepping, seed, SETTLE + CHANGED, lambda step: before if step < moment else after
    )
    then, later = (recording.alive[row].reshape(-1, tries).sum(axis=1) for row in (moment - 1, -1))
    return {
        f"{first} to {second}": {"tries": int(then[i]), "up": int(later[i])}
        for i, (first, second) in enumerate(pairs)
    }


def calm(config: TaskConfig) -> TaskConfig:
    """Return a task without pushes, from random starts about its own."""
    calm = replace(config.randomization, push=None, push_interval=PUSH_INTERVAL)
    return with_random_start(replace(config, randomization=calm))


def _run(
    agent: Callable[[int], Act],
    stepping: Stepping,
    seed: int,
    seconds: float,
    command: Callable[[int], np.ndarray],
) -> Recording:
    """Record robots that are commanded (n, entries) by the number of the control step."""
    config, n = replace(stepping.config, episode_length=seconds), len(command(0))
    env = LocomotionVectorEnv(n, robot=stepping.robot, config=config, autoreset=False)
    try:
        return protocol.run(agent(n), env, seed, lambda step: env.set_command(command(step)))
    finally:
        env.close()


def table(found: dict[str, Any]) -> list[list[str]]:
    """Return the head and the rows of a gait at each speed.

    The last cell is how many robots step in it by their footfalls, or in which gait most do.
    """
    units = [n.replace("_", " ") + (f" ({u})" if u else "") for n, u in UNITS.items()]
    rows = [["gait", "forward (m/s)", *units, "measured"]]
    for gait, rungs in found["gaits"].items():
        for rung in rungs:
            cells = ["none" if (v := rung[name]["mean"]) is None else f"{v:.3f}" for name in UNITS]
            most, count = next(iter(rung["measured"].items()))
            of = f"{count}/{sum(rung['measured'].values())}" + f" {most}" * (most != gait)
            rows.append([gait, f"{rung['command']:.2f}", *cells, of])
    return rows


def change_table(found: dict[str, Any]) -> list[list[str]]:
    """Return the head and the rows of changes: how many of the tries ended on their feet."""
    names = list(found["gaits"])
    rows = [["from, to", *names]]
    for first in names:
        cells = [found["changes"].get(f"{first} to {second}") for second in names]
        rows.append([first, *("" if c is None else f"{c['up']}/{c['tries']}" for c in cells)])
    return rows

"""Where velocity errors are made: `python -m benchmarks.transient RUN [any option of play.py]`.

A policy of a trot/ task follows its protocol, and the velocity error is averaged by the time since
the command changed: what a robot needs to take up another velocity, and what is left when it has.
"""

from __future__ import annotations

import sys

import numpy as np
from rich.console import Console
from rich.table import Table

from envs.judge import protocol
from envs.mdp.recording import Recording
from envs.vector import LocomotionVectorEnv
from play import policy_of
from trot.subject import find_subject, read

TENTH = 0.1
"""Time (s) over which errors are averaged."""


def errors(recording: Recording, interval: float) -> np.ndarray:
    """Return the mean velocity error (m/s) of each tenth of a second after a change of command.

    Args:
        recording: of robots that stay on their feet, the command changed every `interval` s.
        interval: a whole number of control steps (s).
    """
    wanted, actual = recording.command[..., :2], recording.velocity[..., :2]
    steps, span = round(interval / recording.dt), round(TENTH / recording.dt)
    error = np.where(recording.alive, np.linalg.norm(wanted - actual, axis=-1), np.nan)
    whole = len(error) // steps * steps
    cycle = np.nanmean(error[:whole].reshape(-1, steps, error.shape[1]), axis=(0, 2))
    return cycle[: len(cycle) // span * span].reshape(-1, span).mean(axis=1)


def main(words: list[str]) -> None:
    """Judge a policy and print the table, 100 robots of seed 1 unless told otherwise."""
    options, override = read([*words, "--evaluate"])
    subject = find_subject(options, words[0], override)
    if subject.task is None:
        raise SystemExit(f"{words[0]} is no policy of a trot/ task, whose commands change")
    env = LocomotionVectorEnv(
        options.episodes, robot=subject.robot, config=subject.task, autoreset=False
    )
    act = policy_of(options, subject, options.episodes)
    found = errors(protocol.run(act, env, options.seed), subject.task.commands.interval[0])
    shown = Table("since a command (s)", "velocity error (m/s)", "share of all", box=None)
    for i, error in enumerate(found):
        share = f"{error / found.sum():.0%}"
        shown.add_row(f"{i * TENTH:.1f} to {(i + 1) * TENTH:.1f}", f"{error:.3f}", share)
    half, late = found[:5].sum() / found.sum(), found[len(found) // 2 :].mean()
    Console(width=100).print(shown)
    print(f"mean {found.mean():.3f} m/s; the first half second has {half:.0%} of it")
    print(f"the second half of the interval: {late:.3f} m/s")


if __name__ == "__main__":
    main(sys.argv[1:])

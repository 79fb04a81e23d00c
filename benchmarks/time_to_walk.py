"""How long it takes to walk: `python -m benchmarks.time_to_walk [--budgets STEPS …]`.

Whole trainings of trot/AnymalWalk-v0 on a budget, each judged like any policy (the protocol of
Hwangbo et al. 2019, 100 robots, full physics). A training counts when its final policy tracks,
stays up and has a gait (`CRITERION`); a budget counts when every seed's does. CPU seconds are user
and system time of the training process, so that a busy machine does not lie. Results go to
benchmarks/time_to_walk.json; what it holds already is not trained again.

`--rival FILE` gives a foreign trainer the same accounting. The file is a Python program with two
commands: `FILE train --seed S --total-steps N --run-dir DIR`, whose seconds count, and `FILE judge
DIR --episodes N --seed S --json JSON`, which writes what `play.py --evaluate --json` does: of a
`Recording` of its robots under the same commands, `envs.judge.protocol.summarize` makes it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.experiments import kept

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "time_to_walk.json"
CRITERION = {
    "lin_vel_error": ("m/s", 0.0, 0.20),
    "yaw_rate_error": ("rad/s", 0.0, 0.15),
    "fall_rate": ("falls", 0.0, 0.05),
    "swing_apex": ("swing", 0.04, 1.0),  # m
    "stride_frequency": ("Hz", 1.0, 3.0),
    "foot_slip": ("slip", 0.0, 0.15),  # m/s
    "duty_factor": ("duty", 0.4, 0.7),
}
"""Measure -> its short name, least and most."""
FAST = (
    *("--env.simulation.physics", "fast"),
    *("--env.simulation.timestep", "0.01", "--env.simulation.substeps", "2"),
)
BACK = {
    "activation": ("--algo.activation", "tanh"),
    "horizon": ("--algo.gamma", "0.99", "--algo.gae-lambda", "0.95"),
    "trust-region": ("--algo.max-kl", "0.02"),
    "curriculum": ("--env.curricula.rewards.hold", "6e5", "--env.curricula.rewards.ramp", "1.2e6"),
    "posture": (
        *("--env.rewards.base-height.weight", "-10"),
        *("--env.rewards.orientation.weight", "-1"),
    ),
    "slip": ("--env.rewards.slip.weight", "-0.5"),
    "tracking": (
        *("--env.rewards.lin-vel-deviation.weight", "-1", "--env.rewards.power.weight", "0"),
        *("--env.rewards.yaw-rate-deviation.weight", "-0.5"),
    ),
}
"""What the task's settings were, by what each is about."""
RECIPES = {
    "fast": FAST,
    "full": (),
    **{f"fast-{about}": (*FAST, *options) for about, options in BACK.items()},
    "before": tuple(word for options in BACK.values() for word in options),
    "ppo": (*FAST, "--algo", "ppo"),
}
"""Options of train.py by name: the task's own under fast physics (those of `make demo`), the same
under full physics, with one setting as it was before, what all were before; and PPO."""


@dataclass(frozen=True)
class Options:
    """Train on budgets and say which are enough to walk."""

    budgets: tuple[int, ...] = (500_000, 750_000, 1_000_000)
    """Environment steps."""
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    """Seeds; settings were chosen on 101 to 105 and 111 to 113."""
    recipe: str = "fast"
    """A name in RECIPES."""
    rival: Path | None = None
    """A foreign trainer in Trot's place."""
    folder: Path = ROOT / "runs" / "time-to-walk"
    """Where the runs are."""


def main(options: Options) -> None:
    """Train what is missing, and print the table."""
    trainer = options.rival.stem if options.rival else options.recipe
    for budget in options.budgets:
        for seed in options.seeds:
            name = f"{trainer}-{budget}-s{seed}"
            if name not in kept(RESULTS):
                commands = programs(options, options.folder / name, seed, budget)
                found = trained(*commands, options.folder / name / "evaluation.json")
                results = kept(RESULTS) | {name: found}  # another run may have written meanwhile
                RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    Console().print(table(kept(RESULTS)))


def programs(options: Options, run: Path, seed: int, budget: int) -> tuple[list[str], list[str]]:
    """Return the command lines of the training and of the judge, without where to write."""
    told = ["--seed", str(seed), "--total-steps", str(budget), "--run-dir", str(run)]
    judge = [str(run), "--episodes", "100", "--seed", "1", "--json"]
    if options.rival:
        rival = str(options.rival)
        return [rival, "train", *told], [rival, "judge", *judge]
    train = ["train.py", "trot/AnymalWalk-v0", *RECIPES[options.recipe], *told, "--logger", "none"]
    return train, ["play.py", *judge[:1], "--checkpoint", "last", "--evaluate", *judge[1:]]


def trained(train: list[str], judge: list[str], judged: Path) -> dict[str, Any]:
    """Train one policy and judge it; return seconds and measures."""
    begin = time.monotonic()
    with subprocess.Popen([sys.executable, *train], cwd=ROOT, stdout=sys.stderr) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begin
    if process.returncode:
        raise RuntimeError(f"{' '.join(train)} failed, exit code {process.returncode}")
    command = [sys.executable, *judge, str(judged)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return {
        "command": " ".join(["python", *train]).replace(f"{ROOT}/", ""),
        "cores": os.cpu_count(),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "evaluation": json.loads(judged.read_text()),
    }


def missed_by(evaluation: dict[str, Any]) -> list[str]:
    """Return the measures of the criterion that an evaluation does not meet."""
    means = {name: evaluation[name]["mean"] for name in CRITERION}
    return [
        name
        for name, (_, least, most) in CRITERION.items()
        if means[name] is None or not least <= means[name] <= most
    ]


def table(results: dict[str, Any]) -> Table:
    """Return a row a training; a ! marks what the criterion does not allow."""
    found = Table(title="Time to walk", box=None, pad_edge=False)
    found.add_column("training", no_wrap=True)
    for head in ("wall s", "CPU s", *(short for short, _, _ in CRITERION.values()), "walks"):
        found.add_column(head, justify="right")
    for name, one in results.items():
        missed = missed_by(one["evaluation"])
        means = {measure: one["evaluation"][measure]["mean"] for measure in CRITERION}
        cells = ["none" if mean is None else f"{mean:.3g}" for mean in means.values()]
        marked = [c + "!" * (m in missed) for c, m in zip(cells, CRITERION, strict=True)]
        times = f"{one['seconds']:.0f}", f"{one['cpu_seconds']:.0f}"
        found.add_row(name, *times, *marked, "no" if missed else "yes")
    return found


if __name__ == "__main__":
    main(tyro.cli(Options))

"""How long it takes to walk: `python -m benchmarks.time_to_walk [--budgets STEPS …]`.

Whole trainings of trot/AnymalWalk-v0 on a budget, each judged like any policy (the protocol of
Hwangbo et al. 2019, 100 robots, full physics). A training counts when its final policy tracks,
stays up and has a gait (`CRITERION`); a budget counts when every seed's does. CPU seconds are user
and system time of the training process, so that a busy machine does not lie. Results go to
benchmarks/time_to_walk.json; what it holds already is not trained again.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "time_to_walk.json"
CRITERION = {
    "lin_vel_error": (0.0, 0.20),  # m/s
    "yaw_rate_error": (0.0, 0.15),  # rad/s
    "fall_rate": (0.0, 0.05),
    "swing_apex": (0.04, 1.0),  # m
    "stride_frequency": (1.0, 3.0),  # Hz
    "foot_slip": (0.0, 0.15),  # m/s
    "duty_factor": (0.4, 0.7),
}
"""Measure -> least and most."""
RECIPES = {
    "default": (),
    "fast": (
        *("--env.simulation.physics", "fast", "--env.simulation.timestep", "0.01"),
        *("--env.simulation.substeps", "2", "--env.curricula.rewards.hold", "4e5"),
        *("--env.curricula.rewards.ramp", "8e5", "--env.rewards.slip.weight", "-0.7"),
        *("--algo.max-kl", "0.04"),
    ),
}
"""Options of train.py by name."""


@dataclass(frozen=True)
class Options:
    """Train on budgets and say which are enough to walk."""

    budgets: tuple[int, ...] = (1_500_000,)
    """Environment steps."""
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    """Seeds; settings were chosen on 101 to 105."""
    recipe: str = "fast"
    """A name in RECIPES."""
    folder: Path = ROOT / "runs" / "time-to-walk"
    """Where the runs are."""


def main(options: Options) -> None:
    """Train what is missing, and print the table."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for budget in options.budgets:
        for seed in options.seeds:
            name = f"{options.recipe}-{budget}-s{seed}"
            if name not in results:
                arguments = (*RECIPES[options.recipe], "--total-steps", str(budget))
                results[name] = trained(options.folder / name, seed, arguments)
                RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    Console().print(table(results))


def trained(run: Path, seed: int, arguments: tuple[str, ...]) -> dict[str, Any]:
    """Train one policy and judge it; return seconds and measures."""
    train = [
        *(sys.executable, "train.py", "trot/AnymalWalk-v0", *arguments, "--seed", str(seed)),
        *("--run-dir", str(run), "--logger", "none"),
    ]
    begin = time.monotonic()
    with subprocess.Popen(train, cwd=ROOT, stdout=sys.stderr) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begin
    if process.returncode:
        raise RuntimeError(f"{run} failed, exit code {process.returncode}")
    judged = run / "evaluation.json"
    play = [sys.executable, "play.py", str(run), "--checkpoint", "last", "--evaluate"]
    rest = ["--episodes", "100", "--seed", "1", "--json", str(judged)]
    subprocess.run([*play, *rest], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return {
        "command": " ".join(["python", *train[1:]]).replace(f"{ROOT}/", ""),
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "evaluation": json.loads(judged.read_text()),
    }


def missed_by(evaluation: dict[str, Any]) -> list[str]:
    """Return the measures of the criterion that an evaluation does not meet."""
    means = {name: evaluation[name]["mean"] for name in CRITERION}
    return [
        name
        for name, (least, most) in CRITERION.items()
        if means[name] is None or not least <= means[name] <= most
    ]


def table(results: dict[str, Any]) -> Table:
    """Return a row a training."""
    found = Table(title="Time to walk")
    for head in ("training", "wall (s)", "CPU (s)", *CRITERION, "walks"):
        found.add_column(head.replace("_", " "), justify="right")
    for name, one in results.items():
        missed = missed_by(one["evaluation"])
        means = [f"{one['evaluation'][measure]['mean'] or 0:.3f}" for measure in CRITERION]
        verdict = "yes" if not missed else f"no: {', '.join(missed)}"
        found.add_row(name, f"{one['seconds']:.0f}", f"{one['cpu_seconds']:.0f}", *means, verdict)
    return found


if __name__ == "__main__":
    main(tyro.cli(Options))

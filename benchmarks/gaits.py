"""Gaits on demand, trained and judged: `python -m benchmarks.gaits [NAME …]`.

Every experiment is a training by train.py in `runs/gaits-NAME`; a finished one is not trained
again. A policy of trot/Gait-v0 is judged as `play.py --evaluate` does, and again told to trot,
beside walkers that know nothing else; its cost of transport is measured at many speeds in each
gait: where the cheapest gait changes is where an animal would change it (Hoyt and Taylor, Nature
292, 1981). One of trot/FreeGait-v0, which is told no gait, is named by its footfalls at each speed.
Results go to benchmarks/gaits.json, the costs to docs/images/gaits_cost.png, a table to the
terminal.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from benchmarks.experiments import gather
from benchmarks.time_to_walk import FAST
from envs.judge import gaits, protocol
from envs.judge.gaits import Stepping
from envs.mdp.measures import GRAVITY
from envs.task import TaskConfig
from play import policy_of
from robots import get_robot
from trot.subject import Play, Subject, find_subject, read

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "gaits.json"
PICTURE = ROOT / "docs" / "images" / "gaits_cost.png"
PLAIN = ("trpo-s1", "trpo-s2", "trpo-s3")
"""Walkers of benchmarks/learning.json that only trot, after 8M steps in the same physics."""
ROBOT = "anymal_c"
SEEDS = (1, 2, 3)
TRAIN = {
    "gait": ("trot/Gait-v0", *FAST, "--total-steps", "12000000"),
    "free": ("trot/FreeGait-v0", *FAST, "--total-steps", "4000000"),
}
"""What train.py is given."""
EXPERIMENTS = {f"{task}-s{seed}": (task, seed) for task in TRAIN for seed in SEEDS}
SLOWEST, STEP = 0.4, 0.1
"""Slowest forward speed whose cost is measured, and from one to the next (m/s)."""
EPISODES, TRIES = 100, 100
"""Robots of the protocol, and of each change."""


def train(name: str) -> Path:
    """Train one experiment, or go on with it, and return its folder."""
    task, seed = EXPERIMENTS[name]
    folder = Path("runs") / f"gaits-{name}"
    begin = [*TRAIN[task], "--robot", ROBOT, "--seed", str(seed)]
    begin += ["--run-dir", str(folder), "--video-interval", "0"]
    started = (ROOT / folder / "checkpoints" / "last.pt").exists()
    command = ["train.py", *(["--resume", str(folder)] if started else begin)]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    return folder


def judge(source: str) -> dict[str, Any]:
    """Return the figures of a run's last policy, or of a policy's file, seed 1."""
    options, subject = _played(source)
    task, robot = _task(subject), subject.robot
    agent = partial(policy_of, options, subject)
    found = _followed(options, subject)
    found["leg_length"] = get_robot(robot).leg_length
    high = float(task.commands.ranges[0, 1])
    if not gaits.named_gaits(task.commands):
        speeds = np.arange(SLOWEST, high + 1e-9, 2 * STEP).round(3).tolist()
        return found | {"free": gaits.free(agent, task, robot, options.seed, speeds)}
    found["trot"] = _followed(*_played(source, "--gait", "trot"))
    found |= gaits.evaluate(agent, task, robot, options.seed, TRIES)
    stepping = Stepping(gaits.calm(task), robot)
    rungs = [
        (gait, speed)
        for gait in stepping.gaits
        for speed in np.arange(SLOWEST, stepping.fastest(gait) + 1e-9, STEP).round(3).tolist()
    ]
    costs = gaits.steady(agent, stepping, options.seed, rungs)
    return found | {"costs": costs, "cheapest": cheapest(costs), "changed": changes(costs)}


def _played(source: str, *how: str) -> tuple[Play, Subject]:
    """Return what `play.py SOURCE --evaluate` and more options name."""
    options, override = read([source, "--evaluate", "--checkpoint", "last", *how])
    return options, find_subject(options, source, override)


def _task(subject: Subject) -> TaskConfig:
    assert subject.task is not None
    return subject.task


def _followed(options: Play, subject: Subject) -> dict[str, Any]:
    """Return what EPISODES robots make of the task's protocol."""
    act = policy_of(options, subject, EPISODES)
    return protocol.evaluate(act, _task(subject), subject.robot, EPISODES, options.seed)


def cheapest(costs: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the gait of least cost of transport at each speed, of those measured as asked.

    A gait counts at a speed where most robots take it by their footfalls.
    """
    found: dict[float, tuple[float, str]] = {}
    for gait, rungs in costs.items():
        for rung in rungs:
            cost, taken = rung["cost_of_transport"]["mean"], rung["measured"].get(gait, 0)
            if cost is None or 2 * taken < sum(rung["measured"].values()):
                continue
            speed = rung["command"]
            found[speed] = min(found.get(speed, (np.inf, "")), (cost, gait))
    return [{"speed": v, "gait": gait, "cost": c} for v, (c, gait) in sorted(found.items())]


def changes(costs: dict[str, list[dict[str, Any]]]) -> list[tuple[float, str, str]]:
    """Return the speeds (m/s) at which the cheapest gait changes, and from what to what.

    Where the former gait is not measured beyond, its costs end, and that is no change.
    """
    measured = {(gait, rung["command"]) for gait, rungs in costs.items() for rung in rungs}
    return [
        (round((a["speed"] + b["speed"]) / 2, 3), a["gait"], b["gait"])
        for a, b in pairwise(cheapest(costs))
        if a["gait"] != b["gait"] and (a["gait"], b["speed"]) in measured
    ]


def draw(costs: dict[str, list[dict[str, Any]]], leg_length: float, path: Path) -> None:
    """Draw the cost of transport of each gait over the speed, with 95 % intervals."""
    figure = Figure((8.0, 4.6), layout="constrained")
    axis = figure.subplots()
    for gait, rungs in costs.items():
        known = [r for r in rungs if r["cost_of_transport"]["mean"] is not None]
        speeds = [r["command"] for r in known]
        mean, low, high = (
            [r["cost_of_transport"][k] for r in known] for k in ("mean", "low", "high")
        )
        (line,) = axis.plot(speeds, mean, marker=".", label=gait)
        axis.fill_between(speeds, low, high, color=line.get_color(), alpha=0.2, lw=0)
    for speed, first, second in changes(costs):
        axis.axvline(speed, color="0.6", lw=0.8, ls="--")
        axis.annotate(
            f"{first} | {second}", (speed, 0.02), xycoords=("data", "axes fraction"), fontsize=7,
            rotation=90, ha="right", va="bottom",
        )  # fmt: skip
    axis.set_xlabel("forward speed (m/s)")
    axis.set_ylabel("cost of transport, mechanical")
    axis.set_ylim(bottom=0)
    weight = GRAVITY * leg_length
    froude = axis.secondary_xaxis(
        "top", (lambda v: np.square(v) / weight, lambda f: np.sqrt(np.maximum(f, 0) * weight))
    )
    froude.set_xlabel("Froude number, speed² / (gravity × leg length)")
    axis.legend(ncols=2, fontsize=8)
    figure.savefig(path, dpi=110)


def run(name: str) -> dict[str, Any]:
    """Train and judge one experiment."""
    folder = train(name)
    with (ROOT / folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        "command": " ".join(["python train.py", *TRAIN[EXPERIMENTS[name][0]]]),
        "env_steps": int(rows[-1]["env_steps"]),
        "minutes": round(float(rows[-1]["seconds"]) / 60, 1),
        "commit": json.loads((ROOT / folder / "git.json").read_text())["commit"],
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "found": judge(str(folder)),
    }


def table(results: dict[str, Any]) -> Table:
    """Return a row for each gait, or for each speed of free steps."""
    shown = Table(
        "run", "asked", "measured", "phase error", "duty error", "velocity error", "falls"
    )
    for name, result in results.items():
        found = result["found"]
        rungs = [("free", r) for r in found.get("free", ())]
        rungs += [(gait, r) for gait, rungs in found.get("gaits", {}).items() for r in rungs]
        for gait, rung in rungs:
            most = next(iter(rung["measured"]))
            cells = [_mean(rung, n) for n in ("phase_error", "duty_error", "lin_vel_error")]
            asked = f"{gait}, {rung['command']:.2f} m/s"
            shown.add_row(name, asked, most, *cells, _mean(rung, "fall_rate"))
    return shown


def _mean(rung: dict[str, Any], name: str) -> str:
    mean = rung.get(name, {}).get("mean")
    return "" if mean is None else f"{mean:.3f}"


def beside(trot: dict[str, Any]) -> str:
    """Return the errors of a policy that is told to trot, and by the walkers' mean ones."""
    learning = json.loads((ROOT / "benchmarks" / "learning.json").read_text())
    plain = [learning[name]["evaluation"] for name in PLAIN]
    told = []
    for name, unit in (("lin_vel_error", "m/s"), ("yaw_rate_error", "rad/s")):
        error, walkers = trot[name]["mean"], np.mean([found[name]["mean"] for found in plain])
        told.append(f"{error:.3f} {unit} ({error / walkers:.2f} times the walkers' {walkers:.3f})")
    return f"{', '.join(told)}, {trot['fall_rate']['mean']:.0%} falls"


def main(names: Annotated[tuple[str, ...], tyro.conf.Positional] = tuple(EXPERIMENTS)) -> None:
    """Run experiments by name, all of them by default, and print the table.

    Args:
        names: gait-s1 gait-s2 gait-s3 free-s1 free-s2 free-s3
    """
    results = gather(names, EXPERIMENTS, RESULTS, run)
    first = next((r["found"] for r in results.values() if "costs" in r["found"]), None)
    if first is not None:
        draw(first["costs"], first["leg_length"], PICTURE)
    Console().print(table(results))
    for name, result in results.items():
        if "trot" in result["found"]:
            print(f"{name}, told to trot: {beside(result['found']['trot'])}")


if __name__ == "__main__":
    tyro.cli(main)

"""The tasks of Hwangbo et al. 2019, trained and judged: `python -m benchmarks.paper [NAME …]`.

Every experiment is a training by train.py in `runs/paper-NAME`, on one of the two ANYmals and with
one seed; a finished one is not trained again. Its last policy is judged by what the paper says of
that task. Results go to benchmarks/paper.json and, as a table, to the terminal.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from envs.judge import protocol, speeds
from envs.mdp import recovery
from envs.vector import LocomotionVectorEnv
from play import policy_of
from trot.subject import Subject, find_subject, read

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "paper.json"
SEEDS = (1, 2, 3)
ROBOTS = ("anymal_b", "anymal_c")
EPISODES = {"run": 100, "recover": 1000}
WALKERS = {"anymal_b": "", "anymal_c": "policies/walk.pt"}
"""Policies that go on once a robot is up."""
EXPERIMENTS = {
    f"{task}-{robot.removeprefix('anymal_')}-s{seed}": (task, robot, seed)
    for task in EPISODES
    for robot in ROBOTS
    for seed in SEEDS
}


def train(name: str) -> Path:
    """Train one experiment, or go on with it, and return its folder."""
    task, robot, seed = EXPERIMENTS[name]
    folder = Path("runs") / f"paper-{name}"
    begin = [f"trot/{task.title()}-v0", "--robot", robot, "--seed", str(seed)]
    begin += ["--run-dir", str(folder), "--video-interval", "0"]
    started = (ROOT / folder / "checkpoints" / "last.pt").exists()
    command = ["train.py", *(["--resume", str(folder)] if started else begin)]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    return folder


def judge(name: str, folder: Path) -> dict[str, Any]:
    """Return the figures of an experiment's last policy, seed 1."""
    task, robot, _ = EXPERIMENTS[name]
    subject, agent = played(str(folder), EPISODES[task])
    assert subject.task is not None
    if task == "run":
        found = speeds.evaluate(agent, subject.task, robot, seed=1)
        return {"held": found["held"], "speeds": found["speeds"]}
    recording = recorded(subject, agent, EPISODES[task])
    return protocol.summarize(recording, recovery.RECOVERY, 1) | quantiles(recording)


def played(source: str, episodes: int, *more: str) -> tuple[Subject, Callable[[int], Any]]:
    """Return what play.py makes of a source, and what makes its policy."""
    words = [source, "--evaluate", "--episodes", str(episodes), "--checkpoint", "last", *more]
    options, override = read(words)
    subject = find_subject(options, source, override)
    return subject, partial(policy_of, options, subject)


def recorded(subject: Subject, agent: Callable[[int], Any], n: int) -> protocol.Recording:
    """Return one episode of n robots, seed 1."""
    environment = LocomotionVectorEnv(n, robot=subject.robot, config=subject.task, autoreset=False)
    try:
        return protocol.run(agent(n), environment, seed=1)
    finally:
        environment.close()


def quantiles(recording: protocol.Recording) -> dict[str, float]:
    """Return the median and the 95th percentile of the time to be upright, and the share that is.

    Robots that never are count as slower than all others.
    """
    times = recovery.time_to_upright(recording, tilt=recovery.POSE["tilt"])
    times = np.where(np.isfinite(times), times, np.inf)
    return {
        "upright": float(np.isfinite(times).mean()),
        "median": float(np.quantile(times, 0.5, method="higher")),
        "p95": float(np.quantile(times, 0.95, method="higher")),
    }


def run(name: str) -> dict[str, Any]:
    """Train and judge one experiment."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    folder = train(name)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (ROOT / folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "env_steps": int(rows[-1]["env_steps"]),
        "minutes": round(float(rows[-1]["seconds"]) / 60, 1),
        "cpu_minutes": round(spent / 60, 1),
        "commit": json.loads((ROOT / folder / "git.json").read_text())["commit"],
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "found": judge(name, folder),
    }


def main(names: Annotated[tuple[str, ...], tyro.conf.Positional] = tuple(EXPERIMENTS)) -> None:
    """Run experiments by name, all of them by default, and print the table.

    Args:
        names: run-b-s1 recover-b-s1 run-c-s1 recover-c-s1 and so on, to -s3
    """
    for name in names:
        if name not in EXPERIMENTS:
            raise SystemExit(f"no experiment {name!r}; choose from {', '.join(EXPERIMENTS)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names:
        results[name] = run(name)
        ordered = {n: results[n] for n in EXPERIMENTS if n in results}
        RESULTS.write_text(json.dumps(ordered, indent=2) + "\n")
    table = Table("run", "steps", "CPU minutes", "found", box=None)
    for name, result in results.items():
        table.add_row(
            name, f"{result['env_steps']:,}", f"{result['cpu_minutes']}", told(result["found"])
        )
    Console().print(table)


def told(found: dict[str, Any]) -> str:
    """Return the figures that the paper has, in words."""
    if "held" in found:
        return f"{found['held']:.2f} m/s held by 95 of 100"
    share = found["recovered"]
    return (
        f"{found['upright']:.1%} upright, half of all after {found['median']:.2f} s, 95 % after "
        f"{found['p95']:.2f} s; "
        f"{share['mean']:.1%} in the stance"
    )


if __name__ == "__main__":
    tyro.cli(main)

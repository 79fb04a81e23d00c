"""The tasks of Hwangbo et al. 2019, trained and judged: `python -m benchmarks.paper [NAME …]`.

Every experiment is a training by train.py in `runs/paper-NAME`, on one of the two ANYmals and with
one seed, by Trot's own recipe or by the paper's; a finished one is not trained again. Its last
policy is judged by what the paper says of that task. Results go to benchmarks/paper.json and, as a
table, to the terminal.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.experiments import gather
from envs.judge import paper
from play import policy_of
from trot.subject import find_subject, read

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "paper.json"
SEEDS = (1, 2, 3)
ROBOTS = ("anymal_b", "anymal_c")
EPISODES = {"command": 100, "run": 100, "recover": 1000}
TRAIN = {
    **{task: (f"trot/{task.title()}-v0",) for task in EPISODES},
    **{f"paper-{task}": (f"trot/{task.title()}-v0", "--recipe", "paper") for task in EPISODES},
    "walk": ("trot/Walk-v0", "--total-steps", "4000000", "--env.simulation.physics", "fast"),
}
"""What train.py is given: Trot's own recipes, the paper's, and who walks on after getting up."""
WALKING = ("lin_vel_error", "yaw_rate_error", "mean_torque", "power", "fall_rate", "foot_slip")
EXPERIMENTS = {
    f"{task}-{robot.removeprefix('anymal_')}-s{seed}": (task, robot, seed)
    for task in TRAIN
    for robot in ROBOTS
    for seed in SEEDS
}
OWN = tuple(name for name in EXPERIMENTS if not name.startswith("paper-"))


def train(name: str) -> Path:
    """Train one experiment, or go on with it, and return its folder."""
    task, robot, seed = EXPERIMENTS[name]
    folder = Path("runs") / f"paper-{name}"
    begin = [*TRAIN[task], "--robot", robot, "--seed", str(seed)]
    begin += ["--run-dir", str(folder), "--video-interval", "0"]
    started = (ROOT / folder / "checkpoints" / "last.pt").exists()
    command = ["train.py", *(["--resume", str(folder)] if started else begin)]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    return folder


def judge(name: str, folder: Path) -> dict[str, Any]:
    """Return the figures of an experiment's last policy, seed 1."""
    task, robot, _ = EXPERIMENTS[name]
    episodes = EPISODES.get(task.removeprefix("paper-"), 100)
    words = [str(folder), "--evaluate", "--episodes", str(episodes), "--checkpoint", "last"]
    if task == "walk":
        words += ["--recover", str(folder).replace("walk", "recover")]
    options, override = read(words)
    subject = find_subject(options, str(folder), override)
    assert subject.task is not None
    return paper.judge(partial(policy_of, options, subject), subject.task, robot, episodes)


def run(name: str) -> dict[str, Any]:
    """Train and judge one experiment."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    folder = train(name)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (ROOT / folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    total = ROOT / folder / "cpu_seconds"  # of all processes that have gone on with it
    spent += float(total.read_text()) if total.exists() else 0.0
    total.write_text(f"{spent}\n")
    return {
        "env_steps": int(rows[-1]["env_steps"]),
        "minutes": round(float(rows[-1]["seconds"]) / 60, 1),
        "cpu_minutes": round(spent / 60, 1),
        "commit": json.loads((ROOT / folder / "git.json").read_text())["commit"],
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "found": judge(name, folder),
    }


def main(names: Annotated[tuple[str, ...], tyro.conf.Positional] = OWN) -> None:
    """Run experiments by name, all of Trot's own recipes by default, and print the table.

    Args:
        names: command-b-s1 run-b-s1 recover-b-s1 walk-b-s1 command-c-s1 and so on, to -s3; with
            the paper's recipe paper-command-b-s1 and so on
    """
    results = gather(names, EXPERIMENTS, RESULTS, run)
    table = Table("run", "steps", "CPU minutes", "found", box=None)
    for name, result in results.items():
        table.add_row(
            name, f"{result['env_steps']:,}", f"{result['cpu_minutes']}", told(result["found"])
        )
    Console().print(table)


def told(found: dict[str, Any]) -> str:
    """Return the figures that the paper has, in words."""
    if "walks_on" in found:
        return f"{found['walks_on']['mean']:.1%} get up and walk on"
    if "held" in found:
        return f"{found['held']:.2f} m/s held by 95 of 100"
    if "upright" not in found:
        return ", ".join(f"{n} {found[n]['mean']:.3f}" for n in WALKING)
    share = found["recovered"]
    return (
        f"{found['upright']:.1%} upright, half of all after {found['median']:.2f} s, 95 % after "
        f"{found['p95']:.2f} s; "
        f"{share['mean']:.1%} in the stance"
    )


if __name__ == "__main__":
    tyro.cli(main)

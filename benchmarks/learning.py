"""Train, judge and tabulate: `python -m benchmarks.learning [NAME …]`.

Every experiment runs the README's own commands, train.py and then play.py --evaluate, in
`runs/bench-NAME`; a finished one is not trained again. Results and their table go to
benchmarks/learning.json and to the terminal.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console

from benchmarks.experiments import gather
from benchmarks.time_to_walk import FAST

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "learning.json"
EPISODES = {"walk": 100, "trpo": 100, "ppo": 100, "plain": 100, "stand": 100}
"""Episodes of an evaluation by kind of experiment; 20 for the others."""
SHOWN = {
    "lin_vel_error": "m/s",
    "yaw_rate_error": "rad/s",
    "fall_rate": "",
    "stride_frequency": "Hz",
    "duty_factor": "",
    "swing_apex": "m",
    "foot_slip": "m/s",
    "power": "W",
    "cost_of_transport": "",
}


@dataclass(frozen=True)
class Experiment:
    """What train.py is given."""

    arguments: tuple[str, ...]
    seed: int


def _walk(seed: int, *more: str) -> Experiment:
    return Experiment(("trot/AnymalWalk-v0", *FAST, *more), seed)


QUICK = (
    *("--env.gait.frequency", "2.7", "--env.commands.standing-share", "0.1"),
    *("--env.rewards.lin-vel-deviation.weight", "-4.5", "--env.rewards.slip.weight", "-1.5"),
    *("--env.rewards.power.weight", "-0.002", "--env.rewards.termination.weight", "-15"),
)
"""Shorter strides, dearer errors, slips and falls: what TRPO and PPO are compared under."""
LONG = (
    *("--env.gait.frequency", "2.7", "--env.commands.standing-share", "0.1"),
    *("--env.rewards.lin-vel-deviation.weight", "-9", "--env.rewards.slip.weight", "-1.8"),
    *("--env.rewards.yaw-rate-deviation.weight", "-4", "--env.rewards.power.weight", "-0.0022"),
    *("--env.rewards.termination.weight", "-30"),
)
"""What suits eight million steps: policies/walk.pt has learned with it."""
EXPERIMENTS = {
    "walk-s1": _walk(1, *LONG),
    "walk-s2": _walk(2, *LONG),
    "walk-s3": _walk(3, *LONG),
    "trpo-s1": _walk(1, *QUICK),
    "trpo-s2": _walk(2, *QUICK),
    "trpo-s3": _walk(3, *QUICK),
    "ppo-s1": _walk(1, *QUICK, "--algo", "ppo"),
    "ppo-s2": _walk(2, *QUICK, "--algo", "ppo"),
    "ppo-s3": _walk(3, *QUICK, "--algo", "ppo"),
    "plain-s1": _walk(1, "--algo.symmetry", "off"),
    "stand-s1": Experiment(("trot/AnymalStand-v0",), 1),
    "cartpole-s1": Experiment(("CartPole-v1",), 1),
    "pendulum-s1": Experiment(("Pendulum-v1",), 1),
    "ant-s1": Experiment(("Ant-v5", "--total-steps", "200000"), 1),
}


def run(name: str) -> dict[str, Any]:
    """Train (or go on training) and judge one experiment."""
    experiment, folder = EXPERIMENTS[name], ROOT / "runs" / f"bench-{name}"
    train = ["train.py", *experiment.arguments, "--seed", str(experiment.seed)]
    train += ["--run-dir", str(folder.relative_to(ROOT)), "--video-interval", "0"]
    last = folder / "checkpoints" / "last.pt"
    _python(["train.py", "--resume", str(folder.relative_to(ROOT))] if last.exists() else train)
    result = folder / "evaluation.json"
    episodes = EPISODES.get(name.split("-")[0], 20)
    judge = ["play.py", str(folder.relative_to(ROOT)), "--evaluate", "--seed", "1"]
    _python([*judge, "--episodes", str(episodes), "--json", str(result.relative_to(ROOT))])
    with (folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    config = json.loads((folder / "config.json").read_text())
    if "--total-steps" not in train:
        train += ["--total-steps", str(config["total_steps"])]
    return {
        "command": " ".join(["python", *train]),
        "commit": json.loads((folder / "git.json").read_text())["commit"],
        "seed": experiment.seed,
        "env_steps": int(rows[-1]["env_steps"]),
        "minutes": round(float(rows[-1]["seconds"]) / 60, 1),
        "first_return": float(next(r["episode_return"] for r in rows if r["episode_return"])),
        "last_return": float(rows[-1]["episode_return"]),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "evaluation": json.loads(result.read_text()),
    }


def _python(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True)


def locomotion_table(results: dict[str, Any]) -> str:
    """Return the markdown table of the trot/ experiments."""
    units = [f"{n.replace('_', ' ')}{f' ({u})' if u else ''}" for n, u in SHOWN.items()]
    rows = [["run", "steps", "minutes", *units], ["---"] * (3 + len(units))]
    for name, result in results.items():
        judged = result["evaluation"]
        if "fall_rate" in judged:
            cells = [_interval(judged[metric]) for metric in SHOWN]
            steps = f"{result['env_steps'] / 1e6:.1f}M"
            rows.append([name, steps, f"{result['minutes']:g}", *cells])
    return _markdown(rows)


def return_table(results: dict[str, Any]) -> str:
    """Return the markdown table of the other experiments."""
    rows = [["run", "steps", "minutes", "first return", "return, 20 episodes"], ["---"] * 5]
    for name, result in results.items():
        judged = result["evaluation"]
        if "return_mean" in judged:
            mean = f"{judged['return_mean']:.0f} ± {judged['return_std']:.0f}"
            first = f"{result['first_return']:.0f}"
            rows.append([name, f"{result['env_steps']:,}", f"{result['minutes']:g}", first, mean])
    return _markdown(rows)


def _interval(value: dict[str, float | None]) -> str:
    if value["mean"] is None:
        return "–"
    return f"{value['mean']:.3f} ({value['low']:.3f}–{value['high']:.3f})"


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main(names: Annotated[tuple[str, ...], tyro.conf.Positional] = tuple(EXPERIMENTS)) -> None:
    """Run experiments by name, all of them by default, and print the tables.

    Args:
        names: walk-s1 walk-s2 walk-s3 plain-s1 stand-s1 cartpole-s1 pendulum-s1 ant-s1
    """
    results = gather(names, EXPERIMENTS, RESULTS, run)
    Console().print(locomotion_table(results), return_table(results), sep="\n\n", soft_wrap=True)


if __name__ == "__main__":
    tyro.cli(main)

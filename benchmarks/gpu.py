"""Physics and learner on one GPU: `python -m benchmarks.gpu`, in under 10 minutes.

Control steps a second of the walking task, with rewards, observations, random actions and resets,
under MuJoCo Warp and then under `mujoco.batch` on all cores; memory of the device a robot;
then whole trainings (`TRAINING`), each judged on the CPU's cores under the protocol and by the
criterion of benchmarks.time_to_walk. Results go to benchmarks/gpu.json as they come; a training
that it holds is not repeated. Without a CUDA device it says so, and measures nothing.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from benchmarks.time_to_walk import FAST, ROOT, missed_by, trained
from envs import tasks
from envs.sim.engines import Engine
from envs.vector import LocomotionVectorEnv
from robots import get_robot

RESULTS = ROOT / "benchmarks" / "gpu.json"
TRAINING = (
    *("trot/AnymalWalk-v0", *FAST, "--physics", "warp", "--device", "cuda"),
    *("--num-envs", "1024", "--rollout-steps", "8", "--logger", "none"),
    *("--video-interval", "0", "--eval-interval", "0", "--eval-episodes", "1"),
)


@dataclass(frozen=True)
class Options:
    """What is measured."""

    worlds: tuple[int, ...] = (1024, 4096, 16384)
    """Numbers of simulations."""
    seconds: float = 4.0
    """Length of a measurement of speed (s)."""
    rounds: int = 3
    """Measurements of each engine and number; the median counts."""
    seeds: tuple[int, ...] = (1, 2, 3)
    """Of the trainings."""
    budgets: tuple[int, ...] = (1_000_000, 2_000_000, 8_000_000)
    """Steps of the trainings."""
    device: str = "cuda"
    """Where Warp simulates; cpu shows that this program works, and writes nothing."""


def walking(physics: Engine, worlds: int, device: str, full: bool = False) -> LocomotionVectorEnv:
    """Return the walking task as `make demo` trains it, or in full physics."""
    robot = get_robot("anymal_c")
    task = tasks.make("walk", robot)
    fast = replace(task.simulation, physics="fast", timestep=0.01, substeps=2)
    task = task if full else replace(task, simulation=fast)
    env = LocomotionVectorEnv(worlds, config=task, physics=physics, device=device)
    env.reset(seed=1)
    return env


def rate(step: Callable[[], object], steps: int, seconds: float) -> float:
    """Return the steps a second of a call that takes `steps`, over a while."""
    begin, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - begin) < seconds:
        step()
        calls += 1
    return calls * steps / passed


def speeds(options: Options, worlds: int, full: bool) -> dict[str, Any]:
    """Return control steps a second, whole and of the physics alone, and memory."""
    found: dict[str, Any] = {"worlds": worlds, "physics": "full" if full else "fast"}
    before, begin = _free(options.device), time.perf_counter()
    engines: dict[str, LocomotionVectorEnv] = {}
    for name in ("warp", "batch"):
        engines[name] = walking(name, worlds, options.device, full)
        actions = np.random.default_rng(1).uniform(-0.5, 0.5, (worlds, 12)).astype(np.float32)
        for _ in range(3):
            engines[name].step(actions)
        if name == "warp":
            found["seconds_to_start"] = round(time.perf_counter() - begin, 1)
            found["kB_a_world"] = round((before - _free(options.device)) / worlds / 1e3, 1)
        times = [
            rate(lambda e=engines[name], a=actions: e.step(a), worlds, options.seconds)
            for _ in range(options.rounds)
        ]
        found[f"{name}_steps_per_second"] = round(float(np.median(times)))
        alone = rate(engines[name].physics.step, worlds, options.seconds / 2)
        found[f"{name}_physics_alone"] = round(alone)
    for env in engines.values():
        env.close()
    return found


def _free(device: str) -> int:
    return torch.cuda.mem_get_info()[0] if device == "cuda" else 0


def training(seed: int, budget: int) -> dict[str, Any]:
    """Train once, and judge the last policy; return seconds, shares and measures."""
    run = ROOT / "runs" / "gpu" / f"{budget}-s{seed}"
    train = ["train.py", *TRAINING, "--seed", str(seed), "--total-steps", str(budget)]
    judge = ["play.py", str(run), "--checkpoint", "last", "--evaluate", "--episodes", "100"]
    found = trained(
        [*train, "--run-dir", str(run)], [*judge, "--seed", "1", "--json"], run / "judged.json"
    )
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for part in ("seconds_rollout", "seconds_update"):
        found[part] = round(sum(float(row[part] or 0) for row in rows), 1)
    found["training_seconds"] = round(float(rows[-1]["seconds"]), 1)
    found["walks"] = not missed_by(found["evaluation"])
    return found


def machine() -> dict[str, Any]:
    """Return what the numbers are of."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = [line for line in lines if line.startswith("model name")]
    return {
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "cores": os.cpu_count(),
        "cpu": model[0].split(":")[1].strip() if model else None,
        "torch": torch.__version__,
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip(),
    }


def main(options: Options) -> None:
    """Measure what is missing."""
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("unmeasured: torch sees no CUDA device")
    measuring, here = options.device == "cuda", machine()
    results = json.loads(RESULTS.read_text()) if measuring and RESULTS.exists() else {}

    def keep(name: str, found: dict[str, Any]) -> None:
        results[name] = found | {"machine": here}
        if measuring:
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        print(name, {key: value for key, value in found.items() if key != "evaluation"}, flush=True)

    for worlds in options.worlds:
        for full in (False, True):
            name = f"speed-{'full' if full else 'fast'}-{worlds}"
            if name not in results:
                keep(name, speeds(options, worlds, full))
    for budget in options.budgets if measuring else ():
        for seed in options.seeds:
            if f"walk-{budget}-s{seed}" not in results:
                keep(f"walk-{budget}-s{seed}", training(seed, budget))


if __name__ == "__main__":
    main(tyro.cli(Options))

"""Returns against sb3-contrib's TRPO or Stable-Baselines3's PPO: `python -m benchmarks.returns`.

Every pair of task and seed is trained by both, one process each, and judged by 20 deterministic
episodes at the end. What is done stays in benchmarks/returns.json: the command goes on where it
stopped. Prints the table, draws docs/images/returns.png (returns-ppo.png). The peers have the
settings of RL Baselines3 Zoo (its newest MuJoCo entries). Trot's TRPO runs `train.py TASK` with
its presets; its PPO the peer's settings (`--algo ppo`), for there the question is whether it is
the same algorithm.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import gymnasium
import numpy as np
import tyro
from rich.console import Console
from rich.progress import Progress

from algos.compare.intervals import mean_interval
from benchmarks import zoo

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "returns.json"
EPISODES, JUDGES, JUDGE_SEED = 20, 10, 1000
"""Episodes at the end, in as many environments as play.py takes: the same starts for both."""
Algorithm = Literal["trot", "sb3-contrib", "trot-ppo", "sb3-ppo"]
Pair = tuple[Algorithm, Algorithm]
PAIRS: dict[str, Pair] = {"trpo": ("trot", "sb3-contrib"), "ppo": ("trot-ppo", "sb3-ppo")}
"""By algorithm: Trot, and the peer that it is set beside."""
STEPS = {
    "CartPole-v1": 100_000,
    "Pendulum-v1": 100_000,
    "Hopper-v5": 1_000_000,
    "Walker2d-v5": 1_000_000,
    "HalfCheetah-v5": 1_000_000,
    "Ant-v5": 1_000_000,
    "Swimmer-v5": 1_000_000,
}
"""Tasks and their transitions."""


@dataclass(frozen=True)
class Unit:
    """One training."""

    task: str
    algorithm: Algorithm
    seed: int

    @property
    def key(self) -> str:
        """Its name in the results."""
        return f"{self.task}/{self.algorithm}/{self.seed}"


def train_trot(unit: Unit) -> dict[str, Any]:
    """Train with train.py, judge with play.py."""
    own = unit.algorithm.removeprefix("trot")  # "" or "-ppo"
    run = Path("runs") / f"returns{own}-{unit.task}-s{unit.seed}"
    arguments = ["train.py", unit.task, "--seed", str(unit.seed), "--run-dir", str(run)]
    arguments += ["--total-steps", str(STEPS[unit.task]), "--video-interval", "0"]
    if own:
        arguments += ["--eval-interval", "0", *zoo.PPO[unit.task].ours(_half_range(unit.task))]
        if unit.task in zoo.UNNORMALIZED:
            arguments += ["--algo.no-normalize-observations"]
    if (ROOT / run / "checkpoints" / "last.pt").exists():
        arguments = ["train.py", "--resume", str(run)]
    _python([*arguments, "--wandb", "disabled"])
    judged = run / "evaluation.json"
    judge = ["play.py", str(run), "--checkpoint", "last", "--evaluate", "--json", str(judged)]
    _python([*judge, "--episodes", str(EPISODES), "--seed", str(JUDGE_SEED)])
    with (ROOT / run / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["episode_return"]]
    curve = [[int(row["env_steps"]), float(row["episode_return"])] for row in rows]
    final = json.loads((ROOT / judged).read_text())["return_mean"]
    return {"final": final, "curve": curve, "seconds": float(rows[-1]["seconds"])}


def _python(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr[-2000:]}")


def _half_range(task: str) -> float:
    space = gymnasium.make(task).action_space
    return float(space.high[0]) if isinstance(space, gymnasium.spaces.Box) else 1.0


def train_peer(unit: Unit) -> dict[str, Any]:
    """Train and judge sb3-contrib's TRPO or Stable-Baselines3's PPO in this process."""
    import time

    from sb3_contrib import TRPO
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.vec_env import VecNormalize

    class Curve(BaseCallback):
        def __init__(self) -> None:
            super().__init__()
            self.points: list[list[float]] = []

        def _on_step(self) -> bool:
            return True

        def _on_rollout_end(self) -> None:
            returns = [episode["r"] for episode in self.model.ep_info_buffer or ()]
            if returns:
                self.points.append([self.num_timesteps, float(np.mean(returns))])

    ppo = unit.algorithm == "sb3-ppo"
    settings = zoo.PPO[unit.task].theirs() if ppo else zoo.TRPO.get(unit.task, zoo.MUJOCO)
    env: Any = make_vec_env(unit.task, zoo.PPO[unit.task].envs if ppo else 2, seed=unit.seed)
    normalized = unit.task not in zoo.UNNORMALIZED
    if normalized:
        env = VecNormalize(env, gamma=settings.get("gamma", 0.99))
    curve, start = Curve(), time.perf_counter()
    learner = PPO if ppo else TRPO
    model = learner("MlpPolicy", env, seed=unit.seed, device="cpu", **settings)
    model.learn(STEPS[unit.task], callback=curve)
    seconds = time.perf_counter() - start
    judge: Any = make_vec_env(unit.task, JUDGES, seed=JUDGE_SEED)
    if normalized:
        judge = VecNormalize(judge, training=False, norm_reward=False)
        judge.obs_rms = env.obs_rms
    final = np.mean(evaluate_policy(model, judge, EPISODES, deterministic=True)[0])
    return {"final": float(final), "curve": curve.points, "seconds": seconds}


def load() -> dict[str, Any]:
    """Return the results so far by `Unit.key`."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def finals(results: dict[str, Any], task: str, algorithm: Algorithm) -> np.ndarray:
    """Return the final returns of the seeds that both have done, in their order, (seeds,)."""
    both = next(pair for pair in PAIRS.values() if algorithm in pair)
    done = [{k.split("/")[2] for k in results if k.startswith(f"{task}/{a}/")} for a in both]
    return np.array(
        [results[f"{task}/{algorithm}/{s}"]["final"] for s in sorted(set.intersection(*done))]
    )


def complete(results: dict[str, Any], pair: Pair, seeds: int) -> list[str]:
    """Return the tasks that both have finished with this many seeds."""
    return [task for task in STEPS if len(finals(results, task, pair[0])) >= seeds]


def table(results: dict[str, Any], pair: Pair) -> str:
    """Return the markdown table: mean and 95 % interval over the seeds, and rliable's IQM."""
    rows = [["task", "steps", "seeds", *pair], ["---"] * (3 + len(pair))]
    for task, steps in STEPS.items():
        scores = [finals(results, task, name) for name in pair]
        if all(len(score) for score in scores):
            cells = [_mean_with_interval(score) for score in scores]
            rows.append([task, f"{steps:,}", str(min(map(len, scores))), *cells])
    done = complete(results, pair, 3)
    if done:
        rows.append([f"IQM over {len(done)} tasks", "", "3", *aggregate(results, pair, done)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _mean_with_interval(scores: np.ndarray) -> str:
    mean, half = mean_interval(scores)
    return f"{mean:.0f} ± {half:.0f}" if len(scores) > 1 else f"{mean:.0f}"


def aggregate(results: dict[str, Any], pair: Pair, tasks: list[str]) -> Iterator[str]:
    """Yield each algorithm's interquartile mean with its 95 % interval, over seeds and tasks.

    Returns are scaled by task so that the peer's mean is 1 and the random agent's is 0.
    """
    from rliable import library, metrics

    scores = {}
    for name in pair:
        columns = []
        for task in tasks:
            floor = random_return(task)
            span = finals(results, task, pair[1]).mean() - floor
            columns.append((finals(results, task, name)[:3] - floor) / span)
        scores[name] = np.stack(columns, axis=1)
    np.random.seed(0)  # noqa: NPY002 - rliable takes no notice of its own random_state
    points, intervals = library.get_interval_estimates(
        scores, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=2000
    )
    for name in pair:
        low, high = intervals[name][:, 0]
        yield f"{points[name][0]:.2f} ({low:.2f}–{high:.2f})"


def random_return(task: str) -> float:
    """Mean return of 20 episodes of random actions."""
    env = gymnasium.make(task)
    env.action_space.seed(0)
    total = 0.0
    for episode in range(EPISODES):
        env.reset(seed=episode)
        done = False
        while not done:
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            total += float(reward)
            done = terminated or truncated
    return total / EPISODES


def draw(results: dict[str, Any], pair: Pair, picture: Path) -> None:
    """Draw the learning curves: mean over the seeds and its 95 % interval."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    tasks = [task for task in STEPS if len(finals(results, task, pair[0]))]
    if not tasks:
        return
    columns = min(4, len(tasks))
    rows = -(-len(tasks) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.4 * columns, 2.6 * rows), squeeze=False)
    for axis in axes.flat[len(tasks) :]:
        axis.set_visible(False)
    for axis, task in zip(axes.flat, tasks, strict=False):
        grid = np.linspace(0, STEPS[task], 200)
        for name in pair:
            prefix = f"{task}/{name}/"
            curves = [np.array(r["curve"]) for k, r in results.items() if k.startswith(prefix)]
            if not curves:
                continue
            values = np.stack([np.interp(grid, c[:, 0], c[:, 1]) for c in curves])
            mean, half = mean_interval(values)
            axis.plot(grid, mean, label=name)
            axis.fill_between(grid, mean - half, mean + half, alpha=0.2)
        axis.set_title(task, fontsize=9)
        axis.set_xlabel("environment steps")
        axis.ticklabel_format(axis="x", style="sci", scilimits=(0, 0))
    axes[0, 0].set_ylabel("episode return")
    axes[0, 0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def main(
    tasks: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    algo: Literal["trpo", "ppo"] = "trpo",
    seeds: tuple[int, ...] = (1, 2, 3),
    jobs: int = os.cpu_count() or 1,
    only: str = "",
) -> None:
    """Train what is missing, then print the table and draw the curves.

    Args:
        tasks: of CartPole-v1 Pendulum-v1 Hopper-v5 Walker2d-v5 HalfCheetah-v5 Ant-v5 Swimmer-v5;
            all, if none is named.
        algo: what trains; ppo on CartPole-v1 Pendulum-v1 Hopper-v5 HalfCheetah-v5.
        seeds: of the trainings.
        jobs: trainings side by side, one thread each.
        only: TASK/ALGORITHM/SEED trains that one and prints its result; used by the command itself.
    """
    if only:
        task, algorithm, seed = only.split("/")
        unit = Unit(task, cast(Algorithm, algorithm), int(seed))
        print(json.dumps((train_trot if algorithm.startswith("trot") else train_peer)(unit)))
        return
    pair, known = PAIRS[algo], tuple(STEPS if algo == "trpo" else zoo.PPO)
    for task in tasks:
        if task not in known:
            raise SystemExit(f"no task {task!r}; choose from {', '.join(known)}")
    done = load()
    units = [Unit(t, a, s) for s in seeds for t in tasks or known for a in pair]
    missing = [unit for unit in units if unit.key not in done]
    with Progress() as progress, ThreadPoolExecutor(jobs) as pool:
        bar = progress.add_task("trainings", total=len(missing))
        futures = {pool.submit(_in_process, unit): unit for unit in missing}
        for future in as_completed(futures):
            progress.advance(bar)
            if error := future.exception():
                progress.console.print(f"{futures[future].key}: {error}", markup=False)
                continue
            results = load() | {futures[future].key: future.result()}
            RESULTS.write_text(json.dumps(results) + "\n")
    results = load()
    picture = "returns.png" if algo == "trpo" else f"returns-{algo}.png"
    draw(results, pair, ROOT / "docs" / "images" / picture)
    Console().print(table(results, pair), soft_wrap=True)
    if failed := [unit.key for unit in missing if unit.key not in results]:
        raise SystemExit(f"failed: {', '.join(failed)}; the same command goes on with them")


def _in_process(unit: Unit) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.returns", "--only", unit.key]
    threads = os.environ | {"OMP_NUM_THREADS": "1"}  # both algorithms alike, `jobs` side by side
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=threads)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    tyro.cli(main)

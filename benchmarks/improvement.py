"""The promise of TRPO, kept: `python -m benchmarks.improvement`.

Schulman et al. 2015 (arXiv 1502.05477): inside the trust region the surrogate predicts the gain in
return, η(π_new) - η(π_old) ≈ Σ γ^t E[(π_new/π_old) Â]. Every few iterations both policies run from
the same states of the simulations, and the measured gain in discounted return is set beside the
predicted one. Draws docs/improvement.png, writes benchmarks/improvement.json.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path

import gymnasium
import numpy as np
import torch
import tyro
from rich.console import Console
from rich.progress import track

from algos import TRPO
from algos.presets import preset
from algos.rollout import Collector
from envs.vector import LocomotionVectorEnv

ROOT = Path(__file__).parent.parent
RESULTS, PICTURE = ROOT / "benchmarks" / "improvement.json", ROOT / "docs" / "improvement.png"


@dataclass(frozen=True)
class Options:
    """What is trained and measured."""

    env_id: str = "trot/AnymalStand-v0"
    """Gymnasium id of a task of Trot."""
    num_envs: int = 512
    """Simulations."""
    rollout_steps: int = 16
    """Control steps of each in one iteration."""
    iterations: int = 150
    """Updates."""
    interval: int = 5
    """Updates from one measurement to the next."""
    horizon: int = 300
    """Control steps that a policy's return is measured over."""
    seed: int = 1
    """Seed of everything."""


def discounted(agent: TRPO, env: LocomotionVectorEnv, horizon: int) -> tuple[np.ndarray, float]:
    """Return each simulation's discounted return to its episode's end, and E[Σ γ^t] until there."""
    observation = env._observe()
    alive, discount = np.ones(env.num_envs, bool), 1.0
    total, steps = np.zeros(env.num_envs), 0.0
    for _ in range(horizon):
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
        total += discount * reward * alive
        steps += discount * alive.mean()
        alive &= ~(terminated | truncated)
        discount *= agent.config.gamma
    return total, steps


def measure(options: Options) -> list[dict[str, float]]:
    """Train, and return the predicted and the measured gain of some of the updates."""
    env = gymnasium.make_vec(options.env_id, num_envs=options.num_envs).unwrapped
    assert isinstance(env, LocomotionVectorEnv)
    # without statistics that change with it, the policy is changed by the step alone
    config = replace(
        preset(options.env_id).algo, normalize_observations=False, normalize_advantages=False
    )
    spaces = env.single_observation_space, env.single_action_space
    agent = TRPO(*spaces, config, env.symmetry, seed=options.seed)
    collector = Collector(env, agent.sample, options.rollout_steps, seed=options.seed)
    rows = []
    for i in track(range(options.iterations), "updates"):
        rollout, old = collector.collect(), copy.deepcopy(agent)
        metrics = agent.update(rollout, i / options.iterations)
        if i % options.interval:
            continue
        here, gains = env.state_dict(), []
        for policy in (old, agent):
            env.load_state_dict(here)
            gains.append(discounted(copy.deepcopy(policy), env, options.horizon))
        env.load_state_dict(here)
        (before, length), (after, _) = gains
        difference = after - before
        rows.append(
            {
                "env_steps": float((i + 1) * rollout.rewards.numel()),
                "predicted": metrics["surrogate_gain"] * length,
                "measured": float(difference.mean()),
                "error": float(difference.std() / np.sqrt(len(difference))),
                "kl": metrics["kl"],
            }
        )
    return rows


def draw(rows: list[dict[str, float]], options: Options) -> None:
    """Draw both gains over the training, the measured one with its 95 % interval."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    figure, axis = plt.subplots(figsize=(7, 3.2))
    steps, measured = columns["env_steps"], columns["measured"]
    axis.plot(steps, columns["predicted"], label="predicted by the surrogate")
    axis.errorbar(steps, measured, 1.96 * columns["error"], fmt="o", ms=3, label="measured")
    axis.axhline(0.0, color="grey", lw=0.8)
    axis.set_xlabel("environment steps")
    axis.set_ylabel("gain in discounted return")
    axis.set_title(f"One update's gain, {options.env_id}", fontsize=10)
    axis.legend()
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=110)


def main(options: Options) -> None:
    torch.set_num_threads(1)
    rows = measure(options)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    draw(rows, options)
    predicted, measured = (np.array([r[name] for r in rows]) for name in ("predicted", "measured"))
    significant = sum(row["measured"] < -1.96 * row["error"] for row in rows)
    Console().print(
        f"{len(rows)} updates measured: mean gain predicted {predicted.mean():.3f}, measured "
        f"{measured.mean():.3f}, correlation {np.corrcoef(predicted, measured)[0, 1]:.2f}; "
        f"{significant} made the policy worse beyond the 95 % interval"
    )


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))

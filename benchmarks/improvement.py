"""The promise of TRPO, kept: `python -m benchmarks.improvement`.

Schulman et al. 2015 (arXiv 1502.05477), equations 2 and 3: inside the trust region the surrogate
predicts the gain in return, η(π_new) - η(π_old) ≈ E[Σ γ^t (π_new/π_old - 1) Â] over the old
policy's episodes. Every few updates both policies run from the same starts with the same random
numbers. The prediction from the old one's episodes, which the step never saw, is set beside the
gain that was measured, and beside what the batch of the step promised. Draws
docs/images/improvement.png, writes benchmarks/improvement.json.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import gymnasium
import numpy as np
import torch
import tyro
from rich.console import Console
from rich.progress import track
from torch import Tensor

from algos.compare.intervals import mean_interval
from algos.presets import preset
from algos.rollout.collector import Collector
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO
from envs.vector import LocomotionVectorEnv

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "improvement.json"
PICTURE = ROOT / "docs" / "images" / "improvement.png"


@dataclass(frozen=True)
class Options:
    """What is trained and measured."""

    env_id: str = "trot/AnymalStand-v0"
    """Gymnasium id of a task of Trot."""
    num_envs: int = 512
    """Simulations."""
    rollout_steps: int = 64
    """Control steps of each in one iteration."""
    iterations: int = 40
    """Updates."""
    interval: int = 2
    """Updates from one measurement to the next."""
    horizon: int = 250
    """Control steps that a policy's return is measured over."""
    seed: int = 1
    """Seed of everything."""


@dataclass(frozen=True)
class Episodes:
    """One episode of each simulation under one policy."""

    states: Tensor  # (T, n, O)
    actions: Tensor  # (T, n, A)
    advantages: Tensor  # (T, n)
    weights: Tensor  # (T, n), γ^t until the episode's end, then 0
    returns: np.ndarray  # (n,), discounted


@torch.no_grad()
def episodes(agent: TRPO, env: LocomotionVectorEnv, options: Options) -> Episodes:
    """Run a policy from starts, and with random numbers, that depend on the seed alone."""
    twin, transitions = copy.deepcopy(agent), env.transitions
    twin.generator.manual_seed(options.seed)
    rollout = Collector(env, twin.sample, options.horizon, seed=options.seed).collect()
    env.transitions = transitions  # the curriculum stands still
    states, _, advantages = twin.estimate(rollout)
    ended = (rollout.terminated | rollout.truncated).int().cumsum(0)
    alive = torch.cat([torch.zeros_like(ended[:1]), ended[:-1]]) == 0
    discount = agent.config.gamma ** torch.arange(options.horizon)[:, None]
    weights = alive * discount
    returns = (weights * rollout.rewards).sum(0).numpy()
    return Episodes(states.clone(), rollout.actions.clone(), advantages, weights, returns)


@torch.no_grad()
def predicted_gain(old: TRPO, new: TRPO, seen: Episodes) -> np.ndarray:
    """Return Σ γ^t (π_new/π_old - 1) Â over each of the old policy's episodes, (n,)."""
    states, actions = seen.states.flatten(0, 1), seen.actions.flatten(0, 1)
    change = new.policy(states).log_prob(actions) - old.policy(states).log_prob(actions)
    ratio_change = change.expm1().view_as(seen.advantages)
    return (seen.weights * ratio_change * seen.advantages).sum(0).numpy()


def run(options: Options) -> list[dict[str, float]]:
    """Train, and return what some of the updates promised and kept, with 95 % half widths."""
    env, judge = (
        gymnasium.make_vec(options.env_id, num_envs=options.num_envs).unwrapped for _ in range(2)
    )
    assert isinstance(env, LocomotionVectorEnv)
    assert isinstance(judge, LocomotionVectorEnv)
    # without statistics that change with it, the policy is changed by the step alone
    config = replace(
        preset(options.env_id).algo(TRPOConfig),
        normalize_observations=False,
        normalize_advantages=False,
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
        judge.transitions = env.transitions
        before, after = episodes(old, judge, options), episodes(agent, judge, options)
        length = float(before.weights.sum(0).mean())
        rows.append(
            {
                "env_steps": float((i + 1) * rollout.rewards.numel()),
                "return": float(before.returns.mean()),
                "fitted": metrics["surrogate_gain"] * length,
                **_interval("predicted", predicted_gain(old, agent, before)),
                **_interval("measured", after.returns - before.returns),
                "kl": metrics["kl"],
            }
        )
    return rows


def _interval(name: str, values: np.ndarray) -> dict[str, float]:
    mean, half = mean_interval(values)
    return {name: float(mean), f"{name}_interval": float(half)}


def draw(rows: list[dict[str, float]], options: Options) -> None:
    """Draw the gains over the training, and the measured over the predicted."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.4), width_ratios=(3, 2), layout="constrained"
    )
    steps, predicted, measured = (columns[n] for n in ("env_steps", "predicted", "measured"))
    errors = columns["predicted_interval"], columns["measured_interval"]
    left.plot(steps, columns["fitted"], ":", color="grey", label="surrogate, batch of the step")
    left.errorbar(steps, predicted, errors[0], fmt="o-", ms=3, label="surrogate, unseen episodes")
    left.errorbar(steps, measured, errors[1], fmt="s-", ms=3, label="measured")
    left.set_xlabel("environment steps")
    left.set_ylabel("gain in discounted return")
    left.set_title(f"One update's gain, {options.env_id}", fontsize=10)
    left.legend(fontsize=8)
    right.errorbar(predicted, measured, errors[1], errors[0], fmt="o", ms=3)
    right.axline((0, 0), slope=1, color="grey", lw=0.8)
    right.axhline(0.0, color="grey", lw=0.8)
    right.set_xlabel("surrogate, unseen episodes")
    right.set_ylabel("measured")
    figure.savefig(PICTURE, dpi=110)


def main(options: Options) -> None:
    torch.set_num_threads(1)
    rows = run(options)
    RESULTS.write_text(json.dumps({"options": asdict(options), "updates": rows}, indent=1) + "\n")
    draw(rows, options)
    fitted, predicted, measured = (
        np.array([row[name] for row in rows]) for name in ("fitted", "predicted", "measured")
    )
    worse = sum(row["measured"] < -row["measured_interval"] for row in rows)
    Console().print(
        f"{len(rows)} updates, mean gain: {fitted.mean():.3f} by the batch of the step, "
        f"{predicted.mean():.3f} by unseen episodes, {measured.mean():.3f} measured (correlation "
        f"of the last two {np.corrcoef(predicted, measured)[0, 1]:.2f}); {worse} updates made "
        "the policy worse beyond the 95 % interval"
    )


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))

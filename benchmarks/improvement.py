"""The promise of TRPO, kept: `python -m benchmarks.improvement`.

Schulman et al. 2015 (arXiv 1502.05477), equations 2 and 3: inside the trust region the surrogate
predicts the gain in return, η(π_new) - η(π_old) ≈ Σ γ^t E[(π_new/π_old - 1) Â]. Every few updates
it is read three ways: on the batch that the step was fitted to, on experience of the old policy
that the step never saw, and measured, both policies running from the same states with the same
random numbers. Draws docs/improvement.png, writes benchmarks/improvement.json.
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

from algos import TRPO
from algos.plots import mean_interval
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
    rollout_steps: int = 64
    """Control steps of each in one iteration."""
    held_out: int = 3
    """Rollouts of the old policy that only the prediction sees."""
    iterations: int = 60
    """Updates."""
    interval: int = 4
    """Updates from one measurement to the next."""
    horizon: int = 300
    """Control steps that a policy's return is measured over."""
    repeats: int = 2
    """Times that it is measured, with other random numbers."""
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


def measure(
    old: TRPO, new: TRPO, env: LocomotionVectorEnv, options: Options
) -> tuple[np.ndarray, float]:
    """Return each simulation's gain in discounted return (n,), and the old policy's E[Σ γ^t]."""
    here, gains, lengths = env.state_dict(), [], []
    for repeat in range(options.repeats):
        returns = []
        for policy in (old, new):
            env.load_state_dict(here)
            twin = copy.deepcopy(policy)
            twin.generator.manual_seed(options.seed + repeat)
            total, length = discounted(twin, env, options.horizon)
            returns.append(total)
            lengths.append(length)
        gains.append(returns[1] - returns[0])
    env.load_state_dict(here)
    return np.mean(gains, 0), float(np.mean(lengths[::2]))


Sample = tuple[Tensor, Tensor, Tensor]
"""States (T, n, O), actions (T, n, A) and advantages (T, n)."""


def sample(agent: TRPO, collector: Collector) -> Sample:
    """Return a rollout of the policy and its advantages, which the next rollout leaves alone."""
    rollout = collector.collect()
    states, _, advantages = agent.estimate(rollout)
    return states.clone(), rollout.actions.clone(), advantages


@torch.no_grad()
def surrogate_gain(old: TRPO, new: TRPO, samples: list[Sample]) -> np.ndarray:
    """Return E[(π_new/π_old - 1) Â] (n,), over each simulation's steps."""
    gains = []
    for states, actions, advantages in samples:
        flat, taken = states.flatten(0, 1), actions.flatten(0, 1)
        change = new.policy(flat).log_prob(taken) - old.policy(flat).log_prob(taken)
        gains.append((change.expm1().view_as(advantages) * advantages).mean(0))
    return torch.stack(gains).mean(0).numpy()


def run(options: Options) -> list[dict[str, float]]:
    """Train, and return what some of the updates promised and kept, with 95 % half widths."""
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
        if i % options.interval:
            agent.update(collector.collect(), i / options.iterations)
            continue
        unseen = [sample(agent, collector) for _ in range(options.held_out)]
        old, rollout = copy.deepcopy(agent), collector.collect()
        metrics = agent.update(rollout, i / options.iterations)
        measured, length = measure(old, agent, env, options)
        predicted = surrogate_gain(old, agent, unseen) * length
        rows.append(
            {
                "env_steps": float((i + 1) * rollout.rewards.numel()),
                "fitted": metrics["surrogate_gain"] * length,
                **_interval("predicted", predicted),
                **_interval("measured", measured),
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
    left.errorbar(steps, predicted, errors[0], fmt="o-", ms=3, label="surrogate, unseen batch")
    left.errorbar(steps, measured, errors[1], fmt="s-", ms=3, label="measured")
    left.set_xlabel("environment steps")
    left.set_ylabel("gain in discounted return")
    left.set_title(f"One update's gain, {options.env_id}", fontsize=10)
    left.legend(fontsize=8)
    right.errorbar(predicted, measured, errors[1], errors[0], fmt="o", ms=3)
    right.axline((0, 0), slope=1, color="grey", lw=0.8)
    right.axhline(0.0, color="grey", lw=0.8)
    right.set_xlabel("surrogate, unseen batch")
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
        f"{predicted.mean():.3f} by an unseen one, {measured.mean():.3f} measured (correlation "
        f"with the unseen one {np.corrcoef(predicted, measured)[0, 1]:.2f}); {worse} updates made "
        "the policy worse beyond the 95 % interval"
    )


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))

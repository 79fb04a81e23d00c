"""trot/ tasks under rsl_rl's runner."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from envs import tasks
from envs.vector import LocomotionVectorEnv
from robots import get_robot

if TYPE_CHECKING:
    from algos.rollout.rsl_rl import RslRlVecEnv

pytestmark = pytest.mark.skipif(
    find_spec("rsl_rl") is None,
    reason="no rsl-rl-lib (pip install -c constraints.txt -e '.[rsl-rl]')",
)


def make(n: int, seconds: float = 20.0) -> tuple[RslRlVecEnv, LocomotionVectorEnv]:
    from algos.rollout.rsl_rl import RslRlVecEnv  # takes seconds, in each process of pytest

    config = replace(tasks.make("walk", get_robot("anymal_c")), episode_length=seconds)
    env = LocomotionVectorEnv(n, config=config)
    return RslRlVecEnv(env, seed=1), env


def train_config() -> dict[str, Any]:
    """The ten lines of docs/train.md."""
    network = {"class_name": "MLPModel", "hidden_dims": [32, 16], "activation": "elu"}
    noise = {"class_name": "GaussianDistribution", "init_std": 0.4}
    return {
        "num_steps_per_env": 8,
        "save_interval": 50,
        "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "actor": network | {"obs_normalization": True, "distribution_cfg": noise},
        "critic": network | {"obs_normalization": True},
        "algorithm": {"class_name": "PPO", "num_learning_epochs": 2, "num_mini_batches": 2},
    }


def test_its_ppo_trains() -> None:
    from rsl_rl.runners import OnPolicyRunner

    adapted, env = make(8)
    runner = OnPolicyRunner(adapted, train_config(), log_dir=None)
    before = [p.clone() for p in runner.alg.actor.parameters()]
    runner.learn(2, init_at_random_ep_len=True)
    assert env.transitions == 2 * 8 * 8
    after = list(runner.alg.actor.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(p.isfinite().all() for p in after)


def test_time_outs_are_truncations_alone() -> None:
    """A robot that stands is cut after half a second; one on its back falls at once."""
    adapted, env = make(2, seconds=0.5)
    env.physics.set_rows(np.array([1]), *upside_down(env))
    ended: list[tuple[list[bool], list[bool]]] = []
    for _ in range(25):
        _, _, dones, extras = adapted.step(torch.zeros(2, 12))
        if dones.any():
            ended.append((dones.tolist(), extras["time_outs"].tolist()))
            assert "/episode/fall" in extras["log"]
    assert ended[0] == ([False, True], [False, False])
    assert ended[-1][0][0]
    assert ended[-1][1][0]


def upside_down(env: LocomotionVectorEnv) -> Any:
    rows = env.config.protocol.start(env.robot, 1, np.random.default_rng(0))
    rows.base_pose[:, 3:] = [0.0, 1.0, 0.0, 0.0]
    return rows


def test_lengths_that_are_drawn_bring_time_outs_forward() -> None:
    adapted, _ = make(3)
    assert adapted.max_episode_length == 1000
    adapted.episode_length_buf = torch.tensor([0, 998, 999])
    assert adapted.episode_length_buf.tolist() == [0, 998, 999]
    outs = [adapted.step(torch.zeros(3, 12))[3]["time_outs"].tolist() for _ in range(2)]
    assert outs == [[False, False, True], [False, True, False]]
    assert adapted.episode_length_buf.tolist() == [2, 0, 1]

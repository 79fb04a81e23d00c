"""An algorithm is one class, its settings and a line in the registry: trained, resumed, played."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

import play
import train
from algos import registry
from algos.agent import Agent, AgentConfig
from algos.nets.equivariant import Symmetry
from algos.nets.networks import MLP
from algos.nets.normalizer import ObservationNormalizer
from algos.nets.policy import Policy, output_size
from algos.parallel import ALONE, Group
from algos.playing.agents import load_agent
from algos.rollout.environments import make_vec
from algos.rollout.rollout import Rollout
from algos.runs.checkpoint import load_checkpoint
from algos.runs.fingerprint import fingerprint
from algos.usage import UsageError
from trot import training


@dataclass(frozen=True)
class ReinforceConfig(AgentConfig):
    """Settings of REINFORCE."""

    rate: float = 0.01
    """Step along the gradient."""
    width: int = 8
    """Of the hidden layer."""


class Reinforce:
    """Williams 1992: a step along the mean of reward to go times ∇ log π."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        config: ReinforceConfig,
        *,
        symmetry: Symmetry | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
        group: Group = ALONE,
    ) -> None:
        size = (observation_space.shape or (0,))[0]
        self.config, self.device = config, torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        network = MLP((size, config.width, output_size(action_space)), "tanh", 0.01, self.generator)
        self.policy = Policy(network, action_space)
        self.normalizer = ObservationNormalizer(size)

    def act(self, observations: np.ndarray, deterministic: bool = False) -> np.ndarray:
        """Return the environment's actions."""
        tensor = torch.as_tensor(observations, dtype=torch.float32)
        return self.sample(tensor)[1] if not deterministic else self._best(tensor)

    @torch.no_grad()
    def _best(self, observations: Tensor) -> np.ndarray:
        return self.policy.to_env(self.policy(self.normalizer(observations)).mode())

    @torch.no_grad()
    def sample(self, observations: Tensor) -> tuple[Tensor, np.ndarray]:
        """Return random actions."""
        actions = self.policy(self.normalizer(observations)).sample(self.generator)
        return actions, self.policy.to_env(actions)

    def update(self, rollout: Rollout, progress: float = 0.0) -> dict[str, float]:
        """Take a step."""
        weights = rollout.rewards.flip(0).cumsum(0).flip(0)
        chances = self.policy(self.normalizer(rollout.observations)).log_prob(rollout.actions)
        gain = (chances * weights).mean()
        gain.backward()
        with torch.no_grad():
            for tensor in self.policy.parameters():
                assert tensor.grad is not None
                tensor += self.config.rate * tensor.grad
                tensor.grad = None
        return {"gain": float(gain.detach()), "critic_refused": 0.0}

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs."""
        parts = {"policy": self.policy.state_dict(), "normalizer": self.normalizer.state_dict()}
        return parts | {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore it."""
        self.policy.load_state_dict(state["policy"])
        self.normalizer.load_state_dict(state["normalizer"])
        self.generator.set_state(state["generator"])


CARTPOLE = [
    *("CartPole-v1", "--num-envs", "4", "--rollout-steps", "16", "--total-steps", "64"),
    *("--eval-episodes", "2", "--video-interval", "0", "--logger", "none"),
]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line."""
    monkeypatch.setitem(registry.ALGORITHMS, "reinforce", (Reinforce, ReinforceConfig))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """An iteration of training."""
    own = ["--algo", "reinforce", "--algo.rate", "0.1", "--run-dir", str(tmp_path / "run")]
    train.main([*CARTPOLE, *own])
    return tmp_path / "run"


@pytest.mark.slow
def test_its_options_are_on_the_command_line_and_no_others() -> None:
    config, _, _ = train.parse([*CARTPOLE, "--algo.rate", "0.5", "--algo=reinforce"])
    assert config.algo == ReinforceConfig(rate=0.5)
    assert config.algorithm == "reinforce"
    with pytest.raises(UsageError, match=r"no option --algo\.max-kl; --algo has rate, width"):
        train.parse([*CARTPOLE, "--algo", "reinforce", "--algo.max-kl", "0.1"])
    sizes = (
        training.defaults("CartPole-v1"),
        training.defaults("CartPole-v1", algorithm="reinforce"),
    )
    assert len({(c.total_steps, c.num_envs, c.rollout_steps, c.eval_interval) for c in sizes}) == 1


@pytest.mark.slow
def test_it_trains_and_its_checkpoint_names_it(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    assert (config["algorithm"], config["algo"]) == ("reinforce", {"rate": 0.1, "width": 8})
    content = load_checkpoint(run / "checkpoints" / "last.pt")
    assert (content["algorithm"], content["iteration"]) == ("reinforce", 1)
    assert content["algo_config"] == {"rate": 0.1, "width": 8}
    assert "gain" in (run / "metrics.csv").read_text()


@pytest.mark.slow
def test_it_is_resumed_as_if_it_had_not_been_stopped(run: Path, tmp_path: Path) -> None:
    train.main(["--resume", str(run), "--total-steps", "128"])
    whole = [*CARTPOLE, "--algo", "reinforce", "--algo.rate", "0.1", "--total-steps", "128"]
    train.main([*whole, "--run-dir", str(tmp_path / "whole")])
    contents = [load_checkpoint(r / "checkpoints" / "last.pt") for r in (run, tmp_path / "whole")]
    assert contents[0]["iteration"] == 2
    for name, tensor in contents[1]["algo"]["policy"].items():
        assert torch.equal(contents[0]["algo"]["policy"][name], tensor)
    assert fingerprint(run).env_steps == 128


@pytest.mark.slow
def test_it_is_played(run: Path, tmp_path: Path) -> None:
    content = load_checkpoint(run / "checkpoints" / "last.pt")
    environment = make_vec("CartPole-v1", 2)
    agent: Agent = load_agent(content, environment, "cpu")
    assert isinstance(agent, Reinforce)
    observations = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    again = Reinforce(
        environment.single_observation_space,
        environment.single_action_space,
        ReinforceConfig(**content["algo_config"]),
    )
    again.load_state_dict(content["algo"])
    actions = agent.act(observations, deterministic=True)
    assert (actions == again.act(observations, deterministic=True)).all()
    assert set(actions.tolist()) == {0, 1}
    environment.close()
    policy = tmp_path / "policy.pt"
    play.main([str(run), "--save", str(policy), "--evaluate", "--episodes", "2"])
    assert load_checkpoint(policy)["algorithm"] == "reinforce"

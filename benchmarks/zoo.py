"""Settings of RL Baselines3 Zoo, for the peers of benchmarks/returns.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MUJOCO: dict[str, Any] = {
    "batch_size": 128,
    "n_steps": 1024,
    "cg_max_steps": 25,
    "n_critic_updates": 20,
}
TRPO: dict[str, dict[str, Any]] = {
    "CartPole-v1": {
        "n_steps": 512,
        "batch_size": 512,
        "cg_damping": 1e-3,
        "gae_lambda": 0.98,
        "n_critic_updates": 20,
    },
    "Pendulum-v1": {
        "n_steps": 1024,
        "gamma": 0.9,
        "n_critic_updates": 15,
        "use_sde": True,
        "sde_sample_freq": 4,
    },
    "HalfCheetah-v5": {**MUJOCO, "target_kl": 0.04},
    "Swimmer-v5": {**MUJOCO, "gamma": 0.9999},
}
"""Settings of sb3-contrib's TRPO by task (RL Baselines3 Zoo, hyperparams/trpo.yml)."""


@dataclass(frozen=True)
class PPOSettings:
    """One set of PPO settings, in the peer's words and in Trot's."""

    envs: int
    steps: int
    """Of each environment in an iteration."""
    batch: int
    """Transitions of a minibatch."""
    epochs: int
    gamma: float
    gae_lambda: float
    rate: float
    linear: bool = False
    """Whether the rate falls to 0; the peer's clip range then falls, too."""
    clip: float = 0.2
    entropy: float = 0.0
    max_grad_norm: float = 0.5
    wide: bool = False
    """ReLU networks of 256-256 and a first std of exp(-2), in place of tanh, 64-64 and 1."""
    peer: tuple[tuple[str, Any], ...] = ()
    """What only the peer has."""

    def theirs(self) -> dict[str, Any]:
        """Return the arguments of Stable-Baselines3's PPO."""
        from torch import nn

        falling = lambda value: (lambda left: left * value) if self.linear else value  # noqa: E731
        policy: dict[str, Any] = {}
        if self.wide:
            net = {"pi": [256, 256], "vf": [256, 256]}
            policy = {"log_std_init": -2, "ortho_init": False, "activation_fn": nn.ReLU}
            policy |= {"net_arch": net}
        return {
            "n_steps": self.steps,
            "batch_size": self.batch,
            "n_epochs": self.epochs,
            "gamma": self.gamma,
            "gae_lambda": self.gae_lambda,
            "learning_rate": falling(self.rate),
            "clip_range": falling(self.clip),
            "ent_coef": self.entropy,
            "max_grad_norm": self.max_grad_norm,
            "policy_kwargs": policy,
            **dict(self.peer),
        }

    def ours(self, half_range: float) -> list[str]:
        """Return options of train.py; a first std is told in shares of half the action range."""
        minibatches, width = str(self.envs * self.steps // self.batch), "256" if self.wide else "64"
        options = {
            "num-envs": [str(self.envs)],
            "rollout-steps": [str(self.steps)],
            "algo.gamma": [str(self.gamma)],
            "algo.gae-lambda": [str(self.gae_lambda)],
            "algo.learning-rate": [str(self.rate)],
            "algo.schedule": ["linear" if self.linear else "constant"],
            "algo.clip": [str(self.clip)],
            "algo.entropy-coefficient": [str(self.entropy)],
            "algo.max-grad-norm": [str(self.max_grad_norm)],
            "algo.epochs": [str(self.epochs)],
            "algo.minibatches": [minibatches],
            "algo.critic-lr": [str(self.rate)],
            "algo.critic-epochs": [str(self.epochs)],
            "algo.critic-minibatches": [minibatches],
            "algo.hidden": [width, width],
            "algo.critic-hidden": [width, width],
            "algo.activation": ["relu" if self.wide else "tanh"],
            "algo.initial-std": [str((0.1353 if self.wide else 1.0) / half_range)],
            "algo.min-std": ["1e-3"],
        }
        return ["--algo", "ppo", *(w for name, v in options.items() for w in (f"--{name}", *v))]


PPO = {
    "CartPole-v1": PPOSettings(8, 32, 256, 20, 0.98, 0.8, 1e-3, linear=True),
    "Pendulum-v1": PPOSettings(
        4, 1024, 64, 10, 0.9, 0.95, 1e-3, peer=(("use_sde", True), ("sde_sample_freq", 4))
    ),
    "Hopper-v5": PPOSettings(
        *(1, 512, 32, 5, 0.999, 0.99, 9.80828e-05),
        entropy=0.00229519,
        max_grad_norm=0.7,
        wide=True,
        peer=(("vf_coef", 0.835671),),
    ),
    "HalfCheetah-v5": PPOSettings(
        *(1, 512, 64, 20, 0.98, 0.92, 2.0633e-05),
        clip=0.1,
        entropy=0.000401762,
        max_grad_norm=0.8,
        wide=True,
        peer=(("vf_coef", 0.58096),),
    ),
}
"""Settings of PPO by task (RL Baselines3 Zoo, hyperparams/ppo.yml)."""
UNNORMALIZED = ("CartPole-v1", "Pendulum-v1")
"""Tasks that the peers see without running statistics."""

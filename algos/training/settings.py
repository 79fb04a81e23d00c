"""How a training on any id is set up: the options, checked before any work starts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro

from algos.agent import AgentConfig
from algos.parallel import Group
from algos.presets import Preset, preset
from algos.registry import ALGORITHMS, DEFAULT_ALGORITHM, registered
from algos.tracking.tracker import LoggerName
from algos.tracking.wandb import WandbMode
from algos.training.options import require, require_effect
from algos.training.parsing import SomeWholeNumbers
from algos.typed import require_types
from algos.usage import UsageError

Device = Literal["auto", "cpu", "cuda"]

EPISODES, VIDEO_SECONDS = 20, 8.0
"""Episodes of an evaluation and length of a video (s), in trainings that are not short."""
ENOUGH = 1 / 8
"""Share of the preset's steps from which on a training is not short."""


@dataclass(frozen=True)
class Training:
    """Settings of a training that suit every id."""

    env_id: tyro.conf.Positional[str]
    """Gymnasium id: trot/AnymalWalk-v0, CartPole-v1, Ant-v5, dm_control/quadruped-walk-v0, …; of
    a module of one's own my_module:MyEnv-v0."""
    env_kwargs: tyro.conf.Suppress[dict[str, Any]] = field(default_factory=dict)
    """Parameters of an environment, see `algos.training.command_line.parse`."""
    wrapper: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """Wrapper around the environment as MODULE:CLASS; more, each with --wrapper, are put around
    it in turn. None for trot/ tasks."""
    seed: int = 1
    """Seed of the environments and of the algorithm."""
    total_steps: int = 1_000_000
    """Transitions to train for, over all environments."""
    num_envs: int = 16
    """Environments stepped together, in all processes."""
    rollout_steps: int = 128
    """Control steps of each environment in one iteration."""
    run_dir: Path | None = None
    """Folder of the run; by default runs/ENV-sSEED, in a W&B sweep with the trial's id."""
    seeds: SomeWholeNumbers = ()
    """Train each of these seeds, in RUN_DIR-sSEED (by default runs/ENV-sSEED), and compare them;
    the same command again goes on where it stopped."""
    jobs: int = 1
    """Seeds trained side by side."""
    device: Device = "auto"
    """Where the algorithm runs; auto takes CUDA where there is one."""
    torch_threads: int = 1
    """Threads of torch on the CPU. On two cores a second one is slower: it waits actively and
    so takes a core from the simulation (7,800 against 5,700 steps/s for the walking task)."""
    logger: LoggerName = "wandb"
    """Where the run is shown beside its metrics.csv; tensorboard writes RUN/tensorboard."""
    wandb: WandbMode = "auto"
    """Weights & Biases: auto is what you told it (`wandb offline`, WANDB_MODE) or, without a
    login, offline."""
    wandb_project: str | None = None
    """W&B project; by default what you told it, or else trot."""
    wandb_group: str | None = None
    """W&B group, which its pages average over; --seeds takes the name of the experiment."""
    wandb_tags: tuple[str, ...] = ()
    """W&B tags."""
    eval_interval: int = 200
    """Iterations between evaluations of the deterministic policy, which choose the best
    checkpoint; 0 evaluates at the end alone."""
    eval_episodes: int | None = None
    """Episodes of such an evaluation; by default 20, in a training of less than an eighth of the
    preset's steps fewer in proportion, at least 1."""
    checkpoint_interval: int = 25
    """Iterations between checkpoints."""
    video_interval: int = 500
    """Iterations between videos of the policy; one more is made at the end; 0 makes none."""
    video_seconds: float | None = None
    """Length of such a video (s); by default 8, in a short training less like eval_episodes, at
    least 1."""
    algorithm: Annotated[str, tyro.conf.arg(name="algo")] = DEFAULT_ALGORITHM
    """The algorithm, a name in algos.registry."""
    algo: AgentConfig = field(default_factory=ALGORITHMS[DEFAULT_ALGORITHM][1])
    """Settings of the algorithm."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value of another type or out of bounds."""
        require_types(self)
        for name in ("total_steps", "num_envs", "rollout_steps", "checkpoint_interval"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("eval_interval", "video_interval"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        for name, most in (("eval_episodes", 100_000), ("torch_threads", 1024), ("jobs", 1024)):
            value = getattr(self, name)
            require(value is None or 1 <= value <= most, name, value, f"in 1 to {most}")
        seconds = self.video_seconds
        require(seconds is None or 0 < seconds <= 3600, "video_seconds", seconds, "in 0 to 3600")
        for seed in (self.seed, *self.seeds):
            require(0 <= seed < 2**32, "seeds" if self.seeds else "seed", seed, "in [0, 2**32)")
        _, kind = registered(self.algorithm)
        require(type(self.algo) is kind, "algo", self.algorithm, "the one of the settings")
        distinct = len(set(self.seeds)) == len(self.seeds)
        require(distinct, "seeds", self.seeds, "without repetition")

    @property
    def preset(self) -> Preset:
        """The settings that the id has by default."""
        return preset(self.env_id)

    @property
    def extent(self) -> float:
        """Share of the usual evaluations and videos that suits so many steps: 1 from ENOUGH on."""
        return min(1.0, self.total_steps / (ENOUGH * self.preset.total_steps))

    @property
    def evaluated(self) -> int:
        """Episodes of an evaluation."""
        if self.eval_episodes is not None:
            return self.eval_episodes
        return math.ceil(EPISODES * self.extent)

    @property
    def filmed(self) -> float:
        """Length of a video (s)."""
        if self.video_seconds is not None:
            return self.video_seconds
        return max(1.0, VIDEO_SECONDS * self.extent)

    def cuts(self) -> str | None:
        """Return what is shorter than usual, for the training is; None where nothing is."""
        parts = []
        if self.evaluated < EPISODES and self.eval_episodes is None:
            number = f"{self.evaluated} episode{'s' if self.evaluated > 1 else ''}"
            parts.append(f"evaluations have {number} (--eval-episodes)")
        if self.video_interval and self.filmed < VIDEO_SECONDS and self.video_seconds is None:
            parts.append(f"videos {self.filmed:.1f} s (--video-seconds)")
        return f"a short training:\n  {', '.join(parts)}" if parts else None

    def require_effect(self, usual: Training) -> None:
        """Raise ValueError for a setting that was changed from the preset and has no effect."""
        require_effect(self, {"jobs": ("seeds",)})
        if self.seeds and self.seed != usual.seed:
            raise UsageError("--seed has no effect beside --seeds: leave it out")
        if self.video_seconds is not None and not self.video_interval:
            raise UsageError(
                "--video-seconds has no effect beside --video-interval 0: leave it out"
            )
        for name in ("wandb", "wandb_project", "wandb_group", "wandb_tags"):
            changed = getattr(self, name) not in (getattr(usual, name), "disabled")
            require_wandb(self.logger, name if changed else None)


def require_wandb(logger: LoggerName | None, option: str | None) -> None:
    """Raise ValueError where an option of W&B's is given and another logger alone is told."""
    if option and logger in ("tensorboard", "none"):
        flag = f"--{option.replace('_', '-')}"
        raise UsageError(f"{flag} has no effect beside --logger {logger}: give one of them")


@dataclass(frozen=True)
class ResumeConfig:
    """Go on with an earlier run, under its own settings."""

    resume: Path
    """Folder of the run."""
    total_steps: int | None = None
    """Transitions to train for in all; by default the run's own number. The trust region's
    schedule stretches with it."""
    device: Device | None = None
    """Where the algorithm runs; by default as before."""
    logger: LoggerName | None = None
    """Where the run is shown, by default as before."""
    wandb: WandbMode | None = None
    """Weights & Biases, by default as before; the run of before is continued."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of bounds or an option without effect."""
        steps = self.total_steps
        require(steps is None or steps >= 1, "total_steps", steps, "at least 1")
        require_wandb(self.logger, "wandb" if self.wandb in ("online", "offline") else None)


def choose_device(name: Device, group: Group) -> torch.device:
    """Return where this process's algorithm runs.

    Raises:
        ValueError: CUDA is asked for, and there are fewer devices than processes on this machine,
            of which there are several; one process goes on without.
    """
    devices = torch.cuda.device_count()
    if name == "cuda" and devices < group.local_size and group.local_size > 1:
        raise UsageError(
            f"--device is cuda, but torch sees {devices} CUDA devices for {group.local_size} "
            "processes; take --device cpu"
        )
    if name == "cpu" or devices < group.local_size:
        return torch.device("cpu")
    return torch.device("cuda", group.local_rank)


def check_group(config: Training, group: Group) -> None:
    """Raise ValueError unless the settings suit the processes and their devices."""
    need = f"a multiple of the {group.size} processes; a run goes on with as many as divide it"
    require(config.num_envs % group.size == 0, "num_envs", config.num_envs, need)
    require(group.size == 1 or not config.seeds, "seeds", config.seeds, "without torchrun")
    choose_device(config.device, group)

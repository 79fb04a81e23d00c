"""How a policy is watched and judged on any id: the options, checked before any work starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import tyro

from algos.playing.agents import AgentName
from algos.playing.sources import Which
from algos.runs.files import check_writable
from algos.training.options import require, require_effect
from algos.usage import UsageError

DIGITS = tuple("12345678")
"""Rows or columns of a grid."""


@dataclass(frozen=True)
class Watching:
    """Make a video of a policy, or judge it."""

    ACTING: ClassVar[tuple[str, ...]] = ("video", "evaluate")
    """Options that let an agent act."""
    NEEDS: ClassVar[dict[str, tuple[str, ...]]] = {
        **dict.fromkeys(("gif", "slow", "grid", "size", "compare"), ("video",)),
        "json": ("evaluate",),
    }
    """Options, and those of which each needs one to have an effect."""
    SUFFIXES: ClassVar[dict[str, tuple[str, ...]]] = {
        "video": (".mp4", ".gif"),
        "json": (".json",),
        "save": (".pt",),
        "export": (".onnx", ".pt2"),
    }
    """Files that can be written, by their options."""

    source: tyro.conf.Positional[str] = ""
    """A run's folder, a checkpoint file, a run in W&B as wandb:ENTITY/PROJECT/RUN, or a Gymnasium
    id with --agent zero or random."""
    env_kwargs: tyro.conf.Suppress[dict[str, Any]] = field(default_factory=dict)
    """Parameters of an id's environment, see `algos.training.command_line.parse`."""
    wrapper: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """Wrapper around an id's environment, as in training; a run keeps its own."""
    agent: AgentName | None = None
    """Who acts; by default the trained policy, where the source has one."""
    checkpoint: Which = "best"
    """Which checkpoint of a run."""
    video: Path | None = None
    """Write a video here, .mp4 or .gif."""
    gif: bool = False
    """Make a GIF of the video, too, beside it."""
    slow: float = 1.0
    """Speed of the video; 0.25 is slow motion."""
    grid: str = "1x1"
    """Rows and columns of robots in the video; from 2 on each has a start and, unless --command
    gives one, commands of its own."""
    compare: tuple[str, ...] = ()
    """More sources, shown side by side with the first under the same commands."""
    evaluate: bool = False
    """Print how good the policy is; in a trot/ task by the protocol of Hwangbo et al. 2019."""
    save: Path | None = None
    """Write the policy alone here, without what training needs: a small .pt file to share."""
    export: Path | None = None
    """Write the policy here for other programs: .onnx, or .pt2 for torch.export."""
    seed: int = 1
    """Seed of the environment and of a random agent."""
    seconds: float | None = None
    """Length of the video (20 s) or of a trot/ evaluation episode (the task's protocol)."""
    episodes: int = 100
    """Episodes of an evaluation."""
    json: Path | None = None
    """Write the evaluation here."""
    size: tuple[int, int] = (1280, 720)
    """Width and height of a trot/ video (pixels)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the policy runs; auto takes CUDA where there is one."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of bounds, or an option without effect."""
        outputs = {name for name in (*self.SUFFIXES, *self.ACTING) if getattr(self, name)}
        if not outputs:
            raise UsageError(
                "nothing to do: give --video FILE, --report FILE, --evaluate, --save FILE, "
                "--export FILE, --viewer or --web"
            )
        if not self.sources:
            raise UsageError("nothing to play: give a run, a checkpoint or an id")
        require_effect(self, self.NEEDS)
        acts = ("agent", "device", "seed", "seconds", "command", "gait", "recover", "randomize")
        require_effect(self, dict.fromkeys(acts, self.ACTING))
        movie = self.video is not None and self.video.suffix == ".mp4"
        require(movie or not self.gif, "video", self.video, "an .mp4 file for --gif")
        require(0.01 <= self.slow <= 1, "slow", self.slow, "in [0.01, 1]")
        require(0 <= self.seed < 2**32, "seed", self.seed, "in [0, 2**32)")
        require(1 <= self.episodes <= 100_000, "episodes", self.episodes, "in 1 to 100000")
        seconds = self.seconds
        require(seconds is None or 0 < seconds < 1e5, "seconds", seconds, "in (0, 100000)")
        even = all(16 <= v <= 8192 and v % 2 == 0 for v in self.size)
        require(even, "size", self.size, "even numbers from 16 to 8192")
        tiled = self.tiles != (1, 1)
        if len(self.sources) > 1 and outputs != {"video"}:
            raise UsageError("--compare is for --video alone; judge runs one by one")
        if len(self.sources) > 1 and tiled:
            raise UsageError("give --grid or --compare, not both")

    def check_files(self) -> None:
        """Raise ValueError unless all files can be written; make their folders."""
        for name, allowed in self.SUFFIXES.items():
            path = getattr(self, name)
            if path is not None:
                check_writable(path, *allowed)
        if self.gif and self.video is not None:
            check_writable(self.video.with_suffix(".gif"), ".gif")

    @property
    def sources(self) -> tuple[str, ...]:
        """All that is played, in order."""
        return (self.source, *self.compare) if self.source else self.compare

    @property
    def tiles(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        numbers = self.grid.split("x")
        ok = len(numbers) == 2 and all(n in DIGITS for n in numbers)
        require(ok, "grid", self.grid, "ROWSxCOLUMNS of up to 8, as in 3x3")
        return int(numbers[0]), int(numbers[1])

    @property
    def acting(self) -> AgentName:
        """Who acts."""
        return self.agent or "trained"

"""What only robots can be asked when a policy is watched: the options, checked before any work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from envs.bounds import require
from envs.mdp.commands import Commands
from envs.show.command_schedule import Schedule, read, usual
from envs.sim.scene import ContactModel
from envs.task import TaskConfig, as_judged, with_command
from robots.usage import UsageError


@dataclass(frozen=True)
class RobotOptions:
    """How a policy of a trot/ task is shown and judged."""

    report: Path | None = None
    """Write an .html page that explains a trot/ policy: evaluation, gait, joints, pushes, video."""
    replay_nan: Path | None = None
    """Repeat a simulation that went wrong in a training, from a file in RUN/faults, say where it
    diverges, and show it with --video (by default at a quarter of its speed)."""
    paper: bool = False
    """Print the table of Hwangbo et al. 2019 beside the same numbers of the policies that come with
    the code, measured now."""
    inspect: str | None = None
    """Show what is known of a robot, by name or file, as tables and as a picture, NAME_inspect.png,
    without training anything."""
    out: Path | None = None
    """Where --inspect writes the picture, .png."""
    viewer: bool = False
    """Open MuJoCo's interactive viewer (trot/ tasks, where there is a display)."""
    web: bool = False
    """Serve a page that shows the policy live in a browser (trot/ tasks)."""
    host: str = "127.0.0.1"
    """Address where --web listens; by default only for browsers on this computer."""
    port: int = 8080
    """Port where --web listens; 0 for any that is free."""
    robot: str | None = None
    """Robot of a trot/ task, in place of the one that the policy learned on."""
    contact: ContactModel | None = None
    """Friction cones of a trot/ task: pyramidal (fast) or elliptic (a check)."""
    command: tuple[float, ...] | None = None
    """One command throughout, a number an entry: for walking forward and leftward speed (m/s) and
    yaw rate (rad/s), which is enough where gaits are commanded, too."""
    command_schedule: Path | None = None
    """A CSV file of commands that a trot/ robot follows in turn, in a video and live: columns
    seconds, entries of the command (lin_vel_x, …) and, where gaits are commanded, gait."""
    gait: str | None = None
    """Gait of a trot/ task that has a clock: pace, bound, transverse-gallop, …"""
    recover: str | None = None
    """A run or a checkpoint of trot/Recover-v0: episodes begin with a fall, its policy gets the
    robot up, and hands over to the one that is played."""
    randomize: bool = False
    """Random start states, models and sensor noise in a trot/ task."""

    def check(self) -> None:
        """Raise ValueError for a value out of bounds."""
        require(0 <= self.port <= 65535, "--port", self.port, "in 0 to 65535")
        finite = self.command is None or all(abs(v) <= 1e3 for v in self.command)
        require(finite, "--command", self.command, "numbers in [-1000, 1000]")
        if self.command and self.command_schedule:
            raise UsageError("--command and --command-schedule: give one of them")
        if self.viewer and self.web:
            raise UsageError("--viewer and --web: give one of them")

    def watched(
        self, task: TaskConfig, seconds: float | None, override: Callable[[TaskConfig], TaskConfig]
    ) -> TaskConfig:
        """Return a task as its protocol judges it, under these options.

        Args:
            task: as in training.
            seconds: length of an episode (s); by default the protocol's.
            override: gives it settings of its own, which stand above all others; of the protocol,
                too.
        """
        protocol, judged = task.protocol, self._judged(task, seconds)
        given = override(judged)
        if given.protocol != protocol:
            given = override(self._judged(replace(task, protocol=given.protocol), seconds))
        return given

    def _judged(self, task: TaskConfig, seconds: float | None) -> TaskConfig:
        if self.contact:
            task = replace(task, simulation=replace(task.simulation, contact=self.contact))
        task = as_judged(task, self.randomize)
        if self.command:
            task = with_command(task, self.command)
        need = f"at least a control step, {task.simulation.dt:g} s"
        require(seconds is None or seconds >= task.simulation.dt, "--seconds", f"{seconds} s", need)
        return replace(task, episode_length=seconds) if seconds else task

    @property
    def trot_only(self) -> list[str]:
        """Options given that only a trot/ task has, as flags."""
        names = ("robot", "contact", "command", "command_schedule", "gait", "recover", "randomize")
        names += ("report", "viewer", "web")
        return [f"--{name.replace('_', '-')}" for name in names if getattr(self, name)]

    @property
    def schedule(self) -> Callable[[Commands], Schedule]:
        """What makes the schedule of a task's commands."""
        return partial(read, self.command_schedule) if self.command_schedule else usual

"""What a task is: terms throughout, varied with `dataclasses.replace`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

import tyro

from envs.bounds import require, require_choice, require_within
from envs.mdp.commands import VELOCITY, Commands
from envs.mdp.curriculum import Earned, Scaled, Schedule
from envs.mdp.gaits.commanded import Suited, of_gait
from envs.mdp.gaits.gait import Gait
from envs.mdp.gaits.library import named
from envs.mdp.measures import MEASURES, Measure
from envs.mdp.observations import Observation
from envs.mdp.rewards import PACED, Reward
from envs.mdp.starts import NOMINAL, SCATTERED, Start
from envs.mdp.terminations import Termination
from envs.sim.drives import PD, Drive
from envs.sim.randomization import Randomization, with_standard
from envs.sim.scene import Simulation
from envs.sim.terrain import Flat, Terrain
from robots.robot import Robot

ANY_PHASE = (0.0, 1.0)


@dataclass(frozen=True)
class Protocol:
    """How a policy of a task is judged: by default no noise, nominal models, the nominal start."""

    seconds: float = 30.0
    """Length of an evaluation episode (s)."""
    command_interval: float = 2.0
    """Time between commands (s)."""
    start: Start = NOMINAL
    """How its episodes begin."""
    randomization: Randomization = Randomization()
    """What differs between its simulations."""
    speeds: tuple[float, ...] = ()
    """Forward speeds (m/s) that are then commanded one by one, to see which are held."""

    def __post_init__(self) -> None:
        for name in ("seconds", "command_interval"):
            require_within(f"protocol {name}", getattr(self, name), 1e-3, 1e5, "s")
        for speed in self.speeds:
            require_within("protocol speeds", speed, -100, 100, "m/s")


@dataclass(frozen=True)
class TaskConfig:
    """Everything that defines a task; a task's function fills it in for a robot."""

    rewards: dict[str, Reward]
    """What is paid, by name."""
    observations: dict[str, Observation]
    """Blocks of the observation vector, in order."""
    terminations: dict[str, Termination] = field(default_factory=dict)
    """What ends an episode, by name; without any only its length does."""
    start: Start = SCATTERED
    """How episodes begin."""
    revisit: float = 0.0
    """Share of the episodes that begin where simulations of this training have been before, in
    place of `start`."""
    commands: Commands = field(default_factory=Commands)
    """What the robot is told to do."""
    gait: Gait = Gait()
    """The clock of its feet."""
    drive: Drive = PD()
    """What an action means."""
    randomization: Randomization = Randomization(phase=ANY_PHASE)
    """What differs between simulations."""
    curricula: dict[str, Schedule] = field(default_factory=dict)
    """What the progress of a training changes: `rewards`, `commands`."""
    episode_length: float = 20.0
    """Time limit of an episode (s); reaching it is a truncation."""
    staggered: bool = False
    """Whether first episodes begin at random ages, for tasks whose episodes time alone ends: every
    batch then has all their moments."""
    simulation: Simulation = Simulation()
    """How the world is stepped."""
    terrain: Terrain = Flat()
    """The ground."""
    protocol: Protocol = Protocol()
    """How a policy is judged."""
    measures: Annotated[dict[str, Measure], tyro.conf.Fixed] = field(
        default_factory=lambda: MEASURES
    )
    """What it is judged by, in order."""

    def __post_init__(self) -> None:
        length, dt = self.episode_length, self.simulation.dt
        need = "finite, at least one control step and at most 1e7 (s)"
        require(dt <= length <= 1e7, "episode_length", length, need)
        seconds = self.protocol.seconds
        require(dt <= seconds, "protocol seconds", seconds, "at least one control step (s)")
        require(len(self.rewards) > 0, "rewards", "empty", "at least one term")
        require(len(self.observations) > 0, "observations", "empty", "at least one term")
        speeds, known = self.protocol.speeds, "lin_vel_x" in self.commands.names
        require(known or not speeds, "protocol speeds", speeds, "() without a command lin_vel_x")
        require(0 <= self.revisit <= 1, "revisit", self.revisit, "in [0, 1]")
        self._check_curricula()
        paced = [n for n, r in self.rewards.items() if r.function in PACED and r.weight]
        need = f"above 0 Hz where the rewards {' and '.join(paced)} have weights"
        require(self.gait.frequency > 0 or not paced, "gait frequency", self.gait.frequency, need)

    def _check_curricula(self) -> None:
        tracks = bool(set(VELOCITY) & set(self.commands.names))
        for name, curriculum in self.curricula.items():
            require_choice("curriculum", name, Scaled)
            earned = isinstance(curriculum, Earned)
            need = "one of transitions in a task without commanded velocities"
            require(tracks or not earned, f"curriculum {name}", "earned", need)


def as_judged(task: TaskConfig, randomize: bool = False) -> TaskConfig:
    """Return the task as its protocol judges it.

    Args:
        task: the task.
        randomize: adds sensor noise, random models and random starts.
    """
    protocol = task.protocol
    interval = (protocol.command_interval, protocol.command_interval)
    judged = replace(
        task,
        episode_length=protocol.seconds,
        staggered=False,
        commands=replace(task.commands, interval=interval, standing_share=0.0),
        start=protocol.start,
        revisit=0.0,
        randomization=protocol.randomization,
        curricula={},
        simulation=task.simulation.full,
    )
    if not randomize:
        return judged
    randomization = with_standard(protocol.randomization)
    return with_random_start(replace(judged, randomization=randomization))


def with_random_start(task: TaskConfig) -> TaskConfig:
    """Return the task with starts of which no two are alike."""
    start = SCATTERED if task.start == NOMINAL else task.start
    randomization = replace(task.randomization, phase=ANY_PHASE)
    return replace(task, start=start, randomization=randomization)


def with_gait(task: TaskConfig, name: str, robot: Robot) -> TaskConfig:
    """Return the task in one gait of `envs.mdp.gaits.library` throughout.

    Its clock has it, or where gaits are commanded, every command.

    Raises:
        ValueError: an unknown gait, or a task without a clock.
    """
    gait, commands = named(name, len(robot.legs)), task.commands
    require(task.gait.frequency > 0, "gait", repr(name), "left out where a task has no clock")
    if not isinstance(commands.function, Suited):
        return replace(task, gait=gait.clock(robot.leg_length))
    told = of_gait(gait, robot.leg_length, commands.names)
    entries = {
        n: replace(entry, range=(told[n], told[n])) if n in told else entry
        for n, entry in commands.entries.items()
    }
    function = replace(commands.function, gaits=(name.replace("-", " "),))
    return replace(task, commands=replace(commands, entries=entries, function=function))


def with_command(task: TaskConfig, command: tuple[float, ...]) -> TaskConfig:
    """Return the task with one command, in the units of its entries, throughout.

    Where the task commands gaits a velocity is enough: the other entries are at rest.

    Raises:
        ValueError: another number of values than the task's commands have.
    """
    names = task.commands.names
    if len(command) == len(VELOCITY) and isinstance(task.commands.function, Suited):
        command = (*command, *task.commands.nearest[len(VELOCITY) :].tolist())
    need = f"{len(names)} numbers, {', '.join(names) or 'for a task without commands'}"
    require(len(command) == len(names), "command", command, need)
    return replace(task, commands=task.commands.fixed(command))

"""How a task's numbers follow from a robot's size, so that one task suits 12 and 127 kg.

Tasks are written for ANYmal C. Two robots whose masses differ by a factor μ and whose legs by λ
move alike when their Froude numbers v² / (g l) are the same: then lengths differ by λ, times and
speeds by √λ, turning rates and frequencies by 1/√λ, torques by μ λ and powers by μ √λ. A task for
another robot pays the same for what is alike, and commands what is alike. Angles have no size, and
so the range of the joint targets stays; heights are each robot's own already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from envs.mdp import rewards, terminations
from envs.mdp.commands import Command
from envs.mdp.curriculum import Earned, Schedule
from envs.mdp.gaits.commanded import named_gaits
from envs.mdp.gaits.gait import Gait
from envs.mdp.rewards import Reward
from envs.mdp.terminations import Termination
from envs.sim.randomization import Randomization
from envs.task import TaskConfig
from robots.robot import Robot

MASS, LEG_LENGTH, HEIGHT = 44.965, 0.6, 0.558775
"""ANYmal C's (kg, m, m), for which tasks are written; MuJoCo Menagerie and `robots.anymal_c`."""


class Unit(NamedTuple):
    """By which powers of μ and λ a quantity grows."""

    mass: float = 0.0
    length: float = 0.0


SPEED, RATE, TIME = Unit(length=0.5), Unit(length=-0.5), Unit(length=0.5)
VALUES: dict[Callable[..., Any], Unit] = {
    rewards.lin_vel_deviation: SPEED,
    rewards.yaw_rate_deviation: RATE,
    rewards.lin_vel_z: Unit(length=1),
    rewards.ang_vel_xy: Unit(length=-1),
    rewards.base_height: Unit(length=2),
    rewards.torque: Unit(mass=2, length=2),
    rewards.power: Unit(mass=1, length=0.5),
    rewards.joint_acc: Unit(length=-2),
    rewards.action_rate: Unit(length=-1),  # in a control step, whose length stays
    rewards.clearance: Unit(length=2),
    rewards.commanded_clearance: Unit(length=2),
    rewards.commanded_height: Unit(length=2),
    rewards.slip: Unit(length=1),
}
"""What rewards measure; weights go the other way. Others are shares, angles or counts."""
PARAMS: dict[tuple[Callable[..., Any], str], Unit] = {
    (rewards.lin_vel_tracking, "width"): SPEED,
    (rewards.yaw_rate_tracking, "width"): RATE,
    (rewards.air_time, "target"): TIME,
}
"""Parameters of rewards that have a size; targets of heights are the robot's own."""
COMMANDS = {"m/s": SPEED, "rad/s": RATE}
"""Ranges of commands by their units."""


@dataclass(frozen=True)
class Size:
    """Of a robot, by ANYmal C's."""

    mass: float = 1.0
    """μ."""
    length: float = 1.0
    """λ."""
    crouch: float = 1.0
    """Nominal height by leg length, by ANYmal C's: how deep it crouches."""

    def of(self, unit: Unit) -> float:
        """Return by which factor a quantity differs from ANYmal C's."""
        return self.mass**unit.mass * self.length**unit.length


def of_robot(robot: Robot) -> Size:
    """Return a robot's size; that of one without a mass is ANYmal C's."""
    if robot.mass is None:
        return Size()
    crouch = robot.nominal_height / robot.leg_length / (HEIGHT / LEG_LENGTH)
    return Size(robot.mass / MASS, robot.leg_length / LEG_LENGTH, crouch)


def scaled(task: TaskConfig, robot: Robot) -> TaskConfig:
    """Return a task that is written for ANYmal C, for a robot of any size."""
    size = of_robot(robot)
    if size == Size():
        return task
    commands, protocol = task.commands, task.protocol
    interval = protocol.command_interval
    return replace(
        task,
        rewards={name: _reward(term, size) for name, term in task.rewards.items()},
        terminations={name: _fall(term, size) for name, term in task.terminations.items()},
        commands=replace(
            commands,
            entries={name: _command(entry, size) for name, entry in commands.entries.items()},
            interval=_times(commands.interval, size.of(TIME)),
        ),
        curricula={name: _earned(c, size) for name, c in task.curricula.items()},
        gait=_clock(task.gait, size) if not named_gaits(commands) else task.gait,
        randomization=_pushed(task.randomization, size),
        protocol=replace(
            protocol,
            command_interval=_round(interval * size.of(TIME)),
            randomization=_pushed(protocol.randomization, size),
            speeds=tuple(_round(speed * size.of(SPEED)) for speed in protocol.speeds),
        ),
    )


def _reward(term: Reward, size: Size) -> Reward:
    value = size.of(VALUES.get(term.function, Unit()))
    params = {
        name: _round(number * size.of(PARAMS[term.function, name]))
        if (term.function, name) in PARAMS
        else number
        for name, number in term.params.items()
    }
    return replace(term, weight=_round(term.weight / value), params=params)


def _fall(term: Termination, size: Size) -> Termination:
    """A robot has fallen at the same share of its nominal height."""
    if term.function is not terminations.low:
        return term
    return replace(term, params={"share": _round(term.params["share"] * size.crouch)})


def _command(entry: Command, size: Size) -> Command:
    return replace(entry, range=_times(entry.range, size.of(COMMANDS.get(entry.unit, Unit()))))


def _earned(curriculum: Schedule, size: Size) -> Schedule:
    if not isinstance(curriculum, Earned):
        return curriculum
    return replace(curriculum, error=_round(curriculum.error * size.of(SPEED)))


def _clock(gait: Gait, size: Size) -> Gait:
    return replace(gait, frequency=_round(gait.frequency * size.of(RATE)))


def _pushed(laws: Randomization, size: Size) -> Randomization:
    return replace(laws, push=laws.push and _times(laws.push, size.of(SPEED)))


def _times(span: tuple[float, float], factor: float) -> tuple[float, float]:
    return _round(span[0] * factor), _round(span[1] * factor)


def _round(number: float) -> float:
    """Three digits, as people would write it."""
    return float(f"{number:.3g}")

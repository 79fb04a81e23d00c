"""The table of Hwangbo et al. 2019 (arXiv 1901.08652) beside a policy's own figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from envs.judge import protocol, rising, speeds
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv

SOURCE = "Hwangbo et al. 2019"


@dataclass(frozen=True)
class Row:
    """One number of the paper."""

    quantity: str
    """With its unit."""
    paper: str
    """Theirs: of the real robot, or of the simulation where it says so."""
    name: str
    """Ours, in what `judge` gives."""
    tell: Callable[[Any], str]
    """Writes it."""


def _interval(value: dict[str, float]) -> str:
    return f"{value['mean']:.3g} ({value['low']:.3g} to {value['high']:.3g})"


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value < float("inf") else "never"


SKILLS = (
    (Row("falls: share that gets up and walks on", "9 of 9", "walks_on", _interval),),
    (
        Row("falls: share that gets up", "9 of 9", "upright", "{:.1%}".format),
        Row("falls: time to be upright, half of all (s)", "under 3", "median", _seconds),
        Row("falls: the same, 95 % (s)", "under 3", "p95", _seconds),
    ),
    (
        Row(
            "forward speed that 95 of 100 hold for 10 s (m/s)",
            "1.5, 1.58 simulated",
            "held",
            "{:.2f}".format,
        ),
    ),
    (
        Row("random commands: velocity error (m/s)", "0.143", "lin_vel_error", _interval),
        Row("random commands: yaw rate error (rad/s)", "0.174", "yaw_rate_error", _interval),
        Row("random commands: mean torque (N·m)", "8.23", "mean_torque", _interval),
        Row("random commands: mechanical power (W)", "78.1", "power", _interval),
        Row("random commands: share that falls", "", "fall_rate", _interval),
    ),
)
"""What the paper shows of its skills; a policy is of the first that it gives a number for."""


def rows(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return quantity, the paper's number and ours, of the skill that `judge` judged."""
    skill = next((skill for skill in SKILLS if _known(skill[0], found)), ())
    known = [row for row in skill if _known(row, found)]
    return [(row.quantity, row.paper, row.tell(found[row.name])) for row in known]


def _known(row: Row, found: dict[str, Any]) -> bool:
    value = found.get(row.name)
    return value is not None and (not isinstance(value, dict) or value["mean"] is not None)


def judge(
    agent: Callable[[int], protocol.Act],
    task: TaskConfig,
    robot: str,
    episodes: int,
    seed: int = 1,
) -> dict[str, Any]:
    """Return what a policy does under the protocol of its task.

    Args:
        agent: makes the policy for a number of robots.
        task: as `envs.task.as_judged` gives it.
        robot: a robot of `robots.ROBOTS`.
        episodes: robots.
        seed: of every environment.
    """
    environment = LocomotionVectorEnv(episodes, robot=robot, config=task, autoreset=False)
    try:
        recording = protocol.run(agent(episodes), environment, seed)
    finally:
        environment.close()
    found = protocol.summarize(recording, task.measures, seed)
    if task.protocol.speeds:
        found |= speeds.evaluate(agent, task, robot, seed)
    rises = "time_to_upright" in task.measures
    return found | (rising.times(recording).quantiles() if rises else {})

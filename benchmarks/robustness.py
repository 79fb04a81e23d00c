"""A walker in physics that it did not learn in: `python -m benchmarks.robustness [POLICY …]`.

Each policy is judged by its task's protocol under full physics, with elliptic friction cones
(impratio 100, torsional and rolling friction), on feet whose sliding friction is 0.5, and with half
the torque of every motor. Results go to benchmarks/robustness.json.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table

from envs.judge import protocol
from play import policy_of
from robots import ROBOTS, get_robot
from trot.subject import find_subject, read

RESULTS = Path(__file__).parent / "robustness.json"
WEAK = "half the torque"
CONDITIONS: dict[str, tuple[str, ...]] = {
    "as trained": (),
    "elliptic cones": ("--contact", "elliptic"),
    "friction 0.5": ("--env.randomization.friction", "0.5", "0.5"),
    WEAK: (),
}
"""Options of play.py by name."""
SHOWN = ("lin_vel_error", "yaw_rate_error", "fall_rate", "foot_slip", "cost_of_transport")


def main(
    policies: Annotated[tuple[str, ...], tyro.conf.Positional] = ("policies/walk.pt",),
    episodes: int = 100,
) -> None:
    """Judge policies in all conditions, and print the table.

    Args:
        policies: runs or policies of a walking task.
        episodes: robots in each condition.
    """
    results = {
        policy: {name: judge(policy, name, episodes) for name in CONDITIONS} for policy in policies
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    table = Table("policy", "physics", *(name.replace("_", " ") for name in SHOWN), box=None)
    for policy, found in results.items():
        for condition, judged in found.items():
            cells = [f"{judged[name]['mean']:.3f}" for name in SHOWN]
            table.add_row(policy, condition, *cells)
    Console().print(table)


def judge(policy: str, condition: str, episodes: int) -> dict[str, Any]:
    """Return the evaluation of a policy in one condition, seed 1."""
    told = [policy, "--evaluate", "--episodes", str(episodes), "--seed", "1"]
    options, override = read([*told, *CONDITIONS[condition]])
    subject = find_subject(options, policy, override)
    assert subject.task is not None
    act = policy_of(options, subject, episodes)
    robot = weakened(subject.robot) if condition == WEAK else subject.robot
    return protocol.evaluate(act, subject.task, robot, episodes, seed=1)


def weakened(name: str) -> str:
    """Add a robot with half the torque to those known, and return its name."""
    robot = get_robot(name)
    motors = tuple(replace(motor, torque_limit=motor.torque_limit / 2) for motor in robot.motors)
    ROBOTS[f"{name}, weak"] = replace(robot, motors=motors)
    return f"{name}, weak"


if __name__ == "__main__":
    tyro.cli(main)

"""The table of Hwangbo et al. 2019 (arXiv 1901.08652) beside Trot's: `python play.py --paper`.

Ours is measured there and then, from the policies that come with the code; `benchmarks/paper.py`
trains them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from envs.judge import protocol, speeds
from envs.mdp.recording import Recording
from envs.mdp.recovery import POSE, time_to_upright
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv

HOME = Path(__file__).parent.parent / "policies"
SEED = 1


@dataclass(frozen=True)
class Row:
    """One number of the paper."""

    quantity: str
    """With its unit."""
    paper: str
    """Theirs: of the real robot, or of the simulation where it says so."""
    find: Callable[[dict[str, Any]], str]
    """Ours, from what `judge` gives."""


def _mean(name: str) -> Callable[[dict[str, Any]], str]:
    def find(found: dict[str, Any]) -> str:
        value = found[name]
        return f"{value['mean']:.3g} ({value['low']:.3g} to {value['high']:.3g})"

    return find


TABLE: dict[str, tuple[int, tuple[Row, ...]]] = {
    "command_b.pt": (
        100,
        (
            Row("random commands: velocity error (m/s)", "0.143", _mean("lin_vel_error")),
            Row("random commands: yaw rate error (rad/s)", "0.174", _mean("yaw_rate_error")),
            Row("random commands: mean torque (N·m)", "8.23", _mean("mean_torque")),
            Row("random commands: mechanical power (W)", "78.1", _mean("power")),
            Row("random commands: share that falls", "", _mean("fall_rate")),
        ),
    ),
    "run_b.pt": (
        100,
        (
            Row(
                "forward speed that 95 of 100 hold for 10 s (m/s)",
                "1.5, 1.58 simulated",
                lambda found: f"{found['held']:.2f}",
            ),
        ),
    ),
    "recover_b.pt": (
        1000,
        (
            Row("falls: share that gets up", "9 of 9", lambda found: f"{found['upright']:.1%}"),
            Row(
                "falls: time to be upright, half of all (s)",
                "under 3",
                lambda found: f"{found['median']:.2f}",
            ),
            Row("falls: the same, 95 % (s)", "under 3", lambda found: f"{found['p95']:.2f}"),
        ),
    ),
}
"""Rows by the policy that they are measured on, with the number of its robots."""


def judge(
    agent: Callable[[int], protocol.Act], task: TaskConfig, robot: str, episodes: int
) -> dict[str, Any]:
    """Return what a policy does under the protocol of its task.

    Args:
        agent: makes the policy for a number of robots.
        task: as `envs.task.as_judged` gives it.
        robot: a robot of `robots.ROBOTS`.
        episodes: robots.
    """
    environment = LocomotionVectorEnv(episodes, robot=robot, config=task, autoreset=False)
    try:
        recording = protocol.run(agent(episodes), environment, SEED)
    finally:
        environment.close()
    found = protocol.summarize(recording, task.measures, SEED)
    if task.protocol.speeds:
        found |= speeds.evaluate(agent, task, robot, SEED)
    return found | (quantiles(recording) if "time_to_upright" in task.measures else {})


def quantiles(recording: Recording) -> dict[str, float]:
    """Return the share of robots that are upright in the end, and when half and 95 % are (s).

    Those that never are count as slower than all others.
    """
    times = np.nan_to_num(time_to_upright(recording, tilt=POSE["tilt"]), nan=np.inf)
    return {
        "upright": float(np.isfinite(times).mean()),
        "median": float(np.quantile(times, 0.5, method="higher")),
        "p95": float(np.quantile(times, 0.95, method="higher")),
    }

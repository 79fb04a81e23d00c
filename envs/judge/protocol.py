"""The evaluation of a policy by the measures of its task, under the task's protocol.

By default that of Hwangbo et al. 2019 (arXiv 1901.08652): 30 s, a new random command every 2 s, the
deterministic policy. Errors average over every step, transients included. A robot whose episode
terminates counts as fallen and is measured up to then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from envs.bounds import require, require_shape
from envs.judge.intervals import bootstrap, share
from envs.mdp.measures import Measure
from envs.mdp.recording import Recording, row
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv
from robots.robot import Robot

Act = Callable[[np.ndarray], np.ndarray]
"""Maps observations (n, O) to actions (n, joints)."""


def recording_size(config: TaskConfig, robot: Robot, episodes: int) -> float:
    """Return the memory that a recording of so many episodes of a task takes (bytes)."""
    numbers = len(config.commands.entries) + 7 + 4 * len(robot.joints) + 3 * len(robot.feet)
    row = 8 * numbers + 1 + len(robot.feet)
    return 2 * row * episodes * config.episode_length / config.simulation.dt  # rows, then stacked


def evaluate(
    act: Act,
    config: TaskConfig,
    robot: str = "anymal_c",
    episodes: int = 100,
    seed: int = 0,
) -> dict[str, Any]:
    """Judge a policy: all episodes at once, one robot each.

    Args:
        act: the policy.
        config: a task as `envs.task.as_judged` gives it; its `episode_length` is the duration.
        robot: a robot of `robots.ROBOTS`.
        episodes: number of robots.
        seed: seed of commands, start states and intervals.

    Returns:
        For every measure of the task a dict of `mean` over the robots and the ends `low`, `high`
        of its 95 % interval, of shares Wilson's and of other numbers a bootstrap (None where no
        robot gives a number); `episodes`, `seed`.

    Raises:
        ValueError: no episodes, or an unknown robot.
    """
    require(episodes >= 1, "episodes", episodes, "at least 1")
    env = LocomotionVectorEnv(episodes, robot=robot, config=config, autoreset=False)
    try:
        return summarize(run(act, env, seed), config.measures, seed)
    finally:
        env.close()


def summarize(recording: Recording, measures: dict[str, Measure], seed: int) -> dict[str, Any]:
    """Return what `evaluate` does, from its recording."""
    rng = np.random.default_rng(seed)
    results: dict[str, Any] = {}
    for name, measure in measures.items():
        values = measure(recording)
        require_shape(f"measure {name}", values, recording.alive.shape[1:])
        interval = share if measure.kind == "share" else bootstrap
        results[name] = interval(values, rng)
    return results | {"episodes": recording.alive.shape[1], "seed": seed}


def references(measures: dict[str, Measure]) -> str:
    """Return where the measures' references come from, the empty string where none has one."""
    compared = [measure for measure in measures.values() if measure.reference is not None]
    return ", ".join(dict.fromkeys(measure.source or "reference" for measure in compared))


def table(results: dict[str, Any], measures: dict[str, Measure]) -> list[list[str]]:
    """Return the head and the rows of what `evaluate` found, with references if there are any.

    The first cell is the quantity with its unit.
    """
    sources = references(measures)
    rows = [["", "mean", "95 % interval", *([sources] if sources else [])]]
    for name, measure in measures.items():
        value, unit = results[name], f" ({measure.unit})" if measure.unit else ""
        cells = ["none", ""]
        if value["mean"] is not None:
            cells = [f"{value['mean']:.3f}", f"{value['low']:.3f} to {value['high']:.3f}"]
        reference = "" if measure.reference is None else f"{measure.reference}"
        rows.append([name.replace("_", " ") + unit, *cells, *([reference] if sources else [])])
    return rows


def means(recording: Recording, measures: dict[str, Measure]) -> dict[str, float]:
    """Return measures as metrics: each one's mean over the robots that give a number.

    Names are `measure/NAME`, or `share/NAME` and `fraction/NAME` for a `Share` and a `Fraction`;
    measures that no robot gives a number of are left out.
    """
    found = {f"{m.kind}/{name}": m(recording) for name, m in measures.items()}
    known = {name: values[np.isfinite(values)] for name, values in found.items()}
    return {name: float(values.mean()) for name, values in known.items() if len(values)}


class Recorder(VectorWrapper):
    """An environment of a task that records one episode of its robots, from a reset on.

    Args:
        env: a `LocomotionVectorEnv`, with autoreset or without; whoever falls has fallen.
        robots: at most so many of its robots are recorded, the first ones.
    """

    def __init__(self, env: VectorEnv, robots: int | None = None) -> None:
        super().__init__(env)
        self._robots = slice(robots)
        self._rows: list[dict[str, np.ndarray]] = []
        self._alive = np.ones(env.num_envs, bool)

    def reset(
        self, *, seed: int | list[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin a recording."""
        self._rows, self._alive = [], np.ones(self.env.num_envs, bool)
        return super().reset(seed=seed, options=options)  # pyright: ignore[reportArgumentType]

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Record a control step."""
        env: Any = self.env.unwrapped
        command = env.state.command  # step() ends by drawing the next one
        result = super().step(actions)
        self._alive = self._alive & ~result[2]
        now = {"alive": self._alive, "command": command, **row(env.last_state)}
        self._rows.append({name: values[self._robots] for name, values in now.items()})
        return result

    def recording(self) -> Recording:
        """Return what was recorded since the reset."""
        env: Any = self.env.unwrapped
        model = env.physics.model
        mass = float(model.body_subtreemass[model.body(env.robot.base).id])
        arrays = {name: np.stack([r[name] for r in self._rows]) for name in self._rows[0]}
        config, robot = env.config, env.robot
        size, names = (mass, robot.leg_length), config.commands.names
        return Recording(config.simulation.dt, *size, names, robot.nominal_pose, **arrays)


def run(
    act: Act,
    env: LocomotionVectorEnv,
    seed: int,
    before_step: Callable[[int], np.ndarray | None] = lambda step: None,
) -> Recording:
    """Run one episode in every simulation of an environment without autoreset.

    Args:
        act: the policy.
        env: the environment.
        seed: seed of its reset.
        before_step: called with the number of a control step, from 0, ahead of it; the policy acts
            on the observation that it returns, if any, as `set_command` does.
    """
    recorder = Recorder(env)
    observation, _ = recorder.reset(seed=seed)
    for step in range(round(env.config.episode_length / env.config.simulation.dt)):
        if (seen := before_step(step)) is not None:
            observation = seen
        observation, *_ = recorder.step(act(observation))
    return recorder.recording()

"""Two policies in one robot: one gets up, and hands over to one that walks.

As in Hwangbo et al. 2019 (arXiv 1901.08652) the robot's state alone says who acts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from envs.bounds import require
from envs.judge.protocol import Act
from envs.mdp.recovery import ONWARD
from envs.sim.drives import PD, ControlLaw
from envs.task import TaskConfig
from robots.robot import Robot
from robots.usage import UsageError

REACH = np.pi
"""Range of the joint targets of the drive that both policies act through (rad)."""
FALLEN = 0.8
"""Tilt of the base (rad) beyond which the one that gets up takes over."""
UPRIGHT, POSED = 0.25, 0.4
"""Tilt, and offset of any joint from the nominal pose (rad), below which it hands over."""


def together(walker: TaskConfig, riser: TaskConfig) -> TaskConfig:
    """Return the walker's task as both can act in it: no fall ends it, and it begins with one.

    So the walker's share of falls means nothing; whether the robot gets up and walks on does.

    Raises:
        ValueError: they act at different rates.
    """
    rates = [1 / task.simulation.dt for task in (walker, riser)]
    need = f"{rates[0]:g} Hz, as that of the policy that walks"
    alike = abs(rates[0] - rates[1]) < 1e-6
    require(alike, "the control rate of --recover", f"{rates[1]:g} Hz", need)
    measures = {name: m for name, m in walker.measures.items() if name != "fall_rate"}
    return replace(
        walker,
        drive=PD(scale=REACH),
        terminations={},
        start=riser.start,
        simulation=replace(walker.simulation, collision=riser.simulation.collision),
        protocol=replace(walker.protocol, speeds=()),
        measures=ONWARD | measures,
    )


class HandOver:
    """Who acts in n robots of `together`'s task: each robot's own state decides.

    Args:
        walk: the policy that walks.
        rise: the policy that gets up.
        walker: the task of the one that walks, as in its training.
        riser: that of the other; it observes nothing that the walker does not.
        robot: the robot.
        layout: where the walker's blocks stand in its observation.
        n: number of robots.

    Raises:
        ValueError: a policy whose actions are no joint targets, or a sense that the walker lacks.
    """

    def __init__(
        self,
        walk: Act,
        rise: Act,
        walker: TaskConfig,
        riser: TaskConfig,
        robot: Robot,
        layout: dict[str, slice],
        n: int,
    ) -> None:
        self._walk, self._rise = walk, rise
        self._pose = np.array(robot.nominal_pose)
        self._walking, self._rising = _targets(walker, robot), _targets(riser, robot)
        if self._walking.added_to != "nothing":
            raise UsageError(f"the drive of the policy that walks is {walker.drive.name}, not pd")
        self._senses, self._wanted = walker.observations, riser.observations
        self._layout = layout
        for name in {"gravity", "joint_pos", "action"} | self._wanted.keys():
            if name not in self._senses:
                raise UsageError(
                    f"the policy that walks does not observe {name}, by which the other one gets "
                    "up: train it with that"
                )
        self.rising = np.ones(n, bool)
        """Which robots are getting up, (n,)."""
        self._action = np.zeros((n, len(self._pose)))  # the last one of who gets up

    def __call__(self, observation: np.ndarray) -> np.ndarray:
        """Return the actions of `together`'s task, (n, joints), for its observations.

        Where no action is observed an episode has begun, and with it the getting up.
        """
        begun = (self._block(observation, "action") == 0).all(axis=1)
        self.rising, self._action = self.rising | begun, np.where(begun[:, None], 0, self._action)
        self._decide(observation)
        joints, rising = self._pose + self._block(observation, "joint_pos"), self.rising[:, None]
        walked = np.clip(self._walk(self._for_walker(observation)), -1, 1)
        risen = np.clip(self._rise(self._for_riser(observation)), -1, 1)
        self._action = np.where(rising, risen, 0.0)
        targets = np.where(
            rising, _target(self._rising, risen, joints), _target(self._walking, walked, joints)
        )
        return (targets - self._pose) / REACH

    def _decide(self, observation: np.ndarray) -> None:
        tilt = np.arccos(np.clip(-self._block(observation, "gravity")[:, 2], -1, 1))
        offset = np.abs(self._block(observation, "joint_pos")).max(axis=1)
        self.rising = np.where(self.rising, (tilt > UPRIGHT) | (offset > POSED), tilt > FALLEN)

    def _block(self, observation: np.ndarray, name: str) -> np.ndarray:
        return observation[:, self._layout[name]] / self._senses[name].scale

    def _for_walker(self, observation: np.ndarray) -> np.ndarray:
        """Return what the walker sees: the last action is one of its own drive."""
        seen, law = observation.copy(), self._walking
        targets = self._pose + REACH * self._block(observation, "action")
        own = np.clip((targets - law.offset) / law.scale, -1, 1)
        seen[:, self._layout["action"]] = own * self._senses["action"].scale
        return seen

    def _for_riser(self, observation: np.ndarray) -> np.ndarray:
        blocks = [
            (self._action if name == "action" else self._block(observation, name)) * term.scale
            for name, term in self._wanted.items()
        ]
        return np.concatenate(blocks, axis=1, dtype=np.float32, casting="same_kind")


def _targets(task: TaskConfig, robot: Robot) -> ControlLaw:
    """Return how a task's actions become joint targets."""
    law = task.drive.law(robot)
    if law is None or law.unit != "rad":
        raise UsageError(
            f"the drive of a policy is {task.drive.name}; a hand over is of joint targets: pd or "
            "relative"
        )
    return law


def _target(law: ControlLaw, action: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return joint targets (rad), (n, joints)."""
    own = law.offset + law.scale * action
    return own + joints if law.added_to == "joint_pos" else own

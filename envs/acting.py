"""A task's drive at work on many simulations, and what the task remembers of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.mdp.memory.past import Past
from envs.sim.drives import Driven
from envs.sim.physics import Physics
from envs.task import TaskConfig
from robots.robot import Robot


class Acting:
    """What becomes of actions, and the past that rewards and observations ask for.

    Args:
        config: the task.
        robot: the robot in the simulations.
        physics: the simulations.
        n: their number.

    Raises:
        ValueError: the past of joint targets is asked for, and the drive has none.
    """

    def __init__(self, config: TaskConfig, robot: Robot, physics: Physics, n: int) -> None:
        self._physics = physics
        self.driven = Driven(config.drive, robot, physics, n)
        terms = (config.observations, config.rewards, config.terminations)
        every = [term for kind in terms for term in kind.values()]
        self.past = Past(every, n, len(robot.joints), config.simulation.timestep)
        if "target" in self.past.kept:
            self.driven.require_targets("observations of joint targets and their errors")
        self.substep = self._remember if self.past.depth else self.driven.substep
        """What gives the controls of each physics step, None where they stay as they are."""

    def act(self, action: np.ndarray) -> None:
        """Apply the controls of actions in [-1, 1], (n, joints)."""
        self.driven.act(action)
        if self.past.kept:
            self.past.act(self.driven.control)

    def _remember(self) -> np.ndarray:
        self.past.push(self._physics.joint_pos, self._physics.joint_vel)
        return self.driven.substep() if self.driven.substep else self.driven.control

    def track(self) -> None:
        """Take note of the end of a control step."""
        if self.past.kept:
            self.past.track(self._physics.torque)

    def restart(self, ids: np.ndarray, rng: np.random.Generator) -> None:
        """Begin new episodes in simulations ids, where they are, and draw what is random."""
        self.driven.restart(ids, rng)
        self.forget(ids)

    def forget(self, ids: np.ndarray) -> None:
        """Let the past of simulations ids be what they are now."""
        if self.past.kept:
            self.past.restart(ids, self.driven.resting(ids), self._physics.joint_vel[ids])

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of what is kept, under `drive` and `past`, if anything is."""
        return self.driven.state_dict() | self.past.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.driven.load_state_dict(state)
        self.past.load_state_dict(state)

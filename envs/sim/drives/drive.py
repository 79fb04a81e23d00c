"""What a joint drive is, and one at work on many simulations."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import mujoco
import numpy as np

from envs.bounds import require
from envs.sim.physics import Physics
from robots.robot import Robot

Memory = dict[str, np.ndarray]
"""Arrays with a row a simulation that a drive keeps, saved with the simulations' state."""


class Joints(Protocol):
    """The present state of n robots' joints."""

    @property
    def pos(self) -> np.ndarray:
        """Positions (rad), (n, joints)."""
        ...

    @property
    def vel(self) -> np.ndarray:
        """Velocities (rad/s), (n, joints)."""
        ...


class PresentJoints:
    """The joints of simulations, read where a drive asks for them."""

    def __init__(self, physics: Physics) -> None:
        self._physics = physics

    @property
    def pos(self) -> np.ndarray:
        return self._physics.joint_pos

    @property
    def vel(self) -> np.ndarray:
        return self._physics.joint_vel


class ControlLaw(NamedTuple):
    """How an action becomes controls: offset + scale × action, or more where `added_to` says so."""

    offset: np.ndarray
    """(joints,), in `unit`."""
    scale: np.ndarray
    """(joints,), in `unit`."""
    unit: Literal["rad", "N·m"]
    """rad for the target of a PD drive, N·m for a torque."""
    added_to: Literal["nothing", "joint_pos"] = "nothing"
    """joint_pos: the joints' positions at the moment of the action are added."""


@dataclass(frozen=True)
class Drive:
    """What an action in [-1, 1] means, one entry a joint; subclasses say it."""

    name: ClassVar[str]
    """Name in `envs.sim.DRIVES`."""
    every_substep: ClassVar[bool] = False
    """Whether `substep` is called ahead of every physics step."""

    def attach(self, spec: mujoco.MjSpec, robot: Robot) -> None:
        """Add one actuator a joint, in the robot's joint order; by default torque motors."""
        for actuator, limit in zip(add_actuators(spec, robot), robot.torque_limit, strict=True):
            actuator.set_to_motor()
            actuator.ctrlrange = [-limit, limit]

    def memory(self, robot: Robot, n: int, timestep: float) -> Memory:
        """Return what the drive keeps of n simulations, as it is at the start of an episode.

        Args:
            robot: the robot.
            n: number of simulations.
            timestep: physics step (s).

        Raises:
            ValueError: the drive cannot work in such steps.
        """
        return {}

    def draw(
        self, memory: Memory, ids: np.ndarray, timestep: float, rng: np.random.Generator
    ) -> None:
        """Draw what is random in simulations ids, whose rows of the memory have just begun anew."""

    def control(
        self, action: np.ndarray, robot: Robot, joints: Joints, memory: Memory
    ) -> np.ndarray:
        """Return the controls (n, joints) of a control step.

        Args:
            action: in [-1, 1], (n, joints).
            robot: the robot.
            joints: at the start of the control step.
            memory: what the drive keeps; it may be written.
        """
        law = self.law(robot)
        assert law is not None, "a drive without a law has a `control` of its own"
        control = law.offset + law.scale * action
        return control + joints.pos if law.added_to == "joint_pos" else control

    def substep(
        self, control: np.ndarray, robot: Robot, joints: Joints, memory: Memory
    ) -> np.ndarray:
        """Return the controls (n, joints) of a physics step, from those of its control step."""
        return control

    def law(self, robot: Robot) -> ControlLaw | None:
        """Return the formula of the controls, None where no formula says it."""
        return None

    def described(self, robot: Robot) -> dict[str, Any]:
        """Return what another program must know of it beside its law, as JSON can hold it."""
        return asdict(self)


class Driven:
    """A drive at work on n simulations, with what it keeps of them.

    Args:
        drive: the drive.
        robot: the robot in the simulations.
        physics: the simulations.
        n: their number.
    """

    def __init__(self, drive: Drive, robot: Robot, physics: Physics, n: int) -> None:
        self._drive, self._robot, self._physics = drive, robot, physics
        self._timestep = float(physics.model.opt.timestep)
        self._memory = drive.memory(robot, n, self._timestep)
        self._start = {name: rows.copy() for name, rows in self._memory.items()}
        self._joints = PresentJoints(physics)
        self.control = np.zeros((n, len(robot.joints)))
        """Controls of the control step: joint targets (rad) or torques (N·m), (n, joints)."""
        law = drive.law(robot)
        self._law = law if law is not None and law.unit == "rad" else None
        self.substep = self._substep if drive.every_substep else None
        """What gives the controls of each physics step, if they change within a control step."""

    def require_targets(self, why: str) -> None:
        """Raise ValueError where controls are no joint targets, with what needs them."""
        need = f"one of joint targets, pd for example, for {why}"
        require(self._law is not None, "drive", self._drive.name, need)

    def resting(self, ids: np.ndarray) -> np.ndarray:
        """Return the joint targets (rad), (len(ids), joints), that actions of 0 have; else 0."""
        if self._law is None:
            return np.zeros((len(ids), self.control.shape[1]))
        positions = self._joints.pos[ids] if self._law.added_to == "joint_pos" else 0.0
        return self._law.offset + positions + np.zeros((len(ids), 1))

    def act(self, action: np.ndarray) -> None:
        """Apply the controls of actions in [-1, 1], (n, joints)."""
        self.control = self._drive.control(action, self._robot, self._joints, self._memory)
        self._physics.apply(self.control)

    def _substep(self) -> np.ndarray:
        return self._drive.substep(self.control, self._robot, self._joints, self._memory)

    def restart(self, ids: np.ndarray, rng: np.random.Generator) -> None:
        """Forget what is kept of simulations ids, and draw anew what is random in them."""
        for name, rows in self._memory.items():
            rows[ids] = self._start[name][ids]
        self._drive.draw(self._memory, ids, self._timestep, rng)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of what is kept, under `drive`, if anything is."""
        kept = {name: rows.copy() for name, rows in self._memory.items()}
        return {"drive": kept} if kept else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        for name, rows in self._memory.items():
            rows[:] = state["drive"][name]


def add_actuators(spec: mujoco.MjSpec, robot: Robot) -> list[Any]:
    """Add and return an actuator for each joint, limited to its torque, yet without gains.

    The joints get the motors' armature, and lose their own damping.
    """
    actuators = []
    for name, armature, limit in zip(robot.joints, robot.armature, robot.torque_limit, strict=True):
        joint = spec.joint(name)
        joint.armature = armature
        joint.damping = np.zeros_like(joint.damping)
        actuators.append(
            spec.add_actuator(
                name=name,
                target=name,
                trntype=mujoco.mjtTrn.mjTRN_JOINT,
                forcelimited=True,
                forcerange=[-limit, limit],
                ctrllimited=True,
            )
        )
    return actuators

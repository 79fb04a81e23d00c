"""What a task is: frozen dataclasses, validated when made, varied with `dataclasses.replace`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from envs.bounds import Range, require, require_choice, require_range, require_whole, require_within
from envs.mdp.state import State
from robots.robot import Collision

ActionMode = Literal["pd", "torque"]
ContactModel = Literal["training", "menagerie"]
Kind = Literal["polar", "axial", "joint", "command", "foot", "scalar"]
LARGEST = 1e6
"""Weights, scales and parameters beyond this would drown all others in float32."""
_LOWEST = {"width": 1e-3, "margin": 1e-3, "bound": 0.0}
"""Least values of rewards' parameters that have one."""


@dataclass(frozen=True)
class RewardTerm:
    """One reward: weight × function(state, **params), integrated over the control step."""

    function: Callable[..., np.ndarray]
    """Pure function of State, (n,)."""
    weight: float
    """Reward per second for a function value of 1."""
    curriculum: bool = False
    """Whether the weight is multiplied by the curriculum's factor k."""
    params: dict[str, float] = field(default_factory=dict)
    """Keyword arguments of the function."""

    def __post_init__(self) -> None:
        require_within("reward weight", self.weight, -LARGEST, LARGEST)
        known = set(inspect.signature(self.function).parameters)
        for name, value in self.params.items():
            require(name in known, "reward parameter", name, f"one of {self.function.__name__}'s")
            require_within(name, value, _LOWEST.get(name, -LARGEST), LARGEST)


@dataclass(frozen=True)
class ObservationTerm:
    """One block of the observation vector."""

    function: Callable[[State], np.ndarray]
    """Pure function of State, (n, k)."""
    kind: Kind
    """How the block transforms under the robot's mirrors."""
    scale: float = 1.0
    """Factor that brings the block to order 1."""
    noise: float = 0.0
    """Half-width of the uniform sensor noise, in the block's own unit, before scaling."""

    def __post_init__(self) -> None:
        require_choice("observation kind", self.kind, Kind)
        require_within("observation scale", self.scale, -LARGEST, LARGEST)
        require_within("observation noise", self.noise, 0, LARGEST)


@dataclass(frozen=True)
class Simulation:
    """How the world is stepped."""

    timestep: float = 0.005
    """Physics step (s)."""
    substeps: int = 4
    """Physics steps in one control step; 4 × 5 ms is 50 Hz control."""
    contact: ContactModel = "training"
    """`training`: pyramidal cones, impratio 1, sliding friction only (fast); `menagerie`:
    elliptic cones, impratio 100, with torsional and rolling friction (slow, a check)."""
    collision: Collision = "feet_and_body"
    """Which parts of the robot collide; `full` adds the hips and self-collision."""
    nthread: int = 0
    """Simulation threads; 0 takes every core. The numbers do not depend on it."""

    def __post_init__(self) -> None:
        require_within("timestep", self.timestep, 1e-5, 0.02, "s")
        require_whole("substeps", self.substeps, 1, 1000)
        need = "at most 1 s (--substeps × --timestep)"
        require(self.dt <= 1, "control step", f"{self.dt:g} s", need)
        require_choice("contact", self.contact, ContactModel)
        require_choice("collision", self.collision, Collision)
        require_whole("nthread", self.nthread, 0, 1024)

    @property
    def dt(self) -> float:
        """Control step (s)."""
        return self.timestep * self.substeps


@dataclass(frozen=True)
class Action:
    """How an action in [-1, 1] becomes a joint torque."""

    mode: ActionMode = "pd"
    """`pd`: joint target = nominal pose + scale × action, held by the robot's PD drive;
    `torque`: joint torque = action × torque limit."""
    scale: float = 1.0
    """Joint-target range of the `pd` mode (rad)."""

    def __post_init__(self) -> None:
        require_choice("action mode", self.mode, ActionMode)
        require(0 < self.scale <= np.pi, "action scale", self.scale, "in (0, pi] rad")


@dataclass(frozen=True)
class Gait:
    """The clock that the feet are asked to follow while a motion is commanded."""

    frequency: float = 0.0
    """Strides per second (Hz); 0 for a task without a gait, where `gait` and `clearance` have
    no weight."""
    offsets: tuple[float, ...] = (0.0, 0.5, 0.5, 0.0)
    """Where each leg is in its cycle when the clock starts, in leg order; these are a trot's."""

    def __post_init__(self) -> None:
        require(0 <= self.frequency <= 10, "gait frequency", self.frequency, "in [0, 10] Hz")
        ok = len(self.offsets) > 0 and all(-1 <= offset <= 1 for offset in self.offsets)
        require(ok, "gait offsets", self.offsets, "finite shares of a cycle in [-1, 1], one a leg")


@dataclass(frozen=True)
class Commands:
    """Velocity commands, drawn uniformly and held for a random time."""

    lin_vel_x: Range = (0.0, 0.0)
    """Forward speed (m/s)."""
    lin_vel_y: Range = (0.0, 0.0)
    """Leftward speed (m/s)."""
    yaw_rate: Range = (0.0, 0.0)
    """Turning rate, left positive (rad/s)."""
    interval: Range = (4.0, 4.0)
    """Time until the next command (s), uniform."""
    standing_share: float = 0.0
    """Probability that a new command is to stand still."""

    def __post_init__(self) -> None:
        for name in ("lin_vel_x", "lin_vel_y", "yaw_rate"):
            require_range(name, getattr(self, name), -10, 10)
        require_range("interval", self.interval, 1e-3, 1e6)
        share = self.standing_share
        require(0 <= share <= 1, "standing_share", share, "a probability")


@dataclass(frozen=True)
class Randomization:
    """What differs between simulations; each law has its switch."""

    start_state: bool = True
    """Start: yaw uniform in ±pi, tilt and joints normal, velocities uniform, as below."""
    start_tilt: float = 0.06
    """Standard deviation of the initial roll and pitch (rad; Hwangbo 2019)."""
    start_joint: float = 0.1
    """Standard deviation of the initial joint positions around the nominal pose (rad)."""
    start_velocity: float = 0.5
    """Half-width of the initial base velocity (m/s and rad/s)."""
    noise: bool = False
    """Observation noise: uniform, half-width from each observation term."""
    mass: bool = False
    """Base mass × U(mass_range), its inertia likewise."""
    mass_range: Range = (0.85, 1.15)
    """Factor on the base mass (Hwangbo 2019: ±15 %)."""
    com: bool = False
    """Base centre of mass + U(±com_shift) on each axis."""
    com_shift: float = 0.02
    """Largest shift of the base centre of mass (m; Hwangbo 2019)."""
    friction: bool = False
    """Sliding friction of the feet ~ U(friction_range)."""
    friction_range: Range = (0.5, 1.25)
    """Sliding friction coefficient (legged_gym)."""
    gains: bool = False
    """kp and kd of every joint × U(gains_range), independently."""
    gains_range: Range = (0.9, 1.1)
    """Factor on the drive's gains."""
    pushes: bool = False
    """Every push_interval s the base velocity jumps by push_speed in a random direction."""
    push_speed: float = 0.5
    """Horizontal velocity jump of a push (m/s)."""
    push_interval: float = 5.0
    """Time between pushes (s); the first comes after a uniform share of it."""

    def __post_init__(self) -> None:
        for name in ("start_tilt", "start_joint"):
            require_within(name, getattr(self, name), 0, np.pi, "rad")
        for name in ("start_velocity", "push_speed"):
            require_within(name, getattr(self, name), 0, 100, "m/s")
        require_within("com_shift", self.com_shift, 0, 1, "m")
        for name in ("mass_range", "gains_range", "friction_range"):
            require_range(name, getattr(self, name), 1e-3, 100)
        require_within("push_interval", self.push_interval, 1e-3, 1e6, "s")

    @property
    def model(self) -> bool:
        """Whether the simulations run on models of their own."""
        return self.mass or self.com or self.friction or self.gains


@dataclass(frozen=True)
class Termination:
    """When an episode ends as a fall."""

    base_contact: bool = True
    """End when the base touches the ground."""
    max_tilt: float = 0.925
    """End when the base z axis leans further than this from the vertical (rad)."""
    min_height: float = 0.3
    """End when the base sinks below this height (m)."""

    def __post_init__(self) -> None:
        require(0 < self.max_tilt <= np.pi, "max_tilt", self.max_tilt, "in (0, pi] rad")
        require_within("min_height", self.min_height, -100, 100, "m")


@dataclass(frozen=True)
class Curriculum:
    """Factor k on the curriculum rewards: `initial`, then a linear rise to 1.

    The idea of Hwangbo et al. 2019 (k_{j+1} = k_j^{k_d}): track first, then walk well.
    Counted in transitions of the whole vector environment.
    """

    initial: float = 1.0
    """Factor at the start; 1 switches the curriculum off."""
    hold: float = 0.0
    """Transitions with the initial factor."""
    ramp: float = 1.0
    """Transitions over which it rises to 1."""

    def __post_init__(self) -> None:
        require(0 <= self.initial <= 1, "curriculum initial", self.initial, "in [0, 1]")
        require(0 <= self.hold < np.inf, "curriculum hold", self.hold, "0 or more transitions")
        need = "a positive number of transitions"
        require(0 < self.ramp < np.inf, "curriculum ramp", self.ramp, need)

    def factor(self, transitions: int) -> float:
        """Return k after this many transitions."""
        progress = min(max((transitions - self.hold) / self.ramp, 0.0), 1.0)
        return self.initial + (1.0 - self.initial) * progress


@dataclass(frozen=True)
class Protocol:
    """How a policy of this task is judged: no noise, nominal models, full rewards."""

    seconds: float = 30.0
    """Length of an evaluation episode (s)."""
    command_interval: float = 2.0
    """Time between commands (s)."""
    pushes: bool = False
    """Whether the task's pushes stay on."""
    push_speed: float = 0.5
    """Velocity jump of those pushes (m/s)."""
    push_interval: float = 5.0
    """Time between those pushes (s)."""
    start_state: bool = False
    """Whether start states are random."""
    start_tilt: float = 0.06
    """Standard deviation of those states' roll and pitch (rad)."""
    start_joint: float = 0.1
    """Standard deviation of those states' joint positions (rad)."""

    def __post_init__(self) -> None:
        for name in ("seconds", "command_interval", "push_interval"):
            value = getattr(self, name)
            require_within(f"protocol {name}", value, 1e-3, 1e5, "s")
        require_within("protocol push_speed", self.push_speed, 0, 100, "m/s")
        for name in ("start_tilt", "start_joint"):
            value = getattr(self, name)
            require_within(f"protocol {name}", value, 0, np.pi, "rad")


@dataclass(frozen=True)
class TaskConfig:
    """Everything that defines a task; a task's function fills it in for a robot."""

    rewards: dict[str, RewardTerm]
    observations: dict[str, ObservationTerm]
    episode_length: float = 20.0
    """Time limit of an episode (s); reaching it is a truncation."""
    simulation: Simulation = Simulation()
    action: Action = Action()
    commands: Commands = Commands()
    gait: Gait = Gait()
    randomization: Randomization = Randomization()
    termination: Termination = Termination()
    curriculum: Curriculum = Curriculum()
    protocol: Protocol = Protocol()

    def __post_init__(self) -> None:
        length = self.episode_length
        need = "finite, at least one control step and at most 1e7 (s)"
        require(self.simulation.dt <= length <= 1e7, "episode_length", length, need)
        seconds = self.protocol.seconds
        need = "at least one control step (s)"
        require(self.simulation.dt <= seconds, "protocol seconds", seconds, need)
        require(len(self.rewards) > 0, "rewards", "empty", "at least one term")
        require(len(self.observations) > 0, "observations", "empty", "at least one term")
        paced = [n for n in ("gait", "clearance") if n in self.rewards and self.rewards[n].weight]
        need = f"above 0 Hz where the rewards {' and '.join(paced)} have weights"
        require(self.gait.frequency > 0 or not paced, "gait frequency", 0, need)

"""What differs between simulations: model parameters, pushes, sensor noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from envs.bounds import Range, require, require_range, require_within
from envs.sim.physics import Physics
from robots.robot import Robot

PUSH_INTERVAL = 5.0


@dataclass(frozen=True)
class Randomization:
    """What differs between simulations, drawn anew at every start; None or 0 switches a law off."""

    noise: float = 0.0
    """Factor on the sensor noise of each observation term; 1 is the term's own."""
    mass: Range | None = None
    """Factor on the base mass and its inertia."""
    com: Range | None = None
    """Shift of the base centre of mass along each axis (m)."""
    friction: Range | None = None
    """Sliding friction coefficient of the feet."""
    gains: Range | None = None
    """Factor on the drives' gains, of every joint on its own."""
    joints: Range | None = None
    """Shift of each joint's place, with the rest of its leg, along each axis of its parent (m)."""
    phase: Range | None = None
    """Where in its cycle the gait's clock starts (share)."""
    push: Range | None = None
    """Size of the jumps of the base velocity, in a random direction (m/s)."""
    push_interval: float = PUSH_INTERVAL
    """Time between pushes (s); the first comes after a uniform share of it."""

    def __post_init__(self) -> None:
        require_within("noise", self.noise, 0, 100)
        bounds = {"com": (-1, 1), "push": (0, 100), "phase": (0, 1), "joints": (-1, 1)}
        for name in ("mass", "com", "friction", "gains", "joints", "phase", "push"):
            value = getattr(self, name)
            if value is not None:
                require_range(name, value, *bounds.get(name, (1e-3, 100)))
        require_within("push_interval", self.push_interval, 1e-3, 1e6, "s")
        idle = self.push is None and self.push_interval != PUSH_INTERVAL
        require(not idle, "push_interval", self.push_interval, "left out where nothing is pushed")


STANDARD = Randomization(
    noise=1.0, mass=(0.85, 1.15), com=(-0.02, 0.02), friction=(0.5, 1.25), gains=(0.9, 1.1)
)
"""Mass and centre of mass as in Hwangbo et al. 2019 (arXiv 1901.08652), friction as in legged_gym
(Rudin et al. 2021, arXiv 2109.11978), the gains our own."""


def with_standard(config: Randomization) -> Randomization:
    """Return a randomization with `STANDARD`'s laws where it has none of its own."""
    own = {name: getattr(config, name) for name in ("noise", *LAWS)}
    given = {name: value or getattr(STANDARD, name) for name, value in own.items()}
    return replace(config, **given)


def push_velocities(config: Randomization, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n horizontal velocity jumps (m/s), (n, 2); a range of one size draws no size."""
    assert config.push is not None
    angle = rng.uniform(-np.pi, np.pi, n)
    low, high = config.push
    size = low if low == high else rng.uniform(low, high, n)
    return (size * np.stack([np.cos(angle), np.sin(angle)])).T


@dataclass(frozen=True)
class Nominal:
    """Where a law finds what it changes, and the nominal values of the fields there."""

    base: int
    """Id of the base body."""
    feet: list[int]
    """Ids of the foot geoms."""
    drives: list[int]
    """Ids of the actuators, in joint order."""
    links: list[int]
    """Ids of the bodies that the joints move, in joint order."""
    values: dict[str, np.ndarray] = field(default_factory=dict)
    """Whole fields of the nominal model."""


Fields = dict[str, np.ndarray]
"""Fields of the model with a value a simulation, live, (n, …)."""


class Law(NamedTuple):
    """How one parameter of the model is drawn anew."""

    fields: tuple[str, ...]
    """Fields of the model that it writes."""
    draw: Callable[[Fields, Nominal, np.ndarray, Range, np.random.Generator], None]
    """Writes new values for simulations ids."""
    derived: bool = False
    """Whether constants of the model follow from the fields."""


def _mass(
    fields: Fields, nominal: Nominal, ids: np.ndarray, range_: Range, rng: np.random.Generator
) -> None:
    factor, base = rng.uniform(*range_, len(ids)), nominal.base
    fields["body_mass"][ids, base] = nominal.values["body_mass"][base] * factor
    fields["body_inertia"][ids, base] = nominal.values["body_inertia"][base] * factor[:, None]


def _com(
    fields: Fields, nominal: Nominal, ids: np.ndarray, range_: Range, rng: np.random.Generator
) -> None:
    shift = rng.uniform(*range_, (len(ids), 3))
    fields["body_ipos"][ids, nominal.base] = nominal.values["body_ipos"][nominal.base] + shift


def _friction(
    fields: Fields, nominal: Nominal, ids: np.ndarray, range_: Range, rng: np.random.Generator
) -> None:
    sliding = rng.uniform(*range_, len(ids))
    fields["geom_friction"][ids[:, None], nominal.feet, 0] = sliding[:, None]


def _gains(
    fields: Fields, nominal: Nominal, ids: np.ndarray, range_: Range, rng: np.random.Generator
) -> None:
    rows, drives = ids[:, None], nominal.drives
    factor = rng.uniform(*range_, (len(ids), len(drives)))
    gain = nominal.values["actuator_gainprm"][drives, 0]
    bias = nominal.values["actuator_biasprm"][drives, 1:3]
    fields["actuator_gainprm"][rows, drives, 0] = gain * factor
    fields["actuator_biasprm"][rows, drives, 1:3] = bias * factor[..., None]


def _joints(
    fields: Fields, nominal: Nominal, ids: np.ndarray, range_: Range, rng: np.random.Generator
) -> None:
    shift = rng.uniform(*range_, (len(ids), len(nominal.links), 3))
    fields["body_pos"][ids[:, None], nominal.links] = (
        nominal.values["body_pos"][nominal.links] + shift
    )


LAWS = {
    "mass": Law(("body_mass", "body_inertia"), _mass, derived=True),
    "com": Law(("body_ipos",), _com, derived=True),
    "friction": Law(("geom_friction",), _friction),
    "gains": Law(("actuator_gainprm", "actuator_biasprm"), _gains),
    "joints": Law(("body_pos",), _joints, derived=True),
}
"""Settings of `Randomization` that give simulations models of their own, in order of drawing."""


class ModelRandomizer:
    """Redraws per-simulation model parameters, through the fields that the physics expands.

    Args:
        physics: the simulations.
        robot: the robot in them.
        config: which laws are on.
        always: names of laws whose fields are to be there without being drawn, to be loaded.
    """

    def __init__(
        self, physics: Physics, robot: Robot, config: Randomization, always: tuple[str, ...] = ()
    ) -> None:
        model = physics.model
        self._physics = physics
        ranges = {name: getattr(config, name) for name in LAWS}
        on = [law for name, law in LAWS.items() if ranges[name] or name in always]
        self._drawn = [(LAWS[name], range_) for name, range_ in ranges.items() if range_]
        names = [name for law in on for name in law.fields]
        self._nominal = Nominal(
            base=model.body(robot.base).id,
            feet=[model.geom(name).id for name in robot.feet],
            drives=[model.actuator(name).id for name in robot.joints],
            links=[int(model.jnt_bodyid[model.joint(name).id]) for name in robot.joints],
            values={name: getattr(model, name).copy() for name in names},
        )
        self._derived = any(law.derived for law in on)
        self._fields = {name: physics.expand(name) for name in names}

    def redraw(self, ids: np.ndarray, rng: np.random.Generator) -> None:
        """Draw new parameters for the simulations ids."""
        for law, range_ in self._drawn:
            law.draw(self._fields, self._nominal, ids, range_, rng)
        if self._drawn and self._derived:
            self._physics.set_const(ids)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return copies of the per-simulation model fields."""
        return {name: field.copy() for name, field in self._fields.items()}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Restore what `state_dict` returned."""
        for name, own in self._fields.items():
            own[:] = state[name]
        if self._derived:
            self._physics.set_const()

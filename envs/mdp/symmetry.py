"""The robot's mirror symmetries as signed permutations of observation and action.

A mirror negates one horizontal axis of the base frame. Two of them make the group Z2 × Z2, whose
element g is a bit mask of mirrors, so that g followed by h is g ^ h and 0 is the identity.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import mujoco
import numpy as np

from envs.bounds import require
from envs.mdp import asymmetry
from envs.mdp.asymmetry import Image
from envs.mdp.commands import Command
from envs.mdp.observations import Kind, Observation
from robots.robot import Robot

MIRRORS = {"left_right": np.array([1.0, -1.0, 1.0]), "front_back": np.array([-1.0, 1.0, 1.0])}
"""What each mirror does to a polar vector in the base frame."""
_LIKE = 0.2  # of the leg length: how near to a mirror's image legs suggest that mirror
_TURNED = 1.0  # rad: likewise, how little axes and nominal angles are turned
_BENT = 0.5  # rad: the same of the angles of a leg that is its own image: a knee may bend one way
_MIRRORED: dict[tuple[Robot, bytes], list[Image]] = {}  # a training makes its model several times
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignedPermutation:
    """y[i] = sign[i] * x[index[i]]."""

    index: np.ndarray
    sign: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Apply to the last axis of x, (…, k)."""
        return x[..., self.index] * self.sign

    def then(self, other: SignedPermutation) -> SignedPermutation:
        """Return the permutation that applies self, then other."""
        return SignedPermutation(self.index[other.index], self.sign[other.index] * other.sign)


@dataclass(frozen=True)
class Symmetry:
    """Signed permutations by group element: mirrored[i] = sign[g, i] * original[index[g, i]]."""

    observation_index: np.ndarray  # (G, observation)
    observation_sign: np.ndarray  # (G, observation)
    action_index: np.ndarray  # (G, action)
    action_sign: np.ndarray  # (G, action)

    def mirror_observation(self, g: int, x: np.ndarray) -> np.ndarray:
        """Return observations (…, observation) seen in mirror element g."""
        return SignedPermutation(self.observation_index[g], self.observation_sign[g])(x)

    def mirror_action(self, g: int, x: np.ndarray) -> np.ndarray:
        """Return actions (…, action) seen in mirror element g."""
        return SignedPermutation(self.action_index[g], self.action_sign[g])(x)


def of_robot(
    robot: Robot, model: mujoco.MjModel, entries: dict[str, Command]
) -> list[dict[Kind, SignedPermutation]]:
    """Return, for every group element, how each kind of quantity transforms.

    The mirrors that the robot has are found from about where its joints and feet stand and how the
    joints' axes point, at zero joint angles or as it is drawn, and from the nominal pose. One that
    these suggest is left out, with a warning, where the model is not its own mirror image, within
    the tolerances of `envs.mdp.asymmetry`. A robot without any gets the identity alone.

    Args:
        robot: the robot.
        model: a model that holds it.
        entries: of the command vector.
    """
    content = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, content)
    known = robot, sha256(content.data).digest()
    if known not in _MIRRORED:
        _MIRRORED[known] = list(_images(robot, model))
    group = [_identity(len(robot.joints), len(robot.feet), len(entries))]
    for image in _MIRRORED[known]:
        mirror = _transforms(image, entries)
        group += [_compose(element, mirror) for element in group]
    return group


def _images(robot: Robot, model: mujoco.MjModel) -> Iterator[Image]:
    """Yield the mirrors that a model has."""
    data, drawn = _upright(robot, model, at_zero=True), _upright(robot, model, at_zero=False)
    for name, diagonal in MIRRORS.items():
        image = _image(robot, model, data, diagonal) or _image(robot, model, drawn, diagonal)
        if image is None:
            continue
        if difference := asymmetry.find(robot, model, data, image):
            _warn(robot.name, name, difference)
        else:
            yield image


@cache
def _warn(robot: str, mirror: str, difference: str) -> None:
    """Say once what keeps a robot from a symmetry that its legs suggest."""
    _logger.warning(
        "Robot %r: its %s symmetry is not used: %s. Training goes on without it.",
        *(robot, mirror.replace("_", "-"), difference),
    )


def _compose(
    first: dict[Kind, SignedPermutation], second: dict[Kind, SignedPermutation]
) -> dict[Kind, SignedPermutation]:
    return {kind: permutation.then(second[kind]) for kind, permutation in first.items()}


def of_task(
    group: list[dict[Kind, SignedPermutation]],
    terms: dict[str, Observation],
    slices: dict[str, slice],
) -> Symmetry:
    """Return the symmetry of an observation made of these terms; actions are joint vectors."""
    width = max(s.stop for s in slices.values())
    index = np.zeros((len(group), width), np.int64)
    sign = np.ones((len(group), width))
    for g, kinds in enumerate(group):
        for name, term in terms.items():
            block, entries = slices[name], len(kinds[term.kind].index)
            width = block.stop - block.start
            need = f"{entries} wide, as {term.kind} quantities are"
            require(width == entries, f"observation {name}'s width", width, need)
            index[g, block] = block.start + kinds[term.kind].index
            sign[g, block] = kinds[term.kind].sign
    joints = [kinds["joint"] for kinds in group]
    return Symmetry(
        index, sign, np.array([j.index for j in joints]), np.array([j.sign for j in joints])
    )


def _identity(joints: int, feet: int, entries: int) -> dict[Kind, SignedPermutation]:
    sizes: dict[Kind, int] = {
        "polar": 3,
        "axial": 3,
        "command": entries,
        "velocity": 3,
        "scalar": 1,
        "joint": joints,
        "foot": feet,
    }
    return {kind: SignedPermutation(np.arange(n), np.ones(n)) for kind, n in sizes.items()}


def _upright(robot: Robot, model: mujoco.MjModel, at_zero: bool) -> mujoco.MjData:
    """Return data with the base upright, and the joints at zero or as the model is drawn."""
    data = mujoco.MjData(model)
    base = model.joint(model.body(robot.base).jntadr[0]).qposadr[0]
    data.qpos[base : base + 7] = (0, 0, 0, 1, 0, 0, 0)
    if at_zero:
        data.qpos[[model.joint(name).qposadr[0] for name in robot.joints]] = 0.0
    mujoco.mj_forward(model, data)
    return data


def _image(
    robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, diagonal: np.ndarray
) -> Image | None:
    """Return what a mirror makes of legs and joints, or None where they do not suggest it."""
    joints = [model.joint(name).id for name in robot.joints]
    base = data.body(robot.base).xpos
    feet = data.geom_xpos[[model.geom(name).id for name in robot.feet]] - base
    near = _LIKE * robot.leg_length
    legs = _match(feet, diagonal, near)
    if legs is None:
        return None
    per_leg = len(joints) // len(legs)
    index = (legs[:, None] * per_leg + np.arange(per_leg)).ravel()
    places = data.xanchor[joints] - base
    if (np.linalg.norm(places - places[index] * diagonal, axis=1) > near).any():
        return None
    axes = data.xaxis[joints]
    cosine = np.einsum("ij,ij->i", axes[index] * -diagonal, axes)
    sign, nominal = np.sign(cosine), np.array(robot.nominal_pose)
    parallel = np.abs(cosine) > np.cos(_TURNED)
    seen = sign * nominal[index]
    turned = np.where(index == np.arange(len(index)), _BENT, _TURNED)
    bend = np.maximum(np.abs(seen), np.abs(nominal))  # by more, it is to the other side
    posed = np.abs(seen - nominal) <= np.maximum(turned, bend)
    return Image(diagonal, legs, index, sign) if (parallel & posed).all() else None


def _transforms(image: Image, entries: dict[str, Command]) -> dict[Kind, SignedPermutation]:
    """Return how each kind of quantity transforms in a mirror."""
    order, diagonal = np.arange(3), image.diagonal
    command = np.array([_component(entry, diagonal) for entry in entries.values()])
    places = np.arange(len(entries))
    feet = [i for i, entry in enumerate(entries.values()) if entry.component == "foot"]
    if feet:
        require(len(feet) == len(image.feet), "foot entries", len(feet), "one a leg")
        places[feet] = np.array(feet)[image.feet]
    return {
        "polar": SignedPermutation(order, diagonal),
        "axial": SignedPermutation(order, -diagonal),
        "command": SignedPermutation(places, command),
        "velocity": SignedPermutation(order, np.append(diagonal[:2], -diagonal[2])),
        "scalar": SignedPermutation(np.arange(1), np.ones(1)),
        "joint": SignedPermutation(image.joints, image.sign),
        "foot": SignedPermutation(image.feet, np.ones(len(image.feet))),
    }


def _component(entry: Command, diagonal: np.ndarray) -> float:
    """Return the sign that an entry of the command gets in a mirror."""
    if entry.component in ("scalar", "foot"):
        return 1.0
    kind, axis = entry.component.split("_")
    return float((diagonal if kind == "polar" else -diagonal)["xyz".index(axis)])


def _match(points: np.ndarray, diagonal: np.ndarray, near: float) -> np.ndarray | None:
    """Return for each point the index of its mirror image, or None where one has none near."""
    distance = np.linalg.norm(points[:, None] - points[None] * diagonal, axis=2)
    index = distance.argmin(axis=1)
    found = distance.min(axis=1) < near
    return index if found.all() and len(set(index)) == len(points) else None

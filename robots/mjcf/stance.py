"""How a robot stands: the pose of a keyframe that stands, or a bent one by inverse kinematics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from robots.mjcf import tree
from robots.mjcf.tree import Leg
from robots.shapes import undersides
from robots.usage import UsageError

KEYFRAMES = ("home", "stand", "standing")
"""Names of the keyframe with the nominal pose, the best first; then come the file's others."""
SHARE = 0.8
"""Of a stretched leg: how far below their thighs' joints feet are put where no keyframe stands."""
_BENT = 0.97
"""Of a stretched leg: one that is longer from thigh to foot cannot lengthen for a step."""
_HIGH = 0.3
"""Of a stretched leg: a base that is lower than that above its feet lies."""
_EVEN, _SUNK = 0.1, 0.1
"""Of a stretched leg: how far feet may be from one level, and other shapes below them."""
_ASIDE = 0.25
"""Of a stretched leg: how far the centre of mass may be outside the feet."""
_BENDS = (0.5, 1.1)
"""Thigh angles (rad) from which inverse kinematics starts, to either side."""
_MOSTLY = 0.75
"""Of the legs: so many knees that bend one way push the base there."""
_AHEAD = 0.05
"""Of a stretched leg: how far ahead or behind a knee is at least that bends there."""
_STRAIGHT = "its legs are straight"
_STEPS, _DAMPING, _ENOUGH = 60, 1e-3, 1e-6
_RIGID = 0.01
"""Of a stretched leg: the arm of directions in which no joint moves a foot."""
_REACHED = 0.02
"""Of a stretched leg: how far from its place a foot may be left."""


@dataclass(frozen=True)
class Stance:
    """The legs, and all joints in a pose."""

    legs: list[Leg]
    """Legs in their order."""
    qpos: np.ndarray
    """Of the model, (nq,)."""
    origin: str
    """Where the pose comes from."""


def find(original: mujoco.MjModel, model: mujoco.MjModel, feet: tuple[str, ...] = ()) -> Stance:
    """Return how a robot stands.

    In the keyframe `home`, `stand` or `standing`, or in the file's first one in which it stands:
    on all feet, its knees bent. Where there is none, the feet are put below the joints of the
    thighs at 0.8 of a stretched leg, the knees bent towards the base's middle where their ranges
    let them bend either way, as ANYmal's are.

    Args:
        original: with the file's keyframes.
        model: of the robot alone, with the same joints.
        feet: names of geoms, if they are known.

    Raises:
        ValueError: it has no legs, or they cannot be bent so.
    """
    passed, start = "", drawn(model)
    below = tree.legs(model, start, feet)
    stretched = _fault(model, below, start) in ("", _STRAIGHT)  # it stands as it is drawn
    for name, qpos in keyframes(original, model):
        try:
            legs = tree.legs(model, qpos, feet)
        except UsageError:  # as it lies on its back
            legs = []
        other = not legs or (stretched and set(legs) != set(below))
        problem = "it is not on its feet" if other else _fault(model, legs, qpos)
        if not problem:
            tree.require_alike(model, legs, qpos)
            return Stance(legs, qpos, f"keyframe {name!r}")
        passed += f"; keyframe {name!r} passed over: {problem}"
    tree.require_alike(model, below, start)
    return Stance(below, bent(model, below, start), "inverse kinematics" + passed)


def keyframes(original: mujoco.MjModel, model: mujoco.MjModel) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the file's keyframes, the likeliest to stand first."""
    names = [original.key(key).name for key in range(original.nkey)]
    known = [names.index(name) for name in KEYFRAMES if name in names]
    for key in dict.fromkeys([*known, *range(original.nkey)]):
        qpos = model.qpos0.copy()
        for joint in range(model.njnt):
            start, ours = original.jnt_qposadr[joint], model.jnt_qposadr[joint]
            width = _WIDTHS[mujoco.mjtJoint(model.jnt_type[joint])]
            qpos[ours : ours + width] = original.key_qpos[key, start : start + width]
        yield names[key] or str(key), qpos


_WIDTHS = {
    mujoco.mjtJoint.mjJNT_FREE: 7,
    mujoco.mjtJoint.mjJNT_BALL: 4,
    mujoco.mjtJoint.mjJNT_SLIDE: 1,
    mujoco.mjtJoint.mjJNT_HINGE: 1,
}


def _fault(model: mujoco.MjModel, legs: list[Leg], qpos: np.ndarray) -> str:
    """Return why a robot does not stand in a pose, nothing if it does."""
    data, length = tree.level(model, qpos), tree.stretched_length(model, legs)
    feet = np.array([leg.foot for leg in legs])
    soles = undersides(model, data, feet)
    if soles.max() > -_HIGH * length:
        return "its base lies"
    if np.ptp(soles) > _EVEN * length:
        return "its feet are not on one level"
    if undersides(model, data, tree.solid(model)).min() < soles.min() - _SUNK * length:
        return "other shapes are below its feet"
    mujoco.mj_comPos(model, data)
    centre = data.subtree_com[tree.base(model), :2]
    places = np.array([tree.foot_point(model, data, leg)[:2] for leg in legs])
    margin = _ASIDE * length
    if (centre < places.min(axis=0) - margin).any() or (centre > places.max(axis=0) + margin).any():
        return "its weight is not above its feet"
    knees = [leg for leg in legs if leg.thigh != leg.shank]
    spans = [np.linalg.norm(_thigh_to_foot(model, data, leg)) for leg in knees]
    return _STRAIGHT if max(spans, default=0.0) > _BENT * length else ""


def _thigh_to_foot(model: mujoco.MjModel, data: mujoco.MjData, leg: Leg) -> np.ndarray:
    """Return the way (m) from the thigh's joint to the foot, across the joint's axis, (3,)."""
    joint = tree.thigh_joint(model, leg)
    way = tree.foot_point(model, data, leg) - data.xanchor[joint]
    return way - data.xaxis[joint] * (data.xaxis[joint] @ way)


def drawn(model: mujoco.MjModel) -> np.ndarray:
    """Return positions (nq,) as a model is drawn, each joint that has a range in it."""
    return _within(model, model.qpos0.copy())


def _within(model: mujoco.MjModel, qpos: np.ndarray) -> np.ndarray:
    joints = np.flatnonzero(model.jnt_limited)
    at = model.jnt_qposadr[joints]
    qpos[at] = np.clip(qpos[at], *model.jnt_range[joints].T)
    return qpos


def bent(model: mujoco.MjModel, legs: list[Leg], qpos: np.ndarray) -> np.ndarray:
    """Return positions (nq,) in which every leg is bent, its foot below its thigh's joint.

    Args:
        model: of the robot alone.
        legs: its legs; those without a knee stay as they are.
        qpos: where the joints are, (nq,).

    Raises:
        ValueError: a leg cannot be bent so within its joints' ranges.
    """
    length, data, qpos = tree.stretched_length(model, legs), tree.level(model, qpos), qpos.copy()
    tops = [data.xanchor[tree.thigh_joint(model, leg)] for leg in legs]
    middle = np.mean(tops, axis=0)
    for leg, top in zip(legs, tops, strict=True):
        if leg.thigh == leg.shank:
            continue
        sideways = tree.foot_point(model, data, leg)[1]
        place = np.array([top[0], sideways, middle[2] - SHARE * length])
        side = -1.0 if top[0] > middle[0] + 0.1 * length else 1.0
        found = [_solved(model, leg, place, start) for start in _starts(model, leg, qpos)]
        reached = [q for q, off in found if off < _REACHED * length]
        if not reached:
            raise UsageError(
                f"leg at body {model.body(leg.links[0]).name!r} cannot bend to {SHARE:g} of its "
                f"length within its joints' ranges (off by {min(off for _, off in found):.3g} m); "
                "give nominal_pose (rad)"
            )
        at = model.jnt_qposadr[list(leg.joints)]
        qpos[at] = max(reached, key=lambda q, at=at: _preference(model, leg, q, side, at))[at]
    return qpos


def _preference(
    model: mujoco.MjModel, leg: Leg, qpos: np.ndarray, side: float, at: np.ndarray
) -> tuple[bool, float]:
    """Knees on the wished side first, then joints that turned least."""
    data = tree.level(model, qpos)
    knee = data.xanchor[leg.joints[-1], 0] - data.xanchor[tree.thigh_joint(model, leg), 0]
    return bool(knee * side > 0), -round(float(np.abs(qpos[at]).sum()), 3)


def _starts(model: mujoco.MjModel, leg: Leg, qpos: np.ndarray) -> Iterator[np.ndarray]:
    """Yield positions from which a bent leg may be found."""
    thigh, knee = model.jnt_qposadr[[tree.thigh_joint(model, leg), leg.joints[-1]]]
    for bend in _BENDS:
        for sign in (1.0, -1.0):
            for turned in (1.0, -1.0):
                start = qpos.copy()
                start[thigh], start[knee] = sign * bend, -2.0 * turned * sign * bend
                yield _within(model, start)


def _solved(
    model: mujoco.MjModel, leg: Leg, place: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return positions that bring a foot to a place (m), and how far (m) from it that leaves it.

    Damped Gauss-Newton on the foot's point, each step clipped to the joints' ranges.
    """
    qpos, data = start.copy(), tree.level(model, start)
    joints = list(leg.joints)
    at = model.jnt_qposadr[joints]
    for _ in range(_STEPS):
        error = place - tree.foot_point(model, data, leg)
        if np.linalg.norm(error) < _ENOUGH:
            break
        mujoco.mj_comPos(model, data)
        moved = tree.foot_jacobian(model, data, leg)
        normal = moved.T @ moved + _DAMPING * np.trace(moved.T @ moved) * np.eye(len(joints))
        qpos[at] += np.clip(np.linalg.solve(normal, moved.T @ error), -0.3, 0.3)
        qpos = _within(model, qpos)
        tree.pose(model, data, qpos)
    return qpos, float(np.linalg.norm(place - tree.foot_point(model, data, leg)))


def height(model: mujoco.MjModel, legs: list[Leg], qpos: np.ndarray) -> float:
    """Return how high (m) the level base stands in a pose (nq,) with its lowest foot on ground.

    Raises:
        ValueError: that is less than 0.3 of a stretched leg, as of a base whose frame is on ground.
    """
    feet = np.array([leg.foot for leg in legs])
    found = -float(undersides(model, tree.level(model, qpos), feet).min())
    if found < _HIGH * tree.stretched_length(model, legs):
        name = model.body(tree.base(model)).name
        raise UsageError(
            f"the origin of its base {name!r} is {found:.3g} m above its soles, less than "
            f"{_HIGH:g} of a leg; put it near where the legs begin, or give nominal_height (m)"
        )
    return found


def arm(model: mujoco.MjModel, legs: list[Leg], qpos: np.ndarray) -> float:
    """Return the arm a (m) by which joints of a stiffness k carry a robot that stands.

    With its feet held by the ground the base of n legs is a spring of stiffness n k / a² towards
    the ground: of k (Σ (J Jᵀ)⁻¹), with the Jacobian J (3, joints) of each foot, the compliance
    across the other directions.
    """
    data, stiffness = tree.level(model, qpos), np.zeros((3, 3))
    mujoco.mj_comPos(model, data)
    rigid = (_RIGID * tree.stretched_length(model, legs)) ** 2 * np.eye(3)
    for leg in legs:
        moved = tree.foot_jacobian(model, data, leg)
        stiffness += np.linalg.inv(moved @ moved.T + rigid)
    return float(np.sqrt(len(legs) * np.linalg.inv(stiffness)[2, 2]))


def one_way(model: mujoco.MjModel, legs: list[Leg], qpos: np.ndarray) -> bool:
    """Whether three quarters of the knees at least bend the same way in a pose (nq,).

    The way of a knee is that from the middle between thigh's joint and foot to the knee's joint,
    forward or to the rear by 0.05 of a stretched leg or more.
    """
    data, length = tree.level(model, qpos), tree.stretched_length(model, legs)
    ways = np.array([_knee_ahead(model, data, leg) for leg in legs]) / length
    commoner = max(np.count_nonzero(ways > _AHEAD), np.count_nonzero(ways < -_AHEAD))
    return bool(commoner >= _MOSTLY * len(legs))


def _knee_ahead(model: mujoco.MjModel, data: mujoco.MjData, leg: Leg) -> float:
    """Return how far (m) a knee is ahead of the middle between its thigh's joint and its foot."""
    thigh = data.xanchor[tree.thigh_joint(model, leg), 0]
    return float(
        data.xanchor[leg.joints[-1], 0] - (thigh + tree.foot_point(model, data, leg)[0]) / 2
    )

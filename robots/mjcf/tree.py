"""What the kinematic tree of a robot says: which body is the base, which chains are its legs."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from robots.shapes import FEET, tip, undersides
from robots.usage import UsageError

_ROWS = {1: ("",), 2: ("F", "H"), 3: ("F", "M", "H")}
"""What pairs of legs are called from front to rear."""
_DEEP = 0.6
"""Of how deep the deepest chain reaches: those that reach less deep are no legs but arms."""
_SOLE = 0.02
"""Of a leg's depth: shapes that end this near to its lowest may be its foot, a sphere the first."""
_PARALLEL = 0.9
"""Cosine of the angle between axes of joints that turn in the same plane."""
_WHEEL = 0.25
"""Of a foot's size: a foot whose centre is nearer to the last joint's axis is a wheel."""


@dataclass(frozen=True)
class Leg:
    """A chain of links from the base to a foot, by ids of a compiled model."""

    links: tuple[int, ...]
    """Bodies from the base outwards."""
    joints: tuple[int, ...]
    """Joints from the base outwards."""
    foot: int
    """Geom of the last link, on which the leg stands."""

    @property
    def shank(self) -> int:
        """The last link."""
        return self.links[-1]

    @property
    def thigh(self) -> int:
        """The link before the shank, or the shank where it is the only one."""
        return self.links[-2:][0]

    @property
    def hips(self) -> tuple[int, ...]:
        """The links before the thigh."""
        return self.links[:-2]


def base(model: mujoco.MjModel) -> int:
    """Return the body that floats.

    Raises:
        ValueError: there is none, or more than one.
    """
    (floating,) = np.nonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE)
    if len(floating) > 1:
        names = [model.body(model.jnt_bodyid[joint]).name for joint in floating]
        raise UsageError(
            f"its model has {len(floating)} free joints, of bodies {', '.join(map(repr, names))}; "
            "take out those that are not the robot's"
        )
    if not len(floating):
        raise UsageError("its model has 0 free joints; give one, <freejoint/>, to its base")
    return int(model.jnt_bodyid[floating[0]])


def level(model: mujoco.MjModel, qpos: np.ndarray) -> mujoco.MjData:
    """Return data with the base level at the origin, and joints as in qpos (nq,)."""
    data = mujoco.MjData(model)
    pose(model, data, qpos)
    return data


def pose(model: mujoco.MjModel, data: mujoco.MjData, qpos: np.ndarray) -> None:
    """Put data where `level` does."""
    data.qpos[:] = qpos
    root = model.jnt_qposadr[model.body_jntadr[base(model)]]
    data.qpos[root : root + 7] = (0, 0, 0, 1, 0, 0, 0)
    mujoco.mj_kinematics(model, data)


def legs(model: mujoco.MjModel, qpos: np.ndarray, feet: tuple[str, ...] = ()) -> list[Leg]:
    """Return the legs, pair by pair from the front, left before right.

    Legs are the chains that reach deepest in a pose, or those that end in the feet given, in their
    order. Left and right, front and rear are where the legs begin at the base; three or four legs
    come as LF RF LH RH.

    Args:
        model: of the robot alone.
        qpos: the pose (nq,).
        feet: names of geoms, if they are known.

    Raises:
        ValueError: a chain that branches, has no foot or a joint that is no hinge, or a foot that
            is a wheel.
    """
    root, data = base(model), level(model, qpos)
    if feet:
        return [_leg(model, root, *_owner(model, foot)) for foot in feet]
    ends = set(range(1, model.nbody)) - set(model.body_parentid.tolist()) - {root}
    if not ends:
        raise UsageError("its base has no legs; give it links that move by hinges")
    outward = model.body_parentid[model.jnt_bodyid] == root
    top = data.xanchor[outward, 2].max()
    depths = {end: top - _lowest(model, data, end) for end in sorted(ends)}
    deepest = max(depths.values())
    if deepest == -np.inf:
        name = model.body(min(ends)).name
        raise UsageError(
            f"link {name!r} ends without a foot, a shape that collides; give it one, or take the "
            "link out if it is no leg's"
        )
    if deepest <= 0:
        raise UsageError(
            "none of its chains reaches below where they begin; turn its base so that its x axis "
            "points forward and its z axis up, which is not as it is drawn but in the base's frame"
        )
    found = [
        _leg(model, root, end, _foot(model, data, end, depth))
        for end, depth in depths.items()
        if depth > _DEEP * deepest
    ]
    return _in_order(data, found)


def _in_order(data: mujoco.MjData, found: list[Leg]) -> list[Leg]:
    """Return legs pair by pair from the front, left before right, by where they begin.

    Of an odd number the one in the middle is no pair's, and the last.
    """
    begins = {leg: data.xanchor[leg.joints[0]] for leg in found}
    rows = sorted(found, key=lambda leg: -begins[leg][0])
    if len(rows) % 2:
        rows.append(rows.pop(np.abs([begins[leg][1] for leg in rows]).argmin()))
    pairs = [rows[i : i + 2] for i in range(0, len(rows), 2)]
    return [leg for pair in pairs for leg in sorted(pair, key=lambda leg: -begins[leg][1])]


def require_alike(model: mujoco.MjModel, legs: list[Leg], qpos: np.ndarray) -> None:
    """Raise ValueError where a chain has another number of joints than most, as a tail has."""
    counts = [len(leg.joints) for leg in legs]
    usual = max(counts, key=counts.count)
    odd = [leg for leg in legs if len(leg.joints) != usual]
    if odd:
        others = _in_order(level(model, qpos), [leg for leg in legs if leg not in odd])
        feet = ", ".join(f'"{model.geom(leg.foot).name}"' for leg in others)
        name, own = model.body(odd[0].links[0]).name, len(odd[0].joints)
        raise UsageError(
            f"the chain that begins at body {name!r} reaches as deep as a leg and has "
            f"{own} joints, where others have {usual}; if it is a tail or an arm, write "
            f"feet = [{feet}] in a .toml beside the file: legs have equally many joints"
        )


def solid(model: mujoco.MjModel, body: int | None = None) -> np.ndarray:
    """Return the shapes, of one body or of all, that collide and may be feet."""
    collide = (model.geom_contype | model.geom_conaffinity) > 0
    known = np.isin(model.geom_type, [int(kind) for kind in FEET])
    own = True if body is None else model.geom_bodyid == body
    return np.flatnonzero(collide & known & own)


def _lowest(model: mujoco.MjModel, data: mujoco.MjData, body: int) -> float:
    return float(undersides(model, data, solid(model, body)).min(initial=np.inf))


def _foot(model: mujoco.MjModel, data: mujoco.MjData, body: int, depth: float) -> int:
    """Return the shape of a last link that is its foot: of the lowest, one that rolls best."""
    shapes = solid(model, body)
    heights = undersides(model, data, shapes)
    near = shapes[heights < heights.min() + _SOLE * depth]
    order = [int(kind) for kind in FEET]
    return int(min(near, key=lambda g: (order.index(model.geom_type[g]), heights[shapes == g][0])))


def _owner(model: mujoco.MjModel, foot: str) -> tuple[int, int]:
    """Return the body and the id of a foot of that name."""
    names = [model.geom(geom).name for geom in range(model.ngeom)]
    if foot not in names:
        raise UsageError(f"feet names {foot!r}, and its model has no such geom; correct `feet`")
    geom = names.index(foot)
    return int(model.geom_bodyid[geom]), geom


def _leg(model: mujoco.MjModel, root: int, end: int, foot: int) -> Leg:
    links = _chain(model, root, end)
    counts = [(int(model.body_jntadr[link]), int(model.body_jntnum[link])) for link in links]
    joints = tuple(joint for start, count in counts for joint in range(start, start + count))
    for joint in joints:
        if model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_HINGE:
            name = model.joint(joint).name
            raise UsageError(f"joint {name!r} is no hinge; drives turn hinges alone")
    _require_no_wheel(model, joints[-1], foot)
    return Leg(links, joints, foot)


def _chain(model: mujoco.MjModel, root: int, end: int) -> tuple[int, ...]:
    """Return the bodies from the root, left out, to the end of a chain."""
    links = [end]
    while (parent := int(model.body_parentid[links[0]])) != root:
        if np.count_nonzero(model.body_parentid == parent) > 1:
            name = model.body(parent).name
            raise UsageError(f"its chain branches at body {name!r}; let legs begin at the base")
        links.insert(0, parent)
    return tuple(links)


def _require_no_wheel(model: mujoco.MjModel, joint: int, foot: int) -> None:
    if across(model, joint, model.geom_pos[foot]) < _WHEEL * model.geom_rbound[foot]:
        raise UsageError(
            f"joint {model.joint(joint).name!r} turns foot {model.geom(foot).name!r} about itself, "
            "as a wheel; take the joint out, so that the wheel is fixed: drives move legs"
        )


def leg_names(count: int) -> tuple[str, ...]:
    """Return what legs in their order are called: LF RF LH RH, L R for two, leg1 … otherwise."""
    if count % 2 or count // 2 not in _ROWS:
        return tuple(f"leg{i + 1}" for i in range(count))
    return tuple(side + row for row in _ROWS[count // 2] for side in "LR")


def stretched_length(model: mujoco.MjModel, legs: list[Leg]) -> float:
    """Return how far (m) a foot gets from the first joint that bends, of the longest leg.

    The links' lengths in the planes in which their joints turn them, added up: a step sideways
    along a joint's axis makes a leg no longer.
    """
    return max(_length(model, leg) for leg in legs)


def foot_point(model: mujoco.MjModel, data: mujoco.MjData, leg: Leg) -> np.ndarray:
    """Return where a leg stands on its foot (m), (3,) in the world."""
    return tip(model, data, leg.foot, leg.joints[-1])


def foot_jacobian(model: mujoco.MjModel, data: mujoco.MjData, leg: Leg) -> np.ndarray:
    """Return how the leg's joints move `foot_point` (m/rad), (3, joints); after mj_comPos."""
    jacobian = np.zeros((3, model.nv))
    point = foot_point(model, data, leg)
    mujoco.mj_jac(model, data, jacobian, None, point, leg.shank)
    return jacobian[:, model.jnt_dofadr[list(leg.joints)]]


def thigh_joint(model: mujoco.MjModel, leg: Leg) -> int:
    """Return the first joint that bends a leg."""
    return _bending(model, leg, level(model, model.qpos0))[0]


def _bending(model: mujoco.MjModel, leg: Leg, data: mujoco.MjData) -> list[int]:
    """Return the thigh's last joint and those that turn in the plane of the leg's last one."""
    thigh = [joint for joint in leg.joints if model.jnt_bodyid[joint] == leg.thigh][-1]
    cosines = np.abs(data.xaxis[list(leg.joints)] @ data.xaxis[leg.joints[-1]])
    turns = zip(leg.joints, cosines > _PARALLEL, strict=True)
    return [joint for joint, parallel in turns if parallel or joint == thigh]


def _length(model: mujoco.MjModel, leg: Leg) -> float:
    data = level(model, model.qpos0)
    bending = _bending(model, leg, data)
    points = [*data.xanchor[bending], foot_point(model, data, leg)]
    spans = zip(bending, points, points[1:], strict=False)
    return sum(
        float(np.linalg.norm(np.cross(data.xaxis[j], end - start))) for j, start, end in spans
    )


def across(model: mujoco.MjModel, joint: int, point: np.ndarray) -> float:
    """Return the distance (m) of a point in a joint's body from the joint's axis."""
    return float(np.linalg.norm(np.cross(model.jnt_axis[joint], point - model.jnt_pos[joint])))

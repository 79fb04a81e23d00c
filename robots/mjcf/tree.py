"""What the kinematic tree of a robot says: which body is which, and how the robot stands."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from robots.usage import UsageError

_KEYFRAMES = ("home", "stand")
"""Names of the keyframe with the nominal pose, the best first; the file's first otherwise."""
_ROWS = {1: ("",), 2: ("F", "H"), 3: ("F", "M", "H")}
"""What pairs of legs are called from front to rear."""


@dataclass(frozen=True)
class Leg:
    """A chain of links from the base to a foot, by ids of a compiled model."""

    links: tuple[int, ...]
    """Bodies from the base outwards."""
    joints: tuple[int, ...]
    """Joints from the base outwards."""
    foot: int
    """Geom: the sphere of the last link that is farthest from its joint."""

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


def legs(model: mujoco.MjModel) -> list[Leg]:
    """Return the legs, pair by pair from the front, left before right.

    Left and right, front and rear are where the legs begin at the base; three or four legs come
    as LF RF LH RH.

    Raises:
        ValueError: a chain that branches or has no foot.
    """
    root = base(model)
    ends = set(range(1, model.nbody)) - set(model.body_parentid.tolist()) - {root}
    found = [_leg(model, _chain(model, root, end)) for end in sorted(ends)]
    if not found:
        raise UsageError("its base has no legs; give it links that move by hinges")
    begins = {leg: model.body_pos[leg.links[0]] for leg in found}
    rows = sorted(found, key=lambda leg: -begins[leg][0])
    pairs = [rows[i : i + 2] for i in range(0, len(rows), 2)]
    return [leg for pair in pairs for leg in sorted(pair, key=lambda leg: -begins[leg][1])]


def _chain(model: mujoco.MjModel, root: int, end: int) -> tuple[int, ...]:
    """Return the bodies from the root, left out, to the end of a chain."""
    links = [end]
    while (parent := int(model.body_parentid[links[0]])) != root:
        if np.count_nonzero(model.body_parentid == parent) > 1:
            name = model.body(parent).name
            raise UsageError(f"its chain branches at body {name!r}; let legs begin at the base")
        links.insert(0, parent)
    return tuple(links)


def _leg(model: mujoco.MjModel, links: tuple[int, ...]) -> Leg:
    joints = [
        joint
        for link in links
        for joint in range(
            model.body_jntadr[link], model.body_jntadr[link] + model.body_jntnum[link]
        )
    ]
    end = links[-1]
    spheres = [
        geom
        for geom in np.flatnonzero(model.geom_bodyid == end)
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_SPHERE
        and (model.geom_contype[geom] or model.geom_conaffinity[geom])
    ]
    if not spheres:
        raise UsageError(
            f"link {model.body(end).name!r} ends without a foot, a sphere that collides; give it "
            "one, or take the link out if it is no leg's"
        )
    distance = np.linalg.norm(model.geom_pos[spheres] - model.jnt_pos[joints[-1]], axis=1)
    return Leg(links, tuple(joints), int(spheres[distance.argmax()]))


def leg_names(count: int) -> tuple[str, ...]:
    """Return what legs in their order are called: LF RF LH RH, L R for two, leg1 … otherwise."""
    if count % 2 or count // 2 not in _ROWS:
        return tuple(f"leg{i + 1}" for i in range(count))
    return tuple(side + row for row in _ROWS[count // 2] for side in "LR")


def keyframe_pose(model: mujoco.MjModel, joints: list[int]) -> tuple[float, ...]:
    """Return the joint angles (rad) of the keyframe `home` or `stand`, or of the first.

    Raises:
        ValueError: there is no keyframe.
    """
    names = [model.key(key).name for key in range(model.nkey)]
    if not names:
        order = ", ".join(model.joint(joint).name for joint in joints)
        raise UsageError(f"its model has no keyframe; give nominal_pose (rad) for {order}")
    key = next((names.index(name) for name in _KEYFRAMES if name in names), 0)
    return tuple(model.key_qpos[key, model.jnt_qposadr[joints]].tolist())


def standing_height(model: mujoco.MjModel, legs: list[Leg], pose: tuple[float, ...]) -> float:
    """Return how high (m) the level base stands in a pose (rad) with its lowest foot on ground."""
    data = mujoco.MjData(model)
    data.qpos[:] = 0.0
    data.qpos[model.jnt_qposadr[model.body_jntadr[base(model)]] + 3] = 1.0
    joints = [joint for leg in legs for joint in leg.joints]
    if len(pose) != len(joints):
        raise UsageError(f"nominal_pose has {len(pose)} values; give one for each of {len(joints)}")
    data.qpos[model.jnt_qposadr[joints]] = pose
    mujoco.mj_kinematics(model, data)
    feet = [leg.foot for leg in legs]
    return float((model.geom_size[feet, 0] - data.geom_xpos[feet, 2]).max())


def stretched_length(model: mujoco.MjModel, legs: list[Leg]) -> float:
    """Return how far (m) a foot's centre gets from the thigh's joint, of the longest leg.

    The links' lengths in the planes in which their joints turn them, added up: a step sideways
    along a joint's axis makes a leg no longer.
    """
    return max(_length(model, leg) for leg in legs)


def _length(model: mujoco.MjModel, leg: Leg) -> float:
    thigh = [joint for joint in leg.joints if model.jnt_bodyid[joint] == leg.thigh][-1]
    knee = leg.joints[-1]
    foot = _across(model, knee, model.geom_pos[leg.foot])
    if thigh == knee:
        return foot
    shank = model.body_pos[leg.shank] + _rotate(model.body_quat[leg.shank], model.jnt_pos[knee])
    return _across(model, thigh, shank) + foot


def _across(model: mujoco.MjModel, joint: int, point: np.ndarray) -> float:
    """Return the distance (m) of a point in a joint's body from the joint's axis."""
    return float(np.linalg.norm(np.cross(model.jnt_axis[joint], point - model.jnt_pos[joint])))


def _rotate(quat: np.ndarray, vector: np.ndarray) -> np.ndarray:
    rotated = np.empty(3)
    mujoco.mju_rotVecQuat(rotated, vector, quat)
    return rotated

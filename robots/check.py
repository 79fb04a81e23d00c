"""Whether a robot's model has what its names and numbers say; told before anything is simulated."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np

from robots.collision import COLLISION_GROUP
from robots.shapes import FEET, tip, undersides
from robots.usage import UsageError

if TYPE_CHECKING:
    from robots.robot import Robot

_logger = logging.getLogger(__name__)

HEIGHT_TOLERANCE = 0.05
"""Of the nominal height: how far it may be from what the model has."""
LENGTH_TOLERANCE = 0.1
"""Of a leg's length, to whose foot centre or sole, and from which of its axes, people count."""
UNEVEN = 0.2
"""Of the leg length: how far feet may be from one level in the nominal pose."""
LISTED = 4
"""How many of the things that are no robot's an error names."""
TIES = (mujoco.mjtEq.mjEQ_WELD, mujoco.mjtEq.mjEQ_CONNECT)
"""Constraints that hold a body in its place."""
SUNK = 0.1
"""Of the leg length: how far other shapes may be below the feet there. Box-bounds of slanted shapes
are generous: those of published robots that stand reach 0.04."""


def check_spec(robot: Robot, spec: mujoco.MjSpec) -> None:
    """Raise ValueError with robot, item and remedy where a spec lacks something."""
    remedy = 'write angles in radians, <compiler angle="radian"/>'
    _require(not spec.compiler.degree, robot, "its model has angles in degrees", remedy)
    base = _find(robot, spec.body(robot.base), "base", robot.base, "body")
    free = [joint for joint in base.joints if joint.type == mujoco.mjtJoint.mjJNT_FREE]
    _require(bool(free), robot, f"body {robot.base!r} has no free joint", "add one: it must float")
    joints = [_find(robot, spec.joint(name), "joints", name, "joint") for name in robot.joints]
    for name, shank in zip(robot.feet, robot.shanks, strict=True):
        foot = _find(robot, spec.geom(name), "feet", name, "geom")
        problem = f"foot {name!r} is a shape of kind {_kind(foot)}"
        _require(foot.type in FEET, robot, problem, f"choose from {', '.join(FEET.values())}")
        collides = foot.group == COLLISION_GROUP or foot.contype or foot.conaffinity
        remedy = f"put it in geom group {COLLISION_GROUP}"
        _require(collides, robot, f"foot {name!r} collides with nothing", remedy)
        problem = f"foot {name!r} has friction 0, which its priority {foot.priority} puts above all"
        grips = foot.priority < 1 or foot.friction[0] > 0
        _require(grips, robot, problem, "give it friction, or take its priority out")
        carrier = foot.parent.name
        problem = f"foot {name!r} is on {carrier!r}, not on its shank {shank!r}"
        _require(carrier == shank, robot, problem, "correct `feet` or `shanks`")
    for field in ("hips", "thighs", "shanks"):
        for name in getattr(robot, field):
            _find(robot, spec.body(name), field, name, "body")
    for i in range(len(robot.legs)):
        _check_leg(robot, spec, i)
    for joint, position in zip(joints, robot.nominal_pose, strict=True):
        _check_joint(robot, joint, position)
    _check_world(robot, spec)
    _check_ties(robot, spec)
    if spec.option.gravity[2] >= 0:
        _warn_weightless(robot.name, str(spec.option.gravity))
    alone = not (list(spec.actuators) or list(spec.sensors) or list(spec.keys))
    remedy = "leave them out: the environments add their own"
    _require(alone, robot, "its model has actuators, sensors or keyframes", remedy)


def _check_world(robot: Robot, spec: mujoco.MjSpec) -> None:
    """Nothing but the robot is in the world: its feet would touch it beside the ground."""
    others = [f"a {_shape(geom)}" for geom in spec.worldbody.geoms]
    bodies = [body for body in spec.worldbody.bodies if body.name != robot.base]
    others += [f"body {body.name!r}" for body in bodies]
    more = [f"{len(others) - LISTED} more"] if len(others) > LISTED else []
    problem = f"its model has {', '.join(others[:LISTED] + more)} beside the robot"
    remedy = "take them out: it holds the robot alone, and the environments add the ground"
    _require(not others, robot, problem, remedy)


def _check_ties(robot: Robot, spec: mujoco.MjSpec) -> None:
    """Nothing holds a part of the robot to the world: it would hang there."""
    for tie in (tie for tie in spec.equalities if tie.active and tie.type in TIES):
        ends = (_tied(spec, tie, tie.name1), _tied(spec, tie, tie.name2))
        problem = f"constraint {tie.name!r} ties {' and '.join(map(repr, ends))}"
        remedy = "take it out: the robot must float"
        _require("world" not in ends, robot, problem, remedy)


def _tied(spec: mujoco.MjSpec, tie: mujoco.MjsEquality, name: str) -> str:
    """Return the body at an end of a constraint between bodies or sites."""
    if tie.objtype == mujoco.mjtObj.mjOBJ_SITE:
        site = spec.site(name)
        return site.parent.name if site else name
    return name or "world"


@cache
def _warn_weightless(name: str, gravity: str) -> None:
    _logger.warning(
        "Robot %r: its model's gravity is %s m/s²: nothing draws it to the ground", name, gravity
    )


def _shape(geom: mujoco.MjsGeom) -> str:
    return f"{_kind(geom)} {geom.name!r}" if geom.name else _kind(geom)


def _kind(geom: mujoco.MjsGeom) -> str:
    return mujoco.mjtGeom(geom.type).name.removeprefix("mjGEOM_").lower()


def _check_joint(robot: Robot, joint: Any, position: float) -> None:
    hinge = joint.type == mujoco.mjtJoint.mjJNT_HINGE
    _require(hinge, robot, f"joint {joint.name!r} is no hinge", "drives turn hinges alone")
    low, high = joint.range
    problem = f"joint {joint.name!r} has no range, by which its drive is limited"
    _require(low < high, robot, problem, "give it one (rad)")
    problem = f"nominal_pose has joint {joint.name!r} at {position} rad"
    _require(low <= position <= high, robot, problem, f"its range is {low:g} to {high:g} rad")


def _check_leg(robot: Robot, spec: mujoco.MjSpec, i: int) -> None:
    """What a leg's names name lies on the way from the base to its foot, in that order."""
    leg, remedy = robot.legs[i], "name them leg by leg, from the base outwards"
    chain = _chain(robot, spec, i)
    links = [body.name for body in chain]
    for name in (*leg_share(robot, robot.hips, i), robot.thighs[i]):
        problem = f"{name!r} is no link of leg {leg!r}, which has {', '.join(links)}"
        _require(name in links, robot, problem, remedy)
    joints = {joint.name: joint for body in chain for joint in body.joints}
    named = leg_share(robot, robot.joints, i)
    for name in named:
        problem = f"{name!r} is no joint of leg {leg!r}, which has {', '.join(joints)}"
        _require(name in joints, robot, problem, remedy)
    ordered = tuple(name for name in joints if name in named)
    problem = f"leg {leg!r} has its joints as {', '.join(named)}, and from the base outwards they "
    _require(named == ordered, robot, f"{problem}are {', '.join(ordered)}", remedy)
    for name, joint in joints.items():
        held = name in named or bool(np.any(np.asarray(joint.stiffness) > 0))
        problem = f"joint {name!r} moves leg {leg!r}, and `joints` lacks it"
        _require(held, robot, problem, "add it with its motor, or take it out of the model")


def _chain(robot: Robot, spec: mujoco.MjSpec, i: int) -> list[mujoco.MjsBody]:
    """Return the links of a leg, from the base, left out, to the shank."""
    chain, body = [], spec.body(robot.shanks[i])
    while body != spec.worldbody and body.name != robot.base:
        chain.insert(0, body)
        body = body.parent
    problem = f"shank {robot.shanks[i]!r} does not hang from the base {robot.base!r}"
    _require(body != spec.worldbody, robot, problem, "correct `shanks`, `base` or the model")
    return chain


def leg_share(robot: Robot, names: tuple[str, ...], i: int) -> tuple[str, ...]:
    """Return those of names, leg by leg, that are leg i's."""
    count = len(names) // len(robot.legs)
    return names[i * count : (i + 1) * count]


def tips(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """Return where the legs stand on their feet (m), (legs, 3) in the world; see `shapes.tip`."""
    last = [leg_share(robot, robot.joints, i)[-1] for i in range(len(robot.legs))]
    pairs = zip(robot.feet, last, strict=True)
    ids = [(model.geom(foot).id, model.joint(joint).id) for foot, joint in pairs]
    return np.array([tip(model, data, foot, joint) for foot, joint in ids])


def check_stance(robot: Robot, model: mujoco.MjModel) -> None:
    """Raise ValueError where a robot does not stand as its numbers say, with what was measured.

    Args:
        robot: the robot.
        model: one that holds it, its contact bits set; its ground is not looked at.
    """
    data = mujoco.MjData(model)
    base = model.joint(model.body(robot.base).jntadr[0]).qposadr[0]
    data.qpos[base : base + 7] = (0, 0, 0, 1, 0, 0, 0)
    data.qpos[[model.joint(name).qposadr[0] for name in robot.joints]] = robot.nominal_pose
    mujoco.mj_kinematics(model, data)
    _check_length(robot, model, data)
    _check_height(robot, model, data)


def _check_height(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData) -> None:
    feet = [model.geom(name).id for name in robot.feet]
    heights = -undersides(model, data, np.array(feet))  # of the base, on each foot (m)
    low, high = heights.min(), heights.max()
    pose = "in the nominal pose"
    problem = f"{pose} its feet are {high - low:.3g} m from one level"
    remedy = "give a nominal_pose in which it stands on its feet"
    _require(high - low < UNEVEN * robot.leg_length, robot, problem, remedy)
    lowest, body = min(_others(model, data, feet))
    problem = f"{pose} body {body!r} is {-lowest - high:.3g} m below its feet"
    _require(-lowest - high < SUNK * robot.leg_length, robot, problem, remedy)
    tolerance = HEIGHT_TOLERANCE * robot.nominal_height
    fits = low - tolerance <= robot.nominal_height <= high + tolerance
    measured = f"{high:.4g} m" if high - low < 1e-3 else f"{low:.4g} to {high:.4g} m"
    problem = f"nominal_height is {robot.nominal_height:g} m, and {pose} its feet stand {measured} "
    remedy = "correct `nominal_height`, `nominal_pose` or the model"
    _require(fits, robot, f"{problem}below the base", remedy)


def _others(
    model: mujoco.MjModel, data: mujoco.MjData, feet: list[int]
) -> Iterator[tuple[float, str]]:
    """Yield how high (m) each shape that collides reaches down, and whose body's it is."""
    yield np.inf, ""
    for geom in np.flatnonzero(model.geom_contype | model.geom_conaffinity):
        if model.body_weldid[model.geom_bodyid[geom]] and geom not in feet:
            centre, half = np.split(model.geom_aabb[geom], 2)
            down = data.geom_xmat[geom].reshape(3, 3)[2]
            height = data.geom_xpos[geom, 2] + down @ centre - np.abs(down) @ half
            yield height, model.body(model.geom_bodyid[geom]).name


def _check_length(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData) -> None:
    lengths = [_lengths(robot, model, data, i) for i in range(len(robot.legs))]
    shortest, longest = min(thigh for thigh, _ in lengths), max(whole for _, whole in lengths)
    low, high = shortest * (1 - LENGTH_TOLERANCE), longest * (1 + LENGTH_TOLERANCE)
    problem = f"leg_length is {robot.leg_length:g} m, and its legs are {shortest:.4g} m long"
    remedy = "correct `leg_length` or the model"
    _require(low <= robot.leg_length <= high, robot, problem, remedy)


def _lengths(
    robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, i: int
) -> tuple[float, float]:
    """Return how long (m) a leg is, stretched, from its thigh's axis and from its first axis.

    The links' lengths in the planes in which their joints turn them, added up.
    """
    joints = [model.joint(name).id for name in leg_share(robot, robot.joints, i)]
    ends = [*data.xanchor[joints[1:]], tips(robot, model, data)[i]]
    links = [
        np.linalg.norm(np.cross(data.xaxis[joint], end - data.xanchor[joint]))
        for joint, end in zip(joints, ends, strict=True)
    ]
    thigh = model.body(robot.thighs[i]).id
    start = max((k for k, j in enumerate(joints) if model.jnt_bodyid[j] == thigh), default=0)
    return float(sum(links[start:])), float(sum(links))


def _find(robot: Robot, found: Any, field: str, name: str, kind: str) -> Any:
    problem = f"{field} names {name!r}, and its model has no such {kind}"
    _require(found is not None, robot, problem, f"correct `{field}` or the model")
    return found


def _require(holds: bool, robot: Robot, problem: str, remedy: str) -> None:
    if not holds:
        raise UsageError(f"Robot {robot.name!r}: {problem}; {remedy}")

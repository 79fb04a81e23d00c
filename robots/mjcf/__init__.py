"""Any MJCF or URDF model of a legged robot as a `Robot`, its roles and numbers read off the model.

`from_file("go1.xml")` is all that a robot with limited actuators needs. A keyword, or a line of
`go1.toml` beside the file, replaces a number that the model does not give, or gives wrongly:
`from_file("go1.xml", leg_length=0.4)`. Besides the fields of `Robot` there are kp, kd,
torque_limit, speed_limit and armature: one number, one for each joint, or some by joint.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import mujoco

from robots.mjcf import held, settings, stance, tree, urdf
from robots.mjcf.drives import Size, motors, torque_limit
from robots.mjcf.held import Holding
from robots.mjcf.reading import alone, load, measured
from robots.mjcf.stance import Stance
from robots.robot import Robot
from robots.usage import UsageError

_logger = logging.getLogger(__name__)


class Derived(NamedTuple):
    """A robot, and what is good to know of how it was read."""

    robot: Robot
    """The robot."""
    stance: str
    """Where its nominal pose comes from."""
    holding: Holding = Holding()
    """Joints that are no leg's."""


def from_file(path: str | Path, **overrides: Any) -> Robot:
    """Return the robot of an MJCF or URDF file, which is read again for each of its specs.

    Raises:
        ValueError: the file, or one that it names, cannot be read, it is no legged robot, or lacks
            what no keyword gives; with name and fix.
    """
    return derive(path, **overrides).robot


def derive(path: str | Path, **overrides: Any) -> Derived:
    """Return what `from_file` does, and where it comes from."""
    path = Path(path).absolute()
    about = {"name": path.stem, "source": str(path)}

    def told() -> tuple[dict[str, Any], dict[str, float]]:
        speeds = urdf.speeds(path) if urdf.is_urdf(path) and path.is_file() else {}
        return about | settings.beside(path) | overrides, speeds

    return _told(partial(load, path), about | overrides, told)


def from_spec(spec: mujoco.MjSpec, **overrides: Any) -> Robot:
    """Return the robot of a spec, which is copied.

    Raises:
        ValueError: it is no legged robot, or lacks what no keyword gives; with name and fix.
    """
    given = {"name": spec.modelname, "source": f"MjSpec {spec.modelname}", **overrides}
    return _told(spec.copy().copy, given, lambda: (given, {})).robot


def _told(
    read: Callable[[], mujoco.MjSpec],
    about: dict[str, Any],
    told: Callable[[], tuple[dict[str, Any], dict[str, float]]],
) -> Derived:
    """Return what a source says; whatever is wrong with it names the robot."""
    try:
        return _derived(read, *told())
    except (OSError, ValueError, mujoco.FatalError) as error:
        problem = _problem(error, about["source"])
        named = problem.startswith("Robot ")
        raise UsageError(problem if named else f"Robot {about['name']!r}: {problem}") from error


def _problem(error: Exception, source: str) -> str:
    """Return what keeps a source from being a robot, and the fix."""
    told = " ".join(str(error).split())
    match error:
        case UsageError():
            return told
        case FileNotFoundError():
            return f"{told}; put the file there, or correct its path"
        case UnicodeDecodeError():
            return f"{source} has a name, {error.object!r:.40}, that is no UTF-8; save it as UTF-8"
    return f"{source} makes no model ({told}); correct it, or the file that it names"


def _derived(
    read: Callable[[], mujoco.MjSpec], given: dict[str, Any], speeds: dict[str, float]
) -> Derived:
    original = measured(read())  # with the keyframes and actuators that a robot's spec lacks
    if original.opt.gravity[2] >= 0:
        _logger.warning(
            "Robot %r: its model's gravity, %s m/s², is left out for the environments' own",
            *(given["name"], original.opt.gravity),
        )
    model = measured(alone(read()))
    base = tree.base(model)
    if original.njnt > model.njnt:
        raise UsageError(f"{original.njnt - model.njnt} joints are not its robot's; take them out")
    stands = _posed(model, _stance(original, model, given), given.get("nominal_pose"))
    legs, qpos = stands.legs, stands.qpos
    joints = [joint for leg in legs for joint in leg.joints]
    length = given.get("leg_length") or tree.stretched_length(model, legs)
    mass = float(model.body_subtreemass[base])
    height = given.get("nominal_height") or stance.height(model, legs, qpos)
    holding = held.find(model, qpos, joints)
    arm, one_way = stance.arm(model, legs, qpos), stance.one_way(model, legs, qpos)
    size = Size(mass, length, len(legs), height, arm, one_way)
    fields = {
        "build": partial(_build, read, holding),
        "base": model.body(base).name,
        "legs": tree.leg_names(len(legs)),
        "joints": tuple(model.joint(joint).name for joint in joints),
        "hips": tuple(model.body(body).name for leg in legs for body in leg.hips),
        "thighs": tuple(model.body(leg.thigh).name for leg in legs),
        "shanks": tuple(model.body(leg.shank).name for leg in legs),
        "feet": tuple(model.geom(leg.foot).name for leg in legs),
        "nominal_pose": tuple(qpos[model.jnt_qposadr[joints]].tolist()),
        "nominal_height": height,
        "leg_length": length,
        "motors": given.get("motors") or _motors(original, joints, size, given, speeds),
        "mass": mass,
    }
    return Derived(Robot(**fields | _kept(given)), stands.origin, holding)


def _stance(original: mujoco.MjModel, model: mujoco.MjModel, given: dict[str, Any]) -> Stance:
    """Return how a robot stands; where all joints' angles are given, no stance is looked for."""
    pose, feet = given.get("nominal_pose"), tuple(given.get("feet", ()))
    if pose is None or isinstance(pose, dict):
        return stance.find(original, model, feet)
    qpos = stance.drawn(model)
    legs = tree.legs(model, qpos, feet)
    folded = (at for _, at in stance.keyframes(original, model))  # with an arm, say
    return Stance(legs, next(folded, qpos), "given")


def _posed(model: mujoco.MjModel, stands: Stance, pose: Any) -> Stance:
    """Return a stance with the angles (rad) given, one for each joint of the legs, or by joint."""
    if pose is None:
        return stands
    qpos, joints = stands.qpos.copy(), [joint for leg in stands.legs for joint in leg.joints]
    if isinstance(pose, dict):
        joints = list(range(model.njnt))
    names = [model.joint(joint).name for joint in joints]
    at = model.jnt_qposadr[joints]
    qpos[at] = settings.spread("nominal_pose", pose, names, qpos[at].tolist())
    return Stance(stands.legs, qpos, "given")


def _motors(
    original: mujoco.MjModel,
    joints: list[int],
    size: Size,
    given: dict[str, Any],
    speeds: dict[str, float],
) -> Any:
    names = [original.joint(joint).name for joint in joints]
    limits = [torque_limit(original, joint) for joint in joints]
    limits = settings.spread("torque_limit", given.get("torque_limit", {}), names, limits)
    return settings.driven(motors(original, joints, size, limits, speeds), names, given)


def _kept(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a robot that are given as they are."""
    return {n: v for n, v in given.items() if n not in (*settings.DRIVES, "nominal_pose")}


def _build(read: Callable[[], mujoco.MjSpec], holding: Holding) -> mujoco.MjSpec:
    spec = alone(read())
    for joint in spec.joints:  # it is drives whose torques have limits
        joint.actfrclimited = mujoco.mjtLimited.mjLIMITED_FALSE
    held.hold(spec, holding)
    return spec


__all__ = ["Derived", "alone", "derive", "from_file", "from_spec", "load"]

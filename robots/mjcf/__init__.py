"""Any MJCF model of a legged robot as a `Robot`, its roles and numbers read off the model.

`from_file("go1.xml")` is all that a robot with a free-floating base, spheres as feet, a keyframe
and limited actuators needs. A keyword replaces a field of `Robot` that the model does not give, or
gives wrongly: `from_file("go1.xml", leg_length=0.4)`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mujoco

from robots.mjcf import tree
from robots.mjcf.drives import motors
from robots.mjcf.reading import alone, load, measured
from robots.robot import Robot
from robots.usage import UsageError

_logger = logging.getLogger(__name__)


def from_file(path: str | Path, **overrides: Any) -> Robot:
    """Return the robot of an MJCF file, which is read again for each of its specs.

    Raises:
        ValueError: the file, or one that it names, cannot be read, it is no legged robot, or lacks
            what no keyword gives; with name and fix.
    """
    path = Path(path).absolute()
    return _derive(partial(load, path), {"name": path.stem, "source": str(path), **overrides})


def from_spec(spec: mujoco.MjSpec, **overrides: Any) -> Robot:
    """Return the robot of a spec, which is copied.

    Raises:
        ValueError: it is no legged robot, or lacks what no keyword gives; with name and fix.
    """
    given = {"name": spec.modelname, "source": f"MjSpec {spec.modelname}", **overrides}
    return _derive(spec.copy().copy, given)


def _derive(read: Callable[[], mujoco.MjSpec], given: dict[str, Any]) -> Robot:
    try:
        fields = _fields(read, given)
    except (OSError, ValueError, mujoco.FatalError) as error:
        problem = _problem(error, given["source"])
        raise UsageError(f"Robot {given['name']!r}: {problem}") from error
    return Robot(**fields | given)


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


def _fields(read: Callable[[], mujoco.MjSpec], given: dict[str, Any]) -> dict[str, Any]:
    original = measured(read())  # with the keyframes and actuators that a robot's spec lacks
    if original.opt.gravity[2] >= 0:
        _logger.warning(
            "Robot %r: its model's gravity, %s m/s², is left out for the environments' own",
            *(given["name"], original.opt.gravity),
        )
    build = partial(_build, read)
    model = measured(build())
    legs = tree.legs(model)
    if original.njnt > model.njnt:
        raise UsageError(f"{original.njnt - model.njnt} joints are not its robot's; take them out")
    joints = [joint for leg in legs for joint in leg.joints]
    pose = given.get("nominal_pose")
    pose = tree.keyframe_pose(original, joints) if pose is None else tuple(pose)
    length = given.get("leg_length") or tree.stretched_length(model, legs)
    return {
        "build": build,
        "base": model.body(tree.base(model)).name,
        "legs": tree.leg_names(len(legs)),
        "joints": tuple(model.joint(joint).name for joint in joints),
        "hips": tuple(model.body(body).name for leg in legs for body in leg.hips),
        "thighs": tuple(model.body(leg.thigh).name for leg in legs),
        "shanks": tuple(model.body(leg.shank).name for leg in legs),
        "feet": tuple(model.geom(leg.foot).name for leg in legs),
        "nominal_pose": pose,
        "nominal_height": tree.standing_height(model, legs, pose),
        "leg_length": length,
        "motors": given.get("motors") or motors(original, joints, length, len(legs)),
    }


def _build(read: Callable[[], mujoco.MjSpec]) -> mujoco.MjSpec:
    return alone(read())


__all__ = ["alone", "from_file", "from_spec", "load"]

"""Whether a robot's model has what its names say; told by name before anything is simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mujoco

from robots.usage import UsageError

if TYPE_CHECKING:
    from robots.robot import Robot


def check_spec(robot: Robot, spec: mujoco.MjSpec) -> None:
    """Raise ValueError with robot, item and remedy where a spec lacks something."""
    remedy = 'write angles in radians, <compiler angle="radian"/>'
    _require(not spec.compiler.degree, robot, "its model has angles in degrees", remedy)
    base = _find(robot, spec.body(robot.base), "base", robot.base, "body")
    free = [joint for joint in base.joints if joint.type == mujoco.mjtJoint.mjJNT_FREE]
    _require(bool(free), robot, f"body {robot.base!r} has no free joint", "add one: it must float")
    for name, position in zip(robot.joints, robot.nominal_pose, strict=True):
        _check_joint(robot, _find(robot, spec.joint(name), "joints", name, "joint"), position)
    for name, shank in zip(robot.feet, robot.shanks, strict=True):
        foot = _find(robot, spec.geom(name), "feet", name, "geom")
        sphere = foot.type == mujoco.mjtGeom.mjGEOM_SPHERE
        _require(sphere, robot, f"foot {name!r} is no sphere", "give each foot a sphere")
        carrier = foot.parent.name
        problem = f"foot {name!r} is on {carrier!r}, not on its shank {shank!r}"
        _require(carrier == shank, robot, problem, "correct `feet` or `shanks`")
    for field in ("hips", "thighs", "shanks"):
        for name in getattr(robot, field):
            _find(robot, spec.body(name), field, name, "body")
    alone = not (list(spec.actuators) or list(spec.sensors) or list(spec.keys))
    remedy = "leave them out: the environments add their own"
    _require(alone, robot, "its model has actuators, sensors or keyframes", remedy)


def _check_joint(robot: Robot, joint: Any, position: float) -> None:
    hinge = joint.type == mujoco.mjtJoint.mjJNT_HINGE
    _require(hinge, robot, f"joint {joint.name!r} is no hinge", "drives turn hinges alone")
    low, high = joint.range
    problem = f"joint {joint.name!r} has no range, by which its drive is limited"
    _require(low < high, robot, problem, "give it one (rad)")
    problem = f"nominal_pose has joint {joint.name!r} at {position} rad"
    _require(low <= position <= high, robot, problem, f"its range is {low:g} to {high:g} rad")


def _find(robot: Robot, found: Any, field: str, name: str, kind: str) -> Any:
    problem = f"{field} names {name!r}, and its model has no such {kind}"
    _require(found is not None, robot, problem, f"correct `{field}` or the model")
    return found


def _require(holds: bool, robot: Robot, problem: str, remedy: str) -> None:
    if not holds:
        raise UsageError(f"Robot {robot.name!r}: {problem}; {remedy}")

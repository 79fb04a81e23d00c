"""What is known of a robot, as tables for the terminal: `play.py --inspect`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import mujoco
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from envs.mdp import symmetry
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from robots.check import leg_share, tips
from robots.mjcf import Derived
from robots.robot import Robot
from robots.shapes import FEET, reach

LEAN = 0.5
"""How far a shank leans about its foot (rad) until other shapes than the foot may touch."""
GRAVITY = 9.81
TURNS = 4 * np.pi
"""A range (rad) beyond which may be one in degrees."""
LENGTHS = (0.03, 3.0)
"""Leg lengths (m) beyond which may be in other units."""
EARLY = 0.01
"""Of the leg length: a contact margin (m) by which a robot stands visibly above the ground."""
LONG = 0.1
"""Of the leg length: how far a foot's end is from its middle where it is a whole shank."""
FRONT = {"fl", "fr", "lf", "rf", "front", "fore"}
HIND = {"rl", "rr", "lr", "hl", "hr", "lh", "rh", "bl", "br", "rear", "hind", "back"}
"""What the legs of a pair are called."""
QUARTER, HALF = "0 -1 0 1 0 0", "-1 0 0 0 -1 0"
"""Axes of frames in which what faces y, or -x, faces x."""
ALONG = 0.9
"""Cosine to the x axis of knees' axes by which legs swing along y."""


def tables(found: Derived) -> Iterator[Table]:
    """Yield all that there is to say, within 80 columns.

    Raises:
        ValueError: the robot's model lacks something, or does not stand as its numbers say.
    """
    robot = found.robot
    model = scene.build(robot, Simulation(), PD())
    data = scene.posed(model, robot)
    yield _summary(found, model)
    yield _links(robot, model)
    yield _joints(robot, model)
    if found.holding.joints:
        yield _held(found)
    notes = list(_notes(robot, model, data))
    if notes:
        table = _table("", title="Notes")
        table.show_header = False
        for note in notes:
            table.add_row(note)
        yield table


def _table(*heads: str, title: str) -> Table:
    """Return a table whose names are folded, never cut."""
    table = Table(title=title, width=80, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _mass(robot: Robot, model: mujoco.MjModel) -> float:
    return float(model.body_subtreemass[model.body(robot.base).id])


def _summary(found: Derived, model: mujoco.MjModel) -> Table:
    robot = found.robot
    mirrors = [kinds["polar"].sign for kinds in symmetry.of_robot(robot, model, {})]
    names = [n.replace("_", "-") for n, d in symmetry.MIRRORS.items() if _among(d, mirrors)]
    scaled = "no: tasks take ANYmal C's numbers" if robot.mass is None else "yes"
    table = _table("", "", title=f"Robot {robot.name}")
    table.show_header = False
    share = robot.nominal_height / robot.leg_length
    for row in (
        ("source", robot.source),
        ("base", f"{robot.base}, of {_mass(robot, model):.4g} kg in all"),
        ("legs", f"{len(robot.legs)} ({', '.join(robot.legs)}) of {robot.leg_length:.3g} m"),
        ("nominal height", f"{robot.nominal_height:.3g} m, {share:.2f} of a leg"),
        ("nominal pose", found.stance),
        ("mirrors", " and ".join(names) or "none"),
        ("tasks by its size", scaled),
    ):
        table.add_row(*row)
    return table


def _among(diagonal: np.ndarray, mirrors: list[np.ndarray]) -> bool:
    return any(np.array_equal(diagonal, mirror) for mirror in mirrors)


def _links(robot: Robot, model: mujoco.MjModel) -> Table:
    """What each body of a leg is, with its mass."""
    table = _table("leg", "hips (kg)", "thigh (kg)", "shank (kg)", "foot", title="Legs")
    for i, leg in enumerate(robot.legs):
        hips = leg_share(robot, robot.hips, i)
        links = [hips, (robot.thighs[i],), (robot.shanks[i],)]
        foot = FEET[mujoco.mjtGeom(int(model.geom(robot.feet[i]).type[0]))]
        cells = [", ".join(_weighed(model, body) for body in bodies) for bodies in links]
        table.add_row(leg, *cells, f"{robot.feet[i]} ({foot})")
    return table


def _weighed(model: mujoco.MjModel, body: str) -> str:
    return f"{body} ({model.body(body).mass[0]:.3g})"


def _joints(robot: Robot, model: mujoco.MjModel) -> Table:
    heads = ("joint", "pose", "range", "kp", "kd", "torque", "speed", "armature")
    table = _table(*heads, title="Joints (rad, rad, N·m/rad, N·m·s/rad, N·m, rad/s, kg·m²)")
    for name, pose, motor in zip(robot.joints, robot.nominal_pose, robot.motors, strict=True):
        joint = model.joint(name)
        low, high = joint.range
        span = f"{low:.2f}, {high:.2f}" if model.jnt_limited[joint.id] else "none"
        numbers = (motor.kp, motor.kd, motor.torque_limit, motor.speed_limit, motor.armature)
        table.add_row(name, f"{pose:.2f}", span, *(f"{number:.4g}" for number in numbers))
    return table


def _held(found: Derived) -> Table:
    table = _table("joint", "held at", "stiffness", "damping", title="Held: no leg's")
    for held in found.holding.joints:
        numbers = (held.position, held.stiffness, held.damping)
        table.add_row(held.joint, *(f"{number:.3g}" for number in numbers))
    return table


def _notes(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData) -> Iterator[str]:
    """What may surprise, or wants a number in the .toml beside the file."""
    if len(robot.legs) % 2:
        yield (
            f"{len(robot.legs)} legs, which end in {', '.join(robot.feet)}: if one is a tail or an "
            "arm, write feet = [...] with the others in the .toml"
        )
    free = [name for name in robot.joints if not model.jnt_limited[model.joint(name).id]]
    if free:
        yield f"without a range, and so without a stop: {', '.join(free)}"
    share = _stance_torque(robot, model, data) / robot.torque_limit
    if share.max() > 0.5:
        joint = robot.joints[int(share.argmax())]
        yield f"standing takes {share.max():.0%} of the torque of {joint}"
    yield from _units(robot, model)
    yield from _forces(robot, model)
    yield from _sides(robot, data)
    whole = _own_feet(robot, model, data)
    if whole:
        yield (
            f"shanks that are their own feet: {', '.join(whole)}; legs stand on their far ends, "
            "and whatever touches such a shank counts as its foot's contact"
        )
    for shape in _overhanging(robot, model, data):
        yield (
            f"shape {shape} touches the ground before the foot where its shank leans up to {LEAN} "
            "rad: its contacts count as the shank's"
        )


def _units(robot: Robot, model: mujoco.MjModel) -> Iterator[str]:
    """Angles and lengths that may be in other units."""
    limited = (name for name in robot.joints if model.jnt_limited[model.joint(name).id])
    wide = {name: np.abs(model.joint(name).range).max() for name in limited}
    joint = max(wide, key=lambda name: wide[name], default="")
    if wide.get(joint, 0.0) > TURNS:
        yield (
            f"joint {joint} turns up to {wide[joint]:.4g} rad, more than twice about: "
            'give angle="degree" in <compiler> if its range is in degrees'
        )
    if not LENGTHS[0] <= robot.leg_length <= LENGTHS[1]:
        yield f"legs of {robot.leg_length:.3g} m: files are in metres, give meshes a scale"


def _forces(robot: Robot, model: mujoco.MjModel) -> Iterator[str]:
    """Forces of the file's that drives and gravity come on top of."""
    carried = float(model.body_gravcomp @ model.body_mass) / _mass(robot, model)
    if carried:
        yield f"gravity compensation carries {carried:.0%} of its weight: take gravcomp out"
    for name, position in zip(robot.joints, robot.nominal_pose, strict=True):
        joint = model.joint(name)
        stiffness = model.jnt_stiffness[joint.id]
        if stiffness:
            torque = stiffness * (model.qpos_spring[joint.qposadr[0]] - position)
            yield (
                f"joint {name} has a spring of {stiffness:.3g} N·m/rad beside its drive, of "
                f"{torque:.3g} N·m in the nominal pose"
            )
    early = {foot: model.geom(foot).margin[0] - model.geom(foot).gap[0] for foot in robot.feet}
    foot = max(early, key=lambda name: early[name])
    if early[foot] > EARLY * robot.leg_length:
        yield f"foot {foot} is held {early[foot]:.3g} m above the ground: take its margin out"


def _sides(robot: Robot, data: mujoco.MjData) -> Iterator[str]:
    """Legs that are not left and right of a base whose x axis points forward, and what to do."""
    base = data.body(robot.base)
    frame = base.xmat.reshape(3, 3)
    joints = [leg_share(robot, robot.joints, i) for i in range(len(robot.legs))]
    axes = np.array([data.joint(names[-1]).xaxis for names in joints]) @ frame
    begins = np.array([data.joint(names[0]).xanchor for names in joints]) - base.xpos
    sides = (begins @ frame)[:, 1]
    pairs = zip(sides[::2], sides[1::2], strict=False)
    if len(sides) % 2 == 0 and any(left <= 0 or right >= 0 for left, right in pairs):
        yield (
            "a pair of legs is not left and right of its middle: its x axis should point forward; "
            f"{_turned(robot, 'y', QUARTER)}"
        )
    elif (np.abs(axes[:, 0]) > ALONG).all():
        yield (
            "its legs swing along y: its x axis should point forward, as legs are named by it; "
            f"{_turned(robot, 'y', QUARTER)}"
        )
    elif _backward(robot):
        yield (
            f"{robot.shanks[0]} is of a front leg here, as it is at positive x; "
            f"{_turned(robot, '-x', HALF)}"
        )


def _turned(robot: Robot, front: str, axes: str) -> str:
    """Return how to turn a robot whose front is not at x."""
    if robot.source.endswith(".urdf"):
        return f"if its front is at {front}, turn the origins of all that hangs at its base"
    frame = f'<frame xyaxes="{axes}">'
    return f"if its front is at {front}, put all of its base but the joint into {frame} … </frame>"


def _backward(robot: Robot) -> bool:
    """Whether the shanks of the first pair are called hind ones, and those of the last front."""
    words = [set(re.split(r"[^a-z]+", shank.lower())) for shank in robot.shanks]
    ends = (*(word & HIND for word in words[:2]), *(word & FRONT for word in words[-2:]))
    return len(words) > 2 and all(ends)


def _stance_torque(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """Return the torques (N·m) by which joints carry an equal share of the weight, (joints,)."""
    jacobian, torque = np.zeros((3, model.nv)), np.zeros(model.nv)
    for shank, tip in zip(robot.shanks, tips(robot, model, data), strict=True):
        mujoco.mj_jac(model, data, jacobian, None, tip, model.body(shank).id)
        torque += jacobian[2] * _mass(robot, model) * GRAVITY / len(robot.feet)
    return np.abs(torque[[model.joint(name).dofadr[0] for name in robot.joints]])


def _own_feet(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData) -> list[str]:
    """Return the shanks whose one long shape is the foot, too."""
    centres = data.geom_xpos[[model.geom(foot).id for foot in robot.feet]]
    far = np.linalg.norm(tips(robot, model, data) - centres, axis=1) > LONG * robot.leg_length
    return [shank for shank, own in zip(robot.shanks, far, strict=True) if own]


def _overhanging(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData) -> Iterator[str]:
    """Yield shapes of shanks that stick out beyond the foot when the shank leans."""
    for i, (foot, shank) in enumerate(zip(robot.feet, robot.shanks, strict=True)):
        axis = data.joint(leg_share(robot, robot.joints, i)[-1]).xaxis
        own = model.geom(foot).id
        solid = (model.geom_contype | model.geom_conaffinity) > 0
        solid &= np.isin(model.geom_type, [int(kind) for kind in FEET])
        others = np.flatnonzero(solid & (model.geom_bodyid == model.body(shank).id))
        found = set[int]()
        for lean in (-LEAN, 0.0, LEAN):
            up = np.cos(lean) * np.array([0, 0, 1.0]) + np.sin(lean) * np.cross(axis, [0, 0, 1])
            depth = {g: _depth(model, data, g, up) for g in others.tolist()}
            beyond = depth.pop(own) + 0.005 * robot.leg_length
            found |= {g for g, deep in depth.items() if deep > beyond}
        yield from (repr(model.geom(g).name) for g in sorted(found))


def _depth(model: mujoco.MjModel, data: mujoco.MjData, geom: int, up: np.ndarray) -> float:
    """Return how far (m) a shape reaches against a direction, from the origin."""
    local = data.geom_xmat[geom].reshape(3, 3).T @ up
    return float(reach(model, geom, local) - data.geom_xpos[geom] @ up)

"""Fields of a model that a part and its mirror image must have alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import mujoco
import numpy as np

from envs.mdp.asymmetry.image import (
    ANGLE,
    LENGTH,
    RANGE,
    Image,
    Whole,
    differ,
    number,
    rows,
    unlike,
)
from robots.robot import Robot

WORLD = {"gravity": "m/s²", "wind": "m/s"}
"""Vectors of the world, which point one way whichever way the robot looks."""
JOINT = {
    "jnt_type": ("type", ""),
    "jnt_stiffness": ("stiffness", "N·m/rad"),
    "jnt_stiffnesspoly": ("stiffness polynomial", ""),
    "jnt_limited": ("limited", ""),
    "jnt_margin": ("margin", "rad"),
    "jnt_solref": ("solreflimit", ""),
    "jnt_solimp": ("solimplimit", ""),
    "jnt_actfrclimited": ("actuatorfrclimited", ""),
    "jnt_actgravcomp": ("actuatorgravcomp", ""),
}
DOF = {
    "dof_armature": ("armature", "kg·m²"),
    "dof_damping": ("damping", "N·m·s/rad"),
    "dof_dampingpoly": ("damping polynomial", ""),
    "dof_frictionloss": ("friction loss", "N·m"),
    "dof_solref": ("solreffriction", ""),
    "dof_solimp": ("solimpfriction", ""),
}
CONTACT = {
    "geom_friction": "friction",
    "geom_condim": "condim",
    "geom_priority": "priority",
    "geom_margin": "margin",
    "geom_gap": "gap",
    "geom_solref": "solref",
    "geom_solimp": "solimp",
    "geom_solmix": "solmix",
    "geom_adhesion": "adhesion",
    "geom_surfacevel": "surface velocity",
    "geom_fluid": "fluid coefficients",
    "geom_contype": "contype",
    "geom_conaffinity": "conaffinity",
}
"""How a shape meets others, the air among them."""


def world(model: mujoco.MjModel, image: Image) -> Iterator[str]:
    """What pulls the robot to one side."""
    for name, unit in WORLD.items():
        vector = getattr(model.opt, name)
        if (vector != vector * image.diagonal).any():
            yield f"{name} is {number(vector, unit)}, not in the mirror's plane"


def drives(robot: Robot, image: Image) -> Iterator[str]:
    """The numbers of the robot's motors."""
    numbers = {
        "kp": (robot.kp, "N·m/rad"),
        "kd": (robot.kd, "N·m·s/rad"),
        "torque limit": (robot.torque_limit, "N·m"),
        "speed limit": (robot.speed_limit, "rad/s"),
        "armature": (robot.armature, "kg·m²"),
    }
    for what, (values, unit) in numbers.items():
        for joint in np.flatnonzero(differ(values, values[image.joints])):
            pair = [joint, image.joints[joint]]
            names = [robot.joints[i] for i in pair]
            yield unlike("joint", names, what, [number(values[i], unit) for i in pair])


def feet(robot: Robot, model: mujoco.MjModel, image: Image) -> Iterator[str]:
    """The radii of the feet, and how they meet the ground."""
    ids = np.array([model.geom(name).id for name in robot.feet])
    images = ids[image.feet]
    sizes = model.geom_size
    uneven = np.abs(sizes[ids] - sizes[images]).max(axis=1) > LENGTH * robot.leg_length
    tables = {"radius": (sizes[:, 0], "m", uneven)}
    for name, what in CONTACT.items():
        values = rows(model, name)
        tables[what] = values, "", np.any(differ(values[ids], values[images]), axis=1)
    for what, (values, unit, apart) in tables.items():
        for pair in zip(ids[apart], images[apart], strict=True):
            names = [model.geom(i).name for i in pair]
            yield unlike("foot", names, what, [number(values[i], unit) for i in pair])


def joints(model: mujoco.MjModel, whole: Whole) -> Iterator[str]:
    """Axes, passive forces, limits and ranges of all joints but the base's."""
    ids = np.flatnonzero(model.jnt_type != mujoco.mjtJoint.mjJNT_FREE)
    tables = {name: rows(model, name) for name in JOINT}
    tables |= {name: rows(model, name)[model.jnt_dofadr] for name in DOF}
    for name, values in tables.items():
        what, unit = (JOINT | DOF)[name]
        apart = np.any(differ(values, values[whole.joints]), axis=1)
        for joint in ids[apart[ids]]:
            pair = [joint, whole.joints[joint]]
            told = [number(values[i], unit) for i in pair]
            yield unlike("joint", [model.joint(i).name for i in pair], what, told)
    angle = np.arccos(np.clip(np.abs(whole.cosine), 0, 1))
    for joint in ids[angle[ids] > ANGLE]:
        names = [repr(model.joint(i).name) for i in (joint, whole.joints[joint])]
        image = "of itself" if names[0] == names[1] else f"of that of {names[1]}"
        yield f"the axis of joint {names[0]} is {angle[joint]:.3g} rad from the image {image}"
    yield from _intervals(model, ids, whole, "range", "rad", model.jnt_range, _far)
    rest = (model.qpos_spring[model.jnt_qposadr] * (model.jnt_stiffness > 0))[:, None]
    yield from _intervals(model, ids, whole, "spring's rest", "rad", rest, _far)
    force = model.jnt_actfrcrange
    yield from _intervals(model, ids, whole, "actuatorfrcrange", "N·m", force, differ)


def _far(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(one - other) > RANGE


def _intervals(
    model: mujoco.MjModel,
    ids: np.ndarray,
    whole: Whole,
    what: str,
    unit: str,
    ends: np.ndarray,
    apart: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Iterator[str]:
    """Compare intervals of joints' positions or forces, whose ends the mirror may swap."""
    seen = np.sort(whole.sign[:, None] * ends[whole.joints], axis=1)
    for joint in ids[np.any(apart(seen, ends), axis=1)[ids]]:
        told = [f"{_span(ends[joint])} {unit}", f"{_span(seen[joint])} {unit} in the mirror"]
        names = [model.joint(i).name for i in (joint, whole.joints[joint])]
        yield unlike("joint", names, what, told)


def shapes(robot: Robot, model: mujoco.MjModel, whole: Whole) -> Iterator[str]:
    """How the shapes of links that collide meet others: the kinds that there are."""
    feet = [model.geom(name).id for name in robot.feet]
    solid = (model.geom_contype | model.geom_conaffinity) > 0
    solid[feet] = False
    links = model.body_weldid[model.geom_bodyid][solid].tolist()
    for field, what in CONTACT.items():
        kinds = defaultdict[int, set[tuple[float, ...]]](set)
        for link, values in zip(links, rows(model, field)[solid].round(6).tolist(), strict=True):
            kinds[link].add(tuple(values))
        for a, b in whole.bodies.items():
            if kinds[a] and kinds[b] and kinds[a] != kinds[b]:
                names = [repr(model.body(body).name) for body in (a, b)]
                yield f"shapes of links {' and '.join(names)} that collide differ in {what}"


def _span(ends: np.ndarray) -> str:
    return " to ".join(f"{end:.3g}" for end in ends)

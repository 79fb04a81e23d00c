"""What keeps a model from being its own mirror image: masses, joints, feet, shapes.

The tolerances let pass what the left and right of published models differ by (ANYmal C, B2, Go1,
HyQReal 1 and 2, Mini Cheetah, Spot), of which most is rounding and some are slips of a file; it is
named beside each. ANYmal C's front and back differ by less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from robots.robot import Robot

LENGTH = 0.01
"""Of the leg length: places of joints and feet (0), radii of feet (0.006, HyQReal 1), and twice the
distance of the robot's centre of mass from the mirror's plane (0.009, Aliengo; 0.004 between the
front and the back of ANYmal C)."""
SHARE = 0.01
"""Of the larger of two numbers: masses of links (0.0007, A2); gains, limits and passive forces of
joints, friction of feet (0)."""
RANGE = 0.06
"""Rad, ends of the joints' ranges (0.052, Spot)."""
COM = 0.03
"""Of the leg length: centres of mass of links (0.026, a hip of B2)."""
INERTIA = 0.002
"""Of mass × leg length²: inertias of links (0.0014, the hips of Mini Cheetah)."""
SHAPE = 0.12
"""Of the leg length: bounds of the shapes of links that collide (0.107, a thigh of B2), which is
coarse, for shapes other than the feet touch the ground in falls alone."""


@dataclass(frozen=True)
class Image:
    """A mirror, and what it makes of a robot's parts."""

    diagonal: np.ndarray
    """What it does to a polar vector in the base frame, (3,)."""
    feet: np.ndarray
    """Which foot is each foot's image, (feet,)."""
    joints: np.ndarray
    """Which joint is each joint's image, (joints,)."""
    sign: np.ndarray
    """What it does to a joint angle, (joints,)."""


@dataclass(frozen=True)
class Link:
    """What moves as one: a body and what is fixed to it, in the base frame at zero joint angles."""

    name: str
    mass: float
    """kg."""
    com: np.ndarray
    """Centre of mass (m), (3,)."""
    inertia: np.ndarray
    """About the centre of mass (kg·m²), (3, 3)."""
    shapes: np.ndarray | None
    """Least and greatest coordinates of its shapes that collide (m), (2, 3), if it has any."""


def find(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, image: Image) -> str | None:
    """Return the first thing that is not the image of its counterpart, None if everything is.

    Args:
        robot: the robot.
        model: a model that holds it.
        data: at zero joint angles, with the base upright.
        image: the mirror; joints and feet stand where it puts them.
    """
    return next(_differences(robot, model, data, image), None)


def _differences(
    robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, image: Image
) -> Iterator[str]:
    yield from _joints(robot, model, image)
    yield from _feet(robot, model, image)
    roots = _roots(robot, model, data, image)
    yield from (f"link {model.body(a).name!r} has no image" for a, b in roots.items() if b is None)
    links = {root: _link(model, data, root, data.body(robot.base).xpos) for root in roots}
    pairs = [(links[a], links[b]) for a, b in roots.items() if b is not None]
    for link, other in pairs:
        yield from _masses(link, other, image.diagonal, robot.leg_length)
    yield from _balance(pairs, image.diagonal, robot.leg_length)
    for link, other in pairs:
        yield from _inertias(link, other, image.diagonal, robot.leg_length)
    for link, other in pairs:
        yield from _shapes(link, other, image.diagonal, robot.leg_length)


def _joints(robot: Robot, model: mujoco.MjModel, image: Image) -> Iterator[str]:
    ids = [model.joint(name).id for name in robot.joints]
    dofs = model.jnt_dofadr[ids]
    numbers = {
        "kp": (robot.kp, "N·m/rad"),
        "kd": (robot.kd, "N·m·s/rad"),
        "torque limit": (robot.torque_limit, "N·m"),
        "speed limit": (robot.speed_limit, "rad/s"),
        "armature": (model.dof_armature[dofs], "kg·m²"),
        "damping": (model.dof_damping[dofs], "N·m·s/rad"),
        "friction loss": (model.dof_frictionloss[dofs], "N·m"),
        "stiffness": (model.jnt_stiffness[ids], "N·m/rad"),
    }
    pairs = list(zip(robot.joints, np.array(robot.joints)[image.joints], strict=True))
    for what, (values, unit) in numbers.items():
        for names, *pair in zip(pairs, values, values[image.joints], strict=True):
            if _differ(*pair):
                yield _unlike("joint", names, what, [f"{value:.4g} {unit}" for value in pair])
    springs = (model.qpos_spring[model.jnt_qposadr[ids]] * (model.jnt_stiffness[ids] > 0))[:, None]
    for what, ends in (("range", model.jnt_range[ids]), ("spring's rest", springs)):
        seen = np.sort(image.sign[:, None] * ends[image.joints], axis=1)
        for joint in np.flatnonzero(np.abs(seen - ends).max(axis=1) > RANGE):
            told = [f"{_span(ends[joint])} rad", f"{_span(seen[joint])} rad in the mirror"]
            yield _unlike("joint", pairs[joint], what, told)


def _feet(robot: Robot, model: mujoco.MjModel, image: Image) -> Iterator[str]:
    ids = [model.geom(name).id for name in robot.feet]
    near = LENGTH * robot.leg_length
    for foot, other in enumerate(image.feet):
        names, pair = (robot.feet[foot], robot.feet[other]), [ids[foot], ids[other]]
        radius, friction = model.geom_size[pair, 0], model.geom_friction[pair]
        if abs(radius[0] - radius[1]) > near:
            yield _unlike("foot", names, "radius", [f"{value:.3g} m" for value in radius])
        if any(map(_differ, *friction)):
            yield _unlike("foot", names, "friction", [f"{row.round(4)}" for row in friction])


def _roots(
    robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, image: Image
) -> dict[int, int | None]:
    """Return the image of each body that moves, None for one where nothing is."""
    base = model.body(robot.base).id
    bodies = [int(model.jnt_bodyid[model.joint(name).id]) for name in robot.joints]
    images = {base: base} | {a: bodies[j] for a, j in zip(bodies, image.joints, strict=True)}
    own = model.body_weldid[model.body_rootid == base]
    others = [int(root) for root in np.unique(own) if root not in images]
    places = data.xanchor[model.body_jntadr[others]] - data.xpos[base]
    for root, place in zip(others, places, strict=True):
        distance = np.linalg.norm(places - place * image.diagonal, axis=1)
        near = distance.min() < LENGTH * robot.leg_length
        images[root] = others[int(distance.argmin())] if near else None
    return images


def _link(model: mujoco.MjModel, data: mujoco.MjData, root: int, origin: np.ndarray) -> Link:
    ids = np.flatnonzero(model.body_weldid == root)
    mass, places = model.body_mass[ids], data.xipos[ids] - origin
    com = mass @ places / max(mass.sum(), mujoco.mjMINVAL)
    axes, arm = data.ximat[ids].reshape(-1, 3, 3), places - com
    own = np.einsum("bij,bj,bkj->ik", axes, model.body_inertia[ids], axes)
    moved = mass @ (arm**2).sum(axis=1) * np.eye(3) - np.einsum("b,bi,bj->ij", mass, arm, arm)
    shapes = _bounds(model, data, ids, origin)
    return Link(_link_name(model, root, ids), float(mass.sum()), com, own + moved, shapes)


def _link_name(model: mujoco.MjModel, root: int, ids: np.ndarray) -> str:
    fixed = [model.body(i).name for i in ids if i != root]
    if not fixed:
        return repr(model.body(root).name)
    told = ", ".join(map(repr, fixed)) if all(fixed) else "what is"
    return f"{model.body(root).name!r} with {told} fixed to it"


def _bounds(
    model: mujoco.MjModel, data: mujoco.MjData, bodies: np.ndarray, origin: np.ndarray
) -> np.ndarray | None:
    """Return the ends (m), (2, 3), of the shapes of bodies that collide, if any does."""
    solid = (model.geom_contype | model.geom_conaffinity) > 0
    geoms = np.flatnonzero(np.isin(model.geom_bodyid, bodies) & solid)
    if not len(geoms):
        return None
    frames = data.geom_xmat[geoms].reshape(-1, 3, 3)
    centre, half = np.split(model.geom_aabb[geoms], 2, axis=1)
    middle = data.geom_xpos[geoms] + np.einsum("gij,gj->gi", frames, centre) - origin
    reach = np.einsum("gij,gj->gi", np.abs(frames), half)
    return np.stack([(middle - reach).min(axis=0), (middle + reach).max(axis=0)])


def _masses(link: Link, other: Link, diagonal: np.ndarray, length: float) -> Iterator[str]:
    if _differ(link.mass, other.mass):
        yield f"link {link.name} weighs {link.mass:.4g} kg and {other.name} {other.mass:.4g} kg"
    off = float(np.linalg.norm(link.com - diagonal * other.com))
    if off > COM * length:
        yield f"the centre of mass of link {link.name} is {_off(off, link, other)}"


def _inertias(link: Link, other: Link, diagonal: np.ndarray, length: float) -> Iterator[str]:
    inertia = np.linalg.norm(link.inertia - np.outer(diagonal, diagonal) * other.inertia, 2)
    if inertia > INERTIA * link.mass * length**2:
        image = "is no mirror image of itself" if link is other else f"is not that of {other.name}"
        yield f"the inertia of link {link.name} {image}, by {inertia:.3g} kg·m²"


def _balance(pairs: list[tuple[Link, Link]], diagonal: np.ndarray, length: float) -> Iterator[str]:
    mass = sum(link.mass for link, _ in pairs)
    shifts = [link.mass / mass * (link.com - diagonal * other.com) for link, other in pairs]
    off = np.linalg.norm(np.sum(shifts, axis=0))
    if off > LENGTH * length:
        worst = pairs[int(np.argmax(np.linalg.norm(shifts, axis=1)))][0]
        yield (
            f"the robot's centre of mass is {off / 2:.3g} m off the mirror's plane, most of it "
            f"by link {worst.name}"
        )


def _shapes(link: Link, other: Link, diagonal: np.ndarray, length: float) -> Iterator[str]:
    if link.shapes is None or other.shapes is None:
        if link.shapes is not other.shapes:
            yield f"shapes of one of the links {link.name} and {other.name} collide"
        return
    off = np.abs(np.sort(diagonal * other.shapes, axis=0) - link.shapes).max()
    if off > SHAPE * length:
        yield f"the shapes of link {link.name} reach {_off(off, link, other)}"


def _off(distance: float, link: Link, other: Link) -> str:
    """Say how far something is from where its image puts it."""
    if link is other:
        return f"{distance / 2:.3g} m off the mirror's plane"
    return f"{distance:.3g} m from the image of that of {other.name}"


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > SHARE * max(abs(one), abs(other))


def _unlike(kind: str, names: tuple[str, str], what: str, told: list[str]) -> str:
    return f"{kind} {str(names[0])!r} has {what} {told[0]}, its image {str(names[1])!r} {told[1]}"


def _span(ends: np.ndarray) -> str:
    return " to ".join(f"{end:.3g}" for end in ends)

"""The links of a robot and their mirror images: masses, centres of mass, inertias, shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from envs.mdp.asymmetry.image import LENGTH, Whole, differ
from robots.robot import Robot

COM = 0.03
"""Of the leg length: centres of mass of links (0.026, a hip of B2)."""
INERTIA = 0.002
"""Of mass × leg length²: inertias of links (0.0014, the hips of Mini Cheetah)."""
SHAPE = 0.12
"""Of the leg length: bounds of the shapes of links that collide (0.107, a thigh of B2), which is
coarse, for shapes other than the feet touch the ground in falls alone."""


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
    lift: float
    """How much of the mass gravcomp carries (kg)."""
    lift_moment: np.ndarray
    """That mass times its place (kg·m), (3,)."""
    shapes: np.ndarray | None
    """Least and greatest coordinates of its shapes that collide (m), (2, 3), if it has any."""


def differences(
    robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, whole: Whole
) -> Iterator[str]:
    """What of the links is not the image of its counterpart."""
    diagonal, length = whole.diagonal, robot.leg_length
    links = {root: _link(model, data, root, data.body(robot.base).xpos) for root in whole.bodies}
    pairs = [(links[a], links[b]) for a, b in whole.bodies.items()]
    for link, other in pairs:
        yield from _masses(link, other, diagonal, length)
        yield from _lifts(link, other, diagonal, length)
    yield from _balance(pairs, diagonal, length)
    for link, other in pairs:
        yield from _inertias(link, other, diagonal, length)
    for link, other in pairs:
        yield from _shapes(link, other, diagonal, length)


def _link(model: mujoco.MjModel, data: mujoco.MjData, root: int, origin: np.ndarray) -> Link:
    ids = np.flatnonzero(model.body_weldid == root)
    mass, places = model.body_mass[ids], data.xipos[ids] - origin
    com = mass @ places / max(mass.sum(), mujoco.mjMINVAL)
    axes, arm = data.ximat[ids].reshape(-1, 3, 3), places - com
    own = np.einsum("bij,bj,bkj->ik", axes, model.body_inertia[ids], axes)
    moved = mass @ (arm**2).sum(axis=1) * np.eye(3) - np.einsum("b,bi,bj->ij", mass, arm, arm)
    lift = mass * model.body_gravcomp[ids]
    return Link(
        name=_link_name(model, root, ids),
        mass=float(mass.sum()),
        com=com,
        inertia=own + moved,
        lift=float(lift.sum()),
        lift_moment=lift @ places,
        shapes=_bounds(model, data, ids, origin),
    )


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
    if differ(link.mass, other.mass):
        yield f"link {link.name} weighs {link.mass:.4g} kg and {other.name} {other.mass:.4g} kg"
    off = float(np.linalg.norm(link.com - diagonal * other.com))
    if off > COM * length:
        yield f"the centre of mass of link {link.name} is {_off(off, link, other)}"


def _lifts(link: Link, other: Link, diagonal: np.ndarray, length: float) -> Iterator[str]:
    if differ(link.lift, other.lift):
        yield (
            f"gravcomp carries {link.lift:.4g} kg of link {link.name} and {other.lift:.4g} kg of "
            f"{other.name}"
        )
    off = np.linalg.norm(link.lift_moment - diagonal * other.lift_moment)
    if off > COM * length * abs(link.lift):
        yield f"gravcomp carries link {link.name} at one side"


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

"""Legged robots of primitive shapes: what their links are, and how these become a spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import mujoco

from robots.collision import COLLISION_GROUP

Vec = tuple[float, ...]

UNLIMITED = 9.42478
"""End of the range of a joint without stops: three half-turns either way (rad)."""


class Inertial(NamedTuple):
    """Mass (kg) and inertia (kg·m²) by its principal axes."""

    mass: float
    pos: Vec
    quat: Vec
    diagonal: Vec


class FullInertial(NamedTuple):
    """Mass (kg) and inertia (kg·m²) about the centre of mass, in the axes of the body."""

    mass: float
    pos: Vec
    moments: Vec
    """xx, yy, zz."""
    products: Vec
    """xy, xz, yz of the tensor."""


class Shape(NamedTuple):
    """A collision primitive; sizes as MuJoCo has them (radius and half-lengths)."""

    kind: Literal["box", "cylinder", "sphere"]
    size: Vec
    pos: Vec
    quat: Vec = (1, 0, 0, 0)


class Link(NamedTuple):
    """One body of a leg with the hinge that moves it."""

    name: str
    pos: Vec
    quat: Vec
    inertial: Inertial | FullInertial
    joint: str
    axis: Vec
    range: Vec
    shapes: tuple[Shape, ...]
    foot: Shape | None = None


class Hinge(NamedTuple):
    """What resists all joints of a robot."""

    damping: float
    """N·m·s/rad; the environments' drives bring their own instead."""
    friction: float
    """Dry (N·m)."""


class Sole(NamedTuple):
    """How feet meet the ground, whatever the ground's own numbers are."""

    friction: Vec
    """Sliding (-), torsional (m), rolling (m)."""
    condim: int
    priority: int
    solimp: Vec
    """dmin (-), dmax (-), width (m)."""


def add_body(
    parent: mujoco.MjsBody, name: str, pos: Vec, quat: Vec, inertial: Inertial | FullInertial
) -> mujoco.MjsBody:
    """Add a body with the inertia given, whatever its shapes are."""
    body = parent.add_body(
        name=name,
        pos=pos,
        quat=quat,
        explicitinertial=True,
        mass=inertial.mass,
        ipos=inertial.pos,
    )
    if isinstance(inertial, FullInertial):
        body.fullinertia = (*inertial.moments, *inertial.products)
    else:
        body.iquat, body.inertia = inertial.quat, inertial.diagonal
    return body


def add_shape(body: mujoco.MjsBody, shape: Shape) -> mujoco.MjsGeom:
    """Add a shape that collides."""
    return body.add_geom(
        type=getattr(mujoco.mjtGeom, f"mjGEOM_{shape.kind.upper()}"),
        size=(*shape.size, 0, 0)[:3],
        pos=shape.pos,
        quat=shape.quat,
        group=COLLISION_GROUP,
    )


def add_leg(
    base: mujoco.MjsBody, leg: str, links: Iterable[Link], hinge: Hinge, sole: Sole
) -> Iterator[tuple[Link, mujoco.MjsBody]]:
    """Add the links of a leg, each to the one before; yield each with its body, to be painted."""
    parent = base
    for link in links:
        parent = add_body(parent, link.name, link.pos, link.quat, link.inertial)
        parent.add_joint(
            name=link.joint,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=link.axis,
            range=link.range,
            limited=True,
            damping=hinge.damping,
            frictionloss=hinge.friction,
        )
        for shape in link.shapes:
            add_shape(parent, shape)
        if link.foot:
            _add_foot(parent, leg, link.foot, sole)
        yield link, parent


def _add_foot(body: mujoco.MjsBody, leg: str, shape: Shape, sole: Sole) -> None:
    foot = add_shape(body, shape)
    foot.name = f"{leg}_FOOT"
    foot.friction = sole.friction
    foot.condim = sole.condim
    foot.priority = sole.priority
    foot.solimp[: len(sole.solimp)] = sole.solimp

"""From an MJCF or URDF file to a spec of the robot alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path, PureWindowsPath
from typing import Any

import mujoco
import numpy as np

from robots.collision import COLLISION_GROUP, VISUAL_GROUP
from robots.mjcf import urdf
from robots.shapes import FEET
from robots.usage import UsageError

_ADDED = ("geom", "site", "actuator", "material", "light")
"""Kinds of elements that the environments add, which a file's main default class would reach."""
_OWN = {"alt", "classname", "compiler", "frame", "id", "info", "name", "parent", "signature"}
"""What of an element is no setting."""
_GROUPS = (0, 5)
"""Of shapes that give bodies without an inertial their masses: all."""
UNLIMITED = (-3 * np.pi, 3 * np.pi)  # rad


def load(path: Path) -> mujoco.MjSpec:
    """Return the spec of an MJCF or URDF file, its asset folders absolute: it compiles anywhere.

    Raises:
        FileNotFoundError: the file or an asset of it is missing.
        ValueError: it is no MJCF, nor a URDF.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is {'a folder' if path.is_dir() else 'missing'}")
    if urdf.is_urdf(path):
        return urdf.load(path)
    spec = _parsed(path)
    spec.meshdir = str(path.parent / spec.meshdir)
    spec.texturedir = str(path.parent / spec.texturedir)
    assets = [(spec.meshdir, mesh.file) for mesh in spec.meshes if mesh.file]
    assets += [(spec.texturedir, texture.file) for texture in spec.textures if texture.file]
    for folder, name in assets:
        file = Path(folder) / (PureWindowsPath(name).name if spec.strippath else name)
        if not file.is_file():
            raise FileNotFoundError(f"{file} is missing")
    return spec


def _parsed(path: Path) -> mujoco.MjSpec:
    try:
        spec = mujoco.MjSpec.from_file(str(path))
        if b"<attach" in path.read_bytes():
            spec.compile()  # to_xml writes the angles of all files in one unit
            spec = mujoco.MjSpec.from_string(spec.to_xml())
        return spec
    except ValueError as error:
        problem, fix = " ".join(str(error).split()), "give a correct MJCF file"
        fix = fix if _is_utf8(path) else "save it as UTF-8"
        raise UsageError(f"{path} cannot be read ({problem}); {fix}") from error


def _is_utf8(path: Path) -> bool:
    content = path.read_bytes()
    try:
        return "\0" not in content.decode()  # as there is in UTF-16
    except UnicodeDecodeError:
        return False


def alone(spec: mujoco.MjSpec) -> mujoco.MjSpec:
    """Reduce a spec, in place, to its robot, and return it: what the environments add goes.

    Angles become radians; a body fixed to another becomes part of it; what collides is in
    COLLISION_GROUP and what does not in VISUAL_GROUP; bodies, joints and shapes that may be feet
    all have names; a hinge without a range gets a wide one, which limits its drive's target alone.

    Raises:
        ValueError: it has closed chains or soft parts, or does not compile.
    """
    _require_rigid_tree(spec)
    _keep_inertias(spec)
    _strip(spec)
    _to_radians(spec)
    _forget_defaults(spec)
    for geom in spec.geoms:
        collides = geom.contype or geom.conaffinity
        geom.group = COLLISION_GROUP if collides else VISUAL_GROUP
    for joint in spec.joints:
        if joint.type == mujoco.mjtJoint.mjJNT_HINGE and not joint.range[0] < joint.range[1]:
            joint.range, joint.limited = UNLIMITED, mujoco.mjtLimited.mjLIMITED_FALSE
    _name(spec)
    _carry_excludes(spec)
    if any(not body.joints for body in spec.bodies[1:]):
        spec.compiler.fusestatic = True  # a foot on a body of its own becomes a geom of the shank
        spec.compile()
    return spec


def measured(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Return the compiled model of a spec, which is of no use thereafter, without its looks."""
    _keep_inertias(spec)
    spec.compiler.discardvisual = True
    return spec.compile()


def _keep_inertias(spec: mujoco.MjSpec) -> None:
    """Write the inertias of bodies down, in place, where shapes that go, or their groups, say them.

    Raises:
        ValueError: it does not compile.
    """
    compiler, auto = spec.compiler, mujoco.mjtInertiaFromGeom.mjINERTIAFROMGEOM_AUTO
    always = compiler.inertiafromgeom == mujoco.mjtInertiaFromGeom.mjINERTIAFROMGEOM_TRUE
    if not always and tuple(compiler.inertiagrouprange) == _GROUPS:
        return
    model = spec.compile()
    for body in spec.bodies[1:]:
        body.mass, body.ipos = model.body_mass[body.id], model.body_ipos[body.id]
        body.iquat, body.inertia = model.body_iquat[body.id], model.body_inertia[body.id]
        body.ialt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT
        body.fullinertia, body.explicitinertial = np.full(6, np.nan), True
    if always:
        compiler.inertiafromgeom = auto
    compiler.inertiagrouprange = _GROUPS


def _name(spec: mujoco.MjSpec) -> None:
    """Name what has no name and needs one."""
    for kind, elements in (("body", spec.bodies), ("joint", spec.joints)):
        _name_each(elements, kind, {element.name for element in elements})
    taken = {geom.name for geom in spec.geoms}
    for body in spec.bodies:
        for kind, name in FEET.items():
            shapes = [g for g in body.geoms if g.type == kind and g.group == COLLISION_GROUP]
            _name_each(shapes, f"{body.name}_{name}", taken)


def _name_each(elements: Sequence[Any], stem: str, taken: set[str]) -> None:
    """Number the elements that have no name, past the names that are taken."""
    for i, element in enumerate(elements):
        name = f"{stem}{i}"
        while not element.name and name in taken:
            name += "_"
        element.name = element.name or name
        taken.add(element.name)


def _carry_excludes(spec: mujoco.MjSpec) -> None:
    """Let pairs that do not collide name bodies that move, for those fixed to others go.

    A pair with the world would let the robot fall through the environments' ground.
    """
    for exclude in list(spec.excludes):
        pair = [_mover(spec.body(name)) for name in (exclude.bodyname1, exclude.bodyname2)]
        exclude.bodyname1, exclude.bodyname2 = (body.name for body in pair)
        if pair[0] == pair[1] or spec.worldbody in pair:
            spec.delete(exclude)


def _mover(body: mujoco.MjsBody) -> mujoco.MjsBody:
    """Return the body with joints that a body is part of; the world of what is fixed to it."""
    while not body.joints and body.parent is not None and body.name != "world":
        body = body.parent
    return body


def _require_rigid_tree(spec: mujoco.MjSpec) -> None:
    if spec.flexes:
        names = ", ".join(repr(flex.name) for flex in spec.flexes)
        raise UsageError(f"its model has soft parts, flex {names}; take them out: links are rigid")
    if spec.equalities or spec.tendons:
        raise UsageError(
            f"its model has {len(spec.equalities)} equality constraints and {len(spec.tendons)} "
            "tendons; take them out: legs are open chains of hinges"
        )


def _strip(spec: mujoco.MjSpec) -> None:
    props = [body for body in spec.worldbody.bodies if not _floats(body)]
    for element in (
        *spec.keys,
        *spec.tuples,
        *spec.sensors,
        *spec.actuators,
        *spec.pairs,
        *spec.cameras,
        *spec.lights,
        *spec.sites,
        *spec.worldbody.geoms,
        *props,
    ):
        spec.delete(element)
    used = {geom.material for geom in spec.geoms}
    materials = [material for material in spec.materials if material.name not in used]
    shown = {name for m in spec.materials if m.name in used for name in m.textures}
    textures = [texture for texture in spec.textures if texture.name not in shown]
    for element in (*materials, *textures):  # a scene's, by names that the environments use
        spec.delete(element)
    spec.option, spec.memory = mujoco.MjSpec().option, -1


def _forget_defaults(spec: mujoco.MjSpec) -> None:
    """Keep the file's defaults, which its own elements have by now, from what is added later."""
    for kind in _ADDED:
        fresh, ours = (getattr(each.default, kind) for each in (mujoco.MjSpec(), spec))
        for name in set(dir(fresh)) - _OWN:
            value = getattr(fresh, name)
            if not name.startswith("_") and not callable(value):
                setattr(ours, name, value)
        if hasattr(ours, "alt"):
            ours.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT


def _floats(body: mujoco.MjsBody) -> bool:
    return any(joint.type == mujoco.mjtJoint.mjJNT_FREE for joint in body.joints)


def _to_radians(spec: mujoco.MjSpec) -> None:
    """Write the angles of a spec in radians, where the compiler took them as degrees."""
    if not spec.compiler.degree:
        return
    spec.compiler.degree = False
    turning = (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_BALL)
    for joint in spec.joints:
        if joint.type in turning:
            joint.range = np.deg2rad(joint.range)
            joint.ref, joint.springref = np.deg2rad([joint.ref, joint.springref])
    placed = [element.alt for element in chain(spec.bodies, spec.geoms, spec.frames)]
    for alt in (*placed, *(body.ialt for body in spec.bodies)):
        if alt.type == mujoco.mjtOrientation.mjORIENTATION_EULER:
            alt.euler = np.deg2rad(alt.euler)
        if alt.type == mujoco.mjtOrientation.mjORIENTATION_AXISANGLE:
            alt.axisangle = [*alt.axisangle[:3], np.deg2rad(alt.axisangle[3])]

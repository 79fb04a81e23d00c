"""From a URDF file to a spec, and the numbers of its joints that MuJoCo does not read."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import mujoco

from robots.usage import UsageError

_logger = logging.getLogger(__name__)
MESHES = (".obj", ".stl", ".msh")
"""Formats that MuJoCo reads."""
_PARTS = ("inertial", "visual", "collision")
_COMPILER = {
    "fusestatic": "false",  # the root's inertia would become the world's
    "discardvisual": "false",
    "strippath": "false",  # paths are whole ones by then
    "inertiafromgeom": "false",  # links weigh what they say: shapes without inertial weigh nothing
    "balanceinertia": "true",  # published inertias are rounded
    "angle": "radian",
}


def is_urdf(path: Path) -> bool:
    """Whether a file is named as a URDF."""
    return path.suffix.lower() == ".urdf"


def load(path: Path) -> mujoco.MjSpec:
    """Return the spec of a URDF file, its root floating.

    Meshes are looked for where the file says, without package:// or beside the file. One that is
    only looked at and cannot be read is left out, with a warning.

    Raises:
        FileNotFoundError: a mesh that collides is missing.
        ValueError: it is no URDF, or a mesh that collides has a format that MuJoCo does not read.
    """
    root = _parsed(path)
    _unfloat(root)
    _drop_footprint(root)
    for mesh, holder, link in list(_meshes(root)):
        _find_mesh(path, mesh, holder, link)
    extension = root.find("mujoco")
    if extension is None:
        extension = ElementTree.SubElement(root, "mujoco")
    compiler = extension.find("compiler")
    if compiler is None:
        compiler = ElementTree.SubElement(extension, "compiler")
    compiler.attrib.pop("meshdir", None)
    compiler.attrib.update(_COMPILER)
    try:
        spec = mujoco.MjSpec.from_string(ElementTree.tostring(root, encoding="unicode"))
    except ValueError as error:
        problem = " ".join(str(error).split())
        raise UsageError(f"{path} cannot be read ({problem}); give a correct URDF file") from error
    for body in spec.worldbody.bodies[:1]:
        if not body.joints:
            body.add_freejoint()
    return spec


def speeds(path: Path) -> dict[str, float]:
    """Return the largest speeds (rad/s) of a URDF's joints by name, where it says them."""
    found = {}
    for joint in _parsed(path).iter("joint"):
        limit = joint.find("limit")
        if limit is not None and (speed := float(limit.get("velocity", 0))) > 0:
            found[joint.get("name", "")] = speed
    return found


def _parsed(path: Path) -> Element:
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise UsageError(f"{path} cannot be read ({error}); give a correct URDF file") from error
    if root.tag != "robot":
        raise UsageError(f"{path} has <{root.tag}> where a URDF has <robot>; name MJCF files .xml")
    return root


def _unfloat(root: Element) -> None:
    """Take out a joint `floating` with the link that it floats from: the base gets a free joint."""
    for joint in root.findall("joint"):
        if joint.get("type") != "floating":
            continue
        parent = joint.find("parent")
        name = None if parent is None else parent.get("link")
        root.remove(joint)
        for link in root.findall("link"):
            if link.get("name") == name and link.find("inertial") is None:
                root.remove(link)


def _drop_footprint(root: Element) -> None:
    """Take out root links without mass or shape that hold one link: it becomes the root.

    Such a `base_footprint` is a frame on the ground, and the base's height is not above that.
    """
    links = {link.get("name", ""): link for link in root.findall("link")}
    while True:
        ends = [
            (joint, _end(joint, "parent"), _end(joint, "child")) for joint in root.findall("joint")
        ]
        held = {child for _, _, child in ends}
        outward = [(joint, parent) for joint, parent, _ in ends if parent not in held]
        if len(outward) != 1 or outward[0][0].get("type") != "fixed":
            return
        joint, parent = outward[0]
        if parent not in links or any(links[parent].find(part) is not None for part in _PARTS):
            return
        root.remove(joint)
        root.remove(links.pop(parent))


def _end(joint: Element, which: str) -> str:
    """Return the link at the end `parent` or `child` of a joint."""
    end = joint.find(which)
    return "" if end is None else end.get("link", "")


def _meshes(root: Element) -> Iterator[tuple[Element, Element, Element]]:
    """Yield each mesh with the visual or collision that has it, and the link of that."""
    for link in root.iter("link"):
        for holder in (*link.findall("visual"), *link.findall("collision")):
            for mesh in holder.iter("mesh"):
                yield mesh, holder, link


def _find_mesh(path: Path, mesh: Element, holder: Element, link: Element) -> None:
    """Write the whole path of a mesh, or take out what is only looked at and cannot be read."""
    name = mesh.get("filename", "")
    file = _resolved(path, name)
    readable = Path(name).suffix.lower() in MESHES
    if file is not None and readable:
        mesh.set("filename", str(file))
        return
    if holder.tag == "visual":
        _warn(str(path), name, "is missing" if file is None else "has no format that MuJoCo reads")
        link.remove(holder)
        return
    if file is None:
        raise FileNotFoundError(f"{name}, a mesh that collides, is missing")
    raise UsageError(
        f"{name}, a mesh that collides, has no format that MuJoCo reads; "
        f"convert it to {' or '.join(MESHES[:2])}"
    )


@cache
def _warn(path: str, mesh: str, problem: str) -> None:
    _logger.warning("%s: mesh %s %s, and is left out: it is only looked at", path, mesh, problem)


def _resolved(path: Path, name: str) -> Path | None:
    """Return the file of a mesh: as it is named, or in a package that holds the URDF."""
    plain = name.removeprefix("file://").removeprefix("package://").removeprefix("model://")
    inside = Path(*Path(plain).parts[1:])  # without the package's own name
    folders = (path.parent, *path.parent.parents)
    places = [Path(plain), path.parent / plain, path.parent / Path(plain).name]
    places += [folder / part for folder in folders for part in (plain, inside)]
    return next((place.resolve() for place in places if place.is_file()), None)

"""A world's MJCF that needs no file beside it."""

from __future__ import annotations

import mujoco
import numpy as np


def to_xml(world: mujoco.MjSpec) -> str:
    """Return a world's MJCF without the files that it names.

    Meshes that only show and images are left out, their bodies weighing what they did; of those
    that collide MuJoCo uses the convex hull alone, whose corners are written into the MJCF.
    """
    if not any(mesh.file for mesh in world.meshes) and not _images(world):
        return world.to_xml()
    model = world.compile()
    _leave_out_looks(world, model)
    for mesh in [mesh for mesh in world.meshes if mesh.file]:
        name, corners = mesh.name, _hull(model, model.mesh(mesh.name).id)
        world.delete(mesh)
        world.add_mesh(name=name, uservert=corners.ravel())
    world.compile()
    return world.to_xml()


def _leave_out_looks(world: mujoco.MjSpec, model: mujoco.MjModel) -> None:
    """Delete what is read from files and only looked at."""
    shown = [g for g in world.geoms if g.meshname and not (g.contype or g.conaffinity)]
    shown = [g for g in shown if world.mesh(g.meshname).file]
    for body in {id(g.parent): g.parent for g in shown}.values():
        if not body.explicitinertial:
            _weigh(body, model)
    for geom in shown:
        world.delete(geom)
    images = _images(world)
    for material in world.materials:
        if {*material.textures} & {image.name for image in images}:
            material.textures = [""] * len(material.textures)
    used = {geom.meshname for geom in world.geoms}
    for element in (*images, *(mesh for mesh in world.meshes if mesh.name not in used)):
        world.delete(element)


def _images(world: mujoco.MjSpec) -> list[mujoco.MjsTexture]:
    return [t for t in world.textures if t.file or any(t.cubefiles)]


def _weigh(body: mujoco.MjsBody, model: mujoco.MjModel) -> None:
    """Say what a body weighs, which its shapes told until now."""
    found = model.body(body.name)
    body.explicitinertial = True
    body.mass, body.ipos, body.iquat = found.mass[0], found.ipos, found.iquat
    body.inertia, body.fullinertia = found.inertia, [np.nan] * 6


def _hull(model: mujoco.MjModel, mesh: int) -> np.ndarray:
    """Return the corners of a mesh's convex hull in the frame of its file (m), (corners, 3)."""
    vertices = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]]
    graph = model.mesh_graph[model.mesh_graphadr[mesh] :]
    corners = vertices[graph[2 + graph[0] :][: graph[0]]]
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, model.mesh_quat[mesh])
    return corners @ turn.reshape(3, 3).T + model.mesh_pos[mesh]

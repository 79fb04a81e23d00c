"""Where a foot of any shape stands: its underside, and the far end of a shank that is a foot."""

from __future__ import annotations

import mujoco
import numpy as np

from robots.usage import UsageError

FEET = {
    mujoco.mjtGeom.mjGEOM_SPHERE: "sphere",
    mujoco.mjtGeom.mjGEOM_CAPSULE: "capsule",
    mujoco.mjtGeom.mjGEOM_ELLIPSOID: "ellipsoid",
    mujoco.mjtGeom.mjGEOM_CYLINDER: "cylinder",
    mujoco.mjtGeom.mjGEOM_BOX: "box",
    mujoco.mjtGeom.mjGEOM_MESH: "mesh",
}
"""Shapes that a foot can have, those first that roll best over the ground."""


def reach(model: mujoco.MjModel, geom: int, up: np.ndarray) -> np.ndarray:
    """Return how far (m) a shape's lowest point is below its centre, (…).

    Args:
        model: a compiled model.
        geom: id of the shape.
        up: the vertical, a unit vector in the frame of the shape, (…, 3).

    Raises:
        ValueError: the shape is none of FEET.
    """
    size = model.geom_size[geom]
    match model.geom_type[geom]:
        case mujoco.mjtGeom.mjGEOM_SPHERE:
            return np.full(up.shape[:-1], size[0])
        case mujoco.mjtGeom.mjGEOM_CAPSULE:
            return size[0] + size[1] * np.abs(up[..., 2])
        case mujoco.mjtGeom.mjGEOM_CYLINDER:
            return size[0] * np.hypot(up[..., 0], up[..., 1]) + size[1] * np.abs(up[..., 2])
        case mujoco.mjtGeom.mjGEOM_ELLIPSOID:
            return np.linalg.norm(up * size, axis=-1)
        case mujoco.mjtGeom.mjGEOM_BOX:
            return np.abs(up) @ size
        case mujoco.mjtGeom.mjGEOM_MESH:
            return -(up @ corners(model, geom).T).min(axis=-1)
    known = ", ".join(FEET.values())
    raise UsageError(f"shape {model.geom(geom).name!r} has no underside; choose from {known}")


def corners(model: mujoco.MjModel, geom: int) -> np.ndarray:
    """Return the corners of a mesh's convex hull, which is what collides, (k, 3), in its frame."""
    mesh = model.geom_dataid[geom]
    start, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
    vertices = model.mesh_vert[start : start + count].astype(float)
    if (graph := model.mesh_graphadr[mesh]) < 0:
        return vertices
    hull = int(model.mesh_graph[graph])  # then the number of faces, and of each corner two numbers
    return vertices[model.mesh_graph[graph + 2 + hull : graph + 2 + 2 * hull]]


def tip(model: mujoco.MjModel, data: mujoco.MjData, geom: int, joint: int) -> np.ndarray:
    """Return where a leg stands on its foot (m), (3,) in the world.

    The middle of the ball that fits in the foot's end away from the leg's last joint: of a small
    foot its centre, of a shank that is its own foot the far end, by half the shank's width.

    Args:
        model: a compiled model.
        data: its data, after `mj_kinematics`.
        geom: id of the foot.
        joint: id of the leg's last joint.
    """
    frame, axis = data.geom_xmat[geom].reshape(3, 3), data.xaxis[joint]
    way = data.geom_xpos[geom] - data.xanchor[joint]
    way -= axis * (axis @ way)
    outward = way @ frame / max(float(np.linalg.norm(way)), mujoco.mjMINVAL)
    middle, half = np.split(model.geom_aabb[geom], 2)
    return data.geom_xpos[geom] + frame @ (middle + (half - half.min()) * outward)


def undersides(model: mujoco.MjModel, data: mujoco.MjData, geoms: np.ndarray) -> np.ndarray:
    """Return how high (m) the lowest points of shapes are in the world, (k,)."""
    ups = data.geom_xmat[geoms].reshape(-1, 3, 3)[:, 2]
    depth = [float(reach(model, geom, up)) for geom, up in zip(geoms, ups, strict=True)]
    return data.geom_xpos[geoms, 2] - np.array(depth)

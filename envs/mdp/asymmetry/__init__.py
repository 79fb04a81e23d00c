"""What keeps a model from being its own mirror image: places, world, drives, links, couplings.

The tolerances let pass what the left and right of published models differ by (ANYmal C, B2, Go1,
HyQReal 1 and 2, Mini Cheetah, Spot), of which most is rounding and some are slips of a file; it is
named beside each. ANYmal C's front and back differ by less.
"""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np

from envs.mdp.asymmetry import couplings, fields, links, places
from envs.mdp.asymmetry.image import LENGTH, Image, Whole
from robots.robot import Robot


def find(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, image: Image) -> str | None:
    """Return the first thing that is not the image of its counterpart, None if everything is.

    Args:
        robot: the robot.
        model: a model that holds it.
        data: at zero joint angles, with the base upright.
        image: the mirror; joints and feet stand about where it puts them.
    """
    return next(_differences(robot, model, data, image), None)


def _differences(
    robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, image: Image
) -> Iterator[str]:
    yield from places.differences(robot, model, data, image)
    yield from fields.world(model, image)
    yield from fields.drives(robot, image)
    yield from fields.feet(robot, model, image)
    roots = _roots(robot, model, data, image)
    yield from (f"link {model.body(a).name!r} has no image" for a, b in roots.items() if b is None)
    whole = _whole(robot, model, data, image, {a: b for a, b in roots.items() if b is not None})
    yield from fields.joints(model, whole)
    yield from links.differences(robot, model, data, whole)
    yield from fields.shapes(robot, model, whole)
    yield from couplings.differences(model, data, whole)


def _roots(
    robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, image: Image
) -> dict[int, int | None]:
    """Return the image of each body that moves, None for one where nothing is."""
    base = model.body(robot.base).id
    bodies = [int(model.jnt_bodyid[model.joint(name).id]) for name in robot.joints]
    images = {base: base} | {a: bodies[j] for a, j in zip(bodies, image.joints, strict=True)}
    own = model.body_weldid[model.body_rootid == base]
    others = [int(root) for root in np.unique(own) if root not in images]
    tolerance = LENGTH * robot.leg_length
    places, masses = data.xanchor[model.body_jntadr[others]] - data.xpos[base], model.body_mass
    for root, place in zip(others, places, strict=True):
        distance = np.linalg.norm(places - place * image.diagonal, axis=1)
        near = [other for other, far in zip(others, distance, strict=True) if far < tolerance]
        # An arm's joints may meet in one place: of those there, the one that weighs as much.
        images[root] = min(near, key=lambda b, m=masses[root]: abs(masses[b] - m), default=None)
    return images


def _whole(
    robot: Robot,
    model: mujoco.MjModel,
    data: mujoco.MjData,
    image: Image,
    bodies: dict[int, int],
) -> Whole:
    """Return what the mirror makes of all joints, those that no drive turns among them."""
    own = np.array([model.joint(name).id for name in robot.joints])
    joints, sign = np.arange(model.njnt), np.ones(model.njnt)
    for body, other in bodies.items():
        count = min(model.body_jntnum[body], model.body_jntnum[other])
        first = model.body_jntadr[[body, other]]
        joints[first[0] + np.arange(count)] = first[1] + np.arange(count)
    joints[own], sign[own] = own[image.joints], image.sign
    axial = np.where(model.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE, 1.0, -1.0)[:, None]
    cosine = np.einsum("ji,ji->j", data.xaxis[joints] * image.diagonal * axial, data.xaxis)
    others = np.setdiff1d(np.arange(model.njnt), own)
    sign[others] = np.where(cosine[others] < 0, -1.0, 1.0)
    return Whole(image.diagonal, bodies, joints, sign, cosine)


__all__ = ["Image", "find"]

"""Where the joints and the feet of a robot stand, and its nominal pose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import mujoco
import numpy as np

from envs.mdp.asymmetry.image import ANGLE, LENGTH, Image, number, unlike
from robots.robot import Robot


def differences(
    robot: Robot, model: mujoco.MjModel, data: mujoco.MjData, image: Image
) -> Iterator[str]:
    """What of these is not where the mirror puts it, from the base outwards."""
    origin, near = data.body(robot.base).xpos, LENGTH * robot.leg_length
    anchors = data.xanchor[[model.joint(name).id for name in robot.joints]] - origin
    feet = data.geom_xpos[[model.geom(name).id for name in robot.feet]] - origin
    yield from _moved("joint", robot.joints, anchors, image.joints, image.diagonal, near)
    yield from _moved("foot", robot.feet, feet, image.feet, image.diagonal, near)
    pose = np.array(robot.nominal_pose)
    seen = image.sign * pose[image.joints]
    for joint in np.flatnonzero(np.abs(seen - pose) >= ANGLE):
        names = [robot.joints[i] for i in (joint, image.joints[joint])]
        told = [number(pose[joint], "rad"), f"{number(seen[joint], 'rad')} in the mirror"]
        yield unlike("joint", names, "nominal angle", told)


def _moved(
    kind: str,
    names: Sequence[str],
    places: np.ndarray,
    images: np.ndarray,
    diagonal: np.ndarray,
    near: float,
) -> Iterator[str]:
    distances = np.linalg.norm(places - places[images] * diagonal, axis=1)
    for part in np.flatnonzero(distances >= near).tolist():
        name, other, off = names[part], names[int(images[part])], distances[part]
        if name == other:
            yield f"{kind} {name!r} is {off / 2:.3g} m off the mirror's plane"
        else:
            yield f"{kind} {name!r} is {off:.3g} m from the image of {other!r}"

"""A picture of a robot in its nominal stance, with the names of its joints and feet."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import mujoco
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from envs.render.camera import TrackingCamera, reach
from envs.render.renderer import contexts
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from robots.check import tips
from robots.robot import Robot

SIZE = (1280, 800)
_COLOURS = ((255, 190, 60), (90, 200, 120), (80, 160, 255), (230, 120, 230))
"""Of the legs, in turn."""
_INK, _PANEL = (255, 255, 255), (20, 24, 28, 150)
_LETTERS, _MARGIN = 15, 14
"""Height of the letters, and what they keep from the edges (pixels)."""
_NEARER, _TALL = 0.8, 1.2
"""Of the distance of a video's camera, where the robot is no higher than so many reaches."""


def draw(robot: Robot, path: Path) -> None:
    """Write a picture, .png.

    Raises:
        OpenGLError: no OpenGL backend works here.
    """
    model = scene.build(robot, Simulation(), PD(), visual=True)
    model.vis.global_.offwidth, model.vis.global_.offheight = SIZE
    data = scene.posed(model, robot)
    size = reach(model, robot)
    model.vis.map.shadowclip = 1.3 * size / model.stat.extent
    camera = TrackingCamera(1.0, size, SIZE[0] / SIZE[1])
    camera.follow(np.zeros(3), heading=0.0)
    top = _top(robot, model, data)
    camera.camera.lookat[2] = 0.45 * top
    camera.camera.distance *= _NEARER * max(1.0, top / (_TALL * size))
    pixels, eye = _rendered(model, data, camera.camera)
    image = Image.fromarray(pixels)
    _label(image, robot, data, tips(robot, model, data), eye)
    image.save(path, format="png")


def _top(robot: Robot, model: mujoco.MjModel, data: mujoco.MjData) -> float:
    """Return how high a robot is (m)."""
    own = model.body_rootid[model.geom_bodyid] == model.body(robot.base).id
    up = data.geom_xmat[own].reshape(-1, 3, 3)[:, 2]
    centre, half = np.split(model.geom_aabb[own], 2, axis=1)
    over = np.einsum("gi,gi->g", up, centre) + np.einsum("gi,gi->g", np.abs(up), half)
    return float((data.geom_xpos[own, 2] + over).max())


def _rendered(
    model: mujoco.MjModel, data: mujoco.MjData, camera: mujoco.MjvCamera
) -> tuple[np.ndarray, Eye]:
    """Return a frame (height, width, 3), and the camera that took it."""
    pictured, option = mujoco.MjvScene(model, 2000), mujoco.MjvOption()
    context_gl, context = contexts(model, *SIZE)
    every, pixels = mujoco.mjtCatBit.mjCAT_ALL.value, np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    view = mujoco.MjrRect(0, 0, *SIZE)
    pictured.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
    mujoco.mjv_updateScene(model, data, option, None, camera, every, pictured)
    mujoco.mjr_render(view, pictured, context)
    mujoco.mjr_readPixels(pixels, None, view, context)
    context.free()
    context_gl.free()
    return pixels[::-1], Eye.between(*pictured.camera)


class Eye(NamedTuple):
    """A camera, in the middle between MuJoCo's two eyes."""

    pos: np.ndarray
    """m, (3,)."""
    forward: np.ndarray
    """Unit vector, (3,)."""
    up: np.ndarray
    """Unit vector, (3,)."""
    slope: float
    """Half the height of what is seen, by its distance."""

    @classmethod
    def between(cls, left: mujoco.MjvGLCamera, right: mujoco.MjvGLCamera) -> Eye:
        """Return the eye between two."""
        pos = (np.array(left.pos) + np.array(right.pos)) / 2
        slope = float(left.frustum_top / left.frustum_near)
        return cls(pos, np.array(left.forward), np.array(left.up), slope)

    def pixel(self, point: np.ndarray) -> tuple[float, float]:
        """Return where a point of the world (3,) is in the picture."""
        way, (width, height) = point - self.pos, SIZE
        half = float(self.slope * (way @ self.forward))
        across = float(way @ np.cross(self.forward, self.up)) / half
        above = float(way @ self.up) / half
        return width / 2 + height / 2 * across, height / 2 * (1 - above)


def _label(
    image: Image.Image, robot: Robot, data: mujoco.MjData, ends: np.ndarray, eye: Eye
) -> None:
    """Write the names at both sides, each with a line to what it names: feet at ends, (legs, 3)."""
    per_leg = len(robot.joints) // len(robot.legs)
    named = []
    for i, joint in enumerate(robot.joints):
        place = eye.pixel(data.joint(joint).xanchor)
        named.append((joint, place, _COLOURS[i // per_leg % len(_COLOURS)]))
    for i, (leg, foot, tip) in enumerate(zip(robot.legs, robot.feet, ends, strict=True)):
        place = eye.pixel(tip)
        named.append((f"{leg}: {foot}", place, _COLOURS[i % len(_COLOURS)]))
    named.append((robot.base, eye.pixel(data.body(robot.base).xpos), _INK))
    ordered = sorted(named, key=lambda label: label[1][0])
    half = len(ordered) // 2
    drawing = ImageDraw.Draw(image, "RGBA")
    _write(drawing, ordered[:half], left=True)
    _write(drawing, ordered[half:], left=False)


def _write(
    drawing: ImageDraw.ImageDraw,
    labels: list[tuple[str, tuple[float, float], tuple[int, ...]]],
    left: bool,
) -> None:
    """Write names one below the other, in the order in which what they name is."""
    font = ImageFont.load_default(_LETTERS)
    step = SIZE[1] / (len(labels) + 1)
    for row, (name, place, colour) in enumerate(sorted(labels, key=lambda label: label[1][1])):
        middle, width = (row + 1) * step, drawing.textlength(name, font)
        start = _MARGIN if left else SIZE[0] - _MARGIN - width
        box = (start - 6, middle - _LETTERS, start + width + 6, middle + _LETTERS)
        end = (box[2] if left else box[0], middle)
        drawing.line((end, place), (*colour, 220), 2)
        drawing.ellipse((place[0] - 5, place[1] - 5, place[0] + 5, place[1] + 5), colour)
        drawing.rounded_rectangle(box, radius=5, fill=_PANEL)
        drawing.text((start, middle), name, colour, font, anchor="lm")

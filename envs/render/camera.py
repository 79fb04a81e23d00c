"""The camera of a video: it follows the robot."""

from __future__ import annotations

import mujoco
import numpy as np

from robots.robot import Robot

DISTANCE = 3.2
"""From a camera to the robot, in reaches."""
_WIDE = 16 / 9
"""Width of a frame by its height from which that distance shows all."""
_NEARER, _ASIDE = 1.0, 3.9
"""Of an arrow for 1 m/s: how much nearer than the robot its end is, and from how far it would just
be in a square frame (reaches)."""


def reach(model: mujoco.MjModel, robot: Robot) -> float:
    """Return how far a robot's farthest foot is from its base in the nominal stance (m).

    What is drawn of it and round it is as large as that, whatever the robot's size.
    """
    data = mujoco.MjData(model)
    for joint, position in zip(robot.joints, robot.nominal_pose, strict=True):
        data.joint(joint).qpos = position
    mujoco.mj_kinematics(model, data)
    base = data.body(robot.base).xpos
    return max(float(np.linalg.norm(data.geom(foot).xpos - base)) for foot in robot.feet)


class TrackingCamera:
    """Follows the base smoothly, from the robot's front right.

    Args:
        dt: time between frames (s).
        reach: the robot's (m).
        aspect: width of a frame by its height.
    """

    POSITION_LAG, HEADING_LAG = 0.15, 0.7
    """Time constants of the low-pass filters on position and heading (s)."""
    JUMP = 1.0
    """A base that moves further than this between frames was reset (m): the camera jumps too."""

    HEIGHT = 0.2
    """Of what it looks at above the ground, in reaches."""

    def __init__(self, dt: float, reach: float, aspect: float = _WIDE) -> None:
        self._height = self.HEIGHT * reach
        self._gains = 1 - np.exp(-dt / np.array([self.POSITION_LAG, self.HEADING_LAG]))
        self._position = np.full(3, np.inf)
        self._heading = 0.0
        self.camera = mujoco.MjvCamera()
        self.camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        self.camera.distance = max(DISTANCE, _NEARER + _ASIDE / aspect) * reach
        self.camera.elevation = -20

    def follow(self, position: np.ndarray, heading: float) -> None:
        """Move towards a base above a point of the ground (m), (3,), with a heading (rad)."""
        if np.linalg.norm(position - self._position) > self.JUMP:
            self._position, self._heading = position.copy(), heading
        turn = (heading - self._heading + np.pi) % (2 * np.pi) - np.pi
        self._position += self._gains[0] * (position - self._position)
        self._heading += self._gains[1] * turn
        self.camera.lookat = self._position + np.array([0.0, 0.0, self._height])
        self.camera.azimuth = np.degrees(self._heading) + 180 - 50

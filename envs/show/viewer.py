"""MuJoCo's interactive viewer on one simulation, in real time."""

from __future__ import annotations

import sys
import threading

import mujoco
import mujoco.viewer

from envs.render.camera import DISTANCE
from envs.render.gl import display_works, named_display
from envs.render.velocities import draw_velocities
from envs.show.live import ACTIONS, Live
from robots.usage import UsageError

KEYS = {
    "up": (265, "Forwards"),
    "down": (264, "Backwards"),
    "7": (55, "To the left"),
    "9": (57, "To the right"),
    "left": (263, "Turn left"),
    "right": (262, "Turn right"),
    "8": (56, "Stand"),
    "home": (268, "Schedule"),
    "enter": (257, "Push"),
    "delete": (261, "Overturn"),
    "space": (32, "Pause"),
    "end": (269, "Step"),
    "backspace": (259, "Reset"),
    "-": (45, "Slower"),
    "=": (61, "Faster"),
    "insert": (260, "Next policy"),
    "page down": (267, "Next gait"),
}
"""Key -> its GLFW code and an action of `Live`; most other keys are the viewer's own."""


def check_display() -> None:
    """Raise ValueError where there is no display, or none that windows can be drawn on."""
    if not display_works():
        named = named_display()
        found = f"{named} cannot draw" if named else "there is none"
        raise UsageError(f"the viewer needs a display, and {found}; give --web or --video FILE")


def watch(live: Live) -> None:
    """Show the simulation until the window is closed, steered by the keys of `KEYS`.

    Raises:
        ValueError: no display.
    """
    check_display()
    actions = {code: ACTIONS[name] for code, name in KEYS.values()}

    def act(code: int) -> None:
        try:
            actions[code](live)
        except (ValueError, OSError) as problem:
            print(problem, file=sys.stderr)

    def pressed(code: int) -> None:
        if code in actions:
            live.request(lambda: act(code))

    others = set(threading.enumerate())
    viewer = mujoco.viewer.launch_passive(
        live.model, live.data, key_callback=pressed, show_left_ui=False, show_right_ui=False
    )
    print(f"keys: {', '.join(f'{key} {name.lower()}' for key, (_, name) in KEYS.items())}")
    print("tab and shift-tab show the viewer's own panels", flush=True)
    try:
        _follow(live, viewer)
        live.run(lambda: _show(live, viewer), viewer.is_running)
    finally:
        viewer.close()
        for thread in set(threading.enumerate()) - others:
            thread.join(timeout=5)  # one that still draws while the process ends crashes it


def _follow(live: Live, viewer: mujoco.viewer.Handle) -> None:
    viewer.cam.type = mujoco.mjtCamera.mjCAMERA_TRACKING
    viewer.cam.trackbodyid = live.model.body(live.env.robot.base).id
    viewer.cam.distance = DISTANCE * live.reach


def _show(live: Live, viewer: mujoco.viewer.Handle) -> None:
    """Bring the viewer's picture up to date, with the velocities drawn over the robot."""
    scene = viewer.user_scn
    assert scene is not None
    with viewer.lock():
        live.pose()
        scene.ngeom = 0
        velocities, ground = (live.velocity_command, live.velocity), live.env.config.terrain.height
        draw_velocities(scene, live.position, live.heading, *velocities, ground, live.reach)
    if live.gaits:
        words = f"{live.gait}\n{live.asked_gait}"
        viewer.set_texts((None, mujoco.mjtGridPos.mjGRID_TOPLEFT, "gait\nasked", words))
    viewer.sync()

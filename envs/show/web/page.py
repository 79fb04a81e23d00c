"""The page: the robot, what steers it, and plots of how it does."""

from __future__ import annotations

import socket
import time

import numpy as np
import viser
from mjviser import ViserMujocoScene

from envs.render.camera import TrackingCamera
from envs.render.velocities import velocity_strokes
from envs.show.live import Live
from envs.show.web import textures
from envs.show.web.controls import Controls
from envs.show.web.document import READY, document
from envs.show.web.plots import Plots
from envs.show.web.server import Server, check_address
from robots.usage import UsageError

SCENE_RATE, REPORT_RATE = 60.0, 4.0
"""How often the robot at most, and plots and numbers, are sent (Hz)."""


def serve(live: Live, host: str, port: int, policy: str = "") -> None:
    """Serve the page until the process is interrupted, and print where it is.

    Args:
        live: what the page shows and steers.
        host, port: where the server listens; 127.0.0.1 for this computer's own browsers alone.
        policy: what it is called in the tab's title, by default as in the page's list.

    Raises:
        ValueError: the server cannot listen there.
    """
    check_address(host, port)
    page = Page(live, host, port, policy)
    shown = f"[{host}]" if ":" in host else host
    print(f"page: http://{shown}:{page.port} (Ctrl-C ends it)")
    print(
        f"from another computer: ssh -L {page.port}:localhost:{page.port} "
        f"{socket.gethostname()}, then http://localhost:{page.port}",
        flush=True,
    )
    try:
        live.run(page.show, lambda: True)
    finally:
        page.close()


class Page:
    """The page's scene, controls and plots, the same for every browser that looks at it.

    Raises:
        ValueError: the port was taken meanwhile.
    """

    def __init__(self, live: Live, host: str, port: int, policy: str = "") -> None:
        self._live = live
        robot = live.env.robot.name
        title = f"{policy or live.agent} · {robot} · Trot"
        self.server = Server(host, port, lambda: document(title, robot))
        self.port = self.server.get_port()
        if port not in (0, self.port):
            self.close()
            raise UsageError(f"port {port} is taken: choose another --port")
        gui = self.server.gui
        gui.configure_theme(control_width="medium", show_logo=False, show_share_button=False)
        gui.main_panel.dock_right()
        self._build_scene()
        self.controls = Controls(live, self.server)
        self._plots = Plots(gui, live)
        gui.add_html(f'<i class="{READY}"></i>')
        self._centre = np.zeros(3)
        self._moved = self._reported = 0.0

    def close(self) -> None:
        """Stop serving."""
        self.server.stop()

    def _build_scene(self) -> None:
        textures.shrink(self._live.model)
        self._scene = ViserMujocoScene(self.server, self._live.model, num_envs=1)
        self._scene.camera_tracking_enabled = False  # it would follow the base's height, too
        scene, camera = self.server.scene, self.server.initial_camera
        size = self._live.reach
        camera.position = (2.1 * size, -2.4 * size, 1.4 * size)
        camera.look_at = (0.0, 0.0, TrackingCamera.HEIGHT * size)
        self.server.on_client_connect(self._look_from_afar)
        none, colours = np.zeros((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.uint8)
        self._arrows = scene.add_arrows("/velocities/arrows", none, colours[:, 0])
        self._arcs = scene.add_line_segments(
            "/velocities/arcs", none, colours, thickness=0.03 * size
        )

    async def _look_from_afar(self, client: viser.ClientHandle) -> None:
        """Show the whole robot on an upright screen, above the controls, on the lower half."""
        camera, size = client.camera, self._live.reach
        if camera.image_width < camera.image_height:
            camera.position = (3.5 * size, -3.9 * size, 1.4 * size)
            camera.look_at = (0.0, 0.0, -size)

    def show(self) -> None:
        """Send what has changed since the last call, if a browser is there to see it."""
        self._plots.add_step()
        if not self.server.get_clients():
            return
        now = time.monotonic()
        if now - self._moved > 1 / SCENE_RATE:
            self._moved = now
            with self.server.atomic():
                self._show_robot()
        if now - self._reported > 1 / REPORT_RATE:
            self._reported = now
            self._plots.draw()
            self.controls.show()

    def _show_robot(self) -> None:
        live, data = self._live, self._live.pose()
        if self.controls.camera_follows:
            self._centre = live.below
        matrices = data.xmat.reshape(1, -1, 3, 3)
        self._scene.update_from_arrays((data.xpos - self._centre)[None], matrices)
        self._scene.fixed_bodies_frame.position = -self._centre
        velocities, ground = (live.velocity_command, live.velocity), live.env.config.terrain.height
        strokes = list(
            velocity_strokes(live.position, live.heading, *velocities, ground, live.reach)
        )
        for handle, pointed in ((self._arrows, True), (self._arcs, False)):
            chosen = [stroke for stroke in strokes if stroke[2] == pointed]
            handle.visible = bool(chosen)
            if chosen:
                colours = np.square([stroke[3] for stroke in chosen])  # viser's light pales them
                points = np.array([stroke[:2] for stroke in chosen]) - self._centre
                handle.points = points.astype(np.float32)
                handle.colors = colours if pointed else np.stack([colours, colours], axis=1)

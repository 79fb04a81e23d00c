"""A page for the browser: a policy walks live, is steered and pushed, and plots how it does."""

from __future__ import annotations

import contextlib
import http
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import rich
import viser
from mjviser import ViserMujocoScene
from websockets.asyncio import server
from websockets.http11 import Request

from envs.render.renderer import velocity_strokes
from envs.show.live import ACTIONS, PUSHES, SPEEDS, Live
from envs.show.live_plots import Plots

AXES = ("vx (m/s)", "vy (m/s)", "yaw (rad/s)")
"""The command's entries: forward, leftward, turning left."""
KEYS: dict[Any, str] = {
    "I": "Forwards",
    "K": "Backwards",
    "J": "To the left",
    "L": "To the right",
    "U": "Turn left",
    "O": "Turn right",
    "X": "Stand",
    "T": "Tour",
    "P": "Push",
    "space": "Pause",
    "N": "Step",
    "R": "Reset",
}
"""Key -> an action of `Live`. W, A, S, D, Q, E and the arrows move viser's own camera."""
SCENE_RATE, REPORT_RATE = 60.0, 4.0
"""How often the robot at most, and plots and numbers, are sent (Hz)."""
SETTLED = 0.3
"""Seconds without a change by a browser after which all of them are sent the command again."""


def check_address(host: str, port: int) -> None:
    """Raise ValueError unless a server can listen there; port 0 takes any that is free."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except (OSError, UnicodeError) as error:
        raise ValueError(
            f"no page can be served at {host}:{port} ({error}): choose another --port or --host"
        ) from error


def serve(live: Live, host: str, port: int) -> None:
    """Serve the page until the process is interrupted, and print where it is.

    Args:
        live: what the page shows and steers.
        host, port: where the server listens; 127.0.0.1 for this computer's own browsers alone.

    Raises:
        ValueError: the server cannot listen there.
    """
    check_address(host, port)
    page = Page(live, host, port)
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


class _Server(viser.ViserServer):
    """viser's server, which tells the console nothing and never asks for a public tunnel."""

    def __init__(self, host: str, port: int) -> None:
        rich.get_console().quiet = True
        for name in ("websockets", "asyncio"):  # tracebacks of whatever a client sends
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with _own_page_alone():
            super().__init__(host, port, label="Trot", verbose=False)

    def request_share_url(self, verbose: bool = True) -> str | None:
        return None


@contextlib.contextmanager
def _own_page_alone() -> Iterator[None]:
    """Have a server that viser starts refuse browsers that show the page of another site.

    Any page can open a WebSocket to this computer; the browser then names the page's site in
    Origin, of which viser takes no notice.
    """
    start = server.serve

    def serve(*args: Any, process_request: Callable[..., Any], **kwargs: Any) -> Any:
        def check(connection: server.ServerConnection, request: Request) -> Any:
            origin = request.headers.get("Origin")
            if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
                return connection.respond(http.HTTPStatus.FORBIDDEN, "not this server's page\n")
            return process_request(connection, request)

        return start(*args, process_request=check, **kwargs)

    server.serve = serve
    try:
        yield
    finally:
        server.serve = start


class Page:
    """The page's scene, controls and plots, the same for every browser that looks at it.

    viser calls back from threads of its own; all that changes the simulation goes through
    `Live.request`.

    Raises:
        ValueError: the port was taken meanwhile.
    """

    def __init__(self, live: Live, host: str, port: int) -> None:
        self._live = live
        self._server = _Server(host, port)
        self.port = self._server.get_port()
        if port not in (0, self.port):
            self.close()
            raise ValueError(f"port {port} is taken: choose another --port")
        gui = self._server.gui
        gui.configure_theme(control_width="medium", show_logo=False, show_share_button=False)
        gui.main_panel.dock_right()
        self._build_scene()
        self._build_controls()
        self._build_keys()
        self._plots = Plots(gui, live, AXES)
        self._centre, self._text = np.zeros(3), ""
        self._moved = self._reported = self._operated = 0.0

    def close(self) -> None:
        """Stop serving."""
        self._server.stop()

    def _build_scene(self) -> None:
        self._scene = ViserMujocoScene(self._server, self._live.model, num_envs=1)
        self._scene.camera_tracking_enabled = False  # it would follow the base's height, too
        scene, camera = self._server.scene, self._server.initial_camera
        camera.position, camera.look_at = (1.5, -1.7, 1.0), (0.0, 0.0, 0.4)
        none, colours = np.zeros((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.uint8)
        self._arrows = scene.add_arrows("/velocities/arrows", none, colours[:, 0])
        self._arcs = scene.add_line_segments("/velocities/arcs", none, colours, thickness=0.02)

    def _build_controls(self) -> None:
        live, gui = self._live, self._server.gui
        with gui.add_folder("Command", visible=bool(np.ptp(live.limits))):
            axes = [i for i in range(3) if np.ptp(live.limits[i])]
            self._sliders = {i: self._command_slider(i) for i in axes}
            self._tour = gui.add_checkbox("Tour", live.touring, hint="A round of commands")
            self._on(self._tour, self._toggle_tour)
        with gui.add_folder("Simulation"):
            self._agent = gui.add_dropdown("Policy", tuple(live.agents), initial_value=live.agent)
            self._on(self._agent, live.swap)
            speed = gui.add_slider("Speed", *SPEEDS, 0.05, live.speed)
            self._on(speed, live.set_speed)
            push = gui.add_slider("Push (m/s)", *PUSHES, 0.1, live.push_speed)
            self._on(push, live.set_push_speed)
            self._follow = gui.add_checkbox("Camera follows", True)
            for names in (("Pause", "Step"), ("Push", "Reset")):
                buttons = gui.add_button_group("", names)
                buttons.on_click(lambda event: self._press(event.target.value))
            self._status = gui.add_markdown("")
        with gui.add_folder("Keys", expand_by_default=False):
            rows = (f"| `{key}` | {name.lower()} |" for key, name in KEYS.items())
            gui.add_markdown("\n".join(["| key | action |", "| --- | --- |", *rows]))

    def _toggle_tour(self, wanted: bool) -> None:
        if self._live.touring != wanted:
            self._live.tour()

    def _command_slider(self, axis: int) -> viser.GuiSliderHandle[float]:
        live, (low, high) = self._live, self._live.limits[axis].tolist()
        value = float(live.command[axis])
        slider = self._server.gui.add_slider(AXES[axis], low, high, 0.01, value)

        def steer(speed: float) -> None:
            command = live.command.copy()
            command[axis] = speed
            live.steer(command)

        self._on(slider, steer)
        return slider

    def _build_keys(self) -> None:
        for key, name in KEYS.items():
            command = self._server.gui.add_command(name, hotkey=key)
            command.on_trigger(lambda _, name=name: self._press(name))

    def _press(self, name: str) -> None:
        """Request what a button or a key stands for."""

        def act() -> None:
            if name in ACTIONS:  # a browser may send anything
                ACTIONS[name](self._live)
            self._show_command()

        self._live.request(act)

    def _on(self, control: viser.GuiInputHandle, change: Callable[[Any], None]) -> None:
        """Request a change to a control's value when a browser, not the page, operates it."""

        def attempt(value: Any) -> None:
            try:
                change(value)
            except (ValueError, OSError) as problem:
                for client in self._server.get_clients().values():
                    client.add_notification("Not done", str(problem), color="red")
            self._tour.value, self._agent.value = self._live.touring, self._live.agent
            self._operated = time.monotonic()

        def updated(event: viser.GuiEvent) -> None:
            if event.client_id is not None:
                value = control.value  # until the loop gets there the tour moves the sliders
                self._live.request(lambda: attempt(value))

        control.on_update(updated)

    def _show_command(self) -> None:
        for axis, slider in self._sliders.items():
            slider.value = float(self._live.command[axis])
        self._tour.value = self._live.touring

    def show(self) -> None:
        """Send what has changed since the last call, if a browser is there to see it."""
        self._plots.record()
        if not self._server.get_clients():
            return
        now = time.monotonic()
        if now - self._moved > 1 / SCENE_RATE:
            self._moved = now
            with self._server.atomic():
                self._show_robot()
        if now - self._reported > 1 / REPORT_RATE:
            self._reported = now
            self._plots.draw()
            self._show_status()
            if self._live.touring:
                self._show_command()
            elif self._operated and now - self._operated > SETTLED:
                self._settle()

    def _settle(self) -> None:
        """Send the command again, lest a browser shows what it crossed on its way here."""
        self._operated = 0.0
        with self._server.atomic():
            for slider in self._sliders.values():
                slider.value += 1e-9  # viser sends no value that it has sent before
            self._show_command()

    def _show_robot(self) -> None:
        live, data = self._live, self._live.pose()
        if self._follow.value:
            self._centre = np.array([*live.position[:2], 0.0])
        matrices = data.xmat.reshape(1, -1, 3, 3)
        self._scene.update_from_arrays((data.xpos - self._centre)[None], matrices)
        self._scene.fixed_bodies_frame.position = -self._centre
        base = live.position - self._centre
        strokes = list(velocity_strokes(base, live.heading, live.command, live.velocity))
        for handle, pointed in ((self._arrows, True), (self._arcs, False)):
            chosen = [stroke for stroke in strokes if stroke[2] == pointed]
            handle.visible = bool(chosen)
            if chosen:
                colours = np.array([stroke[3] for stroke in chosen])
                handle.points = np.array([stroke[:2] for stroke in chosen], np.float32)
                handle.colors = colours if pointed else np.stack([colours, colours], axis=1)

    def _show_status(self) -> None:
        live = self._live
        state = "paused" if live.paused else f"{live.speed:g} × real time"
        text = f"{live.time:.1f} s, {state}, falls: {live.falls}"
        if text != self._text:
            self._status.content = self._text = text

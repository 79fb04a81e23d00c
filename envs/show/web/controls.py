"""The web page's sliders, buttons and keys: what a browser asks of a live simulation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import viser

from envs.show.live import ACTIONS, PUSHES, SPEEDS, Live
from envs.show.web.server import Server

SHORT = {"lin_vel_x": "vx", "lin_vel_y": "vy", "yaw_rate": "yaw"}
"""Names of the velocity command's entries on the page: forward, leftward, turning left."""
KEYS: dict[Any, str] = {
    "I": "Forwards",
    "K": "Backwards",
    "J": "To the left",
    "L": "To the right",
    "U": "Turn left",
    "O": "Turn right",
    "X": "Stand",
    "T": "Schedule",
    "P": "Push",
    "space": "Pause",
    "N": "Step",
    "R": "Reset",
}
"""Key -> an action of `Live`. W, A, S, D, Q, E and the arrows move viser's own camera."""
SETTLED = 0.3
"""Seconds without a change by a browser after which all of them are sent the command again."""


class Controls:
    """What steers a live simulation, the same for every browser that looks at it.

    viser calls back from threads of its own; all that changes the simulation goes through
    `Live.request`.
    """

    def __init__(self, live: Live, server: Server) -> None:
        self._live, self._server = live, server
        self._text, self._operated = "", 0.0
        with server.gui.add_folder("Command", visible=bool(np.ptp(live.limits, axis=1).any())):
            self._add_command()
        with server.gui.add_folder("Simulation"):
            self._add_simulation()
        with server.gui.add_folder("Keys", expand_by_default=False):
            rows = (f"| `{key}` | {name.lower()} |" for key, name in KEYS.items())
            server.gui.add_markdown("\n".join(["| key | action |", "| --- | --- |", *rows]))
        for key, name in KEYS.items():
            command = server.gui.add_command(name, hotkey=key)
            command.on_trigger(lambda _, name=name: self._press(name))

    @property
    def camera_follows(self) -> bool:
        """Whether the robot stays in the middle of the page."""
        return self._follow.value

    def _add_command(self) -> None:
        axes = [i for i, limits in enumerate(self._live.limits) if np.ptp(limits)]
        self.sliders = {i: self._command_slider(i) for i in axes}
        """By the command's entry."""
        hint = "Commands in turn that show what the policy can do"
        self._schedule = self._server.gui.add_checkbox("Schedule", self._live.scheduled, hint=hint)
        self._on(self._schedule, self._set_schedule)

    def _command_slider(self, axis: int) -> viser.GuiSliderHandle[float]:
        live, (low, high) = self._live, self._live.limits[axis].tolist()
        value = float(live.command[axis])
        name, entry = list(live.env.config.commands.entries.items())[axis]
        title = SHORT.get(name, name) + (f" ({entry.unit})" if entry.unit else "")
        slider = self._server.gui.add_slider(title, low, high, 0.01, value)

        def steer(speed: float) -> None:
            command = live.command.copy()
            command[axis] = speed
            live.steer(command)

        self._on(slider, steer)
        return slider

    def _set_schedule(self, wanted: bool) -> None:
        if self._live.scheduled != wanted:
            self._live.toggle_schedule()

    def _add_simulation(self) -> None:
        live, gui = self._live, self._server.gui
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

    def _press(self, name: str) -> None:
        """Request what a button or a key stands for."""

        def act() -> None:
            if name in ACTIONS:  # a browser may send anything
                ACTIONS[name](self._live)
            self.show_command()

        self._live.request(act)

    def _on(self, control: viser.GuiInputHandle, change: Callable[[Any], None]) -> None:
        """Request a change to a control's value when a browser, not the page, operates it."""

        def attempt(value: Any) -> None:
            try:
                change(value)
            except (ValueError, OSError) as problem:
                for client in self._server.get_clients().values():
                    client.add_notification("Not done", str(problem), color="red")
            self._schedule.value, self._agent.value = self._live.scheduled, self._live.agent
            self._operated = time.monotonic()

        def updated(event: viser.GuiEvent) -> None:
            if event.client_id is not None:
                value = control.value  # until the loop gets there the schedule moves the sliders
                self._live.request(lambda: attempt(value))

        control.on_update(updated)

    def show(self) -> None:
        """Bring the controls up to date with the simulation."""
        self._show_status()
        if self._live.scheduled:
            self.show_command()
        elif self._operated and time.monotonic() - self._operated > SETTLED:
            self.settle()

    def show_command(self) -> None:
        """Set the sliders to the command in force."""
        for axis, slider in self.sliders.items():
            slider.value = float(self._live.command[axis])
        self._schedule.value = self._live.scheduled

    def settle(self) -> None:
        """Send the command again, lest a browser shows what it crossed on its way here."""
        self._operated = 0.0
        with self._server.atomic():
            for slider in self.sliders.values():
                slider.value += 1e-9  # viser sends no value that it has sent before
            self.show_command()

    def _show_status(self) -> None:
        live = self._live
        state = "paused" if live.paused else f"{live.speed:g} × real time"
        text = f"{live.time:.1f} s, {state}, falls: {live.falls}"
        if text != self._text:
            self._status.content = self._text = text

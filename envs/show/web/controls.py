"""The web page's sliders, buttons and keys: what a browser asks of a live simulation."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import viser

from envs.bounds import require
from envs.mdp.commands import VELOCITY
from envs.mdp.gaits.commanded import FOOTFALL
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
    "V": "Overturn",
    "space": "Pause",
    "N": "Step",
    "G": "Next gait",
    "R": "Reset",
}
"""Key -> an action of `Live`. W, A, S, D, Q, E and the arrows move viser's own camera."""
SETTLED = 0.3
"""Seconds without a change by a browser after which all of them are sent the command again."""


class Controls:
    """What steers a live simulation, the same for every browser that looks at it.

    Browsers are heard in viser's event loop, one message after the other, and what they ask for
    is handed to the simulation's thread by `Live.request`. What is in force goes back to them from
    the event loop, too, and only once all that was asked for is done: else an entry that a user
    has just given would jump back, or be taken for another's.
    """

    def __init__(self, live: Live, server: Server) -> None:
        self._live, self._server, self._loop = live, server, server.get_event_loop()
        self._text = ""
        self._asked, self._asked_at = 0, 0.0  # set in the event loop
        self._done = 0  # of those asked for, set in the simulation's thread
        with server.gui.add_folder("Command", visible=bool(np.ptp(live.limits, axis=1).any())):
            self._add_command()
        with server.gui.add_folder("Simulation"):
            self._add_simulation()
        with server.gui.add_folder("Keys", expand_by_default=False):
            rows = (f"| `{key}` | {name.lower()} |" for key, name in KEYS.items())
            server.gui.add_markdown("\n".join(["| key | action |", "| --- | --- |", *rows]))
        for key, name in KEYS.items():
            self._on_press(server.gui.add_command(name, hotkey=key).on_trigger, name)

    @property
    def camera_follows(self) -> bool:
        """Whether the robot stays in the middle of the page."""
        return self._follow.value

    def _add_command(self) -> None:
        live, gui = self._live, self._server.gui
        known = live.env.config.commands.names
        varied = [i for i, limits in enumerate(live.limits) if np.ptp(limits)]
        shown = [i for i in varied if not known[i].startswith(FOOTFALL)]
        self._axes = [i for i in varied if known[i] in VELOCITY or not live.gaits]
        self._gait = self._add_gait() if live.gaits else None
        self.sliders = {i: self._command_slider(i) for i in shown}
        """By the command's entry."""
        names = " ".join(self._short(i) for i in self._axes)
        with gui.add_form(None) as form:
            hint = f"The whole command at once: numbers for {names}, then Enter"
            self._whole = gui.add_text(f"{names} ⏎", "", hint=hint)
        self._on_submit(form)
        hint = "Commands in turn that show what the policy can do"
        self._schedule = gui.add_checkbox("Schedule", live.scheduled, hint=hint)
        self._on(self._schedule, self._set_schedule)

    def _add_gait(self) -> viser.GuiDropdownHandle[str]:
        """Add the menu of gaits, which command all footfalls at once."""
        live = self._live
        hint = "Which foot comes down when, how often, and for how long"
        menu = self._server.gui.add_dropdown(
            "Gait", live.gaits, initial_value=self._asked_gait(), hint=hint
        )
        self._on(menu, live.ask_gait)
        return menu

    def _asked_gait(self) -> str:
        """Return the commanded gait as the menu has it, the first where it is none of these."""
        named = self._live.asked_gait
        return named if named in self._live.gaits else self._live.gaits[0]

    def _short(self, axis: int) -> str:
        name = self._live.env.config.commands.names[axis]
        return SHORT.get(name, name)

    def _command_slider(self, axis: int) -> viser.GuiSliderHandle[float]:
        live, (low, high) = self._live, self._live.limits[axis].tolist()
        unit = list(live.env.config.commands.entries.values())[axis].unit
        title = self._short(axis).replace("_", " ") + (f" ({unit})" if unit else "")
        slider = self._server.gui.add_slider(title, low, high, 0.01, float(live.command[axis]))
        self._on(slider, partial(live.steer_entry, axis))
        return slider

    def _steer_whole(self, text: str) -> None:
        """Set all entries of the command that can be set, from numbers with spaces or commas."""
        try:
            numbers = [float(word) for word in text.replace(",", " ").split()]
        except ValueError:
            numbers = []
        require(
            len(numbers) == len(self._axes), "command", repr(text), f"{len(self._axes)} numbers"
        )
        live = self._live
        command = live.command.copy() if live.gaits else live.limits[:, 0].copy()
        command[self._axes] = numbers
        self._live.steer(command)

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
        for names in (("Pause", "Step"), ("Push", "Overturn", "Reset")):
            self._on_press(gui.add_button_group("", names).on_click)
        self._status = gui.add_markdown("")

    # viser awaits coroutines in the order of its messages, and calls functions in any.

    def _on(self, control: viser.GuiInputHandle, change: Callable[[Any], None]) -> None:
        """Request a change to a control's value when a browser, not the page, operates it."""

        async def updated(event: viser.GuiEvent) -> None:
            if event.client_id is not None:
                self._ask(partial(change, control.value))

        control.on_update(updated)

    def _on_submit(self, form: viser.GuiFormHandle) -> None:
        async def submitted(_: viser.GuiEvent) -> None:
            self._ask(partial(self._steer_whole, self._whole.value))
            self._whole.value = ""

        form.on_submit(submitted)

    def _on_press(self, subscribe: Callable[[Any], Any], name: str | None = None) -> None:
        """Request what a key or a button stands for; a button of a group says it by its value."""

        async def pressed(event: Any) -> None:
            action = ACTIONS.get(name or event.target.value)
            if action is not None:  # a browser may send anything
                self._ask(partial(action, self._live))

        subscribe(pressed)

    def _ask(self, change: Callable[[], None]) -> None:
        self._asked += 1
        self._asked_at = time.monotonic()
        self._live.request(partial(self._carry_out, change))

    def _carry_out(self, change: Callable[[], None]) -> None:
        try:
            change()
        except (ValueError, OSError) as problem:
            for client in self._server.get_clients().values():
                client.add_notification("Not done", str(problem), color="red")
        self._done += 1
        self._loop.call_soon_threadsafe(self.show_command)

    def show(self) -> None:
        """Bring the controls up to date with the simulation; called in its thread."""
        self._show_status()
        self._loop.call_soon_threadsafe(self._refresh)

    def _refresh(self) -> None:
        self.show_command()
        settled = self._asked_at and time.monotonic() - self._asked_at > SETTLED
        if settled and self._done == self._asked:
            self.settle()

    def show_command(self) -> None:
        """Set the controls to what is in force, unless there is something left to be done."""
        if self._done != self._asked:
            return
        for axis, slider in self.sliders.items():
            slider.value = float(self._live.command[axis])
        self._schedule.value, self._agent.value = self._live.scheduled, self._live.agent
        if self._gait is not None:
            self._gait.value = self._asked_gait()

    def settle(self) -> None:
        """Send the command again, lest a browser shows what it crossed on its way here."""
        self._asked_at = 0.0
        with self._server.atomic():
            for slider in self.sliders.values():
                slider.value += 1e-9  # viser sends no value that it has sent before
            self.show_command()

    def _show_status(self) -> None:
        live = self._live
        state = "paused" if live.paused else f"{live.speed:g} × real time"
        text = f"{live.time:.1f} s, {state}, falls: {live.falls}"
        if live.env.state.has_velocity_command:
            text += f", gait: {live.gait}"
        if text != self._text:
            self._status.content = self._text = text

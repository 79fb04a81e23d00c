"""The web page in a real browser, and the server against odd clients."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import viser
import websockets
import zstandard

import play
from envs.mdp.starts import NOMINAL
from envs.show import web
from envs.show.live import Live
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import QUIET, task

ROOT = Path(__file__).parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Software rendering, and nothing sent to anywhere."""
PLOTTED = """() => Math.max(...Object.values(window.__viserTestpoints?.uplots ?? {})
    .filter(plot => plot.chart.series[2]?.label === "actual")
    .map(plot => plot.chart.data[2].at(-1)))"""
"""The largest of the velocities that the page plots last."""
PATIENCE = 120.0
"""What a browser without a GPU may need on a busy machine (s)."""


def walking(command: tuple[float, float, float] | None) -> Live:
    """Return the small walking policy that comes with the code, under a command or on schedule."""
    options = play.Play(str(ROOT / "policies" / "walk.pt"), web=True)
    agents, first = play.live_agents(options, play.find_subject(options))
    environment = LocomotionVectorEnv(
        1, config=task(start=NOMINAL, randomization=QUIET, episode_length=1e6)
    )
    return Live(environment, agents, first, seed=0, command=command)


@pytest.fixture(scope="module")
def live() -> Live:
    return walking((0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def page(live: Live) -> Iterator[web.Page]:
    """The page, served from a thread while the test looks at it."""
    page, end = web.Page(live, "127.0.0.1", 0), threading.Event()
    loop = threading.Thread(target=live.run, args=(page.show, lambda: not end.is_set()))
    page.server.scene.configure_default_lights(cast_shadow=False)  # cheaper without a GPU
    loop.start()
    yield page
    alive = loop.is_alive()
    end.set()
    loop.join()
    page.close()
    assert alive, "the simulation ended"


@pytest.fixture
def browser(page: web.Page) -> Iterator[Any]:
    """A page of a headless Chromium that shows it, and whatever its console said."""
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium (apt-get install chromium)")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = chromium.new_page(viewport={"width": 900, "height": 500}, device_scale_factor=0.25)
        tab.set_default_timeout(1000 * PATIENCE)
        tab.goto(f"http://127.0.0.1:{page.port}")
        tab.get_by_text("real time").wait_for()
        yield tab
        chromium.close()


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


@pytest.mark.alone
@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_steers_the_robot(browser: Any, live: Live) -> None:
    vx = browser.locator("input[inputmode=decimal]").first
    vx.fill("0.5")
    until(lambda: live.command[0] == 0.5, "the typed command is in force")
    until(lambda: live.velocity[0] > 0.3 and live.position[0] > 0.3, "the robot walks")
    until(lambda: browser.evaluate(PLOTTED) > 0.3, "the browser plots its speed")

    vx.blur()  # keys of a text field are not the robot's
    for _ in range(2):
        browser.keyboard.press("u")
    until(lambda: live.command.tolist() == [0.5, 0.0, 0.24], "keys turn it")

    browser.get_by_role("button", name="Pause").dispatch_event("click")
    until(lambda: live.paused, "it pauses")
    steps = live.steps
    browser.get_by_role("button", name="Step").dispatch_event("click")
    until(lambda: live.steps == steps + 1, "it takes a step")
    browser.locator("input[role=combobox][value=walk]").dispatch_event("click")
    browser.get_by_role("option", name="zero").dispatch_event("click")
    until(lambda: live.agent == "zero", "another policy acts")


def test_commands_hold_against_the_schedule_that_they_end() -> None:
    live = walking(None)
    live.step()
    page = web.Page(live, "127.0.0.1", 0)
    sliders = page.controls.sliders
    for axis, value in ((0, 0.2), (0, 0.3), (1, -0.1)):  # as messages of a browser do
        sliders[axis]._impl.value = value
        event = viser.GuiEvent(client=None, client_id=1, target=sliders[axis])
        sliders[axis]._impl.update_cb[0](event)
    page.controls.show_command()  # the schedule goes on before the loop gets to the requests
    assert sliders[0].value == live.command[0] == 0.5
    live._serve(due=0.0)
    page.controls.settle()
    page.close()
    assert [slider.value for slider in sliders.values()] == [0.3, -0.1, 0.0]
    assert (live.command.tolist(), live.scheduled) == ([0.3, -0.1, 0.0], False)


@pytest.mark.slow
def test_a_browser_is_sent_the_command_again(
    page: web.Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    wire = page.server._websock_server
    monkeypatch.setattr(wire, "queue_message", lambda message: sent.append(vars(message)))
    page.controls.settle()
    last = {message["uuid"]: message["updates"] for message in sent if "updates" in message}
    for axis, slider in page.controls.sliders.items():
        assert last[slider._impl.uuid]["value"] == page._live.command[axis]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 200),
        ("/../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("//etc/passwd", 404),
        ("/..%5c..%5cetc/passwd", 404),
        ("/%252e%252e/etc/passwd", 404),
        ("/assets/..%2f..%2f..%2f..%2fetc%2fpasswd?v=1", 404),
        ("/%00", 404),
        ("/" + "a" * 5000, 500),
        ("/ HTTP/1.1\r\nHost: \x00\xff", None),
    ],
)
def test_it_serves_its_own_page_alone(target: str, status: int | None, page: web.Page) -> None:
    answer = ask(page.port, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode("latin1"))
    assert b"root:" not in answer
    assert status is None or answer.startswith(b"HTTP/1.1 %d " % status)
    assert ask(page.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 101),
        (None, 101),
        ("http://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("null", 403),
        ("//[", 500),
    ],
)
def test_pages_of_other_sites_are_refused(origin: str | None, status: int, page: web.Page) -> None:
    head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nConnection: Upgrade\r\n"
    head += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    head += f"Sec-WebSocket-Protocol: viser-v{viser.__version__}\r\n"
    head += f"Origin: {origin.format(port=page.port)}\r\n" if origin else ""
    assert ask(page.port, f"{head}\r\n".encode()).startswith(b"HTTP/1.1 %d " % status)


def test_it_listens_on_this_computer_alone(page: web.Page) -> None:
    """Linux answers on all of 127/8, and a server on every address would, too."""
    if sys.platform != "linux":
        pytest.skip("only Linux has 127.0.0.2")
    assert play.Play("x", web=True).host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", page.port), timeout=PATIENCE)


def ask(port: int, request: bytes) -> bytes:
    """What the server answers, up to 1 kB."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        with suppress(ConnectionError):
            return connection.recv(1024)
    return b""


def test_it_survives_whatever_a_client_sends(page: web.Page, live: Live) -> None:
    asyncio.run(_pester(page.port))
    assert np.isfinite([*live.command, live.speed, live.push_speed]).all()
    live.request(live.reset)
    until(lambda: live.steps > 0 and live.env.state.base_height[0] > 0.4, "the robot stands")


async def _pester(port: int) -> None:
    """Send nonsense in every way that viser's clients talk, and for every control."""
    encode, uri = msgspec.msgpack.encode, f"ws://127.0.0.1:{port}"
    protocol = [websockets.Subprotocol(f"viser-v{viser.__version__}")]
    camera = {"wxyz": [1.0, 0.0, 0.0, 0.0], "fov": 1.0, "near": 0.1, "far": 9.0}
    camera |= {name: [1.0, 2.0, 3.0] for name in ("position", "look_at", "up_direction")}
    camera |= {"type": "ViewerCameraMessage", "image_height": 9, "image_width": 9}
    for junk in ("text", b"\xff\xff", encode([1]), encode({"type": "Nonsense"}), b""):
        async with websockets.connect(uri, subprotocols=protocol, max_size=None) as client:
            await client.send(junk)
    async with websockets.connect(uri, subprotocols=protocol, max_size=None) as client:
        await client.send(encode(camera))
        known = await asyncio.wait_for(_controls(client), PATIENCE)
        for uuid in known:
            for value in (np.nan, np.inf, -1e300, "nonsense", None, [1], {}):
                update = {"type": "GuiUpdateMessage", "uuid": uuid, "updates": {"value": value}}
                await client.send(encode(update))
        await client.send(encode({"type": "ShareUrlRequest"}))
        await asyncio.wait_for(client.ping(), PATIENCE)
    async with websockets.connect(uri) as client:  # not viser's
        await client.wait_closed()


async def _controls(client: websockets.ClientConnection) -> list[str]:
    """Read from the server until it has named its buttons; return the controls' ids."""
    found: list[str] = []
    while True:
        data = await client.recv()
        assert isinstance(data, bytes)
        size = int.from_bytes(data[8:16], "little")
        unpacked = zstandard.ZstdDecompressor().decompress(data[16 : 16 + size])
        for message in msgspec.msgpack.decode(unpacked)["messages"]:
            if message["type"].startswith("Gui") and "value" in message:
                found.append(message["uuid"])
            if (
                message["type"] == "GuiButtonGroupMessage"
                and "Reset" in message["props"]["options"]
            ):
                return found


@pytest.mark.slow
def test_ctrl_c_ends_it_and_a_taken_port_is_named() -> None:
    stand = ["trot/AnymalStand-v0", "--agent", "zero", "--web", "--port"]
    command = [sys.executable, "play.py", *stand]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 - nohup ignores it
    with (
        subprocess.Popen([*command, "0"], cwd=ROOT, preexec_fn=heard, **streams) as process,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(process.kill)
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+) ", process.stdout.readline())
        assert found is not None
        assert f"ssh -L {found[1]}:" in process.stdout.readline()
        with pytest.raises(ValueError, match="choose another --port"):
            play.main([*stand, found[1]])
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stdout.read() == ""

"""The web page in a real browser, and the server against odd clients."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
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
from envs.show.web.controls import KEYS
from envs.show.web.document import STOP_KEY, document
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
VISER = [websockets.Subprotocol(f"viser-v{viser.__version__}")]
ENCODE = msgspec.msgpack.encode
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
    legend = browser.locator(".u-series", has_text="command").locator(".u-value").first
    until(lambda: legend.inner_text() == "0.5", "the legend says the latest value")

    vx.blur()  # keys of a text field are not the robot's
    for _ in range(2):
        browser.keyboard.press("u")
    until(lambda: live.command.tolist() == [0.5, 0.0, 0.24], "keys turn it")

    browser.get_by_role("button", name="Pause").dispatch_event("click")
    until(lambda: live.paused, "it pauses")
    steps = live.steps
    browser.get_by_role("button", name="Step").dispatch_event("click")
    until(lambda: live.steps == steps + 1, "it takes a step")
    assert not browser.locator("#trot-loading").count()
    assert browser.title() == "walk · anymal_c · Trot"
    browser.get_by_role("button", name="Stop").dispatch_event("click")
    until(lambda: not live.command.any(), "Stop makes it stand")

    browser.locator("input[role=combobox][value=walk]").dispatch_event("click")
    browser.get_by_role("option", name="zero").dispatch_event("click")
    until(lambda: live.agent == "zero", "another policy acts")


@pytest.mark.slow
def test_a_command_ends_the_schedule_whole_and_is_not_overwritten_by_it() -> None:
    live = walking(None)
    while live.command.tolist() != [0.6, 0.0, 0.72]:  # the schedule's third
        live.steps += 25
        live.step()
    page = web.Page(live, "127.0.0.1", 0)
    sliders = page.controls.sliders
    operate(page, sliders[0], 0.2)
    operate(page, sliders[0], 0.3)
    catch_up(page)  # the schedule goes on before the loop gets to the requests
    assert sliders[0].value == 0.3
    live._serve(due=0.0)
    catch_up(page)
    assert live.command.tolist() == [0.3, 0.0, 0.0]
    operate(page, sliders[1], -0.1)
    live._serve(due=0.0)
    catch_up(page)
    page.close()
    assert [slider.value for slider in sliders.values()] == [0.3, -0.1, 0.0]
    assert (live.command.tolist(), live.scheduled) == ([0.3, -0.1, 0.0], False)


def operate(page: web.Page, control: viser.GuiInputHandle, value: float) -> None:
    """Do in viser's thread what a browser's message does."""
    event = viser.GuiEvent(client=None, client_id=1, target=control)

    async def receive() -> None:
        control._impl.value = value
        for told in control._impl.update_cb:
            await told(event)  # type: ignore

    asyncio.run_coroutine_threadsafe(receive(), page.server.get_event_loop()).result(PATIENCE)


def catch_up(page: web.Page) -> None:
    """Let the page show what is in force."""
    page.controls.show()
    loop = page.server.get_event_loop()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(PATIENCE)


@pytest.mark.slow
def test_all_entries_typed_are_one_command_and_the_last_message_holds(
    page: web.Page, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    steered: list[list[float]] = []
    steer = live.steer
    monkeypatch.setattr(live, "steer", lambda c: (steered.append(c.tolist()), steer(c)))
    asyncio.run(_type(page.port, "0.5, 0.1 -0.3"))
    until(lambda: live.command.tolist() == [0.5, 0.1, -0.3], "the typed command is in force")
    assert steered == [[0.5, 0.1, -0.3]]
    for wrong in ("0.5 0.1", "0.5 a 0.3", ""):
        with pytest.raises(ValueError, match="it must be 3 numbers"):
            page.controls._steer_whole(wrong)
    speeds = [round(-1 + i / 50, 2) for i in range(100)]
    asyncio.run(_drag(page.port, speeds))
    until(lambda: len(steered) > len(speeds), "all messages have come")
    assert [command[0] for command in steered[1:]] == speeds


async def _type(port: int, text: str) -> None:
    async with connected(port) as (client, controls):
        (field,) = (c["uuid"] for c in controls if c["type"] == "GuiTextMessage")
        (form,) = (c["uuid"] for c in controls if c["type"] == "GuiFormMessage")
        await client.send(update(field, text))
        await client.send(ENCODE({"type": "GuiFormSubmitMessage", "uuid": form}))
        await asyncio.wait_for(await client.ping(), PATIENCE)


async def _drag(port: int, values: list[float]) -> None:
    async with connected(port) as (client, controls):
        first = next(c["uuid"] for c in controls if c["type"] == "GuiSliderMessage")
        for value in values:
            await client.send(update(first, value))
        await asyncio.wait_for(await client.ping(), PATIENCE)


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


@pytest.mark.slow
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


def test_the_tab_says_what_walks_and_the_page_that_it_loads(page: web.Page) -> None:
    for packed in ({}, {"Accept-Encoding": "gzip"}):
        request = urllib.request.Request(f"http://127.0.0.1:{page.port}/?darkMode", headers=packed)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            body = answer.read()
            assert answer.headers.get("Content-Encoding") == packed.get("Accept-Encoding")
        text = (gzip.decompress(body) if packed else body).decode()
        assert "<title>walk · anymal_c · Trot</title>" in text
        assert "Loading anymal_c</div>" in text
    named = document("<b>", "a & b")
    assert "<title>&lt;b&gt;</title>" in named
    assert "Loading a &amp; b</div>" in named


def test_the_stop_button_s_key_makes_the_robot_stand() -> None:
    assert KEYS[STOP_KEY.upper()] == "Stand"


def test_a_page_is_small(page: web.Page) -> None:
    assert 1e6 < sent_meshes(page) < 4e6


def sent_meshes(page: web.Page) -> int:
    """Bytes of the meshes and their textures that each browser is sent."""
    messages = page.server._websock_server._broadcast_buffer.message_from_id.values()
    props = (getattr(message, "props", None) for message in messages)
    return sum(len(getattr(prop, "glb_data", b"")) for prop in props)


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
    for junk in ("text", b"\xff\xff", ENCODE([1]), ENCODE({"type": "Nonsense"}), b""):
        async with websockets.connect(f"ws://127.0.0.1:{port}", subprotocols=VISER) as client:
            await client.send(junk)
    async with connected(port) as (client, controls):
        for uuid in (control["uuid"] for control in controls if "value" in control):
            for value in (np.nan, np.inf, -1e300, "nonsense", None, [1], {}):
                await client.send(update(uuid, value))
        await client.send(ENCODE({"type": "ShareUrlRequest"}))
        await asyncio.wait_for(client.ping(), PATIENCE)
    async with websockets.connect(f"ws://127.0.0.1:{port}") as client:  # not viser's
        await client.wait_closed()


def update(uuid: str, value: Any) -> bytes:
    """What a browser sends when a control is operated."""
    return ENCODE({"type": "GuiUpdateMessage", "uuid": uuid, "updates": {"value": value}})


@contextlib.asynccontextmanager
async def connected(
    port: int,
) -> AsyncIterator[tuple[websockets.ClientConnection, list[dict[str, Any]]]]:
    """A client that talks as a browser does, and the messages that made its controls."""
    camera = {"wxyz": [1.0, 0.0, 0.0, 0.0], "fov": 1.0, "near": 0.1, "far": 9.0}
    camera |= {name: [1.0, 2.0, 3.0] for name in ("position", "look_at", "up_direction")}
    camera |= {"type": "ViewerCameraMessage", "image_height": 9, "image_width": 9}
    uri = f"ws://127.0.0.1:{port}"
    async with websockets.connect(uri, subprotocols=VISER, max_size=None) as client:
        await client.send(ENCODE(camera))
        yield client, await asyncio.wait_for(_controls(client), PATIENCE)


async def _controls(client: websockets.ClientConnection) -> list[dict[str, Any]]:
    """Read from the server until it has named its buttons; return the controls' messages."""
    found: list[dict[str, Any]] = []
    while True:
        data = await client.recv()
        assert isinstance(data, bytes)
        size = int.from_bytes(data[8:16], "little")
        unpacked = zstandard.ZstdDecompressor().decompress(data[16 : 16 + size])
        for message in msgspec.msgpack.decode(unpacked)["messages"]:
            if message["type"].startswith("Gui") and "props" in message:
                found.append(message)
                if "Reset" in message["props"].get("options", ()):
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

"""Rendering: the backend's choice, what is drawn where, and that it changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from envs.render import gl, overlay, renderer, velocities
from envs.render.camera import TrackingCamera, reach
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.terrain import Flat, Slope, Terrain, add_plane
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import quiet

ROOT = Path(__file__).parents[3]
SIZE = (160, 120)
LEGS = ("LF", "RF", "LH", "RH")
FLAT = Flat().height
REACH = 0.5


@dataclass(frozen=True)
class Plateau(Terrain):
    """A plane 8 m above the origin."""

    name: ClassVar[str] = "plateau"

    def attach(self, spec: mujoco.MjSpec) -> None:
        add_plane(spec).pos = [0, 0, 8]

    def height(self, position: np.ndarray) -> np.ndarray:
        return np.full(position.shape[:-1], 8.0)


@pytest.fixture
def headless(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A Linux machine without a display and without a choice of backend."""
    monkeypatch.setattr(gl.sys, "platform", "linux")
    steering = [name for name in os.environ if any(word in name for word in gl._STEERING)]
    names = ("MUJOCO_GL", "DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "PYOPENGL_PLATFORM")
    for name in (*names, *steering):
        monkeypatch.setenv(name, "")  # so that what a test sets is undone, too
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_frames_show_each_simulation_and_leave_it_alone() -> None:
    watched = LocomotionVectorEnv(2, render_mode="rgb_array", render_size=SIZE)
    alone = LocomotionVectorEnv(2)
    for env in (watched, alone):
        env.reset(seed=0)
    action = np.stack([np.zeros(12), np.ones(12)])
    for _ in range(5):
        watched.render()
        np.testing.assert_array_equal(watched.step(action)[0], alone.step(action)[0])
    frames = watched.render()
    watched.close()
    assert frames is not None
    assert [frame.shape for frame in frames] == [(120, 160, 3)] * 2
    assert all(frame.dtype == np.uint8 and frame.std() > 20 for frame in frames)
    assert np.abs(frames[0].astype(int) - frames[1]).max() > 100


def test_without_a_render_mode_there_is_no_frame() -> None:
    env = LocomotionVectorEnv(1)
    env.reset(seed=0)
    assert env.render() is None


def test_arrow_points_where_the_robot_goes_and_arcs_where_it_turns() -> None:
    model = mujoco.MjModel.from_xml_string("<mujoco/>")
    drawn = mujoco.MjvScene(model, 100)
    base, north = np.array([2.0, 3.0, 0.5]), np.pi / 2
    command, still = np.array([1.0, 0.0, 0.0]), np.zeros(3)
    velocities.draw_velocities(drawn, base, north, command, still, FLAT, REACH)
    assert drawn.ngeom == 1
    arrow = drawn.geoms[0]
    np.testing.assert_allclose(arrow.mat[:, 2], [0.0, 1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(arrow.mat[:, 1], [0.0, 0.0, 1.0], atol=1e-6)
    assert arrow.size[1] < arrow.size[0]  # flat on the ground
    np.testing.assert_allclose(arrow.rgba[:3], overlay.COMMANDED, atol=1e-6)
    velocities.draw_velocities(drawn, base, north, still, np.array([0, 0, 1.0]), FLAT, REACH)
    arcs = [drawn.geoms[i] for i in range(1, drawn.ngeom)]
    heads = [geom for geom in arcs if geom.type == mujoco.mjtGeom.mjGEOM_ARROW]
    # To the left of a robot that looks north a left turn leads south, to its right north.
    assert [head.pos[0] < 2.0 for head in heads] == [True, False]
    assert [head.mat[1, 2] < 0.0 for head in heads] == [True, False]
    np.testing.assert_allclose(heads[0].rgba[:3], overlay.ACTUAL, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_an_arrow_is_drawn_as_long_as_it_is() -> None:
    """Seen from above, from its tail to its tip: MuJoCo draws its own arrows half as long."""
    lengths = []
    for speed in (0.5, 1.0):
        command, still = np.array([speed, 0.0, 0.0]), np.zeros(3)
        ((start, end, *_),) = velocities.velocity_strokes(
            np.zeros(3), 0.0, command, still, FLAT, REACH
        )
        lit = np.flatnonzero(green_from_above(command).any(axis=0))
        lengths.append((np.ptp(lit) + 1) / np.linalg.norm(end - start))
    assert lengths == pytest.approx([100.0, 100.0], abs=6.0)  # 100 pixels a metre


def green_from_above(command: np.ndarray) -> np.ndarray:
    """Return which pixels show a commanded velocity's strokes, 100 a metre, seen from above."""
    light = "<light pos='0 0 9' dir='0 0 -1'/>"
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{light}</worldbody></mujoco>")
    model.vis.global_.offwidth = model.vis.global_.offheight = 400
    data, camera = mujoco.MjData(model), mujoco.MjvCamera()
    mujoco.mj_forward(model, data)
    camera.elevation, camera.azimuth = -90, 90
    camera.distance = 2 / np.tan(np.radians(45 / 2))  # 4 m are seen
    context_gl, context = renderer.contexts(model, 400, 400)
    view, pixels = mujoco.MjrRect(0, 0, 400, 400), np.empty((400, 400, 3), np.uint8)
    drawn, every = mujoco.MjvScene(model, 100), mujoco.mjtCatBit.mjCAT_ALL.value
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, camera, every, drawn)
    velocities.draw_velocities(drawn, np.zeros(3), 0.0, command, np.zeros(3), FLAT, REACH)
    mujoco.mjr_render(view, drawn, context)
    mujoco.mjr_readPixels(pixels, None, view, context)
    context.free()
    context_gl.free()
    return pixels[..., 1] > 100


def test_camera_follows_smoothly_from_the_front_and_jumps_after_a_reset() -> None:
    tracking = TrackingCamera(dt=0.02, reach=1.0)
    tracking.follow(np.zeros(3), 0.0)
    azimuth = np.radians(tracking.camera.azimuth)
    assert np.cos(azimuth) < -0.5  # looks against the heading
    tracking.follow(np.array([0.1, 0.0, 0.0]), 0.0)
    assert 0.0 < tracking.camera.lookat[0] < 0.05
    for _ in range(300):
        tracking.follow(np.array([0.1, 0.0, 0.0]), 0.0)
    assert tracking.camera.lookat[0] == pytest.approx(0.1, abs=1e-6)
    tracking.follow(np.array([50.0, 0.0, 2.0]), 0.0)
    assert tracking.camera.lookat.tolist() == [50.0, 0.0, 2.2]


def test_a_small_robot_fills_the_picture_as_a_large_one_does() -> None:
    """All that is drawn is as large as the robot."""
    model = scene.build(get_robot("anymal_c"), scene.Simulation(), PD())
    large = reach(model, get_robot("anymal_c"))
    assert large == pytest.approx(0.72, abs=0.01)  # from the base's centre to a foot
    for size in (large, large / 3):
        tracking = TrackingCamera(dt=0.02, reach=size)
        tracking.follow(np.zeros(3), 0.0)
        assert tracking.camera.distance / size == pytest.approx(3.2)
        assert tracking.camera.lookat[2] / size == pytest.approx(0.2)
        strokes = velocities.velocity_strokes(np.zeros(3), 0.0, np.ones(3), np.zeros(3), FLAT, size)
        points = np.array([point for start, end, *_ in strokes for point in (start, end)])
        assert np.abs(points).max() / size == pytest.approx(1.27, abs=0.01)


def test_arrows_and_arcs_lie_on_the_ground_side_by_side() -> None:
    """A slope of 45 degrees along x: the ground is as high as x."""
    base, turning, forward = np.array([2.0, 3.0, 2.5]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0])
    ground = Slope(np.pi / 4).height

    def points(command: np.ndarray, actual: np.ndarray) -> np.ndarray:
        strokes = velocities.velocity_strokes(base, 0.0, command, actual, ground, REACH)
        return np.array([point for start, end, *_ in strokes for point in (start, end)])

    arcs = points(turning, np.zeros(3))
    np.testing.assert_allclose(arcs[:, 2], arcs[:, 0] + 0.01)
    np.testing.assert_allclose(np.hypot(*(arcs - base)[:, :2].T), 0.55)
    np.testing.assert_allclose(arcs[0], [2.0, 3.55, 2.01])
    left, right = points(forward, np.zeros(3)), points(np.zeros(3), forward)
    np.testing.assert_allclose(left[:, 0], [2.425, 2.675])
    np.testing.assert_allclose(left[:, 2], left[:, 0] + 0.01)
    assert left[0, 1] > 3.05 > 2.95 > right[0, 1]  # neither hides the other


@pytest.mark.parametrize(
    "velocity", [(1.0, 0.0), (-1.0, 0.0), (0.0, 0.4), (0.0, -0.4), (-0.6, 0.4)]
)
def test_arrows_lie_before_the_robot_wherever_it_goes(velocity: tuple[float, float]) -> None:
    """A camera before the robot sees them all: behind it, or at its far side, it hides them."""
    command = np.array([*velocity, 0.0])
    strokes = velocities.velocity_strokes(np.zeros(3), 0.0, command, command, FLAT, 1.0)
    for start, end, *_ in strokes:
        np.testing.assert_allclose((end - start)[:2], 0.5 * command[:2], atol=1e-9)
        assert min(start[0], end[0]) > 0.7  # its feet and its head end there


@pytest.mark.parametrize("aspect", [16 / 9, 4 / 3, 8 / 9, 1 / 2])
@pytest.mark.parametrize("yaw_rate", [-1.2, 0.0, 1.2])
def test_no_arrow_is_cut_at_the_edge_of_a_frame(aspect: float, yaw_rate: float) -> None:
    """At 1 m/s, also where a turn brings the robot to walk towards the camera."""
    tracking, size = TrackingCamera(dt=0.02, reach=0.72, aspect=aspect), 0.72
    position, heading, command = np.zeros(3), 0.0, np.array([1.0, 0.0, yaw_rate])
    for _ in range(200):
        heading += 0.02 * yaw_rate
        position += 0.02 * np.array([np.cos(heading), np.sin(heading), 0.0])
        tracking.follow(position, heading)
    camera = tracking.camera
    strokes = velocities.velocity_strokes(position, heading, command, command, FLAT, size)
    points = np.array([point for start, end, *_ in strokes for point in (start, end)])
    turn = Rotation.from_euler("ZY", [camera.azimuth, -camera.elevation], degrees=True)
    depth, across, up = turn.inv().apply(points - camera.lookat).T
    half = np.tan(np.radians(45 / 2)) * (camera.distance + depth)  # MuJoCo's view is 45 deg high
    assert (np.abs(up) < half).all()
    assert (np.abs(across) < aspect * half).all()


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_a_robot_on_high_ground_looks_as_on_low_ground() -> None:
    """Edges may, and so does the far ground at the top, where no robot is."""
    frames = []
    for ground in (Flat(), Plateau()):
        env = LocomotionVectorEnv(
            1, config=quiet(terrain=ground), render_mode="rgb_array", render_size=SIZE
        )
        env.reset(seed=0)
        env.set_command(np.array([0.0, 0.0, 1.0]))
        shown = env.render()
        env.close()
        assert shown is not None
        frames.append(shown[0][SIZE[1] * 2 // 5 :].astype(int))
    assert np.mean(np.abs(frames[0] - frames[1]) > 8) < 0.01


def test_overlay_writes_in_its_corners_only() -> None:
    blank, stance = np.zeros((240, 320, 3), np.uint8), np.zeros((4, 100), bool)
    stance[1, -50:] = True
    written = overlay.write_overlay(blank, np.ones(3), -np.ones(3), 1.5, stance, LEGS)
    assert written[:40].any()
    assert not written[60:180].any()
    assert not written[:, 160:].any()
    assert not blank.any()


def test_a_tile_too_small_for_the_overlay_shows_the_robot_alone() -> None:
    for width, height, written in ((200, 140, True), (200, 138, False), (198, 140, False)):
        blank = np.zeros((height, width, 3), np.uint8)
        frame = overlay.write_overlay(blank, np.ones(3), np.ones(3), 1.0, np.ones((4, 9)), LEGS)
        assert frame.any() == written


@pytest.mark.parametrize(("width", "height"), [(480, 270), (640, 360), (640, 720), (1280, 720)])
def test_letters_are_legible_and_leave_the_robot_room(width: int, height: int) -> None:
    blank = np.zeros((height, width, 3), np.uint8)
    written = overlay.write_overlay(blank, np.ones(3), np.ones(3), 1.0, np.ones((4, 9)), LEGS)
    panel = np.flatnonzero(written[: height // 2].any(axis=(1, 2)))
    assert np.ptp(panel) > 40  # three lines
    assert not written[:, width // 2 :].any()


@pytest.mark.parametrize(("width", "height"), [(480, 270), (1280, 720)])
def test_the_longest_gait_stays_on_its_panel(width: int, height: int) -> None:
    blank = np.zeros((height, width, 3), np.uint8)
    told = "gait: irregular, asked: transverse gallop"
    args = np.ones(3), np.ones(3), 1.0, np.ones((4, 9)), LEGS
    written = overlay.write_overlay(blank, *args, told)
    bare = overlay.write_overlay(blank, *args, "gait: trot")
    ends = [np.flatnonzero(frame.any(axis=(0, 2)))[-1] for frame in (written, bare)]
    assert ends[0] == ends[1]  # the panel's edge


def test_a_tile_of_a_grid_has_a_small_label_alone() -> None:
    blank = np.zeros((240, 426, 3), np.uint8)
    written = overlay.write_overlay(blank, np.ones(3), np.ones(3), 1.0, np.ones((4, 9)), LEGS)
    rows, columns = (np.flatnonzero(written.any(axis=axes)) for axes in ((1, 2), (0, 2)))
    assert 20 < rows[-1] < 40  # two lines
    assert columns[-1] < 426 // 4


@pytest.mark.parametrize("size", [(180, 320), (240, 426)])
def test_a_minus_begins_where_a_plus_does(size: tuple[int, int]) -> None:
    blank, stance = np.zeros((*size, 3), np.uint8), np.ones((4, 9))
    first = []
    for sign in (1.0, -1.0):
        written = overlay.write_overlay(blank, np.full(3, sign), np.zeros(3), 0.0, stance, LEGS)
        lit = (written.max(axis=2) > 60)[: size[0] // 15]  # the command's line
        first.append(np.flatnonzero(lit.any(axis=0))[0])
    assert abs(first[1] - first[0]) <= 1


def test_overlay_shows_each_stance_in_its_row_and_time() -> None:
    blank, stance = np.zeros((720, 1280, 3), np.uint8), np.zeros((4, 100), bool)
    stance[0], stance[2, 50:] = True, True
    written = overlay.write_overlay(blank, np.zeros(3), np.zeros(3), 0.0, stance, LEGS)
    bars = (written == overlay.STANCE).all(axis=2)
    rows = np.flatnonzero(bars.any(axis=1))
    (gap,) = np.flatnonzero(np.diff(rows) > 1)
    always, later = bars[rows[gap]], bars[rows[-1]]
    assert later.sum() == pytest.approx(always.sum() / 2, abs=1)
    assert np.flatnonzero(later)[-1] == np.flatnonzero(always)[-1]


@pytest.mark.parametrize("legs", [("left", "right"), ("L1", "R1", "L2", "R2", "L3", "right hind")])
def test_every_leg_has_its_row_beside_its_name(legs: tuple[str, ...]) -> None:
    """Each leg in turn is down for its share of the time."""
    n, blank = len(legs), np.zeros((720, 1280, 3), np.uint8)
    stance = np.repeat(np.eye(n, dtype=bool), 60 // n, axis=1)
    written = overlay.write_overlay(blank, np.zeros(3), np.zeros(3), 0.0, stance, legs)[360:]
    bars = (written == overlay.STANCE).all(axis=2)
    rows = np.flatnonzero(bars.any(axis=1))
    tops = rows[np.diff(rows, prepend=-9) > 1]
    starts, ends = zip(*(np.flatnonzero(bars[top])[[0, -1]] for top in tops), strict=True)
    assert len(tops) == n
    np.testing.assert_allclose(np.diff(starts), ends[0] + 1 - starts[0], atol=1)
    names = np.flatnonzero((written == 255).all(axis=2).any(axis=0))
    assert names[-1] < starts[0]
    assert ends[-1] < 640


def test_contact_history_scrolls_and_starts_anew_with_the_simulation() -> None:
    history = overlay.ContactHistory(dt=0.5, feet=2)
    history.add(np.array([True, False]), 0.0)
    history.add(np.array([False, True]), 0.5)
    history.add(np.array([True, True]), 0.5)  # the same moment rendered twice
    np.testing.assert_array_equal(history.pattern, [[0, 0, 1, 0], [0, 0, 0, 1]])
    history.add(np.array([True, True]), 0.0)
    np.testing.assert_array_equal(history.pattern, [[0, 0, 0, 1], [0, 0, 0, 1]])


@pytest.mark.parametrize("backend", ["egl", "osmesa", "glfw"])
def test_backend_of_the_user_is_kept_where_it_draws(
    backend: str, headless: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    headless.setenv("MUJOCO_GL", f" {backend.upper()}")
    headless.setattr(gl, "_works", lambda backend: True)
    assert gl.choose_backend() == gl.os.environ["MUJOCO_GL"] == backend
    assert capsys.readouterr().err == ""


def test_no_backend_is_chosen_where_the_user_wants_none(headless: pytest.MonkeyPatch) -> None:
    headless.setenv("MUJOCO_GL", "off")
    with pytest.raises(gl.OpenGLError, match="MUJOCO_GL=off rules rendering out"):
        gl.choose_backend()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISPLAY", "localhost:10.0"),
        ("DISPLAY", ""),
        ("WAYLAND_DISPLAY", "wayland-0"),
        ("MUJOCO_GL", "glfw"),
        ("MUJOCO_GL", "egl"),
        ("MUJOCO_GL", "nonsense"),
    ],
)
def test_what_cannot_draw_is_said_once_and_another_draws(
    name: str, value: str, headless: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    headless.setenv(name, value)
    headless.setattr(gl, "_works", lambda backend: backend == "osmesa")
    assert gl.choose_backend() == gl.choose_backend() == "osmesa"
    assert gl.os.environ["SDL_VIDEODRIVER"] == "dummy"
    assert capsys.readouterr().err == f"{name}={value} cannot draw; OSMesa draws instead\n"


def test_a_display_that_draws_is_drawn_on(headless: pytest.MonkeyPatch) -> None:
    headless.setenv("DISPLAY", ":0")
    headless.setattr(gl, "_works", lambda backend: True)
    assert gl.choose_backend() == "glfw"
    assert "SDL_VIDEODRIVER" not in gl.os.environ


@pytest.mark.slow
def test_a_display_that_is_gone_does_not_work(headless: pytest.MonkeyPatch) -> None:
    headless.setenv("DISPLAY", "localhost:10.0")
    assert not gl._works.__wrapped__("glfw")


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_an_error_of_mujoco_s_renderer_is_one_of_opengl(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise mujoco.FatalError("gladLoadGL error")

    monkeypatch.setattr(mujoco, "MjrContext", refuse)
    env = LocomotionVectorEnv(1, render_mode="rgb_array", render_size=SIZE)
    env.reset(seed=0)
    with pytest.raises(gl.OpenGLError, match="gladLoadGL error"):
        env.render()


def test_headless_tries_egl_then_osmesa(headless: pytest.MonkeyPatch) -> None:
    headless.setattr(gl, "_works", lambda backend: backend == "osmesa")
    assert gl.choose_backend() == "osmesa"
    assert gl.os.environ["MUJOCO_GL"] == "osmesa"


def test_headless_without_a_backend_names_the_packages(headless: pytest.MonkeyPatch) -> None:
    headless.setattr(gl, "_works", lambda backend, *_: False)
    with pytest.raises(gl.OpenGLError, match=r"libegl1.*libosmesa6"):
        gl.choose_backend()
    assert "MUJOCO_GL" not in gl.os.environ


@pytest.mark.parametrize(
    ("name", "value"),
    [("PYOPENGL_PLATFORM", "glx"), ("MUJOCO_EGL_DEVICE_ID", "9"), ("LIBGL_DRIVERS_PATH", "/gone")],
)
def test_a_variable_that_keeps_a_backend_from_drawing_is_named(
    name: str, value: str, headless: pytest.MonkeyPatch
) -> None:
    headless.setenv("EGL_LOG_LEVEL", "debug")  # does no harm
    headless.setenv(name, value)
    headless.setattr(gl, "_works", lambda backend, without=(): name in without)
    with pytest.raises(gl.OpenGLError, match=f"rendering while {name}={value} is set: unset it"):
        gl.choose_backend()


def test_mujoco_is_imported_without_a_backend_that_cannot_be_loaded(
    headless: pytest.MonkeyPatch,
) -> None:
    """The choice stays for when something is drawn, and nothing of the attempt does."""
    seen = []

    def load(name: str) -> None:
        seen.append(os.environ["MUJOCO_GL"])
        if seen[-1] == "osmesa":
            os.environ["PYOPENGL_PLATFORM"] = "osmesa"
            raise AttributeError("'NoneType' object has no attribute 'glGetError'")

    headless.setattr(gl.importlib, "import_module", load)
    headless.setattr(sys, "modules", sys.modules | {"OpenGL.platform": None, "OpenGL": None})
    headless.setenv("MUJOCO_GL", "osmesa")
    gl.import_mujoco()
    assert seen == ["osmesa", "disable"]
    assert os.environ["MUJOCO_GL"] == "osmesa"
    assert "PYOPENGL_PLATFORM" not in os.environ
    assert not [name for name in sys.modules if name.startswith("OpenGL")]


DRAWN = """
import envs
from envs.vector import LocomotionVectorEnv
env = LocomotionVectorEnv(1, render_mode="rgb_array", render_size=(64, 48))
env.reset(seed=0)
print("simulated", flush=True)
print(env.render()[0].std() > 20)
env.close()
"""


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_a_backend_that_there_is_not_keeps_nothing_from_work() -> None:
    environment = os.environ | {"MUJOCO_GL": "nonsense"}
    environment.pop("PYOPENGL_PLATFORM", None)
    command = [sys.executable, "-c", DRAWN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["simulated", "True"]
    assert done.stderr.count("MUJOCO_GL=nonsense cannot draw; ") == 1


def test_fast_arrows_stay_in_the_picture_and_keep_their_ratio() -> None:
    def lengths(commanded: float, actual: float) -> list[float]:
        pair = np.array([commanded, 0, 0]), np.array([actual, 0, 0])
        strokes = velocities.velocity_strokes(np.zeros(3), 0.0, *pair, FLAT, 1.0)
        return [float(np.linalg.norm(end - start)) for start, end, *_ in strokes]

    assert lengths(1.0, 0.5) == pytest.approx([0.5, 0.25])
    assert lengths(3.0, 1.0) == pytest.approx([0.75, 0.25])
    assert lengths(1.0, 3.0) == pytest.approx([0.25, 0.75])

"""The meshed original: same dynamics as our model, and one line when it cannot be had."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from envs.show import web
from envs.show.live import Live
from envs.vector import LocomotionVectorEnv
from robots import Collision, get_robot, menagerie, mjcf
from tests.robots import menagerie_stand_in
from tests.robots.helpers import in_nominal_pose, on_plane, pd_step

ABSENT = "0123456789" * 4


def trajectory(name: str, collision: Collision) -> np.ndarray:
    """Return qpos and qvel over a second of PD targets wild enough to make the robot fall."""
    robot = get_robot(name)
    model = on_plane(robot, collision)
    data = in_nominal_pose(robot, model, robot.nominal_height + 0.02)
    rng = np.random.default_rng(3)
    target, states = np.array(robot.nominal_pose), []
    for step in range(200):
        if step % 4 == 0:
            target = np.array(robot.nominal_pose) + rng.uniform(-1.5, 1.5, len(robot.joints))
        pd_step(robot, model, data, target)
        states.append(np.concatenate([data.qpos, data.qvel]))
    return np.array(states)


@pytest.mark.slow
def test_the_real_one_is_our_model_with_meshes(
    redirect: Callable[[str, str], Path], original: tuple[Path, str]
) -> None:
    repository, commit = original
    redirect(repository.as_uri(), commit)
    robot, ours = get_robot("anymal_c_menagerie"), get_robot("anymal_c").spec().compile()
    model = robot.spec().compile()
    assert model.nmesh > 10
    assert model.ntex > 10
    for name in (model.body(i).name for i in range(model.nbody)):
        for figure in ("mass", "inertia", "ipos", "pos"):
            mine, theirs = getattr(ours.body(name), figure), getattr(model.body(name), figure)
            np.testing.assert_allclose(theirs, mine, rtol=1e-9, atol=1e-12)
    for name in robot.joints:
        np.testing.assert_array_equal(model.joint(name).range, ours.joint(name).range)
    placed = in_nominal_pose(robot, model, robot.nominal_height)
    expected = in_nominal_pose(robot, ours, robot.nominal_height)
    for foot in robot.feet:
        np.testing.assert_allclose(placed.geom(foot).xpos, expected.geom(foot).xpos, atol=1e-9)
    meshed = trajectory("anymal_c_menagerie", "full")
    np.testing.assert_allclose(meshed, trajectory("anymal_c", "full"), rtol=0, atol=1e-8)


@pytest.mark.slow
def test_the_real_one_is_sent_to_browsers_in_seconds(
    redirect: Callable[[str, str], Path], original: tuple[Path, str]
) -> None:
    """3 MB take 2.4 s at 10 Mbit/s; with the textures as they come it would be 20 MB."""
    repository, commit = original
    redirect(repository.as_uri(), commit)
    environment = LocomotionVectorEnv(1, robot="anymal_c_menagerie")
    stand = {"zero": lambda: lambda observation: np.zeros((len(observation), 12))}
    page = web.Page(Live(environment, stand, "zero", seed=0), "127.0.0.1", 0)
    messages = page.server._websock_server._broadcast_buffer.message_from_id.values()
    props = (getattr(message, "props", None) for message in messages)
    sizes = [len(getattr(prop, "glb_data", b"")) for prop in props]
    page.close()
    assert sum(size > 0 for size in sizes) > 10
    assert sum(sizes) < 3e6


@pytest.mark.parametrize("description", ["go1", "go1_description", "anymal_c"])
def test_a_name_without_mjcf_is_refused_with_one_that_has_it(description: str) -> None:
    robot = description.removesuffix("_description")
    with pytest.raises(ValueError, match=rf"{description!r}.*no MJCF.*{robot}_mj_description"):
        menagerie.path(description)


def test_any_description_becomes_a_robot(menagerie_cache: Path) -> None:
    path = menagerie.path("anymal_c_mj_description")
    assert path.is_relative_to(menagerie_cache)
    known = get_robot("anymal_c")
    robot = mjcf.from_file(path, nominal_pose=known.nominal_pose)
    assert robot.joints == known.joints
    assert robot.spec().compile().nmesh == 1


def test_the_repository_is_the_one_that_the_description_stands_in(
    redirect: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    redirect("/nowhere/other.git", ABSENT)
    other = "https://github.com/unitreerobotics/unitree_mujoco.git"
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", other)
    with pytest.raises(ValueError, match=r"/nowhere/other.git.*full clone in unitree_mujoco/"):
        menagerie.path("aliengo_mj_description")


@pytest.mark.parametrize("collision", ["feet_and_body", "full"])
def test_moves_like_our_model(menagerie_cache: Path, collision: Collision) -> None:
    ours = trajectory("anymal_c", collision)
    meshed = trajectory("anymal_c_menagerie", collision)
    assert np.abs(np.diff(ours, axis=0)).max() > 0.1
    np.testing.assert_allclose(meshed, ours, rtol=0, atol=1e-8)


def test_keeps_its_meshes_wherever_it_is_compiled(
    menagerie_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = get_robot("anymal_c_menagerie").spec()
    monkeypatch.chdir(tmp_path)
    model = spec.compile()
    assert model.nmesh == 1
    assert model.ntex == 1


def test_needs_the_network_once(menagerie_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    get_robot("anymal_c_menagerie").spec()
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url./nowhere/.insteadOf")
    monkeypatch.delitem(sys.modules, "robot_descriptions.anymal_c_mj_description")
    get_robot("anymal_c_menagerie").spec()


def refusal() -> str:
    """Return the error's message, having checked its form."""
    with pytest.raises(ValueError, match="anymal_c_mj_description cannot be had") as caught:
        get_robot("anymal_c_menagerie").spec()
    message = str(caught.value)
    assert message.startswith("anymal_c_menagerie: ")
    assert "a full clone in mujoco_menagerie/" in message
    assert "--robot anymal_c works offline" in message
    assert "\n" not in message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return message


def test_no_network(redirect: Callable[[str, str], Path]) -> None:
    redirect("/nowhere/menagerie.git", ABSENT)
    assert "'/nowhere/menagerie.git' does not appear to be a git repository" in refusal()


@pytest.mark.slow
def test_silent_server(
    redirect: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(menagerie, "_REACH_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        redirect(f"git://127.0.0.1:{server.getsockname()[1]}/menagerie.git", ABSENT)
        assert "did not answer in 0.5 s" in refusal()


def test_no_git(menagerie_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not on PATH" in refusal()


def test_commit_that_the_menagerie_lacks(
    redirect: Callable[[str, str], Path], stand_in: tuple[Path, str]
) -> None:
    redirect(stand_in[0].as_uri(), ABSENT)
    assert ABSENT in refusal()


def test_cache_that_is_a_file(menagerie_cache: Path) -> None:
    menagerie_cache.write_text("not a folder")
    assert str(menagerie_cache) in refusal()


def test_clone_without_the_model(redirect: Callable[[str, str], Path], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    redirect(empty.as_uri(), menagerie_stand_in.commit(empty))
    assert "anymal_c.xml is missing, delete" in refusal()


@pytest.mark.parametrize("lost", ["part.obj", "shell.png"])
def test_clone_without_an_asset(menagerie_cache: Path, lost: str) -> None:
    get_robot("anymal_c_menagerie").spec()
    next(menagerie_cache.rglob(lost)).unlink()
    assert f"{lost} is missing, delete" in refusal()


def test_clone_with_a_broken_model(menagerie_cache: Path) -> None:
    get_robot("anymal_c_menagerie").spec()
    next(menagerie_cache.rglob("anymal_c.xml")).write_text("<mujoco>")
    assert "XML" in refusal()


def test_clone_with_a_broken_repository(
    menagerie_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_robot("anymal_c_menagerie").spec()
    monkeypatch.delitem(sys.modules, "robot_descriptions.anymal_c_mj_description")
    shutil.rmtree(next(menagerie_cache.rglob(".git")) / "objects")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url./nowhere/.insteadOf")
    refusal()

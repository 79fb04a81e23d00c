"""The meshed original: same dynamics as our model, and one line when it cannot be had."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from robots import Collision, get_robot, menagerie
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

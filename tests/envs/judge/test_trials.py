"""What a report's trials measure: errors by command, limits, pushes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs import tasks
from envs.judge import protocol, trials
from envs.judge.trials import Pushes
from envs.mdp import terminations
from envs.mdp.commands import Command, Commands, velocity
from envs.mdp.recording import Recording
from envs.mdp.terminations import Termination
from envs.task import TaskConfig, as_judged, with_command
from robots import get_robot
from tests.envs.helpers import made_up_recording
from tests.robots.synthetic import SYNTHETIC


def judged(task: str = "walk") -> TaskConfig:
    return as_judged(tasks.make(task, get_robot("anymal_c")))


def stand_still(observations: np.ndarray) -> np.ndarray:
    return np.zeros((len(observations), 12))


def falling() -> TaskConfig:
    """A task that takes the nominal stance for a fall."""
    too_low = Termination(terminations.low, params={"share": 1.2})
    return replace(judged(), terminations={"low": too_low})


def recording(command: np.ndarray, velocity: np.ndarray, alive: np.ndarray) -> Recording:
    """Robots that do and are told this, otherwise at rest."""
    changes = {"command": command, "velocity": velocity, "alive": alive}
    return replace(made_up_recording(*alive.shape), **changes)


def test_errors_are_averaged_by_the_command_in_force() -> None:
    """Two robots, four steps; the second falls after two; commands change halfway."""
    slow, fast, left = (-0.5, 0.0, -0.5), (0.5, 0.0, -0.5), (0.5, 0.0, 0.5)
    command = np.array([[slow, fast], [slow, fast], [left, slow], [left, slow]])
    actual = command.copy()
    actual[:2, 0] += (0.3, 0.4, 0.0)  # 0.5 m/s off
    actual[2, 0, 2] += 0.2
    actual[2:, 1] = 99.0
    alive = np.array([[True, True], [True, True], [True, False], [True, False]])
    commands = Commands(velocity((-1.0, 1.0), (0.0, 0.0), (-1.0, 1.0)))
    found = trials.error_by_command(recording(command, actual, alive), commands, bins=2)
    assert found is not None
    assert found.speed_edges.tolist() == [-1.0, 0.0, 1.0]
    np.testing.assert_allclose(found.velocity, [[0.5, np.nan], [0.0, 0.0]])
    np.testing.assert_allclose(found.yaw_rate, [[0.0, np.nan], [0.0, 0.1]])
    assert found.samples.tolist() == [[1, 0], [1, 1]]  # the fallen robot's second one is left out


def test_a_task_without_commands_has_no_errors_by_command() -> None:
    still = np.zeros((1, 1, 3))
    commands = judged("stand").commands
    assert trials.error_by_command(recording(still, still, still[..., 0] == 0), commands) is None
    assert trials.error_by_command(made_up_recording(1, 1), Commands({})) is None


def test_steady_walking_is_forward_unless_the_command_is_fixed() -> None:
    walk = judged()
    assert trials.steady_command(walk.commands) == (pytest.approx(0.6), 0.0, 0.0)
    fixed = with_command(walk, (0.1, -0.2, 0.3))
    assert trials.steady_command(fixed.commands) == (0.1, -0.2, 0.3)
    assert trials.steady_command(judged("stand").commands) == (0.0, 0.0, 0.0)
    assert trials.steady_command(Commands({})) == ()
    height = {"height": Command((0.4, 0.6), "m")}
    assert trials.steady_command(Commands(height)) == (0.4,)
    more = Commands(height | velocity((-0.5, 1.0), (-0.4, 0.4)))
    assert trials.steady_command(more) == (0.4, pytest.approx(0.6), 0.0, 0.0)


def test_steady_walking_stays_in_the_commands_ranges() -> None:
    def steady(*ranges: tuple[float, float]) -> tuple[float, ...]:
        return trials.steady_command(Commands(velocity(*ranges)))

    assert steady((0.5, 0.8)) == (0.5, 0.0, 0.0)  # 0.6 of the largest is 0.48
    assert steady((0.5, 0.5), (0.0, 0.0), (-1.0, 1.0)) == (0.5, 0.0, 0.0)
    assert steady((-1.0, -0.5), (-0.4, -0.2), (0.1, 0.3)) == (-0.5, -0.2, 0.1)


def test_steady_walking_is_watched_after_it_has_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "SETTLE", 0.2)
    monkeypatch.setattr(trials, "WATCH", 0.1)
    found = trials.walk_steadily(stand_still, judged(), "anymal_c", seed=0)
    assert found.fell is None
    assert found.recording.alive.shape == (5, 1)
    assert found.recording.command[:, 0, 0] == pytest.approx(0.6)
    assert found.footfalls is not None
    assert found.footfalls.gait == "none"
    assert found.limits["position"][0].tolist() == [-0.72, 0.49]  # LF_HAA of the published model


@pytest.mark.slow
def test_a_robot_that_falls_is_watched_until_then() -> None:
    found = trials.walk_steadily(stand_still, falling(), "anymal_c", seed=0)
    assert found.fell == 0.02  # at the end of the first step
    assert found.footfalls is None
    assert len(found.recording.alive) == 0


@pytest.mark.slow
def test_shares_of_the_limits_by_hand() -> None:
    found = trials.walk_steadily(stand_still, judged(), "anymal_c", seed=0)
    r, limits = found.recording, found.limits
    for values in (r.joint_pos, r.joint_vel, r.torque):
        values[:] = 0.0
    limits["position"][:2] = [[-1.0, 3.0], [-2.7, -0.8]]
    r.joint_pos[:, 0, 1] = -1.75  # the middle
    r.joint_pos[3, 0, 0] = 2.0  # halfway from the middle, 1, to the end, 3
    r.joint_vel[5, 0, 2] = -3.0
    r.torque[7, 0, 4] = 100.0
    shares = trials.limit_shares(found)
    assert shares["position"][:2] == pytest.approx([0.5, 0.0])
    assert shares["speed"].tolist() == pytest.approx([0.0, 0.0, 3.0 / 7.5, *[0.0] * 9])
    assert shares["torque"][4] == pytest.approx(100.0 / 80.0)


def test_pushes_jump_in_the_robot_s_own_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, record = [], protocol.run
    monkeypatch.setattr(protocol, "run", lambda *a: seen.append(record(*a)) or seen[-1])
    for name, value in {"SETTLE": 0.4, "RECOVERY": 0.1, "PUSHED": 3, "PUSHES": (0.2, 0.5)}.items():
        monkeypatch.setattr(trials, name, value)
    found = trials.push(lambda n: stand_still, judged("stand"), "anymal_c", seed=0)
    velocity = seen[0].velocity[:, :, :2].reshape(25, 2, 8, 3, 2)
    jump = (velocity[20] - velocity[19]).mean(axis=2)  # (sizes, directions, 2)
    ahead = np.stack([np.cos(found.directions), np.sin(found.directions)], axis=1)
    np.testing.assert_allclose(jump, found.sizes[:, None, None] * ahead, atol=0.06)
    assert found.robots.tolist() == [[3] * 8] * 2
    assert found.withstood.tolist() == [[3] * 8] * 2


@pytest.mark.slow
def test_who_falls_before_the_push_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SETTLE": 0.1, "RECOVERY": 0.1, "PUSHED": 1}.items():
        monkeypatch.setattr(trials, name, value)
    found = trials.push(lambda n: stand_still, falling(), "anymal_c", seed=0)
    assert found.robots.sum() == 0
    assert found.withstood_size() == 0.0


def test_the_size_withstood_is_the_last_before_too_many_fall() -> None:
    robots = np.full((4, 2), 10)
    withstood = np.array([[10, 10], [8, 10], [8, 9], [10, 10]])
    pushes = Pushes(np.array([0.5, 1.0, 1.5, 2.0]), np.array([0.0, np.pi]), robots, withstood)
    assert pushes.withstood_size(0.9) == 1.0
    assert pushes.withstood_size(0.8) == 2.0
    assert replace(pushes, withstood=0 * robots).withstood_size() == 0.0


def test_heading_of_known_orientations() -> None:
    half = np.sqrt(0.5)
    quat = np.array([[1, 0, 0, 0], [half, 0, 0, half], [0, 0, 0, 1], [half, half, 0, 0]])
    angles = trials.heading(quat)
    assert np.abs(angles) == pytest.approx([0.0, np.pi / 2, np.pi, 0.0])
    assert angles[1] > 0  # to the left


def test_limits_are_each_joints_own() -> None:
    found = trials.joint_limits(SYNTHETIC["pony"])
    assert found["torque"].tolist() == [23.7, 23.7, 35.55] * 4
    assert found["speed"].tolist() == [30.1, 30.1, 20.06] * 4
    assert found["position"][2].tolist() == [-2.8, -0.3]

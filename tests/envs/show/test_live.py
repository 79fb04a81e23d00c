"""A live simulation: commands, pushes, pace and agents, without any window."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from envs.mdp.commands import Command, Commands, velocity
from envs.mdp.starts import NOMINAL
from envs.mdp.terminations import Termination, low
from envs.show import live as module
from envs.show.live import ACTIONS, PUSHES, SPEEDS, Live
from envs.sim.terrain import Slope
from envs.task import TaskConfig
from envs.tasks.gait import gait
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS
from tests.envs.helpers import QUIET, task
from tests.robots.synthetic import two_legged

WALK = task(start=NOMINAL, randomization=QUIET, episode_length=1e6)
DT = WALK.simulation.dt


def zero(observation: np.ndarray) -> np.ndarray:
    return np.zeros((len(observation), 12))


def make(
    config: TaskConfig = WALK,
    command: tuple[float, float, float] | None = (0.0, 0.0, 0.0),
    **agents: Callable[[], module.Act],
) -> Live:
    """A live simulation whose first agent holds the nominal pose."""
    env = LocomotionVectorEnv(1, config=config)
    return Live(env, {"zero": lambda: zero} | agents, "zero", seed=0, command=command)


class Clock:
    """Stands in for the clock and for the queue that sleeps until a time."""

    def __init__(self, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(module, "time", self)
        monkeypatch.setattr(live, "_requests", self)

    def monotonic(self) -> float:
        return self.now

    def qsize(self) -> int:
        return 0

    def get(self, timeout: float) -> Callable[[], None]:
        self.now += timeout
        raise queue.Empty


def test_the_point_below_the_robot_is_on_the_ground() -> None:
    """A slope of 45 degrees: the ground is as high as the robot is far along x."""
    live = make(replace(WALK, terrain=Slope(np.pi / 4)))
    for _ in range(20):
        live.step()  # it slips down
    live.pose()
    x, y, _ = live.position
    assert x < -0.01
    np.testing.assert_allclose(live.below, [x, y, x])


def test_commands_stay_within_the_task_s_limits() -> None:
    live = make()
    live.steer(np.array([9.0, -9.0, np.nan]))
    np.testing.assert_array_equal(live.command, [1.0, -0.4, 0.0])
    np.testing.assert_array_equal(live.env.state.command[0], [1.0, -0.4, 0.0])
    live.steer(np.zeros(3))
    for _ in range(3):
        ACTIONS["Forwards"](live)
        ACTIONS["Turn right"](live)
    np.testing.assert_allclose(live.command, [0.3, 0.0, -0.36])
    for _ in range(20):
        ACTIONS["To the left"](live)
    np.testing.assert_allclose(live.command, [0.3, 0.4, -0.36])
    ACTIONS["Stand"](live)
    assert not live.command.any()


def test_a_task_without_commands_has_no_limits_to_steer_in() -> None:
    live = make(replace(WALK, commands=Commands()))
    live.steer(np.ones(3))
    assert not live.limits.any()
    assert not live.command.any()


def test_a_fallen_robot_starts_anew_and_keeps_its_command() -> None:
    seen = []

    def act(observation: np.ndarray) -> np.ndarray:
        seen.append(observation[0, live.env.layout["command"]])
        return zero(observation)

    falls = {"height": Termination(low, params={"share": 15.0})}
    falling = replace(WALK, terminations=falls)
    live = make(falling, act=lambda: act)
    live.swap("act")
    live.steer(np.array([0.5, 0.1, -0.3]))
    live.reset()
    for _ in range(3):
        live.step()
    assert live.falls == 3
    np.testing.assert_allclose(seen, [[0.5, 0.1, -0.3]] * 3, rtol=1e-6)
    np.testing.assert_allclose(live.env.state.command[0], [0.5, 0.1, -0.3])


def test_the_schedule_commands_until_the_first_command() -> None:
    live = make(command=None)
    live.step()
    np.testing.assert_allclose(live.command, [0.5, 0.0, 0.0])
    for _ in range(round(2.5 / DT)):
        live.step()
    np.testing.assert_allclose(live.command, [1.0, 0.0, 0.0])
    live.nudge("lin_vel_x", -1)
    live.step()
    assert not live.scheduled
    np.testing.assert_allclose(live.command, [0.9, 0.0, 0.0])


def test_a_push_is_a_horizontal_jump_of_the_base_velocity() -> None:
    live = make()
    live.set_push_speed(0.7)
    before = live.pose().qvel.copy()
    live.push()
    jump = live.pose().qvel - before
    assert np.hypot(*jump[:2]) == pytest.approx(0.7)
    assert not jump[2:].any()


def test_an_overturned_robot_lies_on_its_back_where_it_was() -> None:
    config = replace(WALK, terminations={}, terrain=Slope(angle=0.1))
    live = make(config, command=(0.5, 0.0, 0.0))
    for _ in range(10):
        live.step()
    before = live.pose().qpos[:2].copy()
    live.overturn()
    np.testing.assert_allclose(live.pose().qpos[:2], before)
    assert live.env.physics.gravity_b[0] == pytest.approx([0, 0, 1])
    for _ in range(50):
        live.step()
    assert live.env.physics.base_contact[0]
    assert live.falls == 0  # this task has none


@pytest.mark.parametrize(("asked", "got"), [(0.0, 0), (9.0, 1), (np.nan, 0), (np.inf, 1)])
def test_speed_and_push_stay_within_their_limits(asked: float, got: int) -> None:
    live = make()
    live.set_speed(asked)
    live.set_push_speed(asked)
    assert (live.speed, live.push_speed) == (SPEEDS[got], PUSHES[got])


@pytest.mark.parametrize("speed", [0.25, 1.0])
def test_the_pace_is_the_clock_s_and_does_not_drift(
    speed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = make()
    live.set_speed(speed)
    clock = Clock(live, monkeypatch)

    def show() -> None:
        clock.now += 0.6 * DT  # what a frame costs

    live.run(show, lambda: live.steps < 100)
    assert clock.now == pytest.approx(100 * DT / speed)


def test_a_slow_machine_is_not_chased(monkeypatch: pytest.MonkeyPatch) -> None:
    live = make()
    clock, costs = Clock(live, monkeypatch), iter([5.0] + [0.0] * 99)

    def show() -> None:
        clock.now += next(costs)

    live.run(show, lambda: live.steps < 100)
    assert clock.now == pytest.approx(5.0 - module.LATEST + 98 * DT)


@pytest.mark.slow
def test_a_pause_stops_time_and_single_steps_go_on() -> None:
    live, shown = make(), []
    live.pause()

    def show() -> None:
        shown.append(live.steps)
        if len(shown) == 3:
            live.single_step()

    live.run(show, lambda: len(shown) < 5)
    assert shown == [0, 0, 0, 1, 1]


@pytest.mark.slow
def test_other_threads_are_heard() -> None:
    live = make()
    live.pause()
    for change in (lambda: live.nudge("lin_vel_x", 1), live.pause):
        threading.Thread(target=live.request, args=(change,)).start()
    live.run(lambda: None, lambda: live.steps < 2)
    np.testing.assert_allclose(live.command, [0.1, 0.0, 0.0])


def test_agents_are_swapped_while_it_runs() -> None:
    def broken() -> module.Act:
        raise ValueError("damaged")

    live = make(full=lambda: lambda o: np.ones((len(o), 12)), broken=broken)
    live.swap("full")
    live.step()
    np.testing.assert_array_equal(live.env.state.action, np.ones((1, 12)))
    for name, message in (("broken", "damaged"), ("none", "one of zero, full, broken")):
        with pytest.raises(ValueError, match=message):
            live.swap(name)
    live.step()
    assert live.agent == "full"
    np.testing.assert_array_equal(live.env.state.action, np.ones((1, 12)))
    live.swap("zero")
    live.swap_next()
    assert live.agent == "full"


def test_what_is_shown_stands_where_the_simulation_stands() -> None:
    live = make()
    for _ in range(5):
        live.step()
    live.pose()
    physics: Any = live.env.physics
    np.testing.assert_allclose(live.position, physics.base_pos_w[0])
    assert live.heading == pytest.approx(0.0, abs=1e-3)
    assert live.model.ngeom > physics.model.ngeom


def test_reward_rates_add_up_to_the_reward() -> None:
    env = LocomotionVectorEnv(3, config=task())
    env.reset(seed=0)
    _, reward, *_ = env.step(np.ones((3, 12)))
    total = sum(env.reward_rates().values()) * DT
    np.testing.assert_allclose(total, reward)


def test_a_command_is_in_force_from_the_very_next_action() -> None:
    seen = []

    def act(observation: np.ndarray) -> np.ndarray:
        seen.append(observation[0, live.env.layout["command"]].tolist())
        return zero(observation)

    live = make(command=None, act=lambda: act)
    live.swap("act")
    live.step()
    live.steer(np.array([0.25, 0.25, -0.5]))
    live.step()
    live.stand()
    live.step()
    assert seen == [[0.5, 0.0, 0.0], [0.25, 0.25, -0.5], [0.0, 0.0, 0.0]]


def test_what_ends_the_schedule_keeps_nothing_of_it() -> None:
    live = make(command=None)
    live.steps = round(5.5 / DT)
    live.step()
    np.testing.assert_allclose(live.command, [0.6, 0.0, 0.72])
    live.steer_entry(1, 0.25)
    assert live.command.tolist() == [0.0, 0.25, 0.0]
    live.steer_entry(2, 0.5)
    assert live.command.tolist() == [0.0, 0.25, 0.5]


def test_stand_ends_the_schedule() -> None:
    live = make(command=None)
    live.step()
    live.stand()
    for _ in range(round(3 / DT)):  # across the schedule's next command
        live.step()
        assert not live.command.any()
        assert not live.env.state.command.any()


def test_standing_keeps_an_entry_that_is_no_velocity_in_its_range() -> None:
    entries = velocity((0.2, 1.0)) | {"height": Command((0.4, 0.6), "m")}
    live = make(replace(WALK, commands=Commands(entries)), command=None)
    np.testing.assert_allclose(live.limits, [[0, 1], [0, 0], [0, 0], [0.4, 0.6]])
    live.stand()
    assert live.command.tolist() == [0.0, 0.0, 0.0, 0.4]


def test_a_gait_is_asked_for_while_the_velocity_stays() -> None:
    live = make(task("gait", start=NOMINAL, randomization=QUIET, episode_length=1e6), None)
    names = live.env.config.commands.names
    live.steer_entry(0, 0.5)
    assert (live.asked_gait, live.command[0]) == ("trot", 0.5)
    live.ask_gait("bound")
    assert (live.asked_gait, live.command[0]) == ("bound", 0.5)
    live.next_gait()
    assert live.asked_gait == "pronk"
    live.steer_entry(names.index("duty"), 0.6)
    live.stand()
    assert (live.asked_gait, live.command[0]) == ("pronk", 0.0)
    assert live.command[names.index("duty")] == 0.6
    live.step()
    assert live.gait == "none"
    np.testing.assert_array_equal(live.env.state.command[0], live.command)
    with pytest.raises(ValueError, match="gait is 'hop'; it must be one of walk"):
        live.ask_gait("hop")


def test_a_robot_of_two_legs_takes_each_of_its_gaits_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    robot = two_legged()
    monkeypatch.setitem(ROBOTS, robot.name, robot)
    env = LocomotionVectorEnv(1, robot=robot.name, config=gait(robot))
    live = Live(env, {"zero": lambda: zero}, "zero", seed=0)
    told = [live.asked_gait]
    for _ in range(3):
        live.next_gait()
        told.append(live.asked_gait)
    assert told == ["alternating", "pronk", "alternating", "pronk"]


def test_a_task_without_gaits_has_none_to_ask_for() -> None:
    live = make()
    live.next_gait()
    assert live.gaits == ()
    assert live.asked_gait is None

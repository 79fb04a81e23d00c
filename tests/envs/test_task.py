"""A task that cannot work is refused where it is written, with field, value and bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from envs.mdp import observations, rewards, starts, terminations
from envs.mdp.commands import Command, Commands, velocity
from envs.mdp.curriculum import Curriculum, Levels
from envs.mdp.gaits.gait import Gait
from envs.mdp.measures import Measure
from envs.mdp.observations import Observation
from envs.mdp.recording import Recording
from envs.mdp.rewards import Reward
from envs.mdp.starts import Start
from envs.mdp.state import State
from envs.mdp.terminations import Termination
from envs.sim.drives import PD, Relative
from envs.sim.randomization import Randomization
from envs.sim.scene import Simulation
from envs.sim.terrain import Slope
from envs.task import Protocol, TaskConfig, with_command
from tests.envs.helpers import hand_made, task

NAN, INF = np.nan, np.inf


def scattered(**changes: float) -> Start:
    params = {"tilt": 0.1, "joint": 0.1, "velocity": 0.1}
    return Start(starts.scattered, params=params | changes)


def tilted(**params: float) -> Termination:
    return Termination(terminations.tilted, params=params)


def percentile(recording: Recording, *, share: float) -> np.ndarray:
    """A measure with a parameter."""
    return np.quantile(recording.base_height, share, axis=0)


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (Simulation, {"timestep": 0.0}, r"timestep is 0.0; it must be in \[1e-05, 0.02\] s"),
        (Simulation, {"timestep": 5.0}, r"timestep is 5.0; .*\[1e-05, 0.02\] s"),
        (Simulation, {"substeps": 0}, "substeps is 0; .*at least 1"),
        (Simulation, {"nthread": -1}, r"nthread is -1; .*at least 0"),
        (Simulation, {"contact": "rigid"}, "contact is 'rigid'; .*pyramidal.*elliptic"),
        (PD, {"scale": 0.0}, r"drive scale is 0.0; .*\(0, pi\] rad"),
        (Relative, {"scale": NAN}, r"drive scale is nan; .*\(0, pi\] rad"),
        (Slope, {"angle": 1.5}, r"slope angle is 1.5; .*\[-1, 1\] rad"),
        (Slope, {"angle": NAN}, r"slope angle is nan; .*\[-1, 1\] rad"),
        (velocity, {"lin_vel_x": (1.0, -1.0)}, r"lin_vel_x is \(1.0, -1.0\); .*low <= high"),
        (velocity, {"lin_vel_y": (-INF, 1.0)}, r"lin_vel_y is \(-inf, 1.0\); .*finite"),
        (velocity, {"yaw_rate": (NAN, 1.0)}, r"yaw_rate is \(nan, 1.0\); .*finite"),
        (Command, {"range": (0.4, 0.3)}, r"command range is \(0.4, 0.3\); .*low <= high"),
        (Command, {"range": (0, 1), "component": "x"}, "command component is 'x'; .*polar_x.*scal"),
        (Commands, {"interval": (0.0, 1.0)}, r"interval is \(0.0, 1.0\); .*0.001 <= low"),
        (Commands, {"standing_share": 1.5}, "standing_share is 1.5; .*a probability"),
        (scattered, {"tilt": -0.1}, r"scattered's tilt is -0.1; .*in \["),
        (scattered, {"joint": NAN}, r"scattered's joint is nan; .*in \["),
        (scattered, {"velocity": INF}, r"scattered's velocity is inf; .*in \["),
        (scattered, {"height": 1.0}, "parameter of scattered is height; .*tilt, joint, velocity"),
        (Start, {"function": starts.scattered}, "scattered's tilt and joint and velocity is missi"),
        (Start, {"function": starts.nominal, "params": {"tilt": 1.0}}, ".*it takes no parameters"),
        (Randomization, {"noise": -1.0}, r"noise is -1.0; .*in \[0, 100\]"),
        (Randomization, {"com": (-0.1, INF)}, r"com is \(-0.1, inf\); .*-1 <= low"),
        (Randomization, {"push": (-1.0, 1.0)}, r"push is \(-1.0, 1.0\); .*0 <= low"),
        (Randomization, {"phase": (0.0, 1.5)}, r"phase is \(0.0, 1.5\); .*high <= 1"),
        (Randomization, {"mass": (-0.5, 1.0)}, r"mass is \(-0.5, 1.0\); .*0.001"),
        (Randomization, {"gains": (2.0, 1.0)}, r"gains is \(2.0, 1.0\); .*<= high"),
        (Randomization, {"friction": (0.0, 1.0)}, r"friction is \(0.0, 1.0\)"),
        (Randomization, {"push": (1, 1), "push_interval": INF}, r"push_interval is inf; .*in \["),
        (Randomization, {"push": (1, 1), "push_interval": 0.0}, r"push_interval is 0.0; .*in \["),
        (
            Randomization,
            {"push_interval": 1.0},
            "push_interval is 1.0; .*nothing is pushed",
        ),
        (tilted, {"limit": 4.0}, r"tilted's limit is 4.0; .*in \["),
        (tilted, {}, "tilted's limit is missing; .*given in `params`"),
        (Termination, {"function": terminations.low, "params": {"share": NAN}}, "share is nan"),
        (Measure, {"function": percentile}, "percentile's share is missing"),
        (Curriculum, {"initial": 1.5}, r"curriculum initial is 1.5; .*\[0, 1\]"),
        (Curriculum, {"hold": -1.0}, "curriculum hold is -1.0; .*0 or more"),
        (Curriculum, {"ramp": 0.0}, "curriculum ramp is 0.0; .*positive"),
        (Gait, {"frequency": 11.0}, r"gait frequency is 11.0; .*\[0, 10\] Hz"),
        (Gait, {"offsets": (NAN, 0.0, 0.0, 0.0)}, r"gait offsets is \(nan, .*finite"),
        (Protocol, {"seconds": 0.0}, r"protocol seconds is 0.0; .*in \["),
        (Protocol, {"command_interval": NAN}, r"protocol command_interval is nan; .*in \["),
        (Reward, {"function": rewards.slip, "weight": NAN}, r"reward weight is nan; .*in \["),
        (
            Reward,
            {"function": rewards.slip, "weight": 1.0, "params": {"width": 0.5}},
            "parameter of slip is width; .*one of its own: none",
        ),
        (
            Reward,
            {"function": rewards.lin_vel_tracking, "weight": 1.0, "params": {"width": 0.0}},
            r"width is 0.0; .*in \[",
        ),
        (
            Observation,
            {"function": observations.gravity, "kind": "polar", "scale": NAN},
            r"observation scale is nan; .*in \[",
        ),
        (
            Observation,
            {"function": observations.gravity, "kind": "polar", "noise": -0.1},
            r"observation noise is -0.1; .*in \[",
        ),
        (
            Observation,
            {"function": observations.gravity, "kind": "vector"},
            "observation kind is 'vector'; .*polar.*axial",
        ),
        (task, {"episode_length": 0.001}, "episode_length is 0.001; .*one control step"),
        (task, {"episode_length": INF}, "episode_length is inf; .*finite"),
        (task, {"protocol": Protocol(seconds=0.01)}, "protocol seconds is 0.01; .*control step"),
        (task, {"rewards": {}}, "rewards is empty; .*at least one term"),
        (task, {"observations": {}}, "observations is empty; .*at least one term"),
        (
            task,
            {"curricula": {"gravity": Curriculum()}},
            "curriculum is 'gravity'; .*commands",
        ),
        (
            task,
            {"rewards": {"gait": Reward(rewards.gait, 1.0)}, "gait": Gait()},
            "gait frequency is 0.0; .*above 0 Hz where the rewards gait",
        ),
    ],
)
def test_refused(make: Callable[..., Any], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_control_step_is_all_substeps() -> None:
    assert Simulation(timestep=0.0025, substeps=8).dt == pytest.approx(0.02)


def test_a_single_command_needs_a_number_for_every_entry() -> None:
    ranges = with_command(task(), (0.5, 0.0, -0.2)).commands.ranges
    np.testing.assert_array_equal(ranges, [[0.5, 0.5], [0, 0], [-0.2, -0.2]])
    with pytest.raises(ValueError, match=r"command is .*; it must be 3 numbers, lin_vel_x, lin"):
        with_command(task(), (0.5, 0.0))
    free = task(commands=Commands({}))
    assert with_command(free, ()).commands.names == ()
    with pytest.raises(ValueError, match="0 numbers, for a task without commands"):
        with_command(free, (1.0,))


def test_curriculum_holds_then_rises_to_one() -> None:
    curriculum = Curriculum(initial=0.2, hold=1000, ramp=400)
    expected = {0: 0.2, 1000: 0.2, 1100: 0.4, 1200: 0.6, 1400: 1.0, 10**9: 1.0}
    for transitions, level in expected.items():
        assert curriculum.level(transitions) == pytest.approx(level)
    assert Curriculum().level(0) == 1.0


def test_what_no_curriculum_changes_is_at_its_full_level() -> None:
    half = Curriculum(initial=0.5, hold=10)
    assert Levels({})(0) == {"rewards": 1.0, "commands": 1.0}
    assert Levels({"commands": half})(0) == {"rewards": 1.0, "commands": 0.5}


def test_a_parameters_bounds_are_those_of_its_function() -> None:
    """What an angle may be says nothing of another function's parameter of that name."""

    def overload(state: State, *, limit: float) -> np.ndarray:
        return np.abs(state.torque).max(axis=1) > limit

    state = hand_made(torque=np.diag([59.0, 61.0])[:, [0, 1] + [0] * 10])
    assert Termination(overload, params={"limit": 60.0})(state).tolist() == [False, True]
    with pytest.raises(ValueError, match=r"overload's limit is 10000000.0; .*in \[-1e\+06, 1e"):
        Termination(overload, params={"limit": 1e7})


def test_tasks_cannot_be_changed_in_place() -> None:
    config: TaskConfig = task()
    with pytest.raises(AttributeError):
        setattr(config.drive, "scale", 2.0)  # noqa: B010

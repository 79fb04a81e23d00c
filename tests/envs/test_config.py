"""A task that cannot work is refused where it is written, with field, value and bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from envs.mdp import observations, rewards
from envs.task import (
    Action,
    Commands,
    Curriculum,
    Gait,
    ObservationTerm,
    Protocol,
    Randomization,
    RewardTerm,
    Simulation,
    TaskConfig,
    Termination,
)
from tests.envs.helpers import task

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (Simulation, {"timestep": 0.0}, r"timestep is 0.0; it must be in \[1e-05, 0.02\] s"),
        (Simulation, {"timestep": 5.0}, r"timestep is 5.0; .*\[1e-05, 0.02\] s"),
        (Simulation, {"substeps": 0}, "substeps is 0; .*at least 1"),
        (Simulation, {"nthread": -1}, r"nthread is -1; .*at least 0"),
        (Simulation, {"contact": "rigid"}, "contact is 'rigid'; .*training.*menagerie"),
        (Action, {"scale": 0.0}, r"action scale is 0.0; .*\(0, pi\] rad"),
        (Action, {"mode": "velocity"}, "action mode is 'velocity'; .*pd.*torque"),
        (Commands, {"lin_vel_x": (1.0, -1.0)}, r"lin_vel_x is \(1.0, -1.0\); .*low <= high"),
        (Commands, {"lin_vel_y": (-INF, 1.0)}, r"lin_vel_y is \(-inf, 1.0\); .*finite"),
        (Commands, {"yaw_rate": (NAN, 1.0)}, r"yaw_rate is \(nan, 1.0\); .*finite"),
        (Commands, {"interval": (0.0, 1.0)}, r"interval is \(0.0, 1.0\); .*0.001 <= low"),
        (Commands, {"standing_share": 1.5}, "standing_share is 1.5; .*a probability"),
        (Randomization, {"start_tilt": -0.1}, r"start_tilt is -0.1; .*in \["),
        (Randomization, {"start_joint": NAN}, r"start_joint is nan; .*in \["),
        (Randomization, {"start_velocity": INF}, r"start_velocity is inf; .*in \["),
        (Randomization, {"com_shift": -1.0}, r"com_shift is -1.0; .*in \["),
        (Randomization, {"push_speed": -1.0}, r"push_speed is -1.0; .*in \["),
        (Randomization, {"mass_range": (-0.5, 1.0)}, r"mass_range is \(-0.5, 1.0\); .*0.001"),
        (Randomization, {"gains_range": (2.0, 1.0)}, r"gains_range is \(2.0, 1.0\); .*<= high"),
        (Randomization, {"friction_range": (0.0, 1.0)}, r"friction_range is \(0.0, 1.0\)"),
        (Randomization, {"push_interval": INF}, r"push_interval is inf; .*in \["),
        (Randomization, {"push_interval": 0.0}, r"push_interval is 0.0; .*in \["),
        (Termination, {"max_tilt": 4.0}, r"max_tilt is 4.0; .*\(0, pi\] rad"),
        (Curriculum, {"initial": 1.5}, r"curriculum initial is 1.5; .*\[0, 1\]"),
        (Curriculum, {"hold": -1.0}, "curriculum hold is -1.0; .*0 or more"),
        (Curriculum, {"ramp": 0.0}, "curriculum ramp is 0.0; .*positive"),
        (Termination, {"min_height": NAN}, r"min_height is nan; .*in \["),
        (Gait, {"frequency": 11.0}, r"gait frequency is 11.0; .*\[0, 10\] Hz"),
        (Gait, {"offsets": (NAN, 0.0, 0.0, 0.0)}, r"gait offsets is \(nan, .*finite"),
        (Protocol, {"seconds": 0.0}, r"protocol seconds is 0.0; .*in \["),
        (Protocol, {"push_speed": NAN}, r"protocol push_speed is nan; .*in \["),
        (RewardTerm, {"function": rewards.slip, "weight": NAN}, r"reward weight is nan; .*in \["),
        (
            RewardTerm,
            {"function": rewards.slip, "weight": 1.0, "params": {"width": 0.5}},
            "reward parameter is width; .*one of slip's",
        ),
        (
            RewardTerm,
            {"function": rewards.lin_vel_tracking, "weight": 1.0, "params": {"width": 0.0}},
            r"width is 0.0; .*in \[",
        ),
        (
            ObservationTerm,
            {"function": observations.gravity, "kind": "polar", "scale": NAN},
            r"observation scale is nan; .*in \[",
        ),
        (
            ObservationTerm,
            {"function": observations.gravity, "kind": "polar", "noise": -0.1},
            r"observation noise is -0.1; .*in \[",
        ),
        (
            ObservationTerm,
            {"function": observations.gravity, "kind": "vector"},
            "observation kind is 'vector'; .*polar.*axial",
        ),
        (task, {"episode_length": 0.001}, "episode_length is 0.001; .*one control step"),
        (task, {"episode_length": INF}, "episode_length is inf; .*finite"),
        (task, {"rewards": {}}, "rewards is empty; .*at least one term"),
        (task, {"observations": {}}, "observations is empty; .*at least one term"),
        (
            task,
            {"rewards": {"gait": RewardTerm(rewards.gait, 1.0)}, "gait": Gait()},
            "gait frequency is 0; .*above 0 Hz where the rewards gait",
        ),
    ],
)
def test_refused(make: Callable[..., Any], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_control_step_is_all_substeps() -> None:
    assert Simulation(timestep=0.0025, substeps=8).dt == pytest.approx(0.02)


def test_curriculum_holds_then_rises_to_one() -> None:
    curriculum = Curriculum(initial=0.2, hold=1000, ramp=400)
    factors = {0: 0.2, 1000: 0.2, 1100: 0.4, 1200: 0.6, 1400: 1.0, 10**9: 1.0}
    for transitions, k in factors.items():
        assert curriculum.factor(transitions) == pytest.approx(k)
    assert Curriculum().factor(0) == 1.0


def test_configs_cannot_be_changed_in_place() -> None:
    config: TaskConfig = task()
    with pytest.raises(AttributeError):
        setattr(config.action, "scale", 2.0)  # noqa: B010

"""Reward functions of State: each (n,), weighted and integrated over time by the task.

Sources: Hwangbo et al. 2019 (arXiv 1901.08652, supplementary S3) and legged_gym (Rudin et al.
2021, arXiv 2109.11978); what differs is said in the docstring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dm_control.utils import rewards as dm_rewards

from envs.bounds import require_within
from envs.mdp.state import State
from envs.mdp.term import LARGEST, Term, bounded

WIDTH = (1e-3, LARGEST)
"""Bounds of what is divided by."""


@dataclass(frozen=True)
class Reward(Term):
    """One reward: weight × function(state, **params), (n,), integrated over the control step."""

    weight: float
    """Reward per second for a function value of 1."""
    curriculum: bool = False
    """Whether the weight is multiplied by the level of the curriculum `rewards`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within("reward weight", self.weight, -LARGEST, LARGEST)


def evaluate(
    terms: dict[str, Reward], state: State, diverged: np.ndarray, factor: float
) -> dict[str, np.ndarray]:
    """Return each term's reward for the control step, (n,).

    A simulation that diverged is paid nothing but its termination.

    Args:
        terms: the rewards by name.
        state: after the step.
        diverged: which simulations blew up in the step, (n,) bool.
        factor: level of the curriculum `rewards`.
    """
    values, broken = {}, diverged.any()
    for name, term in terms.items():
        weight = term.weight * state.dt * (factor if term.curriculum else 1.0)
        value = weight * term(state)
        if broken and term.function is not termination:
            value[diverged] = 0.0
        values[name] = value
    return values


def _square(x: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", x, x)


@bounded(width=WIDTH)
def lin_vel_tracking(state: State, *, width: float) -> np.ndarray:
    """exp(-‖v_xy - command‖² / width²), width in m/s."""
    error = state.velocity_command[:, :2] - state.lin_vel_b[:, :2]
    return np.exp(-_square(error) / width**2)


def lin_vel_deviation(state: State) -> np.ndarray:
    """‖v_xy - command‖, m/s: the evaluation's error, with a slope at every distance."""
    return np.sqrt(_square(state.velocity_command[:, :2] - state.lin_vel_b[:, :2]))


@bounded(width=WIDTH)
def yaw_rate_tracking(state: State, *, width: float) -> np.ndarray:
    """exp(-(ω_z - command)² / width²), width in rad/s."""
    error = state.velocity_command[:, 2] - state.ang_vel_b[:, 2]
    return np.exp(-(error**2) / width**2)


def yaw_rate_deviation(state: State) -> np.ndarray:
    """|ω_z - command|, rad/s: the evaluation's error."""
    return np.abs(state.velocity_command[:, 2] - state.ang_vel_b[:, 2])


def lin_vel_z(state: State) -> np.ndarray:
    """v_z², (m/s)²."""
    return state.lin_vel_b[:, 2] ** 2


def ang_vel_xy(state: State) -> np.ndarray:
    """Roll and pitch rate squared, (rad/s)²."""
    return _square(state.ang_vel_b[:, :2])


def base_height(state: State, *, target: float) -> np.ndarray:
    """(h - target)², m²."""
    return (state.base_height - target) ** 2


def orientation(state: State) -> np.ndarray:
    """Squared horizontal part of gravity in the base frame: sin² of the tilt."""
    return _square(state.gravity_b[:, :2])


def torque(state: State) -> np.ndarray:
    """‖τ‖², (N·m)²."""
    return _square(state.torque)


def power(state: State) -> np.ndarray:
    """Mechanical power, Σ max(τ q̇, 0) over the joints, mean over the control step (W).

    Drives do not recuperate. Its value at the end of a control step is no fair sample: a policy
    that pays for that learns to be thrifty just then.
    """
    return state.power


def joint_acc(state: State) -> np.ndarray:
    """‖q̈‖², (rad/s²)²."""
    return _square(state.joint_acc)


def action_rate(state: State) -> np.ndarray:
    """‖a_t - a_{t-1}‖²."""
    return _square(state.action - state.previous_action)


def air_time(state: State, *, target: float) -> np.ndarray:
    """Σ over touchdowns of (swing time - target), s, while a motion is commanded.

    Like every term it is paid by the control step's length, as legged_gym pays it.
    """
    swing = np.where(state.touchdown, state.air_time - target, 0.0).sum(axis=1)
    return swing * state.moving


def gait(state: State) -> np.ndarray:
    """Share of the feet that are on the ground just when the gait has them there; all of them
    should be while the robot is told to stand.
    """
    stance = (np.sin(state.foot_phase) >= 0) | ~state.moving[:, None]
    return (state.foot_contact == stance).mean(axis=1)


def clearance(state: State, *, target: float) -> np.ndarray:
    """Σ max(z* - z, 0)² over the feet, m²; z* follows a half sine of height target (m) through
    the gait's swing, and is 0 in stance and while the robot is told to stand.
    """
    return _lack_of_height(state, target)


def _lack_of_height(state: State, target: np.ndarray | float) -> np.ndarray:
    wanted = target * np.maximum(-np.sin(state.foot_phase), 0.0) * state.moving[:, None]
    return _square(np.maximum(wanted - state.foot_height, 0.0))


def commanded_clearance(state: State) -> np.ndarray:
    """`clearance` of the commanded `swing_height`, m²."""
    return _lack_of_height(state, state.commanded("swing_height"))


def commanded_height(state: State) -> np.ndarray:
    """(h - h*)², m², h* the commanded `body_height`."""
    return (state.base_height - state.commanded("body_height")[:, 0]) ** 2


def swing_time(state: State) -> np.ndarray:
    """Σ over touchdowns of |swing time - commanded one|, s, while a motion is commanded.

    The commanded one is what the commanded `duty` leaves of a stride of `gait_frequency`.
    """
    frequency, duty = state.commanded("gait_frequency", "duty").T[..., None]
    error = np.where(state.touchdown, np.abs(state.air_time - (1.0 - duty) / frequency), 0.0)
    return error.sum(axis=1) * state.moving


def slip(state: State) -> np.ndarray:
    """Σ ‖v_xy‖² over the feet in contact, (m/s)²."""
    return np.einsum("ij,ij->i", _foot_speed(state) ** 2, state.foot_contact)


def leg_contact(state: State) -> np.ndarray:
    """Number of thighs and shanks that touch something."""
    return state.leg_contact.sum(axis=1)


def stand_still(state: State) -> np.ndarray:
    """Σ |q - q_nominal| (rad) while no motion is commanded."""
    offset = np.abs(state.joint_pos - state.nominal_pose).sum(axis=1)
    return offset * ~state.moving


@bounded(bound=(0.0, LARGEST), margin=WIDTH)
def pose(state: State, *, bound: float, margin: float) -> np.ndarray:
    """Mean over the joints of dm_control's tolerance: 1 within ±bound of nominal (rad)."""
    offset = state.joint_pos - state.nominal_pose
    return dm_rewards.tolerance(offset, bounds=(-bound, bound), margin=margin).mean(axis=1)


def upright(state: State) -> np.ndarray:
    """1 - tilt / π: 1 upright, 0 upside down, with the same slope at every angle."""
    return 1.0 - np.arccos(np.clip(-state.gravity_b[:, 2], -1.0, 1.0)) / np.pi


def upright_height(state: State, *, target: float) -> np.ndarray:
    """`upright`² × h / target, up to 1 at the target (m)."""
    return upright(state) ** 2 * np.clip(state.base_height / target, 0.0, 1.0)


@bounded(bound=(0.0, LARGEST), margin=WIDTH)
def upright_pose(state: State, *, bound: float, margin: float) -> np.ndarray:
    """`upright`² × `pose`: the legs matter once the robot is up."""
    return upright(state) ** 2 * pose(state, bound=bound, margin=margin)


def body_contact(state: State) -> np.ndarray:
    """Number of bases, thighs and shanks that touch something."""
    return state.leg_contact.sum(axis=1) + state.base_contact


def termination(state: State) -> np.ndarray:
    """1 / dt where the episode ended as a fall, so that its weight is the reward of a fall."""
    return state.terminated / state.dt


def _foot_speed(state: State) -> np.ndarray:
    """Horizontal speed of the feet (m/s), (n, feet)."""
    return np.hypot(state.foot_vel_w[..., 0], state.foot_vel_w[..., 1])


PACED = (gait, clearance)
"""Rewards that need a gait's clock."""

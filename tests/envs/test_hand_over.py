"""One policy gets up and hands over to one that walks: who acts, and what each sees and does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs import hand_over, tasks
from envs.hand_over import HandOver, together
from envs.judge.protocol import Act
from envs.mdp.observations import observe
from envs.mdp.starts import NOMINAL
from envs.sim.drives import PD, Relative, Torque
from envs.task import TaskConfig, as_judged
from envs.vector import LocomotionVectorEnv
from robots import get_robot

ROBOT = get_robot("anymal_c")
WALKER = tasks.make("walk", ROBOT)
RISER = replace(tasks.make("recover", ROBOT), drive=Relative(scale=0.5))


def stack(
    walk: Act, rise: Act, n: int, riser: TaskConfig = RISER
) -> tuple[LocomotionVectorEnv, HandOver]:
    task = replace(as_judged(together(WALKER, riser)), start=NOMINAL)
    env = LocomotionVectorEnv(n, config=task, autoreset=False)
    return env, HandOver(walk, rise, WALKER, riser, ROBOT, env.layout, n)


class Watched:
    """A policy of one action that keeps what it saw."""

    def __init__(self, action: float) -> None:
        self.action, self.seen = action, np.zeros(0)

    def __call__(self, observation: np.ndarray) -> np.ndarray:
        self.seen = observation
        return np.full((len(observation), 12), self.action)


def test_policies_of_other_control_rates_do_not_hand_over() -> None:
    slow = replace(RISER, simulation=replace(RISER.simulation, substeps=10))
    with pytest.raises(ValueError, match="control rate of --recover is 20 Hz; it must be 50 Hz"):
        together(WALKER, slow)


def test_the_robot_s_state_decides_who_acts() -> None:
    walk, rise = Watched(0.2), Watched(0.4)
    env, both = stack(walk, rise, 2)
    observation, _ = env.reset(seed=1)
    gravity = env.layout["gravity"]
    observation[:, env.layout["action"]] = 0.1
    fallen = observation.copy()
    fallen[1, gravity] = [0, 1, 0]  # on its side
    both(fallen)
    assert both.rising.tolist() == [False, True]  # who stands in the nominal pose walks
    leaning = observation.copy()
    leaning[:, gravity] = [np.sin(0.5), 0, -np.cos(0.5)]
    both(leaning)
    assert both.rising.tolist() == [False, True]  # between the two angles nothing changes
    both(observation)
    assert both.rising.tolist() == [False, False]


def test_a_new_episode_begins_with_getting_up() -> None:
    walk, rise = Watched(0.2), Watched(0.4)
    env, both = stack(walk, rise, 2)
    observation, _ = env.reset(seed=1)
    dropped = observation.copy()
    dropped[:, env.layout["gravity"]] = [np.sin(0.5), 0, -np.cos(0.5)]
    both(dropped)
    assert both.rising.tolist() == [True, True]  # less than a fall, but the first of an episode
    both.rising[:] = [False, True]
    both(dropped)
    assert both.rising.tolist() == [True, True]
    action = LocomotionVectorEnv(1, config=RISER).layout["action"]
    np.testing.assert_array_equal(rise.seen[:, action], 0.0)  # nothing is left of the one before


def test_both_act_through_one_drive() -> None:
    walk, rise = Watched(0.2), Watched(0.4)
    env, both = stack(walk, rise, 2)
    observation, _ = env.reset(seed=1)
    observation[1, env.layout["gravity"]] = [0, 0, 1]
    observation[1, env.layout["joint_pos"]] = 0.7
    pose = np.array(ROBOT.nominal_pose)
    targets = pose + hand_over.REACH * both(observation)
    np.testing.assert_allclose(targets[0], pose + 0.2, atol=1e-6)  # pd, 1 rad
    np.testing.assert_allclose(targets[1], pose + 0.7 + 0.5 * 0.4, atol=1e-6)  # relative, 0.5 rad


def test_each_sees_what_it_saw_in_training() -> None:
    walk, rise = Watched(0.2), Watched(0.4)
    env, both = stack(walk, rise, 2)
    observation, _ = env.reset(seed=1)
    observation[1, env.layout["gravity"]] = [0, 0, 1]
    observation, *_ = env.step(both(observation))
    observation[1, env.layout["gravity"]] = [0, 0, 1]
    both(observation)
    alone = LocomotionVectorEnv(2, config=RISER)
    now = replace(env.state, action=np.repeat([[0.0], [0.4]], 12, axis=1))
    own = observe(RISER.observations, alone.layout, now)
    own[1, alone.layout["gravity"]] = [0, 0, 1]
    np.testing.assert_allclose(rise.seen, own, atol=1e-5)
    np.testing.assert_allclose(walk.seen[0, env.layout["action"]], 0.2, atol=1e-6)
    others = np.delete(np.arange(observation.shape[1]), env.layout["action"])
    np.testing.assert_array_equal(walk.seen[:, others], observation[:, others])


def test_a_policy_walks_in_the_stack_as_alone() -> None:
    rng = np.random.default_rng(0)
    width = max(block.stop for block in LocomotionVectorEnv(1, config=WALKER).layout.values())
    weights = rng.normal(0, 0.02, (width, 12))

    def walk(observation: np.ndarray) -> np.ndarray:
        return np.tanh(observation @ weights)

    env, both = stack(walk, Watched(0.0), 2)
    plain = as_judged(replace(WALKER, terminations={}, simulation=env.config.simulation))
    alone = LocomotionVectorEnv(2, config=plain, autoreset=False)
    observation, other = env.reset(seed=1)[0], alone.reset(seed=1)[0]
    for _ in range(20):
        observation, other = env.step(both(observation))[0], alone.step(walk(other))[0]
        assert not both.rising.any()
    np.testing.assert_allclose(env.state.joint_pos, alone.state.joint_pos, atol=1e-3)


def test_what_cannot_be_handed_over_is_refused() -> None:
    with pytest.raises(ValueError, match="drive of a policy is torque"):
        stack(Watched(0), Watched(0), 1, replace(RISER, drive=Torque()))
    seen = RISER.observations | {"height": replace(RISER.observations["gravity"])}
    with pytest.raises(ValueError, match="does not observe height"):
        stack(Watched(0), Watched(0), 1, replace(RISER, observations=seen))
    env, _ = stack(Watched(0), Watched(0), 1)
    with pytest.raises(ValueError, match="policy that walks is relative"):
        HandOver(
            *(Watched(0), Watched(0), replace(WALKER, drive=Relative()), RISER),
            *(ROBOT, env.layout, 1),
        )
    assert env.config.drive == PD(scale=hand_over.REACH)

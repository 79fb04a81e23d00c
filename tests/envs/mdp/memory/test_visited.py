"""Episodes that begin where simulations have been before."""

from __future__ import annotations

import numpy as np
import pytest

from envs.mdp.memory.visited import CAPACITY, Visited
from envs.task import as_judged
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import hand_made, quiet, run, task


def test_states_of_a_simulation_come_back() -> None:
    """The same base and joints, above the origin, to within a turn of vectors and back."""
    env = LocomotionVectorEnv(4, config=quiet("stand", revisit=1.0, terminations={}))
    env.reset(seed=0)
    seen = [s["state"] for s in run(env, 20, np.random.default_rng(0))]
    noted = [{n: v[t % 4] for n, v in state.items() if v.ndim} for t, state in enumerate(seen)]
    env._restart(np.arange(4))
    state = env._read_state()
    for i in range(4):
        names = "lin_vel_b", "ang_vel_b", "gravity_b", "joint_pos", "joint_vel"
        off = [max(np.abs(n[k] - getattr(state, k)[i]).max() for k in names) for n in noted]
        assert min(off) < 1e-9
        raised = state.base_height[i] - noted[int(np.argmin(off))]["base_height"]
        assert -1e-9 < raised < 0.02  # by how deep a foot was in the ground
    assert np.abs(env.physics.base_pos_w[:, :2]).max() == 0.0
    assert (env.episode_steps == 0).all()


def test_a_share_of_the_episodes_does_and_none_at_first() -> None:
    env = LocomotionVectorEnv(1000, config=quiet("stand", revisit=0.3))
    env.reset(seed=0)
    nominal = env.physics.joint_pos.copy()
    run(env, 3, np.random.default_rng(0))
    env._restart(np.arange(1000))
    moved = (np.abs(env.physics.joint_pos - nominal).max(axis=1) > 1e-6).mean()
    assert moved == pytest.approx(0.3, abs=0.05)
    env.reset(seed=0)
    np.testing.assert_array_equal(env.physics.joint_pos, nominal)


def test_who_has_fallen_is_passed_over_and_the_oldest_make_room() -> None:
    visited, upright = Visited(1.0, 2, 12), np.tile([1.0, 0, 0, 0], (2, 1))
    for t in range(2 * CAPACITY + 2):
        heights = [float(t), float(t)]
        visited.note(hand_made(base_height=heights, terminated=[False, True]), upright)
    ids, rows = visited.draw(np.arange(20_000), np.random.default_rng(0))
    assert len(ids) == 20_000
    assert set(rows.base_pose[:, 2]) == {2.0 * k for k in range(1, CAPACITY + 1)}


def test_nothing_is_drawn_where_it_is_off_or_judged() -> None:
    assert task("run/paper").revisit == 0.5
    assert as_judged(task("run/paper")).revisit == 0.0
    rng, same = (np.random.default_rng(0) for _ in range(2))
    off = Visited(0.0, 2, 12)
    off.note(hand_made(), np.tile([1.0, 0, 0, 0], (2, 1)))
    assert len(off.draw(np.arange(2), rng)[0]) == 0
    assert rng.random() == same.random()

"""The state is read once: what was read stays as it was, whatever happens afterwards."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from envs.mdp.commands import Commands, velocity
from envs.mdp.state import State
from envs.vector import LocomotionVectorEnv
from tests.envs.delay import Delay
from tests.envs.helpers import JOINTS, WILD, assert_same, batch_of, run, snapshot, task

BUSY = task(
    randomization=WILD,
    commands=Commands(velocity((-1, 1), (-0.4, 0.4), (-1, 1)), interval=(0.1, 0.2)),
    drive=Delay(delay=2),
    episode_length=0.3,
)
"""Resets, commands, pushes and a drive with a memory within a few steps."""


def arrays(state: State) -> dict[str, np.ndarray]:
    """The state's arrays themselves, and what it derives from them once."""
    values = {f.name: getattr(state, f.name) for f in fields(state)}
    derived = {"velocity_command": state.velocity_command, "moving": state.moving}
    return {n: v for n, v in (values | derived).items() if isinstance(v, np.ndarray)}


def test_a_kept_state_never_changes() -> None:
    env, rng = LocomotionVectorEnv(4, config=BUSY), np.random.default_rng(0)
    kept: list[tuple[State, dict[str, np.ndarray]]] = []

    def keep() -> None:
        kept.append((env.state, {name: v.copy() for name, v in arrays(env.state).items()}))

    keep()
    env.reset(seed=0)
    keep()
    for _ in range(40):
        run(env, 1, rng)
        keep()
    env.set_command(np.array([0.5, 0.1, -0.3]))
    keep()
    env.physics.push(np.arange(4), np.ones((4, 2)))
    saved = env.state_dict()
    run(env, 3, rng)
    env.load_state_dict(saved)
    keep()
    env.reset()
    for state, copies in kept:
        assert_same(arrays(state), copies)


def test_a_states_arrays_are_its_own() -> None:
    env = LocomotionVectorEnv(4, config=BUSY)
    env.reset(seed=0)
    engine = batch_of(env.physics)
    others = [env.physics.state, *(engine.bind(f) for f in ("qpos", "qvel", "sensordata", "ctrl"))]
    others += [engine.bind("actuator_force"), *vars(env._history).values()]
    others += env._acting.driven._memory.values()
    for _ in range(20):
        before = env.state
        run(env, 1, np.random.default_rng(0))
        mine = {f.name: getattr(env.state, f.name) for f in fields(State)}
        for name, value in mine.items():
            if isinstance(value, np.ndarray):
                assert not any(np.shares_memory(value, other) for other in others), name
                assert not np.shares_memory(value, getattr(before, name)), name


def test_writing_into_a_state_changes_nothing() -> None:
    spoilt, sound = (LocomotionVectorEnv(4, config=BUSY) for _ in range(2))
    for env in (spoilt, sound):
        env.reset(seed=0)
    rng, same = np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(30):
        for value in snapshot_in_place(spoilt.state):
            value[:] = 7
        [mine], [theirs] = run(spoilt, 1, rng), run(sound, 1, same)
        for name in ("observation", "reward", "terminated", "truncated", "state"):
            assert_same(mine[name], theirs[name], name)


def snapshot_in_place(state: State) -> list[np.ndarray]:
    return [v for f in fields(state) if isinstance(v := getattr(state, f.name), np.ndarray)]


def test_a_state_is_replaced_not_changed() -> None:
    env = LocomotionVectorEnv(1)
    with pytest.raises(FrozenInstanceError):
        setattr(env.state, "dt", 1.0)  # noqa: B010


def test_a_new_command_is_a_new_state() -> None:
    env = LocomotionVectorEnv(2, config=BUSY)
    env.reset(seed=0)
    first, seen = env.state, snapshot(env.state)
    env.set_command(np.array([0.05, 0.0, 0.0]))
    assert env.state is not first
    assert not env.state.moving.any()
    changed = {n for n, v in snapshot(env.state).items() if not np.array_equal(v, seen[n])}
    assert changed == {"command"}
    fast = replace(env.state, command=np.tile([0.0, 0.0, 0.2], (2, 1)))
    assert fast.moving.all()
    assert fast.action.shape == (2, JOINTS)

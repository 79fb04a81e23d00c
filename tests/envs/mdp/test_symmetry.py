"""The declared mirrors form a group and hold in rewards and in observations."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_args

import numpy as np
import pytest

from envs import tasks
from envs.mdp import observations, symmetry
from envs.mdp.commands import Command, Commands, Component, velocity
from envs.mdp.observations import Kind, Observation
from envs.mdp.state import State
from envs.sim import scene
from envs.sim.drives import PD
from envs.sim.scene import Simulation
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS, get_robot
from tests.envs.helpers import OFFLINE_ROBOTS, PAPER, quiet, random_state, reflection, task
from tests.robots.synthetic import SYNTHETIC

ROBOTS_OF_TASKS = [(r, t) for t in tasks.TASKS for r in [*OFFLINE_ROBOTS, *SYNTHETIC]]
ROBOTS_OF_TASKS += [(robot, name) for name in PAPER for robot in OFFLINE_ROBOTS]
every_task = pytest.mark.parametrize(("robot", "name"), ROBOTS_OF_TASKS)
KINDS: dict[str, Kind] = {
    "base_height": "scalar",
    "lin_vel_b": "polar",
    "ang_vel_b": "axial",
    "gravity_b": "polar",
    "joint_pos": "joint",
    "joint_vel": "joint",
    "joint_acc": "joint",
    "torque": "joint",
    "power": "scalar",
    "foot_height": "foot",
    "foot_contact": "foot",
    "touchdown": "foot",
    "air_time": "foot",
    "foot_phase": "foot",
    "command": "command",
    "action": "joint",
    "previous_action": "joint",
    "joint_target": "joint",
    "previous_torque": "joint",
    "past_error": "joint",
    "past_joint_vel": "joint",
}
"""How the arrays of State transform; the others are treated below."""


@pytest.fixture(autouse=True)
def _with_robots_that_nobody_built(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, robot in SYNTHETIC.items():
        monkeypatch.setitem(ROBOTS, name, robot)


def mirrored(state: State, kinds: dict[Kind, symmetry.SignedPermutation], g: int) -> State:
    """Return a state seen in mirror element g."""
    changes: dict[str, Any] = {"base_contact": state.base_contact, "terminated": state.terminated}
    for f in fields(State):
        if f.name in KINDS:
            value = np.asarray(getattr(state, f.name))
            columns = value[:, None] if value.ndim == 1 else value
            seen = kinds[KINDS[f.name]](columns).astype(value.dtype).reshape(value.shape)
            changes[f.name] = seen
    changes["effort"] = state.effort[:, kinds["joint"].index]
    feet = kinds["foot"].index
    changes["foot_vel_w"] = state.foot_vel_w[:, feet] * reflection(g)
    thigh, shank = np.split(state.leg_contact, 2, axis=1)
    changes["leg_contact"] = np.concatenate([thigh[:, feet], shank[:, feet]], axis=1)
    return replace(state, **changes)


def drawn(env: LocomotionVectorEnv, rng: np.random.Generator) -> State:
    """States of the environment's robot in which every quantity differs from zero."""
    robot, names = env.robot, env.config.commands.names
    state = random_state(50, rng, len(robot.joints), len(robot.feet), robot.nominal_pose)
    command = np.column_stack([state.command, rng.normal(size=(50, len(names)))])[:, : len(names)]
    return replace(state, command=command, command_names=names)


def make(robot: str, name: str) -> LocomotionVectorEnv:
    return LocomotionVectorEnv(1, robot=robot, config=task(name, robot))


@every_task
def test_the_group_is_closed_and_made_of_involutions(robot: str, name: str) -> None:
    env = make(robot, name)
    declared, rng = env.symmetry, np.random.default_rng(0)
    size = len(declared.action_index)
    assert size == 2 ** (size.bit_length() - 1)
    x = rng.normal(size=(5, declared.observation_index.shape[1]))
    a = rng.normal(size=(5, declared.action_index.shape[1]))
    for mirror, vector in ((declared.mirror_observation, x), (declared.mirror_action, a)):
        np.testing.assert_array_equal(mirror(0, vector), vector)
        for g in range(size):
            np.testing.assert_array_equal(mirror(g, mirror(g, vector)), vector)
            assert g == 0 or not np.array_equal(mirror(g, vector), vector)
            for h in range(size):
                np.testing.assert_array_equal(mirror(h, mirror(g, vector)), mirror(g ^ h, vector))


@pytest.mark.parametrize(
    ("robot", "swapped", "signs"),
    [
        ("anymal_b", [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]], [-1, 1, 1]),
        ("anymal_c", [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]], [-1, 1, 1]),
        ("pony", [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]], [-1, 1, 1]),
        ("tumbler", [[0, 1], [1, 0]], [1, 1]),
    ],
)
def test_mirrors_swap_the_legs_that_they_should(
    robot: str, swapped: list[list[int]], signs: list[int]
) -> None:
    """Left and right first; a hip that swings out to the left swings out to the right."""
    env = make(robot, "walk")
    assert [kinds["foot"].index.tolist() for kinds in env.mirrors] == swapped
    k = len(signs)
    for kinds, legs in zip(env.mirrors, swapped, strict=True):
        joints = [leg * k + joint for leg in legs for joint in range(k)]
        assert kinds["joint"].index.tolist() == joints
    assert env.mirrors[1]["joint"].sign.tolist() == signs * len(env.robot.legs)


SIGNS: dict[Component, tuple[int, int, int, int]] = {
    # no mirror, left and right, front and back, both
    "polar_x": (1, 1, -1, -1),
    "polar_y": (1, -1, 1, -1),
    "polar_z": (1, 1, 1, 1),
    "axial_x": (1, -1, 1, -1),
    "axial_y": (1, 1, -1, -1),
    "axial_z": (1, -1, -1, 1),
    "scalar": (1, 1, 1, 1),
}
"""What becomes of each component of a vector in the mirrors, by hand."""


def test_every_component_has_its_signs() -> None:
    assert set(SIGNS) == set(get_args(Component)) - {"foot"}  # one a leg, which change places
    entries = {name: Command((-1.0, 1.0), component=name) for name in SIGNS}
    commands = Commands(velocity() | entries)
    env = LocomotionVectorEnv(1, config=quiet(commands=commands))
    found = [kinds["command"].sign.tolist() for kinds in env.mirrors]
    vector = [SIGNS[name] for name in ("polar_x", "polar_y", "axial_z")]
    np.testing.assert_array_equal(found, np.transpose([*vector, *SIGNS.values()]))
    block = env.layout["command"]
    observation = np.arange(1.0, 1.0 + env.symmetry.observation_index.shape[1])
    for g, signs in enumerate(found):
        mirrored_ = env.symmetry.mirror_observation(g, observation)
        np.testing.assert_array_equal(mirrored_[block], observation[block] * signs)


def test_a_task_without_commands_has_the_same_mirrors() -> None:
    terms = {name: task("stand").rewards[name] for name in ("pose", "torque")}
    env = LocomotionVectorEnv(1, config=quiet("stand", rewards=terms, commands=Commands({})))
    full = LocomotionVectorEnv(1, config=quiet("stand"))
    np.testing.assert_array_equal(env.symmetry.action_sign, full.symmetry.action_sign)
    np.testing.assert_array_equal(env.symmetry.observation_sign, full.symmetry.observation_sign)


def test_then_applies_the_first_then_the_second() -> None:
    p = symmetry.SignedPermutation(np.array([1, 2, 0]), np.array([1.0, -1.0, 1.0]))
    q = symmetry.SignedPermutation(np.array([0, 2, 1]), np.array([-1.0, 1.0, 1.0]))
    x = np.array([2.0, 3.0, 5.0])
    np.testing.assert_array_equal(p(x), [3.0, -5.0, 2.0])
    np.testing.assert_array_equal(p.then(q)(x), q(p(x)))


def test_a_robot_that_lacks_a_mirror_declares_none() -> None:
    robot = get_robot("anymal_c")
    pose = list(robot.nominal_pose)
    pose[0] += 0.3  # one hip out
    lopsided = replace(robot, nominal_pose=tuple(pose))
    model = scene.build(lopsided, Simulation(), PD())
    assert len(symmetry.of_robot(lopsided, model, velocity())) == 1
    pose[3] -= 0.3  # both front hips: left-right is back
    front = replace(robot, nominal_pose=tuple(pose))
    group = symmetry.of_robot(front, model, velocity())
    assert len(group) == 2
    np.testing.assert_array_equal(group[1]["polar"].sign, [1, -1, 1])


@every_task
def test_rewards_are_the_same_in_the_mirror(robot: str, name: str) -> None:
    env = make(robot, name)
    state = drawn(env, np.random.default_rng(0))
    for g, kinds in enumerate(env.mirrors):
        seen = mirrored(state, kinds, g)
        for term, definition in env.config.rewards.items():
            value, image = (definition(s) for s in (state, seen))
            np.testing.assert_allclose(image, value, rtol=1e-9, atol=1e-9, err_msg=term)


@every_task
def test_observations_mirror_as_their_terms_say(robot: str, name: str) -> None:
    env = make(robot, name)
    height = Observation(observations.base_height, "scalar")
    terms = env.config.observations | {"base_height": height}
    state = drawn(env, np.random.default_rng(1))
    slices = observations.layout(terms, state)
    declared = symmetry.of_task(env.mirrors, terms, slices)
    seen = observations.observe(terms, slices, state)
    for g, kinds in enumerate(env.mirrors):
        image = observations.observe(terms, slices, mirrored(state, kinds, g))
        np.testing.assert_allclose(declared.mirror_observation(g, seen), image, atol=1e-5)

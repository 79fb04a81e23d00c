"""What the environment tests share: tasks made quiet or wild, rollouts, exact comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from mujoco.batch import Batch

from envs import tasks
from envs.mdp.commands import VELOCITY, Commands
from envs.mdp.recording import Recording
from envs.mdp.starts import NOMINAL
from envs.mdp.state import State
from envs.mdp.symmetry import MIRRORS
from envs.sim.batch import BatchPhysics
from envs.sim.physics import Physics
from envs.sim.randomization import STANDARD, Randomization
from envs.task import ANY_PHASE, TaskConfig
from envs.vector import LocomotionVectorEnv
from robots import ROBOTS, get_robot

OFFLINE_ROBOTS = [name for name in ROBOTS if not name.endswith("_menagerie")]
"""Robots whose model needs no download."""
QUIET = Randomization()
"""Nothing is random."""
WILD = replace(STANDARD, phase=ANY_PHASE, push=(1.0, 1.0), push_interval=0.2)
"""Everything is random."""
JOINTS, FEET = 12, 4
PAST = 8
"""Physics steps that made-up states remember."""
PAPER = [f"{name}/paper" for name, known in tasks.RECIPES.items() if "paper" in known]
"""Tasks with a recipe of the paper's, as `task` knows them."""


def task(name: str = "walk", robot: str = "anymal_c", **changes: Any) -> TaskConfig:
    """A registered task, `run` or `run/paper`, without its curricula, with changes."""
    name, _, recipe = name.partition("/")
    made = tasks.make(name, get_robot(robot), recipe or tasks.USUAL)
    config = replace(made, curricula={})
    return replace(config, **changes)


def quiet(name: str = "walk", robot: str = "anymal_c", **changes: Any) -> TaskConfig:
    """A task with nothing random: nominal start, a command to stand, no pushes."""
    kept: dict[str, Any] = {"start": NOMINAL, "randomization": QUIET, "commands": Commands()}
    return task(name, robot, **(kept | changes))


def simulation(**changes: Any) -> dict[str, Any]:
    """The change of a task that changes its simulation."""
    return {"simulation": replace(task().simulation, **changes)}


def batch_of(physics: Physics) -> Batch:
    """The engine behind the named quantities, as slow references need it."""
    assert isinstance(physics, BatchPhysics)
    return physics._batch


def snapshot(state: State) -> dict[str, np.ndarray]:
    """Copies of a state's arrays."""
    values = {f.name: getattr(state, f.name) for f in fields(state)}
    return {name: value.copy() for name, value in values.items() if isinstance(value, np.ndarray)}


def run(env: LocomotionVectorEnv, steps: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Take random actions; return all that the environment showed at every step."""
    seen = []
    for _ in range(steps):
        action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        observation, reward, terminated, truncated, info = env.step(action)
        seen.append(
            {
                "observation": observation.copy(),
                "reward": reward.copy(),
                "terminated": terminated.copy(),
                "truncated": truncated.copy(),
                "info": info,
                "state": snapshot(env.state),
            }
        )
    return seen


def still(env: LocomotionVectorEnv) -> np.ndarray:
    """Actions of 0 for every joint of every robot."""
    return np.zeros((env.num_envs, len(env.robot.joints)), np.float32)


def assert_same(a: Any, b: Any, path: str = "") -> None:
    """Assert that nested dicts and lists of arrays are equal bit by bit."""
    assert type(a) is type(b), path
    if isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            assert_same(a[key], b[key], f"{path}/{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), path
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{path}/{i}")
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), path
        assert a.tobytes() == b.tobytes(), path
    else:
        assert a == b, path


def row_of(tree: Any, i: int) -> Any:
    """Row i of every array of nested dicts, as a batch of one."""
    if isinstance(tree, dict):
        return {key: row_of(value, i) for key, value in tree.items()}
    return tree[i : i + 1].copy() if isinstance(tree, np.ndarray) else tree


def hand_made(n: int = 2, joints: int = JOINTS, legs: int = FEET, **changes: Any) -> State:
    """A level robot at rest in its nominal pose, all feet down, with changes."""
    zeros, joint, foot = np.zeros(n), np.zeros((n, joints)), np.zeros((n, legs))
    state: dict[str, Any] = {
        "dt": 0.02,
        "timestep": 0.005,
        "nominal_pose": np.zeros(joints),
        "nominal_height": 0.5,
        "leg_length": 0.6,
        "command_names": VELOCITY,
        "base_height": zeros + 0.5,
        "lin_vel_b": np.zeros((n, 3)),
        "ang_vel_b": np.zeros((n, 3)),
        "gravity_b": np.tile([0.0, 0.0, -1.0], (n, 1)),
        "joint_pos": joint,
        "joint_vel": joint,
        "joint_acc": joint,
        "torque": joint,
        "power": zeros,
        "effort": joint,
        "foot_height": foot,
        "foot_vel_w": np.zeros((n, legs, 3)),
        "foot_contact": foot == 0,
        "touchdown": foot != 0,
        "air_time": foot,
        "foot_phase": foot,
        "leg_contact": np.zeros((n, 2 * legs), bool),
        "base_contact": zeros != 0,
        "command": np.zeros((n, 3)),
        "action": joint,
        "previous_action": joint,
        "joint_target": joint,
        "previous_torque": joint,
        "past_error": np.zeros((n, PAST, joints)),
        "past_joint_vel": np.zeros((n, PAST, joints)),
        "terminated": zeros != 0,
    }
    for name, value in changes.items():
        given = isinstance(state[name], np.ndarray)
        state[name] = np.asarray(value, dtype=state[name].dtype) if given else value
    return State(**state)


def random_state(
    n: int,
    rng: np.random.Generator,
    joints: int = JOINTS,
    legs: int = FEET,
    pose: Sequence[float] = (0.0,) * JOINTS,
) -> State:
    """A state in which every quantity differs from zero."""
    template = hand_made(n, joints, legs, nominal_pose=pose)
    drawn: dict[str, np.ndarray] = {}
    for name, value in snapshot(template).items():
        if name != "nominal_pose":
            normal = rng.normal(0.0, 1.0, value.shape)
            drawn[name] = normal > 0 if value.dtype == bool else normal
    return replace(template, **drawn)


def reflection(g: int) -> np.ndarray:
    """What group element g does to a polar vector, (3,)."""
    chosen = [diagonal for bit, diagonal in enumerate(MIRRORS.values()) if g >> bit & 1]
    return np.prod([np.ones(3), *chosen], axis=0)


def made_up_recording(steps: int, robots: int) -> Recording:
    """Robots that walk exactly as commanded: 0.5 m/s ahead, a quarter turn a second.

    Half of the joints give 100 W together, the others take as much.
    """
    velocity = np.tile([0.5, 0.0, np.pi / 2], (steps, robots, 1))
    one, feet = np.ones((steps, robots)), np.zeros((steps, robots, FEET))
    joints = np.zeros((steps, robots, JOINTS))
    return Recording(
        dt=0.02,
        mass=50.0,
        leg_length=0.5,
        command_names=VELOCITY,
        nominal_pose=(0.0,) * JOINTS,
        alive=one > 0,
        command=velocity.copy(),
        velocity=velocity,
        joint_pos=joints,
        joint_vel=np.where(np.arange(JOINTS) < 6, 1.0, -1.0) * 100 / (6 * 7.0) + joints,
        torque=7.0 + joints,
        effort=7.0 + joints,
        power=100.0 * one,
        base_height=0.5 * one,
        base_tilt=0.1 * one,
        base_vel_z=0.0 * one,
        foot_contact=feet == 0,
        foot_height=feet.copy(),
        foot_speed=feet.copy(),
        foot_vel_z=feet.copy(),
    )

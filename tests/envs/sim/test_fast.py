"""Fast physics: what it leaves out, and that nobody is judged under it."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from envs import playable, tasks
from envs.sim import scene
from envs.sim.scene import Simulation
from envs.task import as_judged
from envs.vector import LocomotionVectorEnv
from robots import get_robot

FAST = Simulation(physics="fast", timestep=0.01, substeps=2)
ROBOT = get_robot("anymal_c")
WALK = replace(tasks.make("walk", ROBOT), simulation=FAST)


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return scene.build(ROBOT, FAST, WALK.drive)


def test_only_feet_touch_the_ground(model: mujoco.MjModel) -> None:
    touching = np.flatnonzero(model.geom_conaffinity | model.geom_contype)
    on_robot = [g for g in touching if model.geom_bodyid[g] != 0]
    assert sorted(model.geom(g).name for g in on_robot) == sorted(ROBOT.feet)


def test_joints_have_no_dry_friction_and_the_solver_few_sweeps(model: mujoco.MjModel) -> None:
    assert not model.dof_frictionloss.any()
    assert model.opt.solver == mujoco.mjtSolver.mjSOL_PGS
    assert model.opt.iterations == 10
    full = scene.build(ROBOT, FAST.full, WALK.drive)
    assert (full.dof_frictionloss[6:] > 0).all()
    assert full.opt.solver == mujoco.mjtSolver.mjSOL_NEWTON


@pytest.mark.parametrize(
    ("fast", "timestep", "substeps"),
    [
        (FAST, 0.005, 4),
        (replace(FAST, timestep=0.02, substeps=1), 0.005, 4),
        (replace(FAST, timestep=0.002, substeps=10), 0.002, 10),
        (replace(FAST, timestep=0.004, substeps=3), 0.004, 3),
        (replace(FAST, timestep=0.0125, substeps=1), 0.0125 / 3, 3),
        (replace(FAST, timestep=0.006, substeps=1), 0.003, 2),
        (replace(FAST, timestep=0.0075, substeps=2), 0.00375, 4),  # whole steps remain whole
        (replace(FAST, timestep=0.012, substeps=2), 0.004, 6),
    ],
)
def test_a_policy_is_judged_under_full_physics_at_its_own_rate(
    fast: Simulation, timestep: float, substeps: int
) -> None:
    judged = as_judged(replace(WALK, simulation=fast)).simulation
    assert (judged.physics, judged.substeps) == ("full", substeps)
    assert judged.timestep == pytest.approx(timestep)
    assert judged.dt == pytest.approx(fast.dt)
    assert as_judged(replace(WALK, simulation=judged)).simulation == judged


def test_a_checkpoint_of_it_is_played_under_full_physics() -> None:
    kept = playable.describe(WALK)
    task = playable.restore(tasks.make("walk", ROBOT), kept)
    assert task.simulation == replace(FAST, nthread=task.simulation.nthread)
    assert as_judged(task).simulation.physics == "full"


@pytest.mark.slow
def test_a_standing_robot_stands_alike() -> None:
    """Heights (m) of robots that hold the nominal pose for three seconds."""
    heights = []
    for simulation in (FAST, FAST.full):
        task = replace(as_judged(WALK), simulation=simulation)
        env = LocomotionVectorEnv(1, config=task, autoreset=False)
        env.reset(seed=1)
        for _ in range(150):
            env.step(np.zeros((1, 12), np.float32))
        heights.append(float(env.state.base_height[0]))
        env.close()
    assert heights[0] == pytest.approx(heights[1], abs=0.01)

"""Which engine simulates: MuJoCo's thread pool, or MuJoCo Warp on a GPU."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

import mujoco

from envs.bounds import require, require_choice
from envs.sim.batch import BatchPhysics
from envs.sim.physics import Physics
from envs.sim.scene import Simulation
from envs.sim.terrain import Terrain
from robots.robot import Robot

Engine = Literal["batch", "warp"]
"""batch: `mujoco.batch`, on the CPU's cores; warp: MuJoCo Warp, on a CUDA device."""
EXTRA = "first: pip install -c constraints.txt -e '.[warp]'"


def has_warp() -> bool:
    """Whether the packages of the extra `warp` are installed."""
    return find_spec("mujoco_warp") is not None


def choose(name: Literal["auto"] | Engine, cuda: bool) -> Engine:
    """Return what simulates: warp where it is named, or can be, and there is a CUDA device.

    Args:
        name: the engine; auto takes warp where its packages are installed.
        cuda: whether there is a device for it.

    Raises:
        ValueError: warp is named, there is a device, and its packages are missing.
    """
    wanted = cuda and name != "batch"
    require(not wanted or name == "auto" or has_warp(), "--physics", name, f"batch, or {EXTRA}")
    return "warp" if wanted and has_warp() else "batch"


def make_physics(
    engine: Engine,
    model: mujoco.MjModel,
    robot: Robot,
    n: int,
    simulation: Simulation,
    terrain: Terrain,
    device: str = "cuda",
) -> Physics:
    """Make n simulations.

    Args:
        engine: what simulates.
        model: of `scene.build`.
        robot: the robot in it.
        n: number of simulations.
        simulation: how they are stepped.
        terrain: the ground in the model.
        device: of warp, by its name there: `cuda:0`, or `cpu` for tests.

    Raises:
        ValueError: an unknown engine, or one whose packages are missing.
    """
    require_choice("physics", engine, Engine)
    if engine == "batch":
        return BatchPhysics(model, robot, n, simulation, terrain)
    require(has_warp(), "physics", engine, f"batch, or {EXTRA}")
    from envs.sim.warp import WarpPhysics  # it compiles on import, and is no part of every install

    return WarpPhysics(model, robot, n, simulation, terrain, device)

"""Physics in MuJoCo Warp against MuJoCo's own, on Warp's CPU device and, if there is one, on CUDA.

`make test-warp` runs them; without the extra `warp` they are skipped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import pytest
import torch

from algos.rollout.collector import Collector
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO
from envs import tasks
from envs.judge.replay import Replay
from envs.mdp.rewards import Reward
from envs.mdp.starts import NOMINAL, SCATTERED
from envs.sim import scene
from envs.sim.batch import BatchPhysics
from envs.sim.drives import PD
from envs.sim.faults import Recorder
from envs.sim.physics import Physics
from envs.sim.randomization import STANDARD, ModelRandomizer
from envs.sim.scene import Simulation
from envs.sim.terrain import Flat, Slope, Terrain
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from robots.usage import UsageError
from tests.envs.helpers import JOINTS, WILD, quiet

pytest.importorskip("mujoco_warp", reason="needs the extra warp")

from envs.sim.warp import WarpPhysics

pytestmark = pytest.mark.warp
no_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
only_cpu = pytest.mark.parametrize("device", ["cpu"], indirect=True)
"""On CUDA sums are taken in any order: with `opt.deterministic` too a rerun on an H200 differed by
1e-7 of its values."""
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, no_cuda])]
TOLERANCE = {
    "base_pos_w": 1e-5,
    "base_quat_w": 1e-5,
    "base_height": 1e-5,
    "lin_vel_b": 1e-3,
    "ang_vel_b": 2e-3,
    "gravity_b": 1e-5,
    "joint_pos": 2e-5,
    "joint_vel": 5e-3,
    "torque": 2e-2,
    "power": 5e-2,
    "effort": 2e-2,
    "foot_height": 2e-5,
    "foot_vel_w": 2e-3,
    "foot_contact": 0.0,
    "leg_contact": 0.0,
    "base_contact": 0.0,
}
"""What 32 bits may change within one control step (m, rad, s, N·m, W; whether or not)."""

LEARNING: dict[str, Any] = {"initial_std": 0.5, "max_kl": 0.1, "gamma": 0.8, "gae_lambda": 0.8}


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return request.param


def both(
    device: str,
    n: int,
    simulation: Simulation = Simulation(),
    terrain: Terrain = Flat(),
) -> tuple[BatchPhysics, WarpPhysics]:
    """The same robots in both engines, standing."""
    robot = get_robot("anymal_c")
    model = scene.build(robot, simulation, PD(), terrain)
    model.opt.solver = mujoco.mjtSolver.mjSOL_NEWTON  # of fast physics, as Warp solves it
    engines = (
        BatchPhysics(model, robot, n, simulation, terrain),
        WarpPhysics(model, robot, n, simulation, terrain, device),
    )
    for physics in engines:
        physics.set_rows(np.arange(n), *NOMINAL(robot, n, np.random.default_rng(0)))
    return engines


def differences(a: Physics, b: Physics) -> dict[str, np.ndarray]:
    """How much each named quantity differs in each simulation."""
    found = {}
    for name in TOLERANCE:
        one, other = (np.asarray(getattr(p, name), dtype=float) for p in (a, b))
        found[name] = np.abs(one - other).reshape(len(one), -1).max(axis=1)
    return found


def wave(step: int, n: int) -> np.ndarray:
    """Joint targets that have the robots tread about (n, joints)."""
    pose = np.array(get_robot("anymal_c").nominal_pose)
    turn = 0.25 * step + np.arange(n)[:, None] + 2.1 * np.arange(JOINTS)
    return pose + 0.25 * np.sin(turn)


@pytest.mark.parametrize("physics", ["full", "fast"])
def test_a_control_step_is_the_same(device: str, physics: Any) -> None:
    """From the same state, at each of 100 steps of robots that tread about.

    A foot within the rounding of the ground touches it in one engine and not in the other: rare,
    and the only difference that is allowed to be larger.
    """
    n = 4
    batch, warp = both(device, n, Simulation(physics=physics))
    worse = 0
    for step in range(100):
        warp.restore(batch.state)
        control = wave(step, n)
        for engine in (batch, warp):
            engine.apply(control)
            assert not engine.step().any()
        wrong = [d > TOLERANCE[name] for name, d in differences(batch, warp).items()]
        worse += int(np.any(wrong, axis=0).sum())
    assert worse <= 0.02 * 100 * n


def test_standing_still_stays_the_same_for_100_steps(device: str) -> None:
    n, pose = 2, np.array(get_robot("anymal_c").nominal_pose)
    engines = both(device, n)
    for _ in range(100):
        for physics in engines:
            physics.apply(np.tile(pose, (n, 1)))
            physics.step()
    worst = {name: float(d.max()) for name, d in differences(*engines).items()}
    assert worst["base_pos_w"] < 1e-4
    assert worst["joint_pos"] < 1e-4
    assert worst["foot_contact"] == 0


@pytest.mark.parametrize("name", ["stand", "walk", "random"])
def test_an_environment_is_the_same(device: str, name: str) -> None:
    """Observations and rewards of tasks, from the same state at every step; and their ends."""
    config = tasks.make("stand" if name == "stand" else "walk", get_robot("anymal_c"))
    if name == "random":
        config = replace(config, randomization=replace(WILD, noise=0.0))
    batch, warp = (
        LocomotionVectorEnv(4, config=config, physics=kind, device=device)
        for kind in ("batch", "warp")
    )
    for env in (batch, warp):
        env.reset(seed=3)
    rng, worse, steps = np.random.default_rng(0), 0, 100
    for _ in range(steps):
        warp.load_state_dict(batch.state_dict())
        action = rng.uniform(-0.6, 0.6, (4, JOINTS)).astype(np.float32)
        ours, theirs = warp.step(action), batch.step(action)
        far = np.abs(ours[0] - theirs[0]).max(axis=1) > 5e-3
        far |= np.abs(ours[1] - theirs[1]) > 5e-3
        far |= (ours[2] != theirs[2]) | (ours[3] != theirs[3])
        worse += int(far.sum())
    assert worse <= 0.03 * 4 * steps


@only_cpu
def test_a_reset_leaves_the_others_be(device: str) -> None:
    """Bitwise, in the state, in the sensors, and in what they do next."""
    robot, n, some = get_robot("anymal_c"), 4, np.array([1, 3])
    others = [0, 2]
    (_, left), (_, reset) = (both(device, n) for _ in range(2))
    for step in range(12):
        for physics in (left, reset):
            physics.apply(wave(step, n))
            physics.step()
        if step == 5:
            reset.set_rows(some, *SCATTERED(robot, 2, np.random.default_rng(1)))
            reset.lift(some)
        np.testing.assert_array_equal(left.state[others], reset.state[others])
        for name in TOLERANCE:
            np.testing.assert_array_equal(
                getattr(left, name)[others], getattr(reset, name)[others], err_msg=name
            )
        assert step < 5 or (left.state[some] != reset.state[some]).any()


@only_cpu
def test_a_restored_state_goes_on_the_same(device: str) -> None:
    """Bitwise."""
    _, warp = both(device, 3)
    for step in range(5):
        warp.apply(wave(step, 3))
        warp.step()
    kept, ends = warp.state.copy(), []
    for _ in range(2):
        warp.restore(kept)
        for step in range(5, 10):
            warp.apply(wave(step, 3))
            warp.step()
        ends.append(warp.state.copy())
    np.testing.assert_array_equal(*ends)


def test_robots_have_models_of_their_own(device: str) -> None:
    """Masses, centres, friction and gains, with what follows from them, as MuJoCo's own engine."""
    engines = both(device, 4)
    for physics in engines:
        models = ModelRandomizer(physics, get_robot("anymal_c"), STANDARD)
        models.redraw(np.arange(4), np.random.default_rng(5))
    batch, warp = engines
    worse = 0
    for step in range(40):
        warp.restore(batch.state)
        for physics in engines:
            physics.apply(wave(step, 4))
            physics.step()
        wrong = [d > TOLERANCE[name] for name, d in differences(batch, warp).items()]
        worse += int(np.any(wrong, axis=0).sum())
    assert worse <= 0.03 * 40 * 4
    assert len(np.unique(warp.torque[:, 0])) == 4


def test_a_push_moves_the_robots_that_it_names(device: str) -> None:
    batch, warp = engines = both(device, 3)
    for physics in engines:
        physics.apply(wave(0, 3))
        physics.push(np.array([1]), np.array([[1.0, -0.5]]))
        physics.step()
    assert batch.lin_vel_b[1, 0] > 0.5
    np.testing.assert_allclose(warp.lin_vel_b, batch.lin_vel_b, atol=1e-3)


def test_rays_meet_the_ground(device: str) -> None:
    batch, warp = both(device, 2, terrain=Slope(angle=0.3))
    start = np.zeros((2, 3, 3))
    start[..., 2] = 2.0
    start[:, 1, 0] = 1.5
    direction = np.tile([[0, 0, -1.0], [0, 0, -1.0], [0, 0, 1.0]], (2, 1, 1))
    np.testing.assert_allclose(warp.ray(start, direction), batch.ray(start, direction), atol=1e-5)
    assert (warp.ray(start, direction)[:, 2] == -1).all()


@only_cpu
@pytest.mark.parametrize("cause", ["control", "speed"])
def test_a_robot_that_blows_up_is_alone(device: str, cause: str) -> None:
    """It is told, the others go on bitwise as ever, and it can start anew."""
    (_, fine), (_, broken) = (both(device, 3) for _ in range(2))
    for step in range(4):
        for physics in (fine, broken):
            control = wave(step, 3)
            if physics is broken and step == 3:
                if cause == "control":
                    control[1] = np.nan
                else:
                    physics.push(np.array([1]), np.array([[np.nan, 0.0]]))
            physics.apply(control)
            diverged = physics.step()
        assert diverged.tolist() == [False, step == 3, False]
    np.testing.assert_array_equal(fine.state[[0, 2]], broken.state[[0, 2]])
    robot = get_robot("anymal_c")
    broken.set_rows(np.array([1]), *NOMINAL(robot, 1, np.random.default_rng(0)))
    broken.apply(wave(0, 3))
    assert not broken.step().any()
    assert np.isfinite(broken.state).all()


def test_contacts_beyond_the_room_are_a_fault_of_that_robot(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envs.sim.warp.room", lambda *_: (8, 14))
    _, warp = both(device, 2)
    robot = get_robot("anymal_c")
    rows = NOMINAL(robot, 1, np.random.default_rng(0))
    rows.base_pose[:, 2] += 1.0
    warp.set_rows(np.array([0]), *rows)
    warp.apply(wave(0, 2))
    assert warp.step().tolist() == [False, True]


def test_there_is_room_for_what_ties_joints(device: str) -> None:
    """Five small bodies on each thigh that follow its knee, which touches nothing otherwise."""
    base = get_robot("anymal_c")

    def build() -> mujoco.MjSpec:
        spec = base.build()
        for leg, thigh in enumerate(base.thighs):
            for k in range(5):
                name = f"rod{leg}_{k}"
                rod = spec.body(thigh).add_body(name=name, mass=0.01, inertia=[1e-4] * 3)
                rod.explicitinertial = True
                rod.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_HINGE, damping=0.01)
                tie = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, name1=name)
                tie.name2, tie.objtype = base.joints[3 * leg + 2], mujoco.mjtObj.mjOBJ_JOINT
                tie.data[:2] = [0.0, 1.0]
        return spec

    robot = replace(base, build=build)
    model = scene.build(robot, Simulation(physics="fast"), PD())
    model.opt.solver = mujoco.mjtSolver.mjSOL_NEWTON
    warp = WarpPhysics(model, robot, 2, Simulation(), device=device)
    warp.set_rows(np.arange(2), *NOMINAL(robot, 2, np.random.default_rng(0)))
    for step in range(5):
        warp.apply(wave(step, 2))
        warp.step()
        assert not warp.warnings.any()


def test_a_fault_says_who_simulated_it(device: str) -> None:
    env = LocomotionVectorEnv(2, config=quiet(), physics="warp", device=device)
    env.reset(seed=1)
    actions = np.zeros((2, JOINTS), np.float32)
    for _ in range(3):
        env.step(actions)
    actions[1] = np.nan
    fault = env.step(actions)[4]["trot"]["faults"][0]
    assert "warp simulated it, in 32 bits" in Replay(fault).explain()


@pytest.mark.parametrize("name", ["cuda:99", "gpu"])
def test_a_device_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=rf"device is '{name}'; Warp sees cpu"):
        LocomotionVectorEnv(1, physics="warp", device=name)


def test_a_model_that_warp_cannot_take_is_refused(device: str) -> None:
    robot = get_robot("anymal_c")
    model = scene.build(robot, Simulation(), PD())
    model.opt.enableflags |= mujoco.mjtEnableBit.mjENBL_OVERRIDE
    with pytest.raises(UsageError, match=r"'anymal_c'.*OVERRIDE.*take batch"):
        WarpPhysics(model, robot, 1, Simulation(), device=device)


def test_an_environment_goes_on_in_the_other_engine(device: str) -> None:
    """What one saved, both continue alike: checkpoints move between the two."""
    config = quiet()
    envs = [
        LocomotionVectorEnv(3, config=config, physics=kind, device=device)
        for kind in ("batch", "warp", "batch")
    ]
    for env in envs:
        env.reset(seed=1)
    action = np.full((3, JOINTS), 0.1, np.float32)
    for _ in range(5):
        envs[1].step(action)
    for env in (envs[0], envs[2]):
        env.load_state_dict(envs[1].state_dict())
    envs[1].load_state_dict(envs[0].state_dict())
    seen = [[env.step(action)[0] for _ in range(3)] for env in envs]
    np.testing.assert_array_equal(seen[0], seen[2])
    np.testing.assert_allclose(seen[0], seen[1], atol=5e-3)


@only_cpu
def test_a_restored_environment_goes_on_the_same(device: str) -> None:
    """Bitwise, rewards too."""
    env, other = (
        LocomotionVectorEnv(3, config=quiet(), physics="warp", device=device) for _ in range(2)
    )
    env.reset(seed=1)
    action = np.full((3, JOINTS), 0.1, np.float32)
    for _ in range(5):
        env.step(action)
    other.load_state_dict(env.state_dict())
    for _ in range(3):
        (seen, paid, *_), (again, too, *_) = env.step(action), other.step(action)
        np.testing.assert_array_equal(seen, again)
        np.testing.assert_array_equal(paid, too)


def test_faults_are_recorded(device: str) -> None:
    _, warp = both(device, 2)
    recorder = warp.observer = Recorder(warp.state, JOINTS)
    for step in range(3):
        warp.apply(wave(step, 2))
        warp.step()
    record = recorder.record(1)
    assert len(record["controls"]) == 3
    np.testing.assert_allclose(record["controls"][2], wave(2, 2)[1], rtol=1e-6)


@only_cpu
def test_a_training_repeats_itself(device: str) -> None:
    """Bitwise: physics, sampling and updates."""
    torch.set_num_threads(1)
    ends = []
    for _ in range(2):
        env = LocomotionVectorEnv(8, task="walk", physics="warp", device=device)
        spaces = env.single_observation_space, env.single_action_space
        config = TRPOConfig(hidden=(32,), critic_hidden=(32,))
        agent = TRPO(*spaces, config, env.symmetry, device, seed=1)
        collector = Collector(env, agent.sample, 8, device, seed=1)
        for _ in range(3):
            agent.update(collector.collect())
        ends.append((agent.policy.get_flat().cpu(), env.physics.state.copy()))
    torch.testing.assert_close(ends[0][0], ends[1][0], rtol=0, atol=0)
    np.testing.assert_array_equal(ends[0][1], ends[1][1])


def test_a_short_training_improves(device: str) -> None:
    """Knees are paid for being bent a little more than they stand: 20 updates are enough."""
    torch.set_num_threads(1)
    bent = np.array([0.0, 0.0, 0.3] * 4) * np.sign(get_robot("anymal_c").nominal_pose)
    bend = Reward(lambda state: -np.abs(state.joint_pos - state.nominal_pose - bent).mean(1), 300.0)
    fast = Simulation(physics="fast", timestep=0.01, substeps=2)
    config = quiet("stand", rewards={"bend": bend}, terminations={}, simulation=fast)
    env = LocomotionVectorEnv(16, config=config, physics="warp", device=device)
    agent = TRPO(
        env.single_observation_space,
        env.single_action_space,
        TRPOConfig(hidden=(32,), critic_hidden=(32,), **LEARNING),
        env.symmetry,
        device,
        seed=1,
    )
    collector = Collector(env, agent.sample, 16, device, seed=1)
    paid = []
    for _ in range(20):
        rollout = collector.collect()
        paid.append(float(rollout.rewards.mean()))
        agent.update(rollout)
    assert np.mean(paid[-3:]) > 0.85 * np.mean(paid[1:4])  # both negative

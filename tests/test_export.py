"""play.py --export, and the file's use outside Trot."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import play
from algos.playing.export import DeployedPolicy, export
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO
from envs.judge import deployment
from envs.sim import DRIVES, scene
from envs.sim.drives import PD, Delayed, Drive, Network
from envs.sim.scene import Simulation
from envs.sim.terrain import Slope
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from tests.envs.helpers import quiet, simulation, task
from tests.envs.networks import NETWORKS

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.usefixtures("onnx_operators")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "walk.onnx"
    play.main([str(ROOT / "policies" / "walk.pt"), "--export", str(path)])
    return path


@pytest.mark.slow
def test_the_committed_policy_walks_in_plain_mujoco(exported: Path) -> None:
    script = ROOT / "docs" / "run_onnx.py"
    command = [sys.executable, str(script), str(exported), "0.8", "0", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    way, height = (float(word) for word in (done.stdout.split()[0], done.stdout.split()[-2]))
    assert way == pytest.approx(8.0, abs=0.5)
    assert height > 0.45


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DRIVES, *NETWORKS])
def test_a_policy_of_any_drive_moves_in_plain_mujoco_as_here(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy of random weights, for the half second before rounding decides where it falls."""
    slow = task().commands.fixed((0.06, -0.05, 0.04))  # to stand, which both must take it for
    physics = {"timestep": 0.0025, "substeps": 8} if name == "seaModel.txt" else {}
    config = quiet(drive=drive_of(name, tmp_path), commands=slow, **simulation(**physics))
    env = LocomotionVectorEnv(1, config=config, autoreset=False)
    agent, path = random_agent(env), tmp_path / "a.onnx"
    export(
        DeployedPolicy(agent.policy, agent.normalizer, deployment.control_law(env)),
        path,
        deployment.description(env),
    )
    compare(env, agent, run_script(path, monkeypatch, 0.02, "0.06", "-0.05", "0.04"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["command/paper", "recover/paper"])
def test_what_a_policy_sees_of_the_past_is_so_elsewhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Position errors and joint speeds of 10 and 20 ms ago, at 200 Hz and at 20 Hz."""
    entries = task(name).commands.names
    commands = task(name).commands.fixed((0.06, -0.05, 0.04)[: len(entries)])
    env = LocomotionVectorEnv(1, config=quiet(name, commands=commands, revisit=0.0))
    agent, path = random_agent(env), tmp_path / "a.onnx"
    export(
        DeployedPolicy(agent.policy, agent.normalizer, deployment.control_law(env)),
        path,
        deployment.description(env),
    )
    told = [str(low) for low, _ in commands.ranges]
    compare(env, agent, run_script(path, monkeypatch, env.config.simulation.dt, *told), 10)


@pytest.mark.slow
def test_a_robot_starts_on_a_slope_and_not_inside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foot that is pushed out of the ground flings its joints."""
    env = LocomotionVectorEnv(1, config=quiet(terrain=Slope(0.5)), autoreset=False)
    agent, path = random_agent(env), tmp_path / "a.onnx"
    export(DeployedPolicy(agent.policy, agent.normalizer), path, deployment.description(env))
    theirs = run_script(path, monkeypatch, 0.02, "0", "0", "0")
    ended = runpy.run_path(sys.argv[0])
    x, y, z = ended["data"].qpos[:3]
    assert abs(x) > 0.05  # it slid
    ground = Slope(0.5).height(np.array([[x, y]]))[0]
    assert ended["height"]() == pytest.approx(z - ground, abs=1e-4)
    assert np.abs(theirs[0, 1:] - env.robot.nominal_pose).max() < 0.1
    assert 0.0 < theirs[0, 0] - env.robot.nominal_height < 0.3


def compare(env: LocomotionVectorEnv, agent: TRPO, theirs: np.ndarray, steps: int = 25) -> None:
    """Assert that the first control steps of docs/run_onnx.py are those of the environment."""
    act = DeployedPolicy(agent.policy, agent.normalizer)
    observation, _ = env.reset(seed=0)
    mine = []
    for _ in range(steps):
        with torch.no_grad():
            action = act(torch.from_numpy(observation)).numpy()
        observation, *_ = env.step(action)
        mine.append(np.append(env.physics.base_pos_w[0, 2], env.physics.joint_pos[0]))
    np.testing.assert_allclose(theirs[:steps], mine, atol=1e-5)
    assert np.abs(mine[-1] - mine[0]).max() > 0.1


def drive_of(name: str, folder: Path) -> Drive:
    """A drive by its name, or by that of a file of others; each episode's delay is the same."""
    if name == "delayed":
        return Delayed(delay=(0.015, 0.015))
    return Network(file=str(NETWORKS[name](folder))) if name in NETWORKS else DRIVES[name]()


def random_agent(env: LocomotionVectorEnv) -> TRPO:
    config = TRPOConfig(hidden=(8,), critic_hidden=(8,))
    agent = TRPO(env.single_observation_space, env.single_action_space, config, seed=0)
    generator = torch.Generator().manual_seed(0)
    agent.policy.set_flat(0.1 * torch.randn(agent.policy.get_flat().shape, generator=generator))
    return agent


def run_script(path: Path, monkeypatch: pytest.MonkeyPatch, dt: float, *command: str) -> np.ndarray:
    """Base height and joints after the control steps of docs/run_onnx.py, (steps, 1 + joints)."""
    seen, taken, step = [], 0, mujoco.mj_step

    def watched(model: mujoco.MjModel, data: mujoco.MjData, substeps: int) -> None:
        nonlocal taken
        step(model, data, substeps)
        taken += substeps
        if round(taken * model.opt.timestep / dt, 6).is_integer():
            seen.append(np.append(data.qpos[2], data.qpos[7:]))

    script = str(ROOT / "docs" / "run_onnx.py")
    monkeypatch.setattr(mujoco, "mj_step", watched)
    monkeypatch.setattr(sys, "argv", [script, str(path), *command])
    runpy.run_path(script)
    return np.array(seen)


def refusal(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What docs/run_onnx.py ends with."""
    script = str(ROOT / "docs" / "run_onnx.py")
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(script)
    assert isinstance(ended.value.code, str)
    assert "\n" not in ended.value.code
    return ended.value.code


def test_the_script_says_in_a_line_what_is_no_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    assert "run_onnx.py walk.onnx 0.8 0 0.3" in refusal(monkeypatch)
    told = "is no robot's policy that play.py --export wrote as .onnx: "
    for name in ("missing.onnx", "text.onnx"):
        assert told in refusal(monkeypatch, str(tmp_path / name), "0", "0", "0")


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [["0.5"], ["0.5", "0", "0", "0"], ["0.5", "0", "x"], ["nan"] * 3]
)
def test_the_script_says_what_a_command_is(
    command: list[str], exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = f"the command is '{' '.join(command)}'; give a number for each of lin_vel_x (m/s), lin"
    assert wanted in refusal(monkeypatch, str(exported), *command)


@pytest.mark.slow
def test_the_script_says_what_of_the_observations_it_lacks(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = tmp_path / "a.onnx", onnx.load(exported)
    (entry,) = (prop for prop in model.metadata_props if prop.key == "trot")
    info = json.loads(entry.value)
    for blocks, told in (
        (info["observation"][1:], "the policy takes 56 observations, and `values` has 53"),
        ([{"term": "smell", "scale": 1}], "the policy observes smell: say in `values` what"),
    ):
        entry.value = json.dumps(info | {"observation": blocks})
        onnx.save(model, path)
        assert told in refusal(monkeypatch, str(path), "0", "0", "0")


@pytest.mark.slow
def test_the_file_tells_what_a_robot_needs(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported)
    info = json.loads(session.get_modelmeta().custom_metadata_map["trot"])
    robot = get_robot("anymal_c")
    assert info["joints"] == list(robot.joints)
    assert info["nominal_pose"] == pytest.approx(robot.nominal_pose)
    for name in ("kp", "kd", "torque_limit"):
        assert info[name] == getattr(robot, name).tolist()
    assert info["control_rate"] == 50
    stops = [block["stop"] for block in info["observation"]]
    assert [block["start"] for block in info["observation"]] == [0, *stops[:-1]]
    assert session.get_inputs()[0].shape[1] == stops[-1]


@pytest.mark.slow
def test_the_files_model_is_the_simulations(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported)
    info = json.loads(session.get_modelmeta().custom_metadata_map["trot"])
    mine = scene.build(get_robot("anymal_c"), Simulation(), PD(), visual=True)
    theirs = mujoco.MjModel.from_xml_string(info["mjcf"])
    for name in ("body_mass", "body_inertia", "geom_size", "jnt_range", "actuator_gainprm"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(mine, name), rtol=1e-4, atol=1e-6)


def test_an_environment_without_a_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CartPole-v1"):
        play.main(["CartPole-v1", "--export", str(tmp_path / "a.onnx")])
    with pytest.raises(ValueError, match=r"must end in \.onnx or \.pt2"):
        play.main([str(ROOT / "policies" / "walk.pt"), "--export", str(tmp_path / "a.txt")])

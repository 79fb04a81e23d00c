"""Faults are recorded so that they can be repeated, bitwise, by another process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio
import numpy as np
import pytest

from envs.judge.replay import Replay, load
from envs.mdp.observations import Observation, past_joint_vel
from envs.mdp.rewards import Reward
from envs.mdp.state import State
from envs.sim import DRIVES
from envs.sim.drives import Torque
from envs.sim.faults import MAX_RECORDS, SPAN, Recorder
from envs.sim.terrain import Slope
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv
from tests.envs.delay import Delay
from tests.envs.helpers import JOINTS, WILD, quiet, simulation, task
from tests.robots import dogs

N, BAD = 6, 4


def torques() -> TaskConfig:
    """Full random torques at a coarse step: some simulation blows up within a few steps."""
    return task(randomization=WILD, drive=Torque(), **simulation(timestep=0.02))


def hard_pushes() -> TaskConfig:
    """Pushes of 100 m/s, of which two in a row may go beyond the limit."""
    return task(randomization=replace(WILD, push=(100.0, 100.0)))


def first_fault(config: TaskConfig, steps: int = 300, nan_action_at: int = -1) -> dict[str, Any]:
    """The record of the first simulation that goes wrong under random actions."""
    env, rng = LocomotionVectorEnv(N, config=config), np.random.default_rng(0)
    env.reset(seed=1)
    for step in range(steps):
        action = rng.uniform(-1, 1, (N, JOINTS)).astype(np.float32)
        if step == nan_action_at:
            action[BAD, 3] = np.nan
        _, _, terminated, _, info = env.step(action)
        told = info.get("trot", {})
        if "faults" in told:
            (fault,) = told["faults"]
            assert "diverged" not in told or (told["diverged"] <= terminated).all()
            return fault
    raise AssertionError("nothing went wrong")


def stored(fault: dict[str, Any], folder: Path) -> Path:
    path = folder / "fault.npz"
    np.savez_compressed(path, allow_pickle=False, **fault)
    return path


@pytest.fixture(autouse=True)
def _knows_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DRIVES, Delay.name, Delay)


CONFIGS = {
    "torques": torques(),
    "pushes": hard_pushes(),
    "every_substep": replace(hard_pushes(), drive=Delay(scale=2.0, delay=3)),
    "slope": replace(torques(), terrain=Slope(0.2)),
    "past": replace(
        hard_pushes(),
        observations={"speed": Observation(past_joint_vel, "joint", params={"lag": 0.01})},
    ),
}
EACH_STEP = ("every_substep", "past")
"""Configurations whose controls are recorded for each physics step."""


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_a_divergence_is_repeated_bitwise_with_its_own_model(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    fault = first_fault(config)
    again = Replay(load(stored(fault, tmp_path)))
    first, substeps = again.diverges_at(), config.simulation.substeps
    assert len(again) == len(fault["controls"]) * (1 if name in EACH_STEP else substeps)
    assert first is not None
    assert len(again) - substeps <= first < len(again)  # within the last control step
    explained = again.explain()
    assert "bitwise those recorded" in explained
    assert f"it diverges at {(first + 1) * config.simulation.timestep:.3f} s" in explained


def test_a_robot_of_a_file_is_replayed_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dog.xml").write_text(dogs.mjcf())
    monkeypatch.chdir(tmp_path)
    env = LocomotionVectorEnv(1, robot="dog.xml")
    env.reset(seed=1)
    *_, info = env.step(np.full((1, 12), np.nan, np.float32))
    monkeypatch.chdir("/")
    assert Replay(load(stored(info["trot"]["faults"][0], tmp_path))).robot.name == "dog"


def test_the_record_of_another_model_is_seen_to_differ() -> None:
    fault = first_fault(torques())
    fault["model.body_mass"] = fault["model.body_mass"] * 1.001
    assert "not those recorded" in Replay(fault).explain()


@pytest.mark.slow
def test_a_long_episode_is_recorded_from_a_whole_second_before() -> None:
    fault = first_fault(quiet(terminations={}), nan_action_at=3 * SPAN + 7)
    assert SPAN <= len(fault["controls"]) < 2 * SPAN
    explained = Replay(fault).explain()
    assert f"simulation {BAD} diverged" in explained
    assert "BADCTRL; the controls of RF_HAA are not finite" in explained
    assert "bitwise those recorded" in explained


def broken_reward(state: State) -> np.ndarray:
    """A term that somebody got wrong: a root that is NaN while the base sinks."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(state.lin_vel_b[:, 2])


def test_a_reward_that_is_not_finite_is_recorded_and_named() -> None:
    terms = task().rewards | {"sinking": Reward(broken_reward, 1.0)}
    fault = first_fault(task(rewards=terms))
    explained = Replay(fault).explain()
    assert "gave a number that is not finite: sinking" in explained
    assert "it does not diverge" in explained
    assert "bitwise those recorded" in explained


def test_an_environment_records_only_so_many() -> None:
    env = LocomotionVectorEnv(2, config=quiet())
    env.reset(seed=0)
    nan = np.full((2, JOINTS), np.nan, np.float32)
    infos = [env.step(nan)[4]["trot"] for _ in range(MAX_RECORDS + 5)]
    assert sum(len(info.get("faults", [])) for info in infos) == MAX_RECORDS
    assert all(info["diverged"].all() for info in infos)


def test_a_record_holds_what_was_done_since_its_first_state() -> None:
    """States that add their control and push: the record must sum up to the last one."""
    state, rng = np.zeros((3, 2)), np.random.default_rng(0)
    recorder = Recorder(state, 2)
    for step in range(4 * SPAN):
        control = rng.integers(0, 9, (3, 2)).astype(float)
        if step % 7 == 0:
            recorder.push(np.array([1]), np.ones((1, 2)))
            state[1] += 1.0
        recorder.before_step(control)
        state += control
        recorder.after_step()
        if step == 2 * SPAN + 9:
            state[2] = -1.0
            recorder.begin(np.array([2]))
        for i in range(3):
            record = recorder.record(i)
            done = record["controls"].sum(axis=0) + record["pushes"].sum(axis=0)
            np.testing.assert_array_equal(record["state"] + done, state[i])
            whole = step + 1 if i < 2 or step < 2 * SPAN + 9 else step - 2 * SPAN - 9
            assert min(whole, SPAN) <= len(record["controls"]) <= min(whole, 2 * SPAN - 1)


def test_bad_files_are_named_with_the_reason(tmp_path: Path) -> None:
    fault = first_fault(torques())
    whole = stored(fault, tmp_path).read_bytes()

    def load_bytes(data: bytes) -> None:
        (tmp_path / "x.npz").write_bytes(data)
        load(tmp_path / "x.npz")

    with pytest.raises(ValueError, match=r"gone\.npz: there is no such file"):
        load(tmp_path / "gone.npz")
    for data in (b"", b"hello", whole[: len(whole) // 2], whole[:200] + whole[300:]):
        with pytest.raises(ValueError, match=r"x\.npz: damaged, or no"):
            load_bytes(data)
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match=r"foreign\.npz: an \.npz file, but not a trot-fault"):
        load(tmp_path / "foreign.npz")
    np.savez(tmp_path / "evil.npz", format=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"evil\.npz: damaged, or no"):
        load(tmp_path / "evil.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"controls": np.zeros((3, 2))}, "controls is \\(3, 2\\); it must be \\(3, 12\\)"),
        ({"controls": np.zeros((0, 12)), "pushes": np.zeros((0, 2))}, "length is 0"),
        ({"robot": np.array("spot")}, "incomplete or of other code.*anymal_c"),
        ({"settings": np.array("{}")}, "incomplete"),
        ({"model.body_mass": np.zeros(3)}, "body_mass"),
        ({"model.nonsense": np.zeros(3)}, "nonsense"),
        ({"state": np.array("x")}, "state"),
        ({"pushes": np.full((9, 2), "x")}, "pushes"),
    ],
)
def test_a_fault_that_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Replay(first_fault(torques()) | change)


@pytest.mark.slow
@pytest.mark.usefixtures("opengl")
def test_play_tells_and_shows_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import play

    path, video = stored(first_fault(torques()), tmp_path), tmp_path / "fault.mp4"
    play.main(["--replay-nan", str(path), "--video", str(video), "--size", "160", "120"])
    assert "it diverges at" in capsys.readouterr().out
    again = Replay(load(path))
    with imageio.get_reader(video) as reader:
        found = reader.get_meta_data()
        assert reader.count_frames() == (again.diverges_at() or 0) + 1
    assert found["fps"] == pytest.approx(0.25 / 0.02)

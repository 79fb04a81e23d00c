"""What a checkpoint keeps of a task to be played, and what playing makes of it later."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from envs import playable, tasks
from envs.mdp import observations
from envs.mdp.commands import Command, Commands, velocity
from envs.mdp.gaits.gait import Gait
from envs.mdp.observations import Observation
from envs.mdp.rewards import Reward
from envs.mdp.state import State
from envs.sim import DRIVES, TERRAINS
from envs.sim.drives import PD, Drive
from envs.sim.scene import Simulation
from envs.sim.terrain import Slope, Terrain
from envs.task import TaskConfig
from envs.vector import LocomotionVectorEnv
from tests.envs.delay import Delay
from tests.envs.helpers import JOINTS, task
from tests.robots.synthetic import SYNTHETIC


def kept(config: TaskConfig) -> dict[str, Any]:
    """What a checkpoint holds, after a way through JSON."""
    return json.loads(json.dumps(playable.describe(config), allow_nan=False))


@pytest.mark.parametrize("name", tasks.TASKS)
@pytest.mark.parametrize("drive", [kind() for kind in DRIVES.values()], ids=DRIVES)
@pytest.mark.parametrize("terrain", [kind() for kind in TERRAINS.values()], ids=TERRAINS)
def test_a_task_comes_back_as_it_was(name: str, drive: Drive, terrain: Terrain) -> None:
    trained = task(name, drive=drive, terrain=terrain)
    assert playable.restore(trained, kept(trained)) == trained
    assert playable.restore(task(name), kept(trained)) == trained


def test_settings_of_training_come_back() -> None:
    trained = task(
        drive=PD(scale=0.4),
        terrain=Slope(-0.05),
        simulation=Simulation(timestep=0.002, substeps=10, contact="elliptic", collision="full"),
        gait=Gait(frequency=1.7, offsets=(0.0, 0.25, 0.5, 0.75)),
        commands=Commands(velocity((-0.5, 1.5)) | {"height": Command((0.4, 0.6), "m")}),
    )
    today = playable.restore(task(), kept(trained))
    for name in ("drive", "terrain", "simulation", "gait"):
        assert getattr(today, name) == getattr(trained, name)
    assert today.commands.entries == trained.commands.entries
    assert today.commands.interval == task().commands.interval  # no action depends on it


def test_a_drive_that_acts_every_substep_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DRIVES, Delay.name, Delay)
    today = playable.restore(task(), kept(task(drive=Delay(scale=0.5, delay=3))))
    assert today.drive == Delay(scale=0.5, delay=3)


def test_settings_that_this_code_lacks_are_passed_over() -> None:
    content = kept(task())
    parts = [content["simulation"], content["terrain"], content["drive"], content["gait"]]
    parts += [content["observations"]["gravity"], content["commands"]["yaw_rate"], content]
    for part in parts:
        part["of_the_past"] = 1.0
    assert playable.restore(task(), content) == task()


def test_settings_that_the_checkpoint_lacks_are_todays_defaults() -> None:
    content = kept(task(simulation=Simulation(substeps=8)))
    del content["simulation"]["contact"], content["drive"]["scale"]
    today = playable.restore(task(), content)
    assert today.simulation == Simulation(substeps=8)
    assert today.drive == PD()


def test_a_policy_plays_on_though_its_tasks_rewards_changed() -> None:
    content = kept(task())
    renamed = {f"new_{name}": reward for name, reward in task().rewards.items()}
    changed = replace(task(), rewards=renamed, terminations={}, curricula={})
    today = playable.restore(changed, content)
    assert today.rewards == renamed
    env = LocomotionVectorEnv(2, config=today)
    observation, _ = env.reset(seed=0)
    expected, _ = LocomotionVectorEnv(2, config=task()).reset(seed=0)
    np.testing.assert_array_equal(observation, expected)


def test_the_order_and_scales_of_training_are_what_a_policy_sees() -> None:
    """Today's task has its blocks in reverse, with other scales, and one more."""
    trained = task()
    reverse = {
        name: replace(term, scale=10 * term.scale, noise=0.0)
        for name, term in reversed(trained.observations.items())
    }
    more = {"base_height": Observation(observations.base_height, "scalar")}
    today = playable.restore(replace(trained, observations=more | reverse), kept(trained))
    assert list(today.observations) == list(trained.observations)
    assert today.observations == trained.observations
    old, new = (LocomotionVectorEnv(3, config=config) for config in (trained, today))
    assert old.layout == new.layout
    np.testing.assert_array_equal(old.reset(seed=5)[0], new.reset(seed=5)[0])
    action = np.full((3, JOINTS), 0.1, np.float32)
    np.testing.assert_array_equal(old.step(action)[0], new.step(action)[0])


def speed(state: State, *, power: float) -> np.ndarray:
    """A block of one's own: the speed to a power, (n, 1)."""
    return np.linalg.norm(state.lin_vel_b, axis=1, keepdims=True) ** power


def test_an_observation_of_ones_own_is_found_in_its_task() -> None:
    own = {"speed": Observation(speed, "scalar", scale=0.5, params={"power": 2.0})}
    config = replace(task(), observations=task().observations | own)
    renamed = {"how_fast": own["speed"]} | task().observations
    today = playable.restore(replace(config, observations=renamed), kept(config))
    assert today.observations == config.observations


def test_an_observation_of_the_library_is_found_though_todays_task_has_none() -> None:
    more = {"height": Observation(observations.base_height, "scalar", scale=3.0)}
    trained = replace(task(), observations=task().observations | more)
    assert playable.restore(task(), kept(trained)).observations == trained.observations


def gone(content: dict[str, Any]) -> None:
    content["observations"]["lin_vel"]["function"] = "lin_vel_of_the_past"


def no_function(content: dict[str, Any]) -> None:
    content["observations"]["lin_vel"]["function"] = "np"


def neural(content: dict[str, Any]) -> None:
    content["drive"] = {"name": "neural", "layers": [32, 32]}


def stairs(content: dict[str, Any]) -> None:
    content["terrain"]["name"] = "stairs"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (gone, "observation lin_vel is 'lin_vel_of_the_past'; .*with the code that it was trained"),
        (no_function, "observation lin_vel is 'np'; .*a function that this code has"),
        (neural, "drive is 'neural'; it must be one of pd, relative, torque"),
        (stairs, "terrain is 'stairs'; it must be one of flat, slope"),
    ],
)
def test_what_cannot_be_played_is_refused_with_what_to_do(
    change: Callable[[dict[str, Any]], None], message: str
) -> None:
    content = kept(task())
    change(content)
    with pytest.raises(ValueError, match=message):
        playable.restore(task(), content)


def test_training_alone_is_not_kept() -> None:
    """Only what actions depend on: a reward's weight is none of it."""
    dearer = {name: replace(r, weight=2 * r.weight) for name, r in task().rewards.items()}
    assert kept(task(rewards=dearer, episode_length=7.0)) == kept(task())
    assert set(asdict(task())) - set(kept(task())) >= {"rewards", "terminations", "curricula"}


def test_a_pay_of_ones_own_needs_no_name_in_the_checkpoint() -> None:
    own = task().rewards | {"mine": Reward(lambda state: state.base_height, 1.0)}
    assert "mine" not in json.dumps(kept(task(rewards=own)))


def test_what_a_policy_senses_and_does_stays_as_in_training() -> None:
    trained = task()
    gravity = trained.observations["gravity"]
    louder = trained.observations | {"gravity": replace(gravity, noise=0.5)}
    scaled = trained.observations | {"gravity": replace(gravity, scale=2.0)}
    playable.require_same_senses(trained, replace(trained, observations=louder, terrain=Slope()))
    with pytest.raises(ValueError, match=r"--env\.observations\.gravity is another"):
        playable.require_same_senses(trained, replace(trained, observations=scaled))
    with pytest.raises(ValueError, match=r"--env\.drive is another"):
        playable.require_same_senses(trained, replace(trained, drive=PD(scale=0.1)))


def test_a_policy_with_a_gait_keeps_its_number_of_legs() -> None:
    robot, _ = SYNTHETIC.values()
    playable.require_legs(robot, kept(task("stand")))
    playable.require_legs(robot, kept(task(gait=Gait(2.0, (0.0, 0.5)))))
    with pytest.raises(ValueError, match=r"robot of 4 legs, and .* has 2"):
        playable.require_legs(robot, kept(task(gait=Gait(2.0, (0.0, 0.5, 0.5, 0.0)))))

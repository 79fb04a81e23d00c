"""What is tracked over control steps, against a slow reference."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from envs.sim.drives import PD
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import FEET, batch_of, run, task


class SlowTracker:
    """Contacts, swings and accelerations of one simulation, from MuJoCo's own contact list."""

    def __init__(self, env: LocomotionVectorEnv, i: int) -> None:
        self.env, self.i = env, i
        self.restart()

    def read(self) -> tuple[list[bool], np.ndarray]:
        model, data = self.env.physics.model, batch_of(self.env.physics).get_data(self.i)
        mujoco.mj_forward(model, data)
        touching = {model.geom(g).name for contact in data.contact for g in contact.geom}
        joints = [data.joint(name).qvel[0] for name in self.env.robot.joints]
        return [foot in touching for foot in self.env.robot.feet], np.array(joints)

    def restart(self) -> None:
        """An episode starts as if the feet had just been down."""
        self.step, self.last_down = 0, [0] * FEET
        self.was_down, (_, self.joint_vel) = [True] * FEET, self.read()

    def check(self, state: dict[str, np.ndarray], dt: float) -> int:
        """Compare after a control step; return how many swings of two steps or more ended."""
        self.step += 1
        down, joint_vel = self.read()
        swings = 0
        for foot in range(FEET):
            away = self.step - self.last_down[foot]  # control steps since it was last down
            touchdown = down[foot] and not self.was_down[foot]
            aloft = away - down[foot]  # of them, those that it was seen off the ground
            expected = 0.0 if down[foot] and not touchdown else aloft * dt
            assert state["foot_contact"][self.i, foot] == down[foot]
            assert state["touchdown"][self.i, foot] == touchdown
            assert state["air_time"][self.i, foot] == pytest.approx(expected)
            swings += touchdown and away > 2
            self.last_down[foot] = self.step if down[foot] else self.last_down[foot]
        acceleration = (joint_vel - self.joint_vel) / dt
        np.testing.assert_allclose(state["joint_acc"][self.i], acceleration, atol=1e-9)
        self.was_down, self.joint_vel = down, joint_vel
        return swings


@pytest.mark.slow
def test_contacts_swings_and_accelerations_equal_a_slow_reference() -> None:
    env = LocomotionVectorEnv(4, config=task(drive=PD(scale=0.5), episode_length=1.0))
    env.reset(seed=6)
    rng, swings, resets = np.random.default_rng(6), 0, 0
    trackers = [SlowTracker(env, i) for i in range(4)]
    for _ in range(100):
        [seen] = run(env, 1, rng)
        done = seen["terminated"] | seen["truncated"]
        for i, tracker in enumerate(trackers):
            if done[i]:
                tracker.restart()
                assert not seen["state"]["joint_acc"][i].any()
                assert not seen["state"]["air_time"][i].any()
            else:
                swings += tracker.check(seen["state"], 0.02)
        resets += done.sum()
    assert swings >= 20
    assert resets >= 4

"""What drives do is measured in every physics step."""

from __future__ import annotations

import numpy as np
import pytest

from envs.mdp.starts import NOMINAL
from envs.sim.drives import PD, DCMotor, Drive
from envs.sim.meter import Meter
from envs.vector import LocomotionVectorEnv
from tests.envs.helpers import JOINTS, quiet, simulation

TIMESTEP, SUBSTEPS = 0.005, 4


def test_means_over_physics_steps_by_hand() -> None:
    """From rest to 2 and to 4 rad/s at 3 N·m, then to 2 rad/s at -5: work is paid, not gained."""
    meter = Meter(1, 1)
    for _ in range(2):  # the second control step forgets the first
        meter.begin(np.array([[0.0]]))
        for torque, speed in ((3.0, 2.0), (3.0, 4.0), (-5.0, 2.0)):
            meter.add(np.array([[torque]]), np.array([[speed]]))
        assert meter.power == pytest.approx([(3 * 1 + 3 * 3 + 0) / 3])
        assert meter.effort == pytest.approx(np.array([[11 / 3]]))


@pytest.mark.parametrize("drive", [PD(), DCMotor()])
def test_a_state_has_the_means_of_its_physics_steps(drive: Drive) -> None:
    """As those of an environment that acts in every physics step; its states are the same."""
    env, fine = (
        LocomotionVectorEnv(
            3,
            config=quiet(drive=drive, **simulation(timestep=TIMESTEP, substeps=substeps)),
            autoreset=False,
        )
        for substeps in (SUBSTEPS, 1)
    )
    for each in (env, fine):
        each.reset(seed=0)
        assert not each.state.power.any()
        assert not each.state.effort.any()
    rng = np.random.default_rng(0)
    for _ in range(10):
        action = rng.uniform(-0.2, 0.2, (3, JOINTS))
        env.step(action)
        power, effort = [], []
        for _ in range(SUBSTEPS):
            before = fine.physics.joint_vel.copy()
            fine.step(action)
            torque, speed = fine.physics.torque, (before + fine.physics.joint_vel) / 2
            power.append(np.maximum(torque * speed, 0.0).sum(axis=1))
            effort.append(np.abs(torque))
        np.testing.assert_array_equal(env.physics.state, fine.physics.state)
        np.testing.assert_allclose(env.state.power, np.mean(power, axis=0), rtol=1e-9)
        np.testing.assert_allclose(env.state.effort, np.mean(effort, axis=0), rtol=1e-9)
    env.physics.set_rows(np.array([1]), *NOMINAL(env.robot, 1, rng))
    assert (env.physics.power > 0).tolist() == [True, False, True]
    assert env.physics.effort.any(axis=1).tolist() == [True, False, True]

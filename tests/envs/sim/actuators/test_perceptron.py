"""Learned actuators in NumPy: torques by hand, parity with torch, symmetry, histories, limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from algos.actuator.model import ActuatorModel
from envs.sim.actuators import Actuator, pack, unpack
from envs.sim.actuators.inputs import HISTORY
from tests.envs.networks import NETWORKS, perceptron, text, text_weights, tiny

STEP = 0.005


def saved(model: ActuatorModel, folder: Path) -> Actuator:
    """The actuator of the file that a model writes."""
    path = folder / "model.npz"
    model.save(path)
    return opened(path)


def opened(path: Path) -> Actuator:
    return unpack(pack(str(path), path))


def seen(n: int, steps: int, joints: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Random position errors and joint speeds, (steps, n, joints) each."""
    rng = np.random.default_rng(0)
    return 0.3 * rng.normal(size=(steps, n, joints)), 3.0 * rng.normal(size=(steps, n, joints))


def torques(
    actuator: Actuator, errors: np.ndarray, speeds: np.ndarray, timestep: float = STEP
) -> np.ndarray:
    """The torques of each physics step from rest on, (steps, n, joints)."""
    _, n, joints = errors.shape
    memory = actuator.memory(n, joints, timestep)
    return np.array([actuator.torque(*now, memory) for now in zip(errors, speeds, strict=True)])


def test_torques_by_hand(tmp_path: Path) -> None:
    """40 e + 10 e' - v - v'/2 + 4 (tanh(2 e + v/2 + 1/4) + tanh(2 e + v/2 - 1/4)), ' 5 ms ago."""
    errors, speeds = np.zeros((2, 1, 1)), np.zeros((2, 1, 1))
    errors[:, 0, 0], speeds[:, 0, 0] = (0.1, 0.2), (1.0, -2.0)
    found = torques(saved(tiny(), tmp_path), errors, speeds)[:, 0, 0]
    first = 4.0 - 1.0 + 4 * (np.tanh(0.2 + 0.5 + 0.25) + np.tanh(0.2 + 0.5 - 0.25))
    second = 8.0 + 1.0 + 2.0 - 0.5 + 4 * (np.tanh(0.4 - 1 + 0.25) + np.tanh(0.4 - 1 - 0.25))
    np.testing.assert_allclose(found, [first, second], rtol=1e-6)


def test_lags_are_times_whatever_the_physics_step(tmp_path: Path) -> None:
    """What holds still for a lag gives the same torque in steps of 5, 2.5 and 1 ms."""
    actuator, last = saved(tiny(), tmp_path), []
    for steps in (1, 2, 5):
        errors, speeds = (np.repeat(part, steps, axis=0) for part in seen(2, 3))
        last.append(torques(actuator, errors, speeds, STEP / steps)[steps - 1 :: steps])
    np.testing.assert_array_equal(last[0][0], last[1][0])
    errors, speeds = seen(2, 3)
    late = np.zeros((6, 2, 3)), np.zeros((6, 2, 3))
    late[0][::2], late[1][::2] = errors, speeds  # the lag of 5 ms is two steps of 2.5 ms
    np.testing.assert_array_equal(
        torques(actuator, *late, STEP / 2)[::2], torques(actuator, errors, speeds)
    )


@pytest.mark.parametrize("lag", [0.004, 0.01])
def test_a_lag_that_is_no_multiple_of_the_physics_step_is_told(lag: float, tmp_path: Path) -> None:
    actuator = saved(tiny(), tmp_path)
    with pytest.raises(ValueError, match=r"lag is 0.005 s; it must be a multiple of .* step, 0.0"):
        actuator.memory(1, 1, lag)


def test_parity_with_the_model_that_was_fitted(tmp_path: Path) -> None:
    """All simulations and joints at once in 32 bits, against a row after the other in 64."""
    model, (errors, speeds) = tiny(), seen(700, 4, 12)
    found = torques(saved(model, tmp_path), errors, speeds)
    inputs = np.stack([errors[1:], errors[:-1], speeds[1:], speeds[:-1]], axis=-1)
    expected = model.torque(inputs.reshape(-1, 4)).reshape(3, 700, 12)
    np.testing.assert_allclose(found[1:], expected, rtol=1e-5, atol=1e-5)
    assert (np.abs(expected) < 29).mean() > 0.9  # not the limits' doing


def test_parity_of_a_published_text_file_with_torch(tmp_path: Path) -> None:
    """Scales and lags of Hwangbo et al. 2019, the oldest speed first, in steps of 2.5 ms."""
    errors, speeds = seen(5, 9)
    found = torques(opened(text(tmp_path)), errors / 3, speeds / 3, 0.0025)
    late = [part[[2, 5, 8]] / 3 for part in (speeds, errors)]  # 15, 7.5 and 0 ms before the last
    x = torch.from_numpy(np.concatenate(late).reshape(6, -1).T)

    def g(x: torch.Tensor) -> torch.Tensor:
        shift = torch.tensor([0.003] * 3 + [0.005] * 3)
        z = (x + shift) * torch.tensor([0.474, 0.473, 0.473, 7.629, 7.629, 7.628])
        for i, (weight, bias) in enumerate(text_weights()):
            z = torch.nn.functional.softsign(z) if i else z
            z = z @ torch.from_numpy(weight).T + torch.from_numpy(bias)
        return 20 * z[:, 0]

    expected = ((g(x) - g(-x)) / 2).clip(-40, 40).numpy().reshape(5, 3)
    np.testing.assert_allclose(found[-1], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["perceptron.pt", "perceptron.onnx"])
def test_inputs_of_a_file_of_others_are_in_its_layouts_order(name: str, tmp_path: Path) -> None:
    """e, v, e of 5 ms ago, v of 10 ms ago, shifted and scaled; 20 N·m a unit, made odd."""
    errors, speeds = seen(4, 3)
    found = torques(opened(NETWORKS[name](tmp_path)), errors, speeds)
    x = np.stack([errors[2], speeds[2], errors[1], speeds[0]], axis=-1).reshape(-1, 4)
    network = perceptron()

    def g(x: np.ndarray) -> np.ndarray:
        z = (x + np.array([0.01, 0.1, 0.01, 0.1])) * np.array([5.0, 0.2, 5.0, 0.2])
        return network(torch.from_numpy(z).float()).detach().numpy()[:, 0]

    free = (10 * (g(x) - g(-x))).reshape(4, 3)
    low, high = (np.clip(60 * (sign - speeds[2] / 20), -40, 40) for sign in (-1, 1))
    np.testing.assert_allclose(found[2], np.clip(free, low, high), rtol=1e-4, atol=1e-4)


def test_an_lstm_remembers_each_joint_of_each_simulation(tmp_path: Path) -> None:
    """Against the module on one joint alone, step by step, and on its mirror image."""
    path = NETWORKS["lstm.pt"](tmp_path)
    errors, speeds = seen(3, 5)
    found = torques(opened(path), errors, speeds)
    module, expected = torch.jit.load(str(path)), np.zeros(5)
    for sign in (1.0, -1.0):
        states = torch.zeros(2, 1, 8), torch.zeros(2, 1, 8)
        for k in range(5):
            x = sign * torch.tensor([[[errors[k, 1, 2], speeds[k, 1, 2]]]])
            torque, states = module(x.float(), states)
            expected[k] += sign * float(torque) / 2
    np.testing.assert_allclose(found[:, 1, 2], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_mirrored_inputs_give_opposite_torques(name: str, tmp_path: Path) -> None:
    """And a joint that rests on its target none."""
    actuator, (errors, speeds) = opened(NETWORKS[name](tmp_path)), seen(4, 6)
    timestep = 0.0025 if name == "seaModel.txt" else STEP
    there, mirrored = (torques(actuator, s * errors, s * speeds, timestep) for s in (1, -1))
    np.testing.assert_allclose(there, -mirrored, rtol=1e-5, atol=1e-5)
    assert np.abs(there).max() > 1
    np.testing.assert_allclose(torques(actuator, 0 * errors, 0 * speeds, timestep), 0, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_simulations_do_not_see_each_other(name: str, tmp_path: Path) -> None:
    actuator, (errors, speeds) = opened(NETWORKS[name](tmp_path)), seen(4, 6)
    timestep = 0.0025 if name == "seaModel.txt" else STEP
    together = torques(actuator, errors, speeds, timestep)
    alone = torques(actuator, errors[:, 2:3], speeds[:, 2:3], timestep)
    np.testing.assert_allclose(together[:, 2:3], alone, rtol=1e-5, atol=1e-5)


def test_what_is_remembered_has_a_row_a_simulation(tmp_path: Path) -> None:
    """The newest first: errors of all steps, then speeds."""
    actuator, (errors, speeds) = saved(tiny(), tmp_path), seen(2, 3)
    memory = actuator.memory(2, 3, STEP)
    for now in zip(errors, speeds, strict=True):
        actuator.torque(*now, memory)
    expected = np.stack([errors[2], errors[1], speeds[2], speeds[1]], axis=1)
    np.testing.assert_allclose(memory[HISTORY], expected, rtol=1e-6)
    memory[HISTORY][1] = 0.0
    np.testing.assert_allclose(memory[HISTORY][0], expected[0], rtol=1e-6)


def test_torques_stay_within_the_curve_however_wild_the_inputs(tmp_path: Path) -> None:
    """Limit 30 N·m, stall torque 60 N·m, no-load speed 20 rad/s."""
    actuator = saved(tiny(), tmp_path)
    for error in (-1e3, -1.0, 0.0, 1.0, 1e3):
        for speed, low, high in (
            (0.0, -30, 30), (10.0, -30, 30), (15.0, -30, 15), (20.0, -30, 0), (25.0, -30, -15),
            (1e4, -30, -30), (-25.0, 15, 30),
        ):  # fmt: skip
            found = torques(actuator, np.full((1, 1, 1), error), np.full((1, 1, 1), speed))
            assert low - 1e-4 <= found[0, 0, 0] <= high + 1e-4

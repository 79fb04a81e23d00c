"""Exported policies against the agent that they came from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from gymnasium import spaces

from algos.nets.build import build_policy_network
from algos.nets.equivariant import Symmetry
from algos.nets.networks import Activation
from algos.nets.normalizer import ObservationNormalizer
from algos.playing.export import DeployedPolicy, assemble, export
from algos.trpo.config import TRPOConfig
from algos.trpo.trpo import TRPO

pytestmark = pytest.mark.usefixtures("onnx_operators")

SPACES = [
    spaces.Box(-1.0, 1.0, (4,)),
    spaces.Box(
        np.array([-2.0, 0, -np.inf, 0]), np.array([3.0, 1, np.inf, np.inf]), dtype=np.float64
    ),
    spaces.Discrete(3, start=-1),
    spaces.MultiDiscrete([3, 2]),
    spaces.Box(-3, 40, (4,), np.int8),
]


def make_agent(space: spaces.Space, symmetry: Symmetry | None = None) -> TRPO:
    """An agent whose actions reach their bounds and whose normaliser does something."""
    config = TRPOConfig(hidden=(16, 8), critic_hidden=(8,), initial_std=1.0)
    agent = TRPO(spaces.Box(-np.inf, np.inf, (7,)), space, config, symmetry, seed=3)
    generator = torch.Generator().manual_seed(4)
    flat = agent.policy.get_flat()
    agent.policy.set_flat(torch.randn(flat.shape, generator=generator))
    agent.normalizer.update(3 * torch.randn(50, 7, generator=generator) + 1)
    return agent


@pytest.mark.parametrize("activation", ["tanh", "elu", "relu"])
@pytest.mark.parametrize("hidden", [(), (16,), (16, 8, 12)])
@pytest.mark.parametrize("kind", ["plain", "equivariant"])
def test_plain_layers_are_the_network(
    kind: str, hidden: tuple[int, ...], activation: Activation, symmetry: Symmetry
) -> None:
    generator = torch.Generator().manual_seed(0)
    group = symmetry if kind == "equivariant" else None
    network = build_policy_network((7, *hidden, 4), activation, generator, group)
    for tensor in network.tensors:
        torch.nn.init.normal_(tensor, generator=generator)
    x = torch.randn(30, 7, generator=generator)
    layers = assemble(network, 7)
    assert len(layers) == 2 * len(hidden) + 1
    torch.testing.assert_close(layers(x), network(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("suffix", [pytest.param(".onnx", marks=pytest.mark.slow), ".pt2"])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_file_acts_as_the_agent_does(space: spaces.Space, suffix: str, tmp_path: Path) -> None:
    agent, path = make_agent(space), tmp_path / f"policy{suffix}"
    export(DeployedPolicy(agent.policy, agent.normalizer), path, {"env_id": "a", "rates": [1, 2]})
    x = np.random.default_rng(5).normal(scale=4, size=(200, 7)).astype(np.float32)
    if suffix == ".onnx":
        session = onnxruntime.InferenceSession(path)
        run: Any = lambda batch: session.run(None, {"observation": batch})[0]  # noqa: E731
        text = session.get_modelmeta().custom_metadata_map["trot"]
    else:
        files = {"trot": ""}
        program = torch.export.load(path, extra_files=files).module()
        run = lambda batch: program(torch.from_numpy(batch)).detach().numpy()  # noqa: E731
        text = files["trot"]
    assert json.loads(text) == {"env_id": "a", "rates": [1, 2]}
    for n in (1, 7, 200):
        expected = agent.act(x[:n], deterministic=True)
        np.testing.assert_allclose(run(x[:n]), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("suffix", [pytest.param(".onnx", marks=pytest.mark.slow), ".pt2"])
def test_a_file_keeps_the_digits_of_float64(suffix: str, tmp_path: Path) -> None:
    x = 1.7e9 + np.random.default_rng(5).normal(scale=1e-3, size=(200, 7))
    agent, path = make_agent(SPACES[0]), tmp_path / f"policy{suffix}"
    agent.normalizer = ObservationNormalizer(7)
    agent.normalizer.update(torch.from_numpy(x))
    export(DeployedPolicy(agent.policy, agent.normalizer, kind=torch.float64), path, {})
    if suffix == ".onnx":
        session: Any = onnxruntime.InferenceSession(path)
        (found,) = session.run(None, {"observation": x})
    else:
        found = torch.export.load(path).module()(torch.from_numpy(x)).detach().numpy()
    expected = agent.act(x, deterministic=True)
    assert len(np.unique(expected, axis=0)) > 50
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_joint_targets_are_the_second_output(symmetry: Symmetry, tmp_path: Path) -> None:
    agent, offset = make_agent(SPACES[0], symmetry), np.array([0.1, -0.2, 0.3, 0.4])
    scale = np.array([0.5, 1.0, 1.5, 2.0])
    path = tmp_path / "policy.onnx"
    export(DeployedPolicy(agent.policy, agent.normalizer, (offset, scale)), path, {})
    x = np.random.default_rng(5).normal(size=(9, 7)).astype(np.float32)
    results: Any = onnxruntime.InferenceSession(path).run(None, {"observation": x})
    action, target = results
    np.testing.assert_allclose(action, agent.act(x, deterministic=True), atol=1e-5)
    np.testing.assert_allclose(target, offset + scale * action, atol=1e-6)

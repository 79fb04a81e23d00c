"""A policy in one file for other programs: ONNX, or torch.export's .pt2."""

import copy
import io
import json
import logging
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from gymnasium import spaces
from torch import Tensor, nn

from algos.nets.action_space import is_whole
from algos.nets.linearization import has_closed_form
from algos.nets.networks import MLP, affine
from algos.nets.normalizer import ObservationNormalizer
from algos.nets.policy import Policy
from algos.runs.files import replacing

_ACTIVATIONS = {"tanh": nn.Tanh, "elu": nn.ELU, "relu": nn.ReLU}


class DeployedPolicy(nn.Module):
    """The deterministic policy from the environment's observations to its actions.

    Perceptrons, equivariant ones too, become plain linear layers.

    Args:
        policy, normalizer: of the agent; copied.
        target: offset and scale, (A,) each, of the drives' controls, offset + scale * action,
            which are then a second output.
        kind: type of the observations, see `algos.rollout.collector.observation_type`.
    """

    _centre: Tensor  # (A,), of the action's bounds
    _half_range: Tensor  # (A,)
    _low: Tensor  # (A,)
    _high: Tensor  # (A,)
    _offset: Tensor  # (A,), of the drives' controls
    _scale: Tensor  # (A,)

    def __init__(
        self,
        policy: Policy,
        normalizer: ObservationNormalizer,
        target: tuple[np.ndarray, np.ndarray] | None = None,
        kind: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.kind = kind
        self._normalizer = copy.deepcopy(normalizer).cpu()
        self.size = len(normalizer.mean)
        network = copy.deepcopy(policy.network).cpu()
        self._network = assemble(network, self.size) if has_closed_form(network) else network
        self._space = space = policy.action_space
        if isinstance(space, spaces.Box):
            box = {"centre": policy.centre, "half_range": policy.half_range}
            for name, value in (box | {"low": space.low, "high": space.high}).items():
                as_scaled = value.astype(policy.centre.dtype)
                self.register_buffer(f"_{name}", torch.from_numpy(as_scaled))
        self._targets = target is not None
        offset, scale = target if target is not None else (np.zeros(1), np.ones(1))
        self.register_buffer("_offset", torch.from_numpy(offset).float())
        self.register_buffer("_scale", torch.from_numpy(scale).float())

    def forward(self, observation: Tensor) -> Any:
        """Actions (n, ...) of observations (n, O), and their controls (n, A) if there are."""
        outputs = self._network(self._normalizer(observation))
        if isinstance(self._space, spaces.MultiDiscrete):
            parts = outputs.split(self._space.nvec.tolist(), -1)
            start = torch.as_tensor(self._space.start)
            return torch.stack([part.argmax(-1) for part in parts], -1) + start
        if isinstance(self._space, spaces.Discrete):
            return outputs.argmax(-1) + int(self._space.start)
        action = outputs * self._half_range + self._centre
        if is_whole(self._space):
            action = action.floor()
        action = torch.minimum(torch.maximum(action, self._low), self._high)
        if is_whole(self._space):
            return action.long()
        return (action, self._offset + self._scale * action) if self._targets else action


@torch.no_grad()
def assemble(network: MLP, size: int) -> nn.Sequential:
    """The same function of inputs (N, size) as linear layers and nonlinearities alone."""
    exact = copy.deepcopy(network).double()

    def layer(x: Tensor, weight: Tensor, bias: Tensor, first: bool, last: bool) -> Tensor:
        blocks = exact.encode(x) if first else exact.mix(_to_blocks(x, exact.order))
        z = affine(blocks, weight, bias)
        return exact.decode(z) if last else exact.mix(z).transpose(0, 1).flatten(1)

    modules: list[nn.Module] = []
    pairs = list(zip(exact.tensors[::2], exact.tensors[1::2], strict=True))
    for i, (weight, bias) in enumerate(pairs):
        last = i + 1 == len(pairs)
        made = _linear(partial(layer, weight=weight, bias=bias, first=i == 0, last=last), size)
        modules += [made] if last else [made, _ACTIVATIONS[exact.activation]()]
        size = made.out_features
    return nn.Sequential(*modules)


def _to_blocks(features: Tensor, order: int) -> Tensor:
    """Blocks (G, N, C) of features (N, G * C)."""
    return features.unflatten(1, (order, -1)).transpose(0, 1).contiguous()


def _linear(affine_map: Callable[[Tensor], Tensor], size: int) -> nn.Linear:
    """An affine map as a layer, from its values at zero and at the unit vectors."""
    bias = affine_map(torch.zeros(1, size, dtype=torch.float64))[0]
    weight = affine_map(torch.eye(size, dtype=torch.float64)) - bias
    linear = nn.Linear(size, len(bias))
    linear.weight.copy_(weight.T)
    linear.bias.copy_(bias)
    return linear


def export(module: DeployedPolicy, path: Path, metadata: dict[str, Any]) -> None:
    """Write a policy whose first axis takes any number of robots.

    Args:
        module: the policy.
        path: ends in .onnx or .pt2; the file appears when it is whole.
        metadata: kept in the file as JSON under the key "trot".
    """
    text = json.dumps(metadata)
    example = (torch.zeros(2, module.size, dtype=module.kind),)
    shapes = {"observation": {0: torch.export.Dim("robots")}}
    program = torch.export.export(module.eval(), example, dynamic_shapes=shapes)
    if path.suffix == ".pt2":
        buffer = io.BytesIO()  # torch reports a full disk in words of its own
        torch.export.save(program, buffer, extra_files={"trot": text})
        with replacing(path) as file:
            file.write(buffer.getbuffer())
        return
    names = ["action", "target"] if module._targets else ["action"]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses packages that it needs not
    with warnings.catch_warnings(action="ignore"):  # of the exporter's own future
        made = torch.onnx.export(
            program, input_names=["observation"], output_names=names, verbose=False
        )
    assert made is not None
    model = made.model_proto
    onnx.helper.set_model_props(model, {"trot": text})
    with replacing(path) as file:
        file.write(model.SerializeToString())

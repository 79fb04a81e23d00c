"""Fitting a drive's model to measurements, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from algos.actuator.data import Measurements
from algos.actuator.model import ActuatorModel

LIMIT_MARGIN = 1.25
"""Torque limit over the largest torque measured, where none is given."""
SPEED_MARGIN = 2.0
"""No-load speed over the largest speed measured, and stall torque over the torque limit: up to the
largest speed measured the torque-speed curve then takes nothing from the torque limit."""
_RIDGE = 0.1
"""On the linear part that learning starts from, in units of the inputs' standard deviations."""


@dataclass(frozen=True)
class Fitting:
    """How a model is fitted."""

    units: int = 8
    """Pairs of hidden units of each network."""
    networks: int = 4
    """Networks whose mean is the model: they differ in what they start from."""
    steps: int = 800
    """Steps of AdamW on all samples."""
    learning_rate: float = 5e-3
    """Of the first step; it falls to 0 as a half cosine."""
    weight_decay: float = 0.01
    """On the correction's weights."""


def rms(model_torque: np.ndarray, torque: np.ndarray) -> float:
    """Return the root mean square of the error (N·m)."""
    return float(np.sqrt(np.mean((model_torque - torque) ** 2)))


def least_squares(inputs: np.ndarray, torque: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """Return the weights (inputs,) of a line through the origin, inputs (N, inputs)."""
    scale = inputs.std(axis=0) + 1e-12
    z = inputs / scale
    if not ridge:
        return np.linalg.lstsq(z, torque, rcond=None)[0] / scale
    return np.linalg.solve(z.T @ z + ridge * np.eye(z.shape[1]), z.T @ torque) / scale


def pd_gains(measured: Measurements) -> tuple[float, float]:
    """Return the gains kp (N·m/rad) and kd (N·m·s/rad) of the PD law closest to the torques."""
    present = np.column_stack([measured.error, -measured.speed])
    kp, kd = least_squares(present, measured.torque)
    return float(kp), float(kd)


def pd_torque(gains: tuple[float, float], measured: Measurements) -> np.ndarray:
    """Return the torques (N·m), (N,), of a PD law."""
    return gains[0] * measured.error - gains[1] * measured.speed


def fit(
    measured: Measurements, fitting: Fitting, seed: int = 0, torque_limit: float | None = None
) -> ActuatorModel:
    """Fit a model.

    The inputs are taken in units of their standard deviations. All networks are trained at once.

    Args:
        measured: what it learns from.
        fitting: how.
        seed: of the networks' first weights.
        torque_limit: of the drive (N·m); None for LIMIT_MARGIN times the largest torque measured.
    """
    lags = len(measured.lags)
    per = np.repeat([part.std() for part in np.split(measured.inputs, [lags], axis=1)], lags)
    unit = measured.torque.std()
    start = least_squares(measured.inputs / per, measured.torque / unit, _RIDGE)
    x = torch.from_numpy(measured.inputs / per).float()
    y = torch.from_numpy(measured.torque / unit).float()
    parts = _train(x, y, torch.from_numpy(start).float(), fitting, seed)
    linear, weight, bias, output = (part.double().numpy() for part in parts)
    limit = torque_limit or LIMIT_MARGIN * float(np.abs(measured.torque).max())
    fastest = float(np.abs(measured.speed).max())
    return ActuatorModel(
        lags=measured.lags,
        linear=linear.mean(0) * unit / per,
        weight=weight.swapaxes(1, 2).reshape(-1, 2 * lags) / per,
        bias=bias.reshape(-1),
        output=output.reshape(-1) * unit / fitting.networks,
        torque_limit=limit,
        stall_torque=SPEED_MARGIN * limit,
        no_load_speed=SPEED_MARGIN * fastest,
    )


def _train(
    x: Tensor, y: Tensor, start: Tensor, fitting: Fitting, seed: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return linear parts (M, D), weights (M, D, units), biases and outputs (M, units)."""
    generator = torch.Generator().manual_seed(seed)
    networks, units, size = fitting.networks, fitting.units, x.shape[1]

    def draw(*shape: int, std: float) -> Tensor:
        return (std * torch.randn(networks, *shape, generator=generator)).requires_grad_()

    linear = start.repeat(networks, 1).requires_grad_()
    weight = draw(size, units, std=size**-0.5)
    bias, output = draw(units, std=1.0), draw(units, std=0.05)
    groups = [
        {"params": [linear], "weight_decay": 0.0},
        {"params": [weight, bias, output], "weight_decay": fitting.weight_decay},
    ]
    optimizer = torch.optim.AdamW(groups, lr=fitting.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, fitting.steps)
    for _ in range(fitting.steps):
        z = x @ weight  # (M, N, units)
        odd = torch.tanh(z + bias[:, None]) + torch.tanh(z - bias[:, None])
        torque = (odd @ output[..., None])[..., 0] + linear @ x.T  # (M, N)
        loss = ((torque - y) ** 2).mean(1).sum()  # each network has the loss that it had alone
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return linear.detach(), weight.detach(), bias.detach(), output.detach()

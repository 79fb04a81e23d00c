"""How long learned actuators take."""

from __future__ import annotations

import statistics
import time

import numpy as np

from envs.sim.actuators.files import Actuator

STEP = 0.005
"""Physics step (s)."""


def microseconds(actuator: Actuator, n: int, joints: int, repeats: int = 100) -> float:
    """Return the median time (µs) of one evaluation for n simulations, histories included."""
    rng = np.random.default_rng(0)
    error, speed = 0.2 * rng.standard_normal((n, joints)), 3.0 * rng.standard_normal((n, joints))
    memory = actuator.memory(n, joints, STEP)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        actuator.torque(error, speed, memory)
        times.append(time.perf_counter() - began)
    return 1e6 * statistics.median(times)

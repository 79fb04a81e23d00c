"""Adam against torch's, whose checkpoints it goes on from."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch

from algos.nets.adam import Adam

SHAPES = (7, 5), (5,), (3, 2)


@pytest.fixture
def both() -> tuple[Adam, torch.optim.Adam]:
    """Ours and torch's, on the same numbers."""
    g = torch.Generator().manual_seed(0)
    mine = [torch.randn(shape, generator=g, requires_grad=True) for shape in SHAPES]
    theirs = [tensor.detach().clone().requires_grad_() for tensor in mine]
    return Adam(mine, 0.01, 1e-5), torch.optim.Adam(theirs, lr=0.01, eps=1e-5, fused=True)


def take(steps: int, mine: Adam, theirs: torch.optim.Adam) -> None:
    """Let both step along the same gradients."""
    g = torch.Generator().manual_seed(steps)
    for _ in range(steps):
        for a, b in zip(mine.tensors, theirs.param_groups[0]["params"], strict=True):
            a.grad = torch.randn(a.shape, generator=g)
            b.grad = a.grad.clone()
        mine.step()
        theirs.step()


def assert_same(mine: Adam, theirs: torch.optim.Adam) -> None:
    for a, b in zip(mine.tensors, theirs.param_groups[0]["params"], strict=True):
        assert torch.equal(a, b)


def test_steps_are_bitwise_torch_s(both: Any) -> None:
    mine, theirs = both
    take(5, mine, theirs)
    mine.lr = theirs.param_groups[0]["lr"] = 0.003
    take(3, mine, theirs)
    assert_same(mine, theirs)


@pytest.mark.parametrize("steps", [0, 4])
@pytest.mark.parametrize("source", ["ours", "torch's"])
def test_it_goes_on_from_its_own_state_and_from_torch_s(both: Any, source: str, steps: int) -> None:
    mine, theirs = both
    take(steps, mine, theirs)
    saved = copy.deepcopy((mine if source == "ours" else theirs).state_dict())
    again = Adam([tensor.detach().clone().requires_grad_() for tensor in mine.tensors], 0.5, 1e-5)
    for value in [value for own in again.state for value in own.values()]:
        value.fill_(1.0)  # to be forgotten
    again.load_state_dict(saved)
    take(3, again, theirs)
    assert_same(again, theirs)


@pytest.mark.slow
def test_no_update_imports_torch_s_compiler() -> None:
    """It takes as long as torch does, at each start of a training."""
    code = """
import sys, torch
from algos.nets.adam import Adam
weight = torch.zeros(3, requires_grad=True)
weight.grad = torch.ones(3)
Adam([weight], 0.1).step()
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

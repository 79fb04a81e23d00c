"""Which engine simulates."""

from __future__ import annotations

import pytest

from envs.sim import engines
from envs.vector import LocomotionVectorEnv


@pytest.mark.parametrize(
    ("name", "cuda", "installed", "chosen"),
    [
        ("auto", False, True, "batch"),
        ("auto", True, False, "batch"),
        ("auto", True, True, "warp"),
        ("batch", True, True, "batch"),
        ("warp", True, True, "warp"),
        ("warp", False, True, "batch"),
        ("warp", False, False, "batch"),
    ],
)
def test_the_gpu_is_taken_where_it_can_be(
    monkeypatch: pytest.MonkeyPatch, name: str, cuda: bool, installed: bool, chosen: str
) -> None:
    monkeypatch.setattr(engines, "has_warp", lambda: installed)
    assert engines.choose(name, cuda) == chosen  # pyright: ignore[reportArgumentType]


def test_what_is_missing_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "has_warp", lambda: False)
    with pytest.raises(ValueError, match=r"--physics is warp.*pip install -c"):
        engines.choose("warp", cuda=True)
    with pytest.raises(ValueError, match=r"physics is warp.*pip install -c"):
        LocomotionVectorEnv(1, physics="warp")
    with pytest.raises(ValueError, match="physics is 'cuda'"):
        LocomotionVectorEnv(1, physics="cuda")  # pyright: ignore[reportArgumentType]

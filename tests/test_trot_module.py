"""`import trot` registers the ids, and tells of a package that hides one of Trot's."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import gymnasium
import pytest

import trot


def test_gymnasium_makes_an_id_by_its_module() -> None:
    env = gymnasium.make("trot:trot/Walk-v0")
    assert env.reset(seed=0)[0].shape == env.observation_space.shape
    env.close()


@pytest.mark.parametrize("name", ["robots", "envs", "algos"])
def test_a_package_that_hides_trots_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = ModuleType(name)
    mine.__spec__ = ModuleSpec(name, None, is_package=True)
    mine.__spec__.submodule_search_locations = [str(tmp_path / name)]
    monkeypatch.setitem(sys.modules, name, mine)
    with pytest.raises(ImportError, match=f"{tmp_path / name} hides Trot's own package {name}: "):
        trot.check_packages()

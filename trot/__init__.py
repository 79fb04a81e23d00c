"""Trot's Gymnasium ids: `import trot`, or at once `gymnasium.make("trot:trot/Walk-v0")`."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent


def check_packages() -> None:
    """Raise ImportError where another package hides one of Trot's."""
    for name in ("robots", "envs", "algos"):
        spec = find_spec(name)
        found = [
            Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()
        ]
        if HOME / name not in found:
            place = found[0] if found else spec and spec.origin
            raise ImportError(
                f"{place} hides Trot's own package {name}: rename it, or start Python elsewhere"
            )


check_packages()
importlib.import_module("envs")  # registers the ids

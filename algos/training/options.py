"""What the programs ask of their options before any work starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from algos.usage import UsageError


def require(holds: bool, name: str, value: object, need: str) -> None:
    """Raise a ValueError that names an option, its value and what it should be."""
    if not holds:
        raise UsageError(f"--{name.replace('_', '-')} is {value}; it must be {need}")


def require_effect(options: Any, needs: Mapping[str, tuple[str, ...]]) -> None:
    """Raise ValueError for an option that has no effect, as none of those that it needs is given.

    Args:
        options: a dataclass; what differs from its default is given.
        needs: name of an option -> names of those of which it needs one.
    """
    given = {f.name for f in fields(options) if getattr(options, f.name) != f.default}
    for name, others in needs.items():
        if name in given and not given & set(others):
            one, *_ = hyphened = [f"--{other.replace('_', '-')}" for other in others]
            raise UsageError(
                f"--{name.replace('_', '-')} has no effect without {' or '.join(hyphened)}: "
                f"give {one} too, or leave it out"
            )

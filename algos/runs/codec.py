"""Configurations as JSON, and back into the dataclasses of the code of today.

A run may be older than the code: what it lacks keeps the value of the default that it is read
into, what it alone knows is left aside, and `read` tells of both. The default also decides the
type of every part, so that JSON needs no tags.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from algos import typed

T = TypeVar("T")


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A configuration that was read, and how it differs from what was written."""

    value: T
    unknown: dict[str, Any]
    """Settings that this code does not know, by dotted names, with the values they had."""
    missing: dict[str, Any]
    """Settings that were not written, with the values that were taken."""

    def differences(self, source: object) -> list[str]:
        """Return one line for each, naming where the configuration comes from."""
        taken = (f"{source} lacks {name}: taking {v}" for name, v in self.missing.items())
        ignored = (
            f"{source} has {name} {v}, which this code does not know: leaving it out"
            for name, v in self.unknown.items()
        )
        return [*taken, *ignored]


def to_plain(value: Any) -> Any:
    """Return a configuration as what JSON can hold; functions are left out."""
    if is_dataclass(value) or isinstance(value, dict):
        return {name: to_plain(v) for name, v in _settings(value).items()}
    if isinstance(value, tuple | list):
        return [to_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(default: T, plain: Any) -> T:
    """Return `default` with the values of `to_plain`'s output in place of its own; see `read`."""
    return read(default, plain).value


def read(default: T, plain: Any) -> Reading[T]:
    """Fill a default with the values of `to_plain`'s output.

    Args:
        default: a dataclass.
        plain: what JSON holds.

    Raises:
        ValueError: a value of another type than declared, by its dotted name, or one that the
            dataclass refuses.
    """
    reading = Reading(default, {}, {})
    return replace(reading, value=_fill(default, plain, "", reading))


def _fill(default: Any, plain: Any, where: str, reading: Reading[Any]) -> Any:
    """Return a dataclass, or a dict of them, with the values that a mapping has of it."""
    if not isinstance(plain, dict):
        raise ValueError(f"{where} is {plain!r}; it must be settings by their names")
    known, prefix = _settings(default), f"{where}." if where else ""
    lacking = {prefix + name: to_plain(v) for name, v in known.items() if name not in plain}
    reading.missing.update(lacking)
    reading.unknown.update({f"{prefix}{n}": v for n, v in plain.items() if n not in known})
    hints = get_type_hints(type(default)) if is_dataclass(default) else {}
    changes = {
        name: _part(known[name], plain[name], hints.get(name), prefix + name, reading)
        for name in known
        if name in plain
    }
    make: Any = dict if isinstance(default, dict) else replace
    return make(default, **changes)


def _part(default: Any, plain: Any, hint: Any, name: str, reading: Reading[Any]) -> Any:
    """Return one setting, or the settings within it."""
    nothing = plain is None and NoneType in get_args(hint)
    terms = isinstance(default, dict) and default and all(map(is_dataclass, default.values()))
    if not nothing and (terms or is_dataclass(default)):
        return _fill(default, plain, name, reading)
    if nothing or (default is None and isinstance(plain, dict)):
        return _nothing(plain, name)
    return typed.read(plain, hint, name)


def _nothing(plain: Any, name: str) -> None:
    if plain is not None:
        raise ValueError(f"{name} has settings; it must be nothing here")


def _settings(value: Any) -> dict[str, Any]:
    """Return the entries of a dataclass or a dict that are no functions."""
    if is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
    return {n: v for n, v in value.items() if is_dataclass(v) or not callable(v)}

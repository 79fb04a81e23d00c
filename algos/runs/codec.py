"""Configurations as JSON, and back into the dataclasses of the code of today.

A run may be older than the code: what it lacks keeps the value of the default that it is read
into, what it alone knows is left aside, and `read` tells of both. The default also decides the
type of every part, so that JSON needs no tags.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any, Generic, TypeVar, get_args

from algos import typed
from algos.usage import UsageError

T = TypeVar("T")
LONGEST = 200
"""Characters of a value in a message: a whole task has thousands."""


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A configuration that was read, and how it differs from what was written."""

    value: T
    unknown: dict[str, Any]
    """Settings that this code does not know, by dotted names, with the values they had."""
    missing: dict[str, Any]
    """Settings that were not written, with the values that were taken."""
    changed: dict[str, tuple[str, str]]
    """Functions of another name than today's: the one that was written, the one that was taken."""

    def differences(self, source: object) -> list[str]:
        """Return one line for each, naming where the configuration comes from."""
        taken = (f"{source} lacks {name}: taking {_told(v)}" for name, v in self.missing.items())
        ignored = (
            f"{source} has {name} {_told(v)}, which this code does not know: leaving it out"
            for name, v in self.unknown.items()
        )
        other = (
            f"{source} has {name} {before}, this code has {now}: taking {now}"
            for name, (before, now) in self.changed.items()
        )
        return [*taken, *ignored, *other]


def _told(value: Any) -> str:
    return textwrap.shorten(str(value), LONGEST)


def to_plain(value: Any) -> Any:
    """Return a configuration as what JSON can hold; functions are their names."""
    if is_dataclass(value) or isinstance(value, dict):
        return {name: to_plain(v) for name, v in _settings(value).items()}
    if isinstance(value, tuple | list):
        return [to_plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    return value.__name__ if callable(value) else value


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
    reading = Reading(default, {}, {}, {})
    return replace(reading, value=_fill(default, plain, None, "", reading))


def _fill(default: Any, plain: Any, hint: Any, where: str, reading: Reading[Any]) -> Any:
    """Return a dataclass, or a dict, with the values that a mapping has of it."""
    if not isinstance(plain, dict):
        raise UsageError(f"{where} is {plain!r}; it must be settings by their names")
    known, prefix = _settings(default), f"{where}." if where else ""
    lacking = {n: v for n, v in known.items() if n not in plain and not _is_function(v)}
    reading.missing.update({prefix + name: to_plain(v) for name, v in lacking.items()})
    reading.unknown.update({f"{prefix}{n}": v for n, v in plain.items() if n not in known})
    declared = typed.hints(type(default)) if is_dataclass(default) else {}
    entry = get_args(hint)[-1] if get_args(hint) else None
    changes = {
        name: _part(known[name], plain[name], declared.get(name, entry), prefix + name, reading)
        for name in known
        if name in plain
    }
    make: Any = dict if isinstance(default, dict) else replace
    return make(default, **changes)


def _part(default: Any, plain: Any, hint: Any, name: str, reading: Reading[Any]) -> Any:
    """Return one setting, or the settings within it."""
    if hint == dict[str, Any] and isinstance(plain, dict):
        return plain  # as it is: its entries are nobody's settings
    nothing = plain is None and NoneType in get_args(hint)
    if not nothing and (isinstance(default, dict) or is_dataclass(default)):
        return _fill(default, plain, hint, name, reading)
    if nothing or (default is None and isinstance(plain, dict)):
        return _nothing(plain, name)
    if _is_function(default):
        return _function(default, plain, name, reading)
    return typed.read(plain, hint, name)


def _function(default: Any, plain: Any, name: str, reading: Reading[Any]) -> Any:
    """Return today's function, and note where a run had one of another name."""
    if not isinstance(plain, str):
        raise UsageError(f"{name} is {plain!r}; it must be the name of a function")
    if plain != default.__name__:
        reading.changed[name] = plain, default.__name__
    return default


def _is_function(value: Any) -> bool:
    return callable(value) and not is_dataclass(value)


def _nothing(plain: Any, name: str) -> None:
    if plain is not None:
        raise UsageError(f"{name} has settings; it must be nothing here")


def _settings(value: Any) -> dict[str, Any]:
    """Return the entries of a dataclass or a dict."""
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return value

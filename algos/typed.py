"""Values against the types that dataclasses declare, strictly: a bool is no int, a 1.0 neither."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from algos.usage import UsageError

hints = cache(get_type_hints)
"""The types that a dataclass declares, by its fields' names."""


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


def problem(error: ValidationError) -> str:
    """Return what is wrong, in one line."""
    told = dict.fromkeys(detail["msg"] for detail in error.errors())
    return "; ".join(message[:1].lower() + message[1:] for message in told)


def require_types(options: Any) -> None:
    """Raise ValueError for a field of a dataclass whose value is not of its declared type.

    Fields that are dataclasses have checked their own.
    """
    declared = hints(type(options))
    for name, value in ((f.name, getattr(options, f.name)) for f in fields(options)):
        if is_dataclass(value):
            continue
        try:
            _adapter(declared[name]).validate_python(value, strict=True)
        except ValidationError as error:
            what = f"{type(options).__name__}.{name} is {value!r}"
            raise UsageError(f"{what}; it must fit: {problem(error)}") from None


def read(plain: Any, hint: Any, name: str) -> Any:
    """Return what JSON holds as a declared type: lists become tuples, text becomes a path.

    Raises:
        ValueError: it is of another type.
    """
    try:
        text = json.dumps(plain, ensure_ascii=False).encode(errors="replace")  # a path's odd bytes
        value = _adapter(hint).validate_json(text, strict=True)
    except ValidationError as error:
        raise UsageError(f"{name} is {plain!r}; it must fit: {problem(error)}") from None
    except TypeError as error:
        raise UsageError(f"{name} is {plain!r}; it must be what JSON can hold") from error
    return Path(plain) if isinstance(value, Path) else _tuples(plain)  # a 1 of a float stays a 1


def _tuples(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {name: _tuples(value) for name, value in plain.items()}
    return tuple(map(_tuples, plain)) if isinstance(plain, list | tuple) else plain

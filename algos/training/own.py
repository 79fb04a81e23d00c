"""Options of a user's own environment, read beside those of a program."""

from __future__ import annotations

import textwrap
from dataclasses import make_dataclass, replace
from keyword import iskeyword
from typing import Annotated, Any, TypeVar

import tyro

from algos.rollout.parameters import Parameters, parameters_of
from algos.training import parsing

T = TypeVar("T")
PARAMETER = "--env-kwargs."
"""How options of an environment's parameters begin."""


def parse(kind: type[T], arguments: list[str], env_id: str, default: T | None = None) -> T:
    """Parse a command line into a dataclass whose `env_kwargs` are parameters of an environment.

    Each parameter stands there as --env-kwargs.NAME, several as one JSON object, --env-kwargs.

    Args:
        kind: the dataclass.
        arguments: of the command line.
        env_id: whose parameters they are.
        default: see `algos.training.parsing.parse`.

    Raises:
        UsageError: a parameter that the environment lacks, or of another type.
    """
    known = parameters_of(env_id)
    seen, rest = parsing.glance(_options(known), arguments)
    for word in rest:
        if word.startswith(PARAMETER):
            raise known.unknown(word.removeprefix(PARAMETER).partition("=")[0])
    told = f"{kind.__doc__}\n\nParameters of {env_id}: {_described(known)}"
    options: Any = parsing.parse(kind, rest, default, owner=env_id, description=told)
    given = ((name, getattr(seen.each, _field(name), None)) for name in known.hints)
    texts = {name: text for name, text in given if text is not None}
    return replace(options, env_kwargs=known.read(texts, seen.together))


def _options(known: Parameters) -> Any:
    """Return an option for each parameter, as text, and one for several."""
    names = [
        (_field(name), Annotated[str | None, tyro.conf.arg(name=name)], None)
        for name in known.hints
        if name.isidentifier()
    ]
    each = make_dataclass("Each", names, frozen=True)
    named = tyro.conf.arg(name="env-kwargs")
    pair = [
        ("each", Annotated[each, named], each()),
        ("together", Annotated[str | None, named], None),
    ]
    return make_dataclass("Given", pair, frozen=True)()


def _field(name: str) -> str:
    """Return a field's name for a parameter's, which may be a keyword: `lambda` for example."""
    return f"{name}__" if iskeyword(name) else name


def _described(known: Parameters) -> str:
    given = {name: textwrap.shorten(repr(value), 40) for name, value in known.defaults.items()}
    each = (f"{PARAMETER}{name} ({given.get(name, 'must be given')})" for name in known.hints)
    return ", ".join(each) or "none"

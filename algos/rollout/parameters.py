"""What `gymnasium.make` takes for an id: the parameters of its environment, and their values."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePath
from typing import Any

import gymnasium
from gymnasium.envs.registration import load_env_creator
from pydantic.errors import PydanticUserError

from algos import typed
from algos.rollout.modules import registered_id
from algos.usage import UsageError

STEPS = "max_episode_steps"
OWN = {"self", "render_mode"}
"""Parameters that Trot gives itself; and num_envs, to vector environments."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of an id."""

    env_id: str
    hints: dict[str, Any] = field(default_factory=dict)
    """Declared types by name; Any where there is none."""
    defaults: dict[str, Any] = field(default_factory=dict)
    """Where there are some."""
    open: bool = False
    """Whether others are taken, too."""

    def unknown(self, name: str) -> UsageError:
        """Return what to say of a name that is no parameter."""
        others = "; others as JSON: --env-kwargs '{\"NAME\": VALUE}'" if self.open else ""
        return UsageError(
            f"--env-kwargs: {self.env_id} has no parameter {name!r}; "
            f"it has {', '.join(self.hints) or 'none'}{others}"
        )

    def read(self, texts: dict[str, str], together: str | None) -> dict[str, Any]:
        """Return values as JSON holds them.

        Args:
            texts: of single parameters, as a user types them.
            together: a JSON object of several, if there is one.

        Raises:
            UsageError: a text that is no JSON object, an unknown name, another type, or a
                parameter without a default that is missing.
        """
        values = {} if together is None else _object(together)
        for name in values:
            if name not in self.hints and not self.open:
                raise self.unknown(name)
        values |= {name: self._value(name, text) for name, text in texts.items()}
        values = {name: self._fitting(name, value) for name, value in values.items()}
        if missing := [name for name in self.hints if name not in {**self.defaults, **values}]:
            raise UsageError(f"give --env-kwargs.{missing[0]}: {self.env_id} has no default for it")
        return values

    def _value(self, name: str, text: str) -> Any:
        """Return what a text means; 1e1 is 10 where the default is a whole number."""
        value = text if self.hints[name] is str else _literal(text)
        whole = type(self.defaults.get(name)) is int and "." not in text
        if isinstance(value, str) and float in (self.hints[name], type(self.defaults.get(name))):
            with suppress(ValueError):  # inf and nan, which no JSON has
                return float(text)
        return int(value) if whole and _is_whole(value) else value

    def _fitting(self, name: str, value: Any) -> Any:
        """Return a value of the declared type; 1e1 as 10 where that is an int."""
        try:
            typed.read(value, self.hints.get(name, Any), f"--env-kwargs.{name}")
        except (PydanticUserError, NameError):
            return value  # a type of the environment's own, which takes what it takes
        except UsageError:
            if not _is_whole(value):
                raise
            return self._fitting(name, int(value))
        if name == STEPS and isinstance(value, int) and value < 1 and value != -1:
            raise UsageError(f"--env-kwargs.{name} is {value}; give 1 or more, or -1 for none")
        return value


def parameters_of(env_id: str) -> Parameters:
    """Return what an id takes, nothing where its package is missing: making it tells that.

    Raises:
        UsageError: see `registered_id`.
    """
    spec = gymnasium.registry.get(registered_id(env_id))
    if spec is None:
        return Parameters(env_id, open=True)
    point = spec.entry_point or spec.vector_entry_point
    try:
        creator: Any = load_env_creator(point) if isinstance(point, str) else point
    except (ImportError, gymnasium.error.Error):
        return Parameters(env_id, open=True)
    declared = _signature(creator).parameters.values()
    named = [p for p in declared if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    own = OWN | {"num_envs"} if spec.vector_entry_point else OWN
    named = [p for p in named if p.name not in own]
    kept = {p.name: p.default for p in named if p.default is not p.empty} | spec.kwargs
    hints = {p.name: _hint(p, kept.get(p.name)) for p in named}
    hints |= {name: Any for name in spec.kwargs if name not in hints}
    if spec.vector_entry_point is None or _limits(spec.vector_entry_point):
        hints, kept = hints | {STEPS: int}, {STEPS: spec.max_episode_steps} | kept
    return Parameters(env_id, hints, kept, any(p.kind is p.VAR_KEYWORD for p in declared))


def declared(env_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an environment's parameters with paths and members of enums where it declares them."""
    hints = parameters_of(env_id).hints if any(isinstance(v, str) for v in values.values()) else {}
    return {name: _spoken(value, hints.get(name)) for name, value in values.items()}


def _spoken(value: Any, hint: Any) -> Any:
    """Return what a text is where a type is declared whose values are text in JSON."""
    told = isinstance(value, str) and isinstance(hint, type) and issubclass(hint, Enum | PurePath)
    return hint(value) if told else value


def _limits(point: str | Callable[..., Any]) -> bool:
    """Whether a vector environment takes the length of its episodes."""
    creator: Any = load_env_creator(point) if isinstance(point, str) else point
    known = _signature(creator).parameters
    return STEPS in known or any(p.kind is p.VAR_KEYWORD for p in known.values())


def _signature(creator: Any) -> inspect.Signature:
    try:
        return inspect.signature(creator, eval_str=True)
    except Exception:  # of a type that is imported for checkers alone, or that is none any more
        return inspect.signature(creator)


def _hint(parameter: inspect.Parameter, default: Any) -> Any:
    hint = parameter.annotation
    if hint is parameter.empty or isinstance(hint, str):
        return {str: str, bool: bool}.get(type(default), Any)
    return hint


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _object(text: str) -> dict[str, Any]:
    value = _literal(text)  # a W&B sweep writes Python's
    if not isinstance(value, dict):
        raise UsageError(
            f"--env-kwargs is {text}; it must be a JSON object, as in '{{\"size\": 3}}'"
        )
    return value


def _literal(text: str) -> Any:
    """Return what JSON, or Python, reads in a text, or else the text."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(json.dumps(ast.literal_eval(text)))
    except (ValueError, SyntaxError, TypeError):
        return text

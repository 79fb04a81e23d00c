"""Command lines read by tyro: whole numbers as 1e6, too, and one line for what is wrong."""

from __future__ import annotations

import ast
import difflib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import tyro
from tyro import _docstrings, _errors
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from algos.typed import hints
from algos.usage import UsageError

T = TypeVar("T")
MARKERS = (tyro.conf.SuppressFixed, tyro.conf.AvoidSubcommands)
"""How tyro treats settings: functions are none of them."""
DIGITS = 30
"""Most digits of a whole number: 1e999999999 would fill the memory."""
MANY = 12
"""Options that are too many for one line."""


def parse(
    kind: type[T], arguments: list[str], default: T | None = None, *, owner: str, **how: Any
) -> T:
    """Return the options of a command line.

    Args:
        kind: a dataclass.
        arguments: of the command line.
        default: with the values of what is not given, and with the nested settings there are.
        owner: what has these options, for messages.
        how: more of `tyro.cli`'s.

    Raises:
        ValueError: an unknown option, with those that may be meant; a value that does not fit, or
            that the dataclass refuses.
    """
    with _CHECKED:
        return _parse(kind, arguments, default, owner, **how)


def glance(default: Any, arguments: list[str]) -> tuple[SimpleNamespace, list[str]]:
    """Parse a command line before it is known which defaults and bounds hold.

    Dataclasses are not made, so that none of them refuses a value; unknown options are passed
    over, with all that follows them to the next known one.

    Args:
        default: a dataclass with the options that are known.
        arguments: of the command line.

    Returns:
        The values by their names, nested dataclasses likewise; and what was passed over.
    """
    how: Any = {"return_unknown_args": True, "add_help": False}
    with _UNCHECKED:
        return _parse(type(default), arguments, default, "", **how)


def _parse(kind: Any, arguments: list[str], default: Any, owner: str, **how: Any) -> Any:
    def refuse(event: _errors.ParseErrorEvent) -> None:
        told = _told(event, kind if default is None else default, owner)
        if told:
            raise UsageError(" ".join(told.split())) from None

    given = {} if default is None else {"default": default}
    values = dict(_values(kind if default is None else default))
    arguments = [spelt for word in arguments for spelt in _spelt(word, values)]
    with _errors.on_parse_error(refuse):
        return tyro.cli(kind, args=arguments, config=MARKERS, registry=_WHOLE, **given, **how)


def _spelt(word: str, values: dict[str, Any]) -> list[str]:
    """Return an argument in tyro's words: a W&B sweep writes --flag=False and --widths=[64, 64].

    Args:
        word: any argument.
        values: of the options there are, by their dotted names.
    """
    flag, _, text = word.partition("=")
    *groups, name = flag.replace("_", "-").removeprefix("--").split(".")
    value = values.get(".".join([*groups, name]), "")
    if isinstance(value, bool) and text.lower() in ("true", "false"):
        negated = "no-" if text.lower() == "false" else ""
        return [f"--{'.'.join([*groups, negated + name])}"]
    if isinstance(value, tuple | None) and text.startswith("["):
        with suppress(ValueError, SyntaxError):
            return [flag, *map(str, ast.literal_eval(text))]
    return [word]


_WHOLE = ConstructorRegistry()
_CHECKED = ConstructorRegistry()
_UNCHECKED = ConstructorRegistry()


def _of_one_word(kind: type, metavar: str, read: Callable[[str], Any]) -> None:
    """Have `read` take the values of a type from the command line."""

    @_WHOLE.primitive_rule
    def _(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
        if info.type is not kind:
            return None
        return PrimitiveConstructorSpec(
            nargs=1,
            metavar=metavar,
            instance_from_str=lambda given: read(given[0]),
            is_instance=lambda value: isinstance(value, kind),
            str_from_instance=lambda value: [str(value)],
        )


def whole_number(text: str) -> int:
    """Return what 1000000, 1_000_000 and 1e6 mean.

    Raises:
        ValueError: it is no whole number, or has too many digits.
    """
    try:
        value = Decimal(text)
        whole = int(value) if value.adjusted() < DIGITS else None
    except (ArithmeticError, ValueError):  # no number; infinite; nan
        value = whole = None
    if whole is None or whole != value:
        raise UsageError(f"{text!r} is no whole number below 1e{DIGITS}")
    return whole


def _named(text: str) -> Path:
    """Return a path; an empty one would be the current folder."""
    if not text:
        raise UsageError("it is empty")
    return Path(text)


_of_one_word(int, "INT", whole_number)
_of_one_word(Path, "PATH", _named)


def _some(given: list[str]) -> tuple[int, ...]:
    if not given:
        raise UsageError("give at least one")
    return tuple(map(whole_number, given))


SomeWholeNumbers = Annotated[
    tuple[int, ...],
    PrimitiveConstructorSpec(
        nargs="*",
        metavar="INT [INT ...]",
        instance_from_str=_some,
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [str(number) for number in value],
    ),
]
"""An option that has values wherever it stands."""


@_CHECKED.struct_rule
def _checked(info: StructTypeInfo) -> StructConstructorSpec | None:
    """Make the settings that there are anew."""
    return _of(type(info.default), info)


@_UNCHECKED.struct_rule
def _unchecked(info: StructTypeInfo) -> StructConstructorSpec | None:
    """Make a namespace where a dataclass is declared."""
    return _of(SimpleNamespace, info)


def _of(make: Callable[..., Any], info: StructTypeInfo) -> StructConstructorSpec | None:
    """Return what makes a dataclass's settings from its options and from what is fixed."""
    if not is_dataclass(info.default) or isinstance(info.default, type):
        return None
    declared = hints(type(info.default), include_extras=True)
    names = [field.name for field in fields(info.default)]
    fixed = {n: getattr(info.default, n) for n in names if _is_fixed(declared[n])}
    options = tuple(_option(info, n, declared[n]) for n in names if n not in fixed)
    return StructConstructorSpec(partial(make, **fixed), options)


def _option(info: StructTypeInfo, name: str, hint: Any) -> StructFieldSpec:
    """Return the option of one field of the settings there are.

    Where settings may be of several kinds, only those there are can be given: tyro finds that,
    too, but only after it has read the options of each kind.
    """
    value = getattr(info.default, name)
    if is_dataclass(value) and get_origin(hint) in (Union, UnionType):
        hint = type(value)
    told = partial(_docstrings.get_field_docstring, type(info.default), name, info.markers)
    return StructFieldSpec(name, hint, value, told)


def _is_fixed(hint: Any) -> bool:
    return tyro.conf.Fixed in getattr(hint, "__metadata__", ())


def _told(event: _errors.ParseErrorEvent, options: Any, owner: str) -> str:
    """Return what is wrong, "" for what tyro is to say itself."""
    match event:
        case _errors.UnrecognizedArgs(tokens=tokens):
            return _unknown(tokens, options, owner)
        case _errors.InvalidChoice(argument=argument, value=value, choices=choices):
            return f"{_flag(argument)} is {value}; it must be one of {', '.join(choices)}"
        case _errors.BadValue(argument=argument):
            return f"{_flag(argument)} lacks a value: give {_metavar(argument)}"
        case _errors.InstantiationFailure(argument=None, message=message):
            return _as_option(message, getattr(sys.exception(), "arg", ""), options)
        case _errors.InstantiationFailure(argument=argument, message=message):
            problem = re.split(r"\n- [^\n]*?: ", message)[-1]  # of a union's last type
            problem = re.sub(
                r"`\[bold\](.*)\[/bold\]`", r"\1", problem
            )  # rich's, which stays as it is
            return f"{_flag(argument)} must be {_metavar(argument)}: {problem}"
    return ""


def _as_option(message: str, settings: str, options: Any) -> str:
    """Return what settings say of one of theirs, by the whole name of its option.

    Args:
        message: "gait frequency is 99; …", say, or "PPOConfig.clip must …".
        settings: dotted name of theirs; "" for those of the program itself.
        options: all that there are.
    """
    if not settings:
        return message
    at = settings.replace("_", "-")
    called = re.match("(.*?) (is|must) ", message)
    words = re.split("[ .]", called[1].replace("_", "-")) if called else [""]
    known = set(_names(options))
    tails = (words, words[-1:], ["params", words[-1]])
    name = next((name for tail in tails if (name := ".".join([at, *tail])) in known), None)
    return f"--{name}{message[called.end(1) :]}" if called and name else f"--{at}: {message}"


def _flag(argument: Any) -> str:
    """Return what an option, or a positional argument, is called."""
    return argument.lowered.name_or_flags[0] if not argument.is_positional() else "the argument"


def _metavar(argument: Any) -> str:
    """Return what an option takes, say INT."""
    return argument.lowered.metavar.removeprefix("{None}|").strip("{}")


def _names(options: Any) -> Iterator[str]:
    """Yield the options' dotted names; see `_values`."""
    return (name for name, _ in _values(options))


def _values(options: Any) -> Iterator[tuple[str, Any]]:
    """Yield the options' dotted names, as they are written on the command line, and their values.

    Args:
        options: a dataclass, its class, or a dict of them.
    """
    for name, value in _settings(options):
        written = name.replace("_", "-")
        if is_dataclass(value) or isinstance(value, dict):
            yield from ((f"{written}.{inner}", held) for inner, held in _values(value))
        elif not callable(value):
            yield written, value


def _settings(options: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of what may be given by an option; {} for settings not there."""
    if isinstance(options, dict):
        yield from options.items()
        return
    kind = options if isinstance(options, type) else type(options)
    declared = hints(kind, include_extras=True)
    for field in fields(kind):
        marks = getattr(declared[field.name], "__metadata__", ())
        if tyro.conf.Positional in marks or _is_fixed(declared[field.name]):
            continue
        renamed = [mark.name for mark in marks if getattr(mark, "name", None)]
        value = getattr(options, field.name, field.default)
        absent = value is None and any(map(is_dataclass, get_args(declared[field.name])))
        yield (*renamed, field.name)[0], {} if absent else value


def _unknown(tokens: list[str], options: Any, owner: str) -> str:
    """Return what to say of the first option that is unknown, or of what no option takes."""
    flag = next((token.split("=")[0] for token in tokens if token.startswith("-")), None)
    if flag is None:
        return f"{tokens[0]!r} is one argument too many: values follow the option that takes them"
    path = flag.strip("-").replace("_", "-").split(".")
    if dict(_settings(options)).get(path[0]) == {}:
        return f"{owner} has no option {flag}; it has no --{path[0]} settings at all"
    return f"{owner} has no option {flag}; {_advice(path, [n.split('.') for n in _names(options)])}"


def _advice(path: list[str], known: list[list[str]]) -> str:
    """Return which options may be meant by a dotted name that is none."""
    at = next((i for i in range(len(path)) if not _below(path[: i + 1], known)), len(path))
    parent, rest = path[:at], path[at:]
    there = list(dict.fromkeys(name[at] for name in _below(parent, known) if len(name) > at))
    near = difflib.get_close_matches(rest[0], there) if rest else []
    meant = [[*parent, name, *rest[1:]] for name in near]
    meant = [name for name in meant if _below(name, known)] or [n[: at + 1] for n in meant]
    meant += [name for name in known if rest and name[-len(rest) :] == rest and name not in meant]
    if meant:
        return f"did you mean {' or '.join('--' + '.'.join(name) for name in meant[:3])}?"
    if parent:
        return f"--{'.'.join(parent)} has {', '.join(there)}"
    return f"it has --{', --'.join(there)}" if len(there) < MANY else "--help lists all"


def _below(path: list[str], known: list[list[str]]) -> list[list[str]]:
    """Return the names that begin with a path."""
    return [name for name in known if name[: len(path)] == path]

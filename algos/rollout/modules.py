"""What users bring in modules of their own: ids as MODULE:ID, wrappers as MODULE:CLASS."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
from collections.abc import Callable, Collection
from types import ModuleType
from typing import Any

import gymnasium

from algos.rollout.checked import without_exit
from algos.terminal import absolute
from algos.usage import UsageError


def registered_id(env_id: str) -> str:
    """Import the module of MODULE:ID, which registers it, and return ID; any other id as it is.

    Raises:
        UsageError: there is no such module, or it does not register the id. What a module raises
            while it is imported goes through.
    """
    module, _, name = env_id.rpartition(":")
    if not module:
        return env_id
    loaded = _import(module, env_id)
    if name not in gymnasium.registry:
        own = [id for id, spec in gymnasium.registry.items() if _is_of(spec, module)]
        told = f"its environments are {', '.join(own)}" if own else "call gymnasium.register there"
        if near := _nearest(name, own or gymnasium.registry):
            told = f"{told}; did you mean {module}:{near}?"
        raise UsageError(f"{env_id}: {_place(loaded)} registers no id {name!r}; {told}")
    return name


def _nearest(name: str, ids: Collection[str]) -> str | None:
    """Return the id nearest to a name, in whatever case and with or without its namespace."""
    known = {id.rpartition("/")[2].lower(): id for id in ids} | {id.lower(): id for id in ids}
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return known[close[0]] if close else None


def load_wrapper(name: str) -> Callable[[gymnasium.Env], Any]:
    """Return what MODULE:CLASS names.

    Raises:
        UsageError: there is no such module, or nothing of the name in it.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        example = "gymnasium.wrappers:TimeAwareObservation"
        raise UsageError(f"--wrapper is {name}; it must be MODULE:CLASS, as in {example}")
    loaded = _import(module, f"--wrapper {name}")
    wrapper: Any = getattr(loaded, attribute, None)
    if not callable(wrapper):
        raise UsageError(f"--wrapper {name}: {_place(loaded)} has no class {attribute!r}")
    _require_alone(wrapper, f"--wrapper {name}")
    return wrapper


def _require_alone(wrapper: Callable[..., Any], what: str) -> None:
    """Raise UsageError where a wrapper does not take an environment alone."""
    try:
        signature = inspect.signature(wrapper)
    except ValueError:  # of one that is not Python's
        return
    try:
        signature.bind(None)
    except TypeError as error:
        remedy = "name a function of your own that takes an environment and gives the rest"
        raise UsageError(f"{what}: {error}; {remedy}") from None


def _import(module: str, what: str) -> ModuleType:
    """Import a module from wherever Python finds it, at last from the current directory."""
    if not all(part.isidentifier() for part in module.split(".")):
        raise UsageError(f"{what}: {module!r} is no module's name, as in my_package.my_module")
    if (here := str(absolute("."))) not in sys.path:
        sys.path.append(here)
    try:
        return without_exit(lambda: importlib.import_module(module))
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):  # of what the module itself imports
            raise
        raise UsageError(f"{what}: there is no module {module!r}{_remedy(module)}") from error


def _remedy(module: str) -> str:
    top = module.partition(".")[0]
    mine, loaded = absolute(top), sys.modules.get(top)
    if loaded is not None and mine.exists():
        return f" in {_place(loaded)}, which hides {mine}: rename yours"
    return " here or on PYTHONPATH: start in the folder that holds it"


def _place(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or module.__name__


def _is_of(spec: Any, module: str) -> bool:
    point = spec.entry_point
    home = point.partition(":")[0] if isinstance(point, str) else getattr(point, "__module__", "")
    return f"{home}.".startswith(f"{module}.")

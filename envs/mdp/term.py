"""A term: a pure function with its parameters, of which a task is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from envs.bounds import Range, require, require_within

LARGEST = 1e6
"""Weights, scales and parameters beyond this would drown all others in float32."""
F = TypeVar("F", bound=Callable[..., Any])


def bounded(**bounds: Range) -> Callable[[F], F]:
    """Say of a function in which (low, high) its parameters have a meaning."""

    def mark(function: F) -> F:
        function.__dict__["bounds"] = bounds
        return function

    return mark


@dataclass(frozen=True)
class Term:
    """A function and its keyword arguments; what it takes and gives is its kind's affair.

    Raises:
        ValueError: a parameter that the function lacks, that it lacks a value of, or that has a
            value out of its bounds.
    """

    function: Callable[..., Any]
    """Pure function."""
    params: dict[str, float] = field(default_factory=dict, kw_only=True)
    """Keyword arguments of the function."""

    def __post_init__(self) -> None:
        name = getattr(self.function, "__name__", repr(self.function))
        known = inspect.signature(self.function).parameters.values()
        bounds = getattr(self.function, "bounds", {})
        keywords = {p.name: p for p in known if p.kind == p.KEYWORD_ONLY}
        for key, value in self.params.items():
            choices = ", ".join(keywords) or "none, it takes no parameters"
            require(key in keywords, f"parameter of {name}", key, f"one of its own: {choices}")
            require_within(f"{name}'s {key}", value, *bounds.get(key, (-LARGEST, LARGEST)))
        missing = [k for k, p in keywords.items() if p.default is p.empty and k not in self.params]
        require(not missing, f"{name}'s {' and '.join(missing)}", "missing", "given in `params`")

    def __call__(self, *args: Any) -> Any:
        """Call the function with the parameters."""
        return self.function(*args, **self.params)

"""Imports point one way: robots -> envs -> {train, play} <- algos."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import algos
import envs
import robots

ROOT = Path(__file__).resolve().parent.parent
OURS = {"robots", "envs", "algos", "train", "play", "tests", "benchmarks"}
ALLOWED = {"robots": {"robots"}, "envs": {"envs", "robots"}, "algos": {"algos"}}
"""Which of our own packages each may import."""
FOREIGN = {"robots": {"torch", "gymnasium"}, "envs": {"torch"}, "algos": {"mujoco"}}
"""Which libraries each must not know: what a robot is, what a world does, how a policy learns."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the top-level name of every absolute import, also those within functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            yield from (
                argument.value.split(".")[0]
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(package: str) -> None:
    assert len(sources(package)) > 3
    for path in sources(package):
        names = set(imported(ast.parse(path.read_text())))
        where = path.relative_to(ROOT)
        assert names & OURS <= ALLOWED[package], f"{where} imports {names & OURS}"
        assert not names & FOREIGN[package], f"{where} imports {names & FOREIGN[package]}"


def test_the_reader_sees_every_kind_of_import() -> None:
    code = """
import a.b, c as d
from e.f import g
from . import h
def later():
    import i
    importlib.import_module("j.k")
"""
    assert list(imported(ast.parse(code))) == ["a", "c", "e", "i", "j"]


@pytest.mark.parametrize("package", [robots, envs, algos])
def test_packages_are_those_of_this_tree(package: object) -> None:
    """PyPI has foreign packages of these names."""
    path = Path(str(getattr(package, "__file__", "")))
    assert path.resolve().is_relative_to(ROOT)

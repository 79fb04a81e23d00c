"""Imports point one way, and the packages are ours."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import algos
import envs
import robots

ROOT = Path(__file__).resolve().parent.parent
WRONG = {
    "robots": ("torch", "gymnasium", "envs", "algos"),
    "envs.mdp": ("torch", "algos", "envs.sim", "envs.vector"),
    "envs.judge": ("envs.show",),
    "algos.nets": ("mujoco", "robots", "algos.trpo"),
    "algos.trpo": ("envs", "algos.training"),
    "algos.training": ("algos.compare",),
}
"""Imports that must not be, by the package that they would stand in."""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [linter, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_contracts_are_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_imports_the_other_way_break_a_contract(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("robots", "envs", "algos", "trot"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    for room, targets in WRONG.items():
        lines = "".join(f"import {target}\n" for target in targets)
        (tmp_path / room.replace(".", "/") / "newcomer.py").write_text(lines)
    said = lint(tmp_path).stdout
    for room, targets in WRONG.items():
        for target in targets:
            assert f"{room}.newcomer -> {target}" in said, (room, target)


@pytest.mark.parametrize("package", [robots, envs, algos])
def test_packages_are_those_of_this_tree(package: object) -> None:
    """PyPI has foreign packages of these names."""
    path = Path(str(getattr(package, "__file__", "")))
    assert path.resolve().is_relative_to(ROOT)

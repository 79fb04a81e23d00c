"""`make` on a fresh machine: what it says, and what it would install, told by a Python that does
nothing but write down how it is called."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
FAKE = """#!/bin/sh
case "$*" in
*version_info*) exec python3 -c "$(echo "$2" | sed 's/sys.version_info/(3, {minor})/g')";;
*ensurepip*) exit {lacks};;
*"-m venv"*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python";;
*) echo "ran $*";;
esac
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files that an installation reads, in a folder whose name has spaces."""
    folder = tmp_path / "my own trot"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def make(tree: Path, *arguments: str, minor: int = 11, lacks: int = 0, python: str = "") -> str:
    """Run make with the fake Python; return what it wrote, without its own last words."""
    fake = tree / "fake python"
    fake.write_text(FAKE.format(minor=minor, lacks=lacks))
    fake.chmod(0o755)
    outer = ("TORCH", "MAKEFLAGS", "MAKELEVEL", "PYTHON")  # of the make that runs the tests
    bare = {n: v for n, v in os.environ.items() if n not in outer}
    command = ["make", *arguments, f"PYTHON={python or './fake python'}"]
    done = subprocess.run(command, cwd=tree, env=bare, capture_output=True, text=True, check=False)
    told = [line for line in (done.stdout + done.stderr).splitlines() if "***" not in line]
    return "\n".join(told)


def installed(told: str) -> list[str]:
    return re.findall(r"^ran -m pip install (.*)$", told, re.MULTILINE)


COMMON = "--disable-pip-version-check --constraint constraints.txt"


def test_it_says_how_large_it_is_and_installs_where_a_path_has_spaces(tree: Path) -> None:
    told = make(tree, ".venv/.installed")
    assert re.search(
        r"^Installing PyTorch.*into \.venv: .* GB to download, .* GB on disk", told, re.M
    )
    assert "TORCH=cpu" in told
    assert installed(told) == [f"{COMMON} --editable ."]
    assert installed(make(tree, ".venv/.installed")) == []


def test_without_a_gpu_torch_alone_comes_from_pytorch_s_index(tree: Path) -> None:
    index = "--no-deps --index-url https://download.pytorch.org/whl/cpu"
    told = make(tree, ".venv/.installed-test", "TORCH=cpu")
    assert installed(told) == [
        f"{COMMON} {index} torch",
        f"{COMMON} --editable .",
        f"{COMMON} --editable .[test]",
    ]


def test_every_constraint_takes_the_oldest_python() -> None:
    """Debian 12 has 3.11.2; where a version wants more, pip searches for minutes, and fails."""
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert oldest == ">=3.11"
    wanted = {name: metadata.metadata(name)["Requires-Python"] for name in installed_constraints()}
    needs = {name: SpecifierSet(need) for name, need in wanted.items() if need}
    assert len(needs) > 50
    assert [name for name, need in needs.items() if "3.11.0" not in need] == []


def installed_constraints() -> list[str]:
    """Names of the constraints that are installed here, in the version that is named."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    here = {d.name.lower().replace("_", "-"): d.version for d in metadata.distributions()}
    return [n for n, v in pinned.items() if here.get(n.lower().replace("_", "-")) == v]


def test_no_constraint_is_of_the_build_with_cuda() -> None:
    names = (ROOT / "constraints.txt").read_text().lower()
    assert "\ntorch==" in names  # of a version without a local part: both builds meet it
    assert not re.search(r"^(nvidia|cuda|triton)|\+", names, re.MULTILINE)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"python": "no-such-python"}, "make: there is no no-such-python: install Python 3.11"),
        ({"minor": 9}, "is Python 3.9, and Trot needs 3.11 or newer: make PYTHON=python3.11"),
        ({"lacks": 1}, "lacks its venv module: apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_told_in_one_line(
    tree: Path, how: dict[str, int | str], words: str
) -> None:
    told = make(tree, ".venv/.installed", **how)  # pyright: ignore[reportArgumentType]
    assert words in told
    assert told.count("\n") == 0
    assert not (tree / ".venv").exists()


def test_another_build_than_there_is_is_refused(tree: Path) -> None:
    done = subprocess.run(["make", "-n", "TORCH=gpu"], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 2
    assert "TORCH is 'gpu'; it must be cpu" in done.stderr

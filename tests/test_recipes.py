"""Every recipe of docs/extend.md, performed as it is written: one file, one line, one iteration."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from algos.playing import sources
from algos.runs.fingerprint import metrics
from envs.mdp.measures import MEASURES

ROOT = Path(__file__).parent.parent
HEADING = re.compile(r"^## (.+)$", re.M)
BLOCK = re.compile(r'^```(\w+)(?: title="(.+?)")?\n(.*?)^```$', re.M | re.S)
SHORT = ["--num-envs", "4", "--rollout-steps", "10", "--total-steps", "40", "--eval-interval", "0"]
QUIET = ["--wandb", "disabled", "--video-interval", "0", "--eval-episodes", "1"]
BRIEF = ["--env.episode-length", "0.1", "--env.protocol.seconds", "0.1"]


class Recipe(NamedTuple):
    """What a section of the page says."""

    file: str
    """The new file."""
    content: str
    registry: str
    """The file that its line goes into."""
    diff: str
    command: list[str]


def recipes() -> dict[str, Recipe]:
    """The page's recipes by their headings."""
    parts = HEADING.split((ROOT / "docs" / "extend.md").read_text(encoding="utf-8"))[1:]
    found = {}
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        (_, file, content), (_, registry, diff), (_, _, command) = BLOCK.findall(text)
        found[name] = Recipe(file, content, registry, diff, command.split())
    return found


RECIPES = recipes()


def changed(text: str, diff: str) -> str:
    """Apply hunks of context, removed and added lines, each where its old lines stand."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(old) == 1, f"not once in the file: {old!r}"
        text = text.replace(old, new)
    return text


def perform(recipe: Recipe, tree: Path) -> None:
    """Copy the code and do what the recipe says."""
    tree.mkdir()
    for name in ("robots", "envs", "algos", "trot"):
        shutil.copytree(ROOT / name, tree / name)  # with its compiled modules
    for program in ROOT.glob("*.py"):
        shutil.copy(program, tree)
    new = tree / recipe.file
    assert not new.exists()
    new.write_text(recipe.content, encoding="utf-8")
    registry = tree / recipe.registry
    registry.write_text(changed(registry.read_text(encoding="utf-8"), recipe.diff), "utf-8")


TORCH_ONCE = """
import json, os, sys
import gymnasium, imageio, mujoco, pydantic, rich, scipy.spatial.transform, scipy.stats
import typeguard, tyro
import torch
for tree, calls in json.loads(sys.argv[1]).items():
    if not (child := os.fork()):
        os.chdir(tree)
        sys.path[0] = tree
        exec("import play, train\\n" + "\\n".join(calls))
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"failed in {tree}")
"""
"""Runs calls in trees of their own code, in processes that share what takes long to import."""


def commands(recipe: Recipe) -> list[list[str]]:
    """What is run: the recipe's command, shortened; a training is resumed and judged, too."""
    if recipe.command[1] == "play.py":
        return [[*recipe.command, "--episodes", "2", "--seconds", "0.2"]]
    brief = BRIEF if recipe.command[2].startswith("trot/") else []
    return [
        [*recipe.command, *SHORT, *QUIET, *brief, "--run-dir", "run"],
        ["python", "train.py", "--resume", "run", "--total-steps", "80"],
        ["python", "play.py", "run", "--evaluate", "--episodes", "1"],
    ]


def call(command: list[str]) -> str:
    """A command of train.py or play.py as Python."""
    return f"{command[1].removesuffix('.py')}.main({command[2:]!r})"


def test_commands_of_the_page_are_short_and_do_not_share_a_run() -> None:
    """A reader who follows several recipes waits a minute for none, and meets no other's folder."""
    trainings = [recipe.command for recipe in RECIPES.values() if recipe.command[1] == "train.py"]
    given = [dict(zip(command[3::2], command[4::2], strict=True)) for command in trainings]
    assert all(int(options["--total-steps"]) <= 50_000 for options in given)
    assert len({options["--run-dir"] for options in given}) == len(trainings)


def test_a_measure_of_the_page_is_new() -> None:
    (entry,) = re.findall(r'^\+ +"(\w+)": measures', RECIPES["A measure"].diff, re.M)
    assert entry not in MEASURES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_one_file_and_one_line(name: str) -> None:
    added = [line[1:].strip() for line in RECIPES[name].diff.splitlines() if line[0] == "+"]
    entries = [line for line in added if not line.startswith(("from ", "import "))]
    assert len(entries) == 1
    assert len(added) == 2


@pytest.mark.slow
@pytest.mark.parametrize("names", [list(RECIPES)[::2], list(RECIPES)[1::2]], ids=" ".join)
def test_recipes_work(names: list[str], tmp_path: Path) -> None:
    trees = {name: tmp_path / name.replace(" ", "_") for name in names}
    for name, tree in trees.items():
        perform(RECIPES[name], tree)
    calls = {str(tree): [call(c) for c in commands(RECIPES[name])] for name, tree in trees.items()}
    done = subprocess.run(
        [sys.executable, "-c", TORCH_ONCE, json.dumps(calls)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for name, tree in trees.items():
        CHECKS.get(name, lambda tree: None)(tree)


def is_measured(tree: Path) -> None:
    assert json.loads((tree / "judged.json").read_text())["peak_torque"]["mean"] > 0


def is_paid(tree: Path) -> None:
    assert "episode/soft_landing" in metrics(tree / "run" / "metrics.csv")[-1]


def is_seen(tree: Path) -> None:
    content = sources.load(str(tree / "run"), "last")
    assert content is not None
    blocks = content["play"]["observations"]
    assert blocks["foot_contact"] == {
        "function": "foot_contact", "params": {}, "kind": "foot", "scale": 0.5, "noise": 0.0
    }  # fmt: skip
    assert len(content["algo"]["normalizer"]["mean"]) == 60  # 56 of today's task, and four feet


def drives(tree: Path) -> None:
    content = sources.load(str(tree / "run"), "last")
    assert content is not None
    assert content["play"]["drive"] == {"name": "lagged", "scale": 1.0, "share": 0.3}
    assert content["collector"]["envs"]["drive"]["target"].shape == (4, 12)


CHECKS = {
    "A reward": is_paid,
    "An observation": is_seen,
    "A drive": drives,
    "A measure": is_measured,
}

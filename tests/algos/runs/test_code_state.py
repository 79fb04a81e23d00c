"""What a run keeps of the code's commit and changes, whatever is in the files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from algos.runs import code_state as module
from algos.runs.code_state import MAX_DIFF, code_state
from algos.runs.directory import RunDirectory


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit with one file, which stands for this code's own."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "a.txt").write_text("one\n")
    who = ("-c", "user.name=me", "-c", "user.email=me@here")
    for command in (("init",), ("add", "a.txt"), (*who, "commit", "-m", "first")):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    monkeypatch.setattr(module, "__file__", str(folder / "directory.py"))
    return folder


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("Z\xfcrich\n".encode("latin-1"), "+Z\N{REPLACEMENT CHARACTER}rich"),
        ("Z\xfcrich\n".encode("utf-16"), "Binary files"),
        (bytes(range(256)), "Binary files"),
        ("Z\xfcrich\n".encode(), "+Z\xfcrich"),
    ],
)
def test_a_change_in_any_encoding_is_kept(clone: Path, content: bytes, seen: str) -> None:
    (clone / "a.txt").write_bytes(content)
    run = RunDirectory.create(clone / "run", {})
    state = json.loads((run.path / "git.json").read_text())
    assert len(state["commit"]) == 40
    assert seen in state["diff"]
    state["diff"].encode()  # so that a report and a patch can hold it


def test_a_new_file_of_code_is_kept_and_not_added(clone: Path) -> None:
    for name in ("mine.py", "envs/rewards of mine.py", "envs/own/__init__.py", "venv/lib/other.py"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("paid = 1\n")
    (clone / ".gitignore").write_text("ignored.py\n")
    (clone / "envs" / "ignored.py").write_text("paid = 2\n")
    index = (clone / ".git" / "index").read_bytes()
    diff = code_state()["diff"]
    assert diff is not None
    changed = [line for line in diff.splitlines() if line.startswith("+++ ")]
    assert [line.rstrip("\t") for line in changed] == [
        "+++ b/envs/own/__init__.py",
        "+++ b/envs/rewards of mine.py",
        "+++ b/mine.py",
    ]
    assert diff.count("+paid = 1") == 3
    assert (clone / ".git" / "index").read_bytes() == index


def test_a_hook_of_another_repository_alters_nothing(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "a.txt").write_text("two\n")
    plain = code_state()
    assert plain["commit"]
    subprocess.run(["git", "init", str(tmp_path / "other")], check=True, capture_output=True)
    for name, value in (("DIR", ".git"), ("WORK_TREE", "."), ("INDEX_FILE", ".git/index")):
        monkeypatch.setenv(f"GIT_{name}", str(tmp_path / "other" / value))
    assert code_state() == plain


def test_of_a_huge_change_the_beginning_is_kept(clone: Path) -> None:
    (clone / "a.txt").write_text("a line\n" * (MAX_DIFF // 5))
    diff = code_state()["diff"]
    assert diff is not None
    assert len(diff) < MAX_DIFF + 100
    assert diff.startswith("diff --git")
    assert diff.endswith("more bytes are left out]")


def test_the_users_ways_to_show_a_change_do_not_alter_it(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / "sub").mkdir()
    monkeypatch.setattr(module, "__file__", str(clone / "sub" / "directory.py"))
    (clone / "a.txt").write_text("two\n")
    plain = code_state()["diff"]
    assert plain is not None
    assert plain.startswith("diff --git a/a.txt b/a.txt")
    own = {"color.ui": "always", "diff.external": "false", "diff.relative": "true"}
    for name, value in (own | {"diff.noprefix": "true", "diff.submodule": "log"}).items():
        subprocess.run(["git", "config", name, value], cwd=clone, check=True)
    assert code_state()["diff"] == plain


@pytest.mark.root
def test_a_clone_of_another_user_has_its_commit(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (clone, *clone.rglob("*")):
        os.chown(path, 12345, 12345)
    assert code_state()["commit"] is not None


def test_without_git_a_run_begins_all_the_same(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(clone))
    assert code_state() == {"commit": None, "diff": None}


def test_without_a_temporary_folder_a_run_knows_its_code(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(module, "TemporaryDirectory", refuse)
    (clone / "a.txt").write_text("two\n")
    state = code_state()
    assert state["commit"]
    assert (state["diff"] or "").endswith("-one\n+two")

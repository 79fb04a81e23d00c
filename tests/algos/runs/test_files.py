"""Files appear when they are whole, and are checked before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from algos.runs.files import WriteError, check_writable, reading, whole
from algos.usage import UsageError


def test_a_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    with pytest.raises(TypeError), whole(path) as draft:
        draft.write_text(1)  # pyright: ignore[reportArgumentType]
    assert path.read_text() == "old"
    with whole(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_of_files_are_named_and_those_of_the_work_are_left_alone(tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "a.mp4"
    with pytest.raises(WriteError, match=r"a\.mp4 cannot be written: No such file"), whole(gone):
        pass
    with pytest.raises(ConnectionError, match="robot"), whole(tmp_path / "a.mp4"):
        raise ConnectionError("robot")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match=r"a\.mp4 cannot be read: No such file"), reading(gone):
        gone.read_text()


def test_a_check_leaves_nothing_but_the_folder(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "a.mp4", ".mp4")
    assert [p.name for p in tmp_path.rglob("*")] == ["new"]
    for path, words in ((tmp_path / "a.txt", "must end in .mp4"), (tmp_path / "x.mp4", "cannot")):
        (tmp_path / "x.mp4").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match=words):
            check_writable(path, ".mp4")

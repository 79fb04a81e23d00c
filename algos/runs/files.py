"""Writing files: checked before the work, and a failure leaves them as they were."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from algos.terminal import absolute
from algos.usage import UsageError

DRAFT = ".draft-"
"""Begins the names of folders where files are made."""


class WriteError(OSError):
    """A file cannot be written; the message names it and says why."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn any OSError within into a WriteError that names the file."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror or error}") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn any OSError within into a UsageError that names the file."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


@contextmanager
def replacing(path: Path, previous: Path | None = None) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of `path` once it is whole and on the disk.

    Args:
        path: at every moment the old file or the new one.
        previous: where the old one is kept.

    Raises:
        WriteError: it cannot be written; `path` is as it was.
    """
    shown, path = path, absolute(path)
    draft = path.with_name(f".{path.name}.tmp")
    with writing(shown):
        try:
            with draft.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if previous is not None and path.exists():
                keep(path, previous)
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise


def keep(path: Path, name: Path) -> None:
    """Give a file a second name, or copy it where links are unknown."""
    spare = path.with_suffix(".spare")
    spare.unlink(missing_ok=True)
    try:
        try:
            os.link(path, spare)
        except OSError:
            shutil.copyfile(path, spare)
        os.replace(spare, name)
    except OSError:
        spare.unlink(missing_ok=True)
        raise


def append(path: Path, data: bytes) -> None:
    """Add all of `data` to a file that exists, or nothing.

    Raises:
        WriteError: it cannot be written, or is gone.
    """
    with writing(path), path.open("r+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[file.write(data) :]
        except OSError:
            file.truncate(end)
            raise


def check_writable(path: Path, *suffixes: str) -> None:
    """Raise ValueError unless the file has such a suffix and can be written; make its folder."""
    if path.suffix not in suffixes:
        raise UsageError(f"output file {path} must end in {' or '.join(suffixes)}")
    file = absolute(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = not file.exists()
        file.open("ab").close()
        if new:
            file.unlink()
    except OSError as error:
        raise UsageError(f"output file {path} cannot be written: {error.strerror}") from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a draft beside a file, which takes its place when the block has ended well.

    Raises:
        WriteError: there is no room for it; what the block raises stays as it is.
    """
    with writing(path):
        folder = tempfile.TemporaryDirectory(dir=absolute(path).parent, prefix=DRAFT)
    with folder as name:
        draft = Path(name) / path.name
        yield draft
        with writing(path):
            draft.replace(absolute(path))

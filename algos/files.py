"""Files that are written for the user: checked before the work, whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_writable(path: Path, *suffixes: str) -> None:
    """Raise ValueError unless the file has such a suffix and can be written; make its folder."""
    if path.suffix not in suffixes:
        raise ValueError(f"output file {path} must end in {' or '.join(suffixes)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        path.open("ab").close()
        if new:
            path.unlink()
    except OSError as error:
        raise ValueError(f"output file {path} cannot be written: {error.strerror}") from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a draft beside a file, which takes its place when the block has ended well."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as folder:
        draft = Path(folder) / path.name
        yield draft
        draft.replace(path)

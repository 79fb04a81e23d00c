"""Which paths may be meant by one that does not exist."""

from __future__ import annotations

import difflib
import os
from contextlib import suppress
from pathlib import Path


def near(path: Path, *folders: str) -> list[str]:
    """Return up to three existing paths of which every part is like the one of a path, best first.

    Args:
        path: what does not exist.
        folders: that may have been left out before it.
    """
    found = [one for folder in ("", *folders) for one in _alike(Path(folder, path))]
    return difflib.get_close_matches(str(path), dict.fromkeys(map(str, found)), cutoff=0)


def _alike(path: Path) -> list[Path]:
    found = [Path(path.anchor)]
    for part in path.relative_to(path.anchor).parts:
        found = [folder / name for folder in found for name in _names(folder, part)]
    return found


def _names(folder: Path, part: str) -> list[str]:
    """Return the names within a folder that are like another, itself alone if it is there."""
    if os.path.exists(folder / part):  # which no name can make raise
        return [part]
    names: dict[str, str] = {}
    with suppress(OSError):  # no folder, or one that cannot be read
        names = {name.lower(): name for name in os.listdir(folder)}
    return [names[close] for close in difflib.get_close_matches(part.lower(), names)]

"""Checkpoints: dictionaries of tensors, numbers and strings in one file."""

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch

FORMAT = "trot-checkpoint"
VERSION = 1


def save_checkpoint(path: str | Path, content: dict[str, Any]) -> None:
    """Write `content` to `path` so that the file is at every moment the old or the new one.

    Args:
        path: the file; its folder is made if it is missing.
        content: nested dicts and lists of tensors, numbers, strings, bools and None.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save({"format": FORMAT, "version": VERSION, "content": content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_checkpoint(path: str | Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; runs no code from the file.

    Raises:
        ValueError: the file is missing, damaged, foreign or of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"checkpoint {path}: there is no such file")
    try:
        with warnings.catch_warnings(action="ignore"):  # of other formats; the error says it
            data = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise ValueError(
            f"checkpoint {path}: not readable, truncated or no checkpoint at all "
            f"({type(error).__name__})"
        ) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"checkpoint {path}: a torch file, but not a {FORMAT}")
    if data["version"] != VERSION:
        raise ValueError(
            f"checkpoint {path}: version {data['version']}, this code reads version {VERSION}"
        )
    return data["content"]

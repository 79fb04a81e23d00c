"""Checkpoints: dictionaries of tensors, numbers and strings in one file."""

import hashlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from algos.runs.files import keep, reading, replacing, writing
from algos.terminal import absolute
from algos.usage import UsageError

log = logging.getLogger(__name__)

FORMAT = "trot-checkpoint"
VERSION = 2
"""Version 2 holds its content as bytes with their SHA-256; version 1 held it as it is."""


def save_checkpoint(
    path: str | Path, content: dict[str, Any], previous: Path | None = None
) -> None:
    """Write `content` to `path` so that the file is at every moment the old or the new one.

    Args:
        path: the file; its folder is made if it is missing.
        content: nested dicts and lists of tensors, numbers, strings, bools and None.
        previous: where the file of before is kept.

    Raises:
        WriteError: the disk is full, for example; the files are then as they were.
    """
    path = Path(path)
    with writing(path):
        absolute(path).parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()  # torch reports a full disk in words of its own
    torch.save(_sealed(content), buffer)
    with replacing(path, previous) as file:
        file.write(buffer.getbuffer())


def is_finite(content: Any) -> bool:
    """Whether all tensors in nested dicts are free of NaNs and infinities."""
    if isinstance(content, dict):
        return all(is_finite(value) for value in content.values())
    return not isinstance(content, Tensor) or bool(content.isfinite().all())


def load_newest(last: Path, previous: Path) -> dict[str, Any]:
    """Read the last checkpoint of a run, or the one before where that cannot be read.

    The one before then takes its place; the damaged file stays beside it.

    Raises:
        ValueError: neither can be read.
    """
    try:
        return load_checkpoint(last)
    except ValueError as error:
        if not previous.exists():
            raise
        content = load_checkpoint(previous)
        log.warning("%s; going on from %s", error, previous.name)
        with writing(last):
            if last.exists():
                last.replace(last.with_suffix(".damaged"))
            keep(previous, last)
        return content


def load_checkpoint(path: str | Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; runs no code from the file.

    Raises:
        ValueError: the file is missing, damaged, foreign or of another version.
    """
    path = Path(path)
    with reading(path):
        found = absolute(path).is_file()
    if not found:
        raise UsageError(f"checkpoint {path}: there is no such file")
    data = _read(absolute(path), path, device)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UsageError(f"checkpoint {path}: a torch file, but not a {FORMAT}")
    version = data.get("version")
    if version == 1:
        return data["content"]
    if version != VERSION:
        raise UsageError(
            f"checkpoint {path}: version {version}, this code reads up to version {VERSION}; "
            "update Trot"
        )
    sealed, checksum = data.get("content"), data.get("sha256")
    content = sealed.cpu().numpy().tobytes() if isinstance(sealed, Tensor) else b""
    if hashlib.sha256(content).hexdigest() != checksum:
        raise UsageError(f"checkpoint {path}: damaged, its content does not fit its checksum")
    return _read(io.BytesIO(content), path, device)


def _sealed(content: dict[str, Any]) -> dict[str, Any]:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    data = torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)
    checksum = hashlib.sha256(buffer.getvalue()).hexdigest()
    return {"format": FORMAT, "version": VERSION, "sha256": checksum, "content": data}


def _read(file: Path | io.BytesIO, path: Path, device: torch.device | str) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):  # of other formats; the error says it
            return torch.load(file, map_location=device, weights_only=True)
    except Exception as error:
        raise UsageError(
            f"checkpoint {path}: not readable, truncated or no checkpoint at all "
            f"({type(error).__name__})"
        ) from error

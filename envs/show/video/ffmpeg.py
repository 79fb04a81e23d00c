"""ffmpeg's failures in a line: it has none to say for itself, or a command and a log."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio_ffmpeg

from robots.usage import UsageError

_BRINGS = "pip install --force-reinstall imageio-ffmpeg or apt-get install ffmpeg"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PROBE = 1 << 16
"""Bytes by which a disk is tried."""
_TRIAL = (
    *("-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "16x16", "-i", "-"),
    *("-vcodec", "libx264", "-pix_fmt", "yuv420p", "-f", "null", "-"),
)
"""Encodes one frame, as a video does, into nothing."""


class VideoError(UsageError, OSError):
    """A video cannot be written, as on a full disk or without ffmpeg."""


@contextmanager
def encoding(path: Path) -> Iterator[None]:
    """Raise VideoError with the cause where ffmpeg fails to write or to read a file."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        cause = _disk(path.parent) or _ffmpeg() or "ffmpeg ended before the video did"
        raise VideoError(f"video {path.name} could not be written: {cause}") from error


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ffmpeg out of reach of the terminal's Ctrl-C, which is for this process to answer.

    Raises:
        OSError, RuntimeError: it cannot be run, or there is none.
    """
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", start_new_session=True
    )


def last_line(log: str) -> str:
    """Return the last line of a log that says something."""
    return next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")


def _disk(folder: Path) -> str:
    """Return why nothing can be written into a folder, "" where something can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE))
    except OSError as error:
        return "the disk is full" if error.errno in _FULL else str(error.strerror)
    return ""


def _ffmpeg() -> str:
    """Return why ffmpeg encodes nothing, "" where it does."""
    try:
        exe = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        return f"there is no ffmpeg; {_BRINGS} brings it"
    try:
        done = subprocess.run([exe, *_TRIAL], input=bytes(16 * 16 * 3), capture_output=True)
    except OSError as error:
        chosen = exe == os.environ.get("IMAGEIO_FFMPEG_EXE")
        name = f"IMAGEIO_FFMPEG_EXE={exe}" if chosen else exe
        remedy = "unset it" if chosen else f"{_BRINGS} brings another"
        return f"{name} cannot be run ({error.strerror}); {remedy}"
    if not done.returncode:
        return ""
    said = last_line((done.stderr or done.stdout).decode(errors="replace"))
    return f"ffmpeg is broken ({said or f'exit code {done.returncode}'}); {_BRINGS} brings another"

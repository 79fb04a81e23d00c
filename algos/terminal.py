"""How the programs show what they do, and how they end.

What cannot be shown ends no work: not a closed terminal or pipe, not a full disk under a log, not
an encoding that lacks a character, not a stream that other code has closed. Exit codes are 0 for
done, or stopped and saved; 1 for a fault, with its traceback; 2 for what the user can mend, in one
line; 128 and a signal's number for work that the signal ended.

A program imports this module before those that take seconds.
"""

from __future__ import annotations

import atexit
import errno
import io
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

QUIET = (errno.EPIPE, errno.EIO)
"""Errors of a reader that is gone, who needs to be told nothing."""
PATIENCE = 5.0
"""Seconds that threads and processes of other code have to end after the program's work."""
UNKNOWN_WIDTH = 80
"""Columns of a terminal that does not tell how many it has."""
NARROWEST = 6
"""Columns below which nothing is laid out: tyro's help would never end."""
_streams: dict[int, TextIO] = {}
"""The program's own, by file descriptor: other code can neither close nor replace them."""
_folder: Path | None = None
"""Where the program was started, once it has begun."""


class Signalled(SystemExit):
    """A signal ends the program."""


def begin() -> None:
    """Take over the streams, the folder and the signals of a process that has only just started."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # a file opened later would get the number, and what is printed
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdout, _streams[1] = _lasting(sys.stdout, 1, "replace")
    sys.stderr, _streams[2] = _lasting(sys.stderr, 2, "backslashreplace")
    if shutil.get_terminal_size().columns < NARROWEST:
        os.environ["COLUMNS"] = str(UNKNOWN_WIDTH)
    global _folder
    try:
        _folder = Path.cwd()
    except FileNotFoundError:
        print("error: the current folder does not exist any more: cd elsewhere", file=stderr())
        sys.exit(2)
    atexit.register(_on_signals, signal.SIG_IGN)  # called last: Python then drops its handlers
    _on_signals(_leave)


def stdout() -> TextIO:
    """Return the stream that shows what the program does, whatever became of `sys.stdout`."""
    return _streams.get(1, sys.stdout)


def stderr() -> TextIO:
    """Return the stream that shows what is wrong, whatever became of `sys.stderr`."""
    return _streams.get(2, sys.stderr)


def absolute(path: str | Path) -> Path:
    """Return a path as it was meant where the program was started: other code may change folders.

    Within another program it is as meant now.
    """
    return (_folder or Path.cwd()) / path


@contextmanager
def program(*mendable: type[Exception]) -> Iterator[None]:
    """Run a program, and end it with its exit code.

    Args:
        mendable: errors whose message is all that the user needs; one may have an `exit_code` of
            its own.
    """
    _on_signals(_unwind)
    code = 1
    try:
        with _told(mendable):
            try:
                yield
                conclude()
            except BaseException:
                _on_signals(_leave)
                raise
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise
    finally:
        _give_back()
        if _remaining():
            threading.Thread(target=_leave_behind, args=(code,), daemon=True).start()


@contextmanager
def _told(mendable: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn what ends a program into its exit code, and show all that there is to say."""
    try:
        yield
    except mendable as error:
        print(f"error: {error}", file=stderr())
        sys.exit(getattr(error, "exit_code", 2))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _give_back() -> None:
    """Let Python, which may have a traceback to show, end with streams that work."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    sys.stdout, sys.stderr = stdout(), stderr()


def _leave_behind(code: int) -> None:
    """End the program, for which Python waits as long as there is a thread or process."""
    threading.main_thread().join()
    deadline = time.monotonic() + PATIENCE
    while (remaining := _remaining()) and time.monotonic() < deadline:
        time.sleep(0.05)
    if not remaining:
        return
    first, *others = dict.fromkeys(remaining)
    more = f" and {len(others)} more" if others else ""
    print(f"warning: left running: {first}{more}; the program ends all the same", file=stderr())
    for child in _children():
        child.terminate()
    os._exit(code)


def _remaining() -> list[str]:
    """Return what Python waits for at its end, by name."""
    threads = [t for t in threading.enumerate() if t is not threading.main_thread()]
    names = [f"a thread of the environment ({t.name})" for t in threads if not t.daemon]
    return names + [f"a process of the environment ({child.name})" for child in _children()]


def _children() -> list[Any]:
    from multiprocessing import active_children  # takes a while, in which no signal is heard yet

    return [child for child in active_children() if not child.daemon]


def conclude(*lines: str) -> None:
    """Print the last lines of a program's work: no signal cuts them short, or turns the exit code.

    Signals that others handle stay theirs, as where the work runs within another program.
    """
    own = [n for n in _heard() if signal.getsignal(n) in (_unwind, _hurry)]
    for number in own:
        signal.signal(number, signal.SIG_IGN)
    print(*lines, sep="\n", end="\n" if lines else "", file=stdout(), flush=True)
    for number in own:
        signal.signal(number, _finish)


def console(quiet: bool = False) -> Console:
    """Return a console that shows what users call things as it is written, with [ ] and : :.

    A width that holds nothing, as of COLUMNS=0, counts as unknown.
    """
    from rich.console import Console

    made = Console(file=stdout(), quiet=quiet, markup=False, emoji=False)
    if made.width < 1:
        made.width = UNKNOWN_WIDTH
    return made


class _Lasting(io.FileIO):
    """A file that takes whatever is written to it, and loses what it cannot keep."""

    _told = False

    def write(self, data: Any, /) -> int:
        try:
            written = super().write(data)
        except OSError as error:
            self._tell(error)
            written = None
        return len(data) if written is None else written

    def _tell(self, error: OSError) -> None:
        """Say once, past the streams, that a log stays empty."""
        if self._told or error.errno in QUIET:
            return
        self._told = True
        line = f"warning: what is printed is lost: {error.strerror}\n"
        with suppress(OSError):
            os.write(2, line.encode("ascii", "replace"))


def _lasting(stream: TextIO | None, number: int, errors: str) -> tuple[TextIO, TextIO]:
    """Return streams of a file descriptor, for all and for the program; one of another file stays.

    They write line by line. The program's has a descriptor of its own.
    """
    if stream is not None and not _stands_on(stream, number):
        return stream, stream
    encoding = stream.encoding if stream is not None else "utf-8"
    files = _Lasting(number, "w", closefd=False), _Lasting(os.dup(number), "w")
    shared, own = (
        io.TextIOWrapper(io.BufferedWriter(file), encoding, errors, line_buffering=True)
        for file in files
    )
    return shared, own


def _stands_on(stream: TextIO, number: int) -> bool:
    with suppress(OSError):  # a test's or a notebook's has no descriptor
        return stream.fileno() == number
    return False


def _on_signals(handler: Callable[[int, FrameType | None], Any] | signal.Handlers) -> None:
    """Have a handler called by the signals that are heard."""
    for number in _heard():
        signal.signal(number, handler)


def _heard() -> list[int]:
    """Return the signals of Ctrl-C, SIGTERM and a closed terminal that are not ignored."""
    known = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    numbers = [number for number in known if number is not None]  # Windows has no SIGHUP
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def _leave(number: int, frame: FrameType | None) -> None:
    """End while there is nothing to clean up, and no place for a traceback: in an import, say."""
    os._exit(128 + number)


def _finish(number: int, frame: FrameType | None) -> None:
    """End what is done, without waiting for what only closes."""
    os._exit(0)


def _unwind(number: int, frame: FrameType | None) -> None:
    """End by an exception, so that what is half made is removed."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    _on_signals(_hurry)
    raise Signalled(128 + number)


def _hurry(number: int, frame: FrameType | None) -> None:
    """Let an end that has begun come: closing terminals and `timeout` send their signal twice."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt

"""Ctrl-C, SIGTERM and a closed terminal, which let an iteration end."""

from __future__ import annotations

import logging
import signal
from types import FrameType, TracebackType

from torch.distributed import is_torchelastic_launched

log = logging.getLogger(__name__)


def stop_signals() -> list[signal.Signals]:
    """The signals that ask for an end; that of a closed terminal unless nohup has it ignored."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        numbers.append(hangup)
    return numbers


class Interrupt:
    """Turns a signal that asks for an end into a request; Ctrl-C after it acts as usual.

    The others may come twice where they mean it once: closing terminals and `timeout` send them
    to a process and to its group. Under torchrun, which passes on what the terminal has sent
    already, every one is a request.
    """

    def __init__(self) -> None:
        self.requested = False
        self._left = False

    def __enter__(self) -> Interrupt:
        self._old = {number: signal.signal(number, self._request) for number in stop_signals()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

    @property
    def ending(self) -> bool:
        """Whether an end was asked for once, so that whatever is raised is not Ctrl-C's own."""
        return self.requested and not self._left

    def _request(self, number: int, frame: FrameType | None) -> None:
        again, self.requested = self.requested, True
        if is_torchelastic_launched():
            return
        if not again:
            log.warning("stopping after this iteration; Ctrl-C leaves at once, without saving")
        elif number == signal.SIGINT:
            self._left = True
            log.warning("left at once; what the last checkpoint holds is kept")
            raise KeyboardInterrupt

"""Ctrl-C that lets an iteration end."""

from __future__ import annotations

import logging
import signal
from types import FrameType, TracebackType

from torch.distributed import is_torchelastic_launched

log = logging.getLogger(__name__)


class Interrupt:
    """Turns the first Ctrl-C or SIGTERM into a request; the second one acts as usual.

    Under torchrun, which passes on what the terminal has sent already, every one is a request.
    """

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> Interrupt:
        self._old = {s: signal.signal(s, self._request) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if is_torchelastic_launched():
            return
        self._restore()
        log.warning("stopping after this iteration; again to leave at once, without saving")

    def _restore(self) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

"""Signals let an iteration end; only Ctrl-C cuts it short."""

from __future__ import annotations

import signal

import pytest

from algos.training.interrupt import Interrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_signal_is_a_request_and_ctrl_c_after_it_leaves(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        signal.raise_signal(number)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_that_are_sent_twice_are_one_request(number: signal.Signals) -> None:
    with Interrupt() as interrupt:
        signal.raise_signal(number)
        signal.raise_signal(number)
    assert interrupt.requested


def test_nohup_keeps_a_training_going() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            signal.raise_signal(signal.SIGHUP)
            assert not interrupt.requested
    finally:
        signal.signal(signal.SIGHUP, before)

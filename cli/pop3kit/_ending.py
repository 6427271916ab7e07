"""What ends ``pop3kit serve``: a signal, or the end of standard input."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def ending(*, with_stdin: bool) -> Iterator[threading.Event]:
    """An event that is set by SIGINT and SIGTERM.

    Args:
        with_stdin: Whether the end of standard input sets it too: it comes when who has started
            the command closes it, or dies.
    """
    stopped = threading.Event()
    handlers = {
        number: signal.signal(number, lambda *_: stopped.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    if with_stdin:
        # It can wait for input that never comes, when a signal has already ended the command.
        threading.Thread(target=_drain, args=(sys.stdin.fileno(), stopped), daemon=True).start()
    try:
        yield stopped
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _drain(descriptor: int, stopped: threading.Event) -> None:
    # Not by sys.stdin: the interpreter cannot end while another thread has its lock.
    try:
        while os.read(descriptor, 1 << 16):
            pass
    except OSError:
        pass  # a terminal that has gone
    stopped.set()

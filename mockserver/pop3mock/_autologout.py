"""The timer behind autologout (RFC 1939, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Autologout:
    """Sees to it that a client is not silent for ever: one timer, which is seldom touched.

    Args:
        loop: The event loop.
        patience: Gives the seconds of silence that are borne now; None if there is no end to it.
        answering: Says whether an answer is still going out, which is no silence of the client's.
        due: Called when the client has been silent too long.
    """

    __slots__ = ("_answering", "_due", "_heard", "_loop", "_patience", "_timer", "_watched")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        patience: Callable[[], float | None],
        answering: Callable[[], bool],
        due: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._patience = patience
        self._answering = answering
        self._due = due
        self._heard = loop.time()
        self._watched: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def heard(self) -> None:
        """The client has just said something."""
        self._heard = self._loop.time()

    def adjust(self) -> None:
        """The patience may be another one by now: that of a client who has logged in."""
        if self._patience() != self._watched:
            self.watch()

    def watch(self) -> None:
        """Begin, or go on, to wait for the client's silence."""
        self.cancel()
        self._watched = self._patience()
        if self._watched is None:
            return
        left = self._heard + self._watched - self._loop.time()
        if left > 0 or self._answering():
            wait = left if left > 0 else self._watched
            self._timer = self._loop.call_later(wait, self.watch)
        else:
            self._due()

    def cancel(self) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

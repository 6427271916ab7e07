"""Manners: how long to wait before the next connection and the next login."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._facts import Facts
    from ._limits import Limits

#: Seconds between two attempts at most.
_SELDOM = 5.0

_SECONDS = re.compile(r"[0-9]{1,6}")


class Pace:
    """Keeps a run from asking more of a server than it wants.

    Args:
        limits: The seconds between two connections, and those of the whole run.
        clock: Seconds that only rise.
        sleep: Lets seconds pass.
    """

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._connected = -limits.pace
        self._logged_in: float | None = None
        self._end = clock() + limits.total

    @property
    def left(self) -> float:
        """Seconds that the run may still take."""
        return self._end - self._clock()

    def extend(self, seconds: float) -> None:
        """Time that does not count: somebody asked for a case that is slow."""
        self._end += seconds

    def before_connection(self) -> None:
        """Wait until the next connection may be made."""
        wait = self._connected + self._limits.pace - self._clock()
        if wait > 0:
            self._sleep(wait)
        self._connected = self._clock()

    def attempts(self, seconds: float) -> Iterator[None]:
        """Try at once, and then more and more seldom, until some time has passed.

        Args:
            seconds: The time.
        """
        end = self._clock() + seconds
        rest = 0.1
        yield
        while (left := end - self._clock()) > 0:
            self._sleep(min(rest, left))
            rest = min(rest * 2, _SELDOM)
            yield

    def until_login(self, facts: Facts | None) -> float:
        """Seconds until the user may log in again (RFC 2449, section 6.5)."""
        delay = _SECONDS.match((facts and facts.argument("LOGIN-DELAY")) or "")
        if delay is None or self._logged_in is None:
            return 0.0
        return max(0.0, self._logged_in + int(delay[0]) - self._clock())

    def note_login(self) -> None:
        """The user has logged in now."""
        self._logged_in = self._clock()

    def before_login(self, facts: Facts | None) -> None:
        """Wait until the user may log in again, and take it that he does."""
        wait = self.until_login(facts)
        if wait > 0:
            self._sleep(min(wait, max(self.left, 0.0)))
        self.note_login()

"""How long a reply is waited for; the same for every shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ._exceptions import POP3TimeoutError

__all__ = ["Clock", "Patience"]

Clock: TypeAlias = Callable[[], float]


class Patience:
    """The time limit of the reply that is being waited for.

    The whole reply has one deadline, so a server that sends an octet now and then gains nothing;
    a long message may take long, but no silence in it may.

    Args:
        clock: gives seconds that only ever grow.

    Attributes:
        step: the name of the wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.step = "connect"
        self._seconds = 0.0
        self._minimum_rate: float | None = None
        self._deadline = 0.0

    def start(self, step: str, seconds: float, minimum_rate: float | None = None) -> None:
        """Begin to wait for a reply; see ``Expect``."""
        self.step = step
        self._seconds = seconds
        self._minimum_rate = minimum_rate
        self._deadline = self._clock() + seconds

    def seconds(self) -> float:
        """How long the next octets may take.

        Raises:
            POP3TimeoutError: the time is up.
        """
        seconds = min(self._deadline - self._clock(), self._seconds)
        if seconds <= 0:
            raise self.exhausted()
        return seconds

    def extend(self, octets: int) -> None:
        """Grant more time to a message that keeps coming."""
        if self._minimum_rate is not None:
            self._deadline += octets / self._minimum_rate

    def exhausted(self) -> POP3TimeoutError:
        """Make the error for a wait that came to its end."""
        return POP3TimeoutError(self.step, self._seconds)

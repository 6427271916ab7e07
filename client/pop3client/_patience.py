"""How long a reply is waited for; the same for every shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ._exceptions import POP3TimeoutError
from ._wants import Expect

__all__ = ["Clock", "Patience"]

Clock: TypeAlias = Callable[[], float]


class Patience:
    """The time limit of the reply that is being waited for.

    The whole reply has one deadline, so a server that sends an octet now and then gains nothing;
    a long message may take long, but no silence in it may.

    Args:
        clock: gives seconds that only ever grow.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expect = Expect("connect", 0.0)
        self._deadline = 0.0

    @property
    def step(self) -> str:
        """The name of the wait."""
        return self._expect.step

    def start(self, expect: Expect) -> None:
        """Begin to wait for a reply."""
        self._expect = expect
        self._deadline = self._clock() + expect.seconds

    def seconds(self) -> float:
        """How long the next octets may take.

        Raises:
            POP3TimeoutError: the time is up.
        """
        seconds = min(self._deadline - self._clock(), self._expect.seconds)
        if seconds <= 0:
            raise self.exhausted()
        return seconds

    def extend(self, octets: int) -> None:
        """Grant more time to a message that keeps coming."""
        if self._expect.minimum_rate is not None:
            self._deadline += octets / self._expect.minimum_rate

    def exhausted(self) -> POP3TimeoutError:
        """Make the error for a wait that came to its end."""
        return POP3TimeoutError(self._expect.step, self._expect.seconds)

"""What the protocol asks of the outside world, and nothing of how it is done.

An operation of the protocol is a generator that yields these and is sent the answers; its return
value is the result. A shell (blocking, asyncio, a test) carries them out. What goes wrong out
there is thrown into the generator as one of the errors of ``_exceptions``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

__all__ = [
    "Aside",
    "Ask",
    "Call",
    "Deliver",
    "Expect",
    "Open",
    "Pause",
    "Poll",
    "Receive",
    "Send",
    "StartTLS",
    "Steps",
    "Want",
]

T = TypeVar("T")


class Open(NamedTuple):
    """Connect, after closing what was open. Answer: true if the peer is this machine."""

    host: str
    port: int
    seconds: float


class StartTLS(NamedTuple):
    """Do the TLS handshake now. Answer: a ``TLSInfo``."""

    host: str
    seconds: float


class Send(NamedTuple):
    """Send these octets at one go. Answer: None."""

    data: bytes
    step: str
    seconds: float

    def __repr__(self) -> str:
        # The octets may be a password.
        return f"Send({self.step})"


class Expect(NamedTuple):
    """What is received from now on is one reply. Answer: None.

    Attributes:
        step: the name of the wait, for errors.
        seconds: time for the whole of it, and for each silence in it.
        minimum_rate: octets per second; each octet received adds its share to the time for the
            whole. None: the time stays as it is.
    """

    step: str
    seconds: float
    minimum_rate: float | None = None


class Receive(NamedTuple):
    """Wait for octets and put them here. Answer: how many came; 0 means end of stream."""

    into: memoryview


class Poll(NamedTuple):
    """Put here what has already arrived, without waiting.

    Answer: how many octets; 0 means end of stream; None means that nothing is there.
    """

    into: memoryview


class Ask(NamedTuple):
    """Poll, send, expect, and receive: the common case, in which nothing is there to be polled.

    Answer: true, and how many octets of the reply came; or false, and how many had come before:
    then nothing was sent. 0 means end of stream.
    """

    data: bytes
    step: str
    seconds: float
    into: memoryview

    def __repr__(self) -> str:
        # The octets may be a password.
        return f"Ask({self.step})"


class Deliver(NamedTuple):
    """Hand a part of a message to whom the operation is run for. Answer: None."""

    data: bytes


class Call(NamedTuple):
    """Ask the caller's own function, which may be a coroutine function. Answer: what it gives."""

    function: Callable[[], object]


class Aside(NamedTuple):
    """Do something that waits for a disk: on an event loop, in a thread. Answer: what it gives."""

    function: Callable[[], object]


class Pause(NamedTuple):
    """Want nothing for now; for whoever carries the operation on, and never for a shell."""


Want: TypeAlias = (
    Open | StartTLS | Send | Expect | Receive | Poll | Ask | Deliver | Call | Aside | Pause
)
Steps: TypeAlias = Generator[Want, Any, T]

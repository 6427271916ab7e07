"""What a session wants done: the shell does it, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Send:
    """Write these octets at once."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Trickle:
    """Write these octets a few at a time.

    Attributes:
        data: The octets.
        size: How many at a time.
        every: Seconds between two writes.
    """

    data: bytes
    size: int
    every: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StartTLS:
    """Begin the TLS handshake; call :meth:`Session.secured` when it is done."""


@dataclass(frozen=True, slots=True)
class End:
    """End the connection by FIN or RST, by a FIN of our side only, or leave it dead."""

    how: Literal["close", "reset", "half-close", "hang"]


Action = Send | Trickle | Pause | StartTLS | End

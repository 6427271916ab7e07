"""What a conversation wants of the world, and how the world can break down.

The protocol core is generators that yield wants and are sent octets; a shell fulfils them.

::

    Breakdown               the world did not go on; thrown into the generator by the shell
    ├── Silence             nothing came within the time limit
    ├── Lost                the connection was reset or broke
    └── HandshakeFailed     TLS could not be agreed upon; ``.certificate`` says if that was why
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Send:
    """Send these octets."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for octets; no octets mean that the server has closed the connection."""


@dataclass(frozen=True, slots=True)
class StartTLS:
    """Do the TLS handshake."""


@dataclass(frozen=True, slots=True)
class On:
    """From here on everything is meant for this connection, which is made if it is new."""

    connection: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Tell the server that nothing more will be sent."""


Want = Send | Receive | StartTLS | On | HangUp

#: A piece of protocol: yields wants, is sent the octets received, returns its result.
Wants = Generator[Want, bytes, _Result]


class Breakdown(Exception):
    """The world did not go on as it must."""


class Silence(Breakdown):
    """Nothing came within the time limit."""


class Lost(Breakdown):
    """The connection was reset or broke."""


class HandshakeFailed(Breakdown):
    """TLS could not be agreed upon.

    Attributes:
        certificate: Whether the server's certificate was the reason.
    """

    def __init__(self, message: str, *, certificate: bool) -> None:
        super().__init__(message)
        self.certificate = certificate

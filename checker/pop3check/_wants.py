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
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    import ssl

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Send:
    """Send these octets."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for octets; no octets mean that the server has closed the connection.

    Attributes:
        within: Seconds to wait at most; None: as long as the target allows.
    """

    within: float | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """How TLS is to be agreed upon.

    Attributes:
        minimum: The oldest version that is offered; None: what the target's context has.
        maximum: The newest.
        verify: Whether the certificate is verified; a case about versions does not care.
        strict: Whether it is verified even if the context that was given does not.
    """

    minimum: ssl.TLSVersion | None = None
    maximum: ssl.TLSVersion | None = None
    verify: bool = True
    strict: bool = False


@dataclass(frozen=True, slots=True)
class StartTLS:
    """Do the TLS handshake."""

    how: Handshake = Handshake()


@dataclass(frozen=True, slots=True)
class On:
    """From here on everything is meant for this connection, which is made if it is new.

    Attributes:
        connection: Its name.
        implicit: Whether TLS begins with the first octet; None: as the target has it.
        how: How TLS is agreed upon, where it begins with the first octet.
        port: The port; None: the target's.
    """

    connection: str
    implicit: bool | None = None
    how: Handshake = Handshake()
    port: int | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    """Tell the server that nothing more will be sent."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection at once, without a word of TLS.

    Attributes:
        reset: Whether by RST, as a machine does that has lost the connection.
    """

    reset: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AskTime:
    """Ask what time it is: seconds that only rise, written as a decimal number."""


@dataclass(frozen=True, slots=True)
class AskTLS:
    """Ask about the TLS of a connection.

    Attributes:
        about: ``version``: the version agreed upon, as OpenSSL names it, nothing without TLS;
            ``close-notify``: ``yes`` or ``no`` once the server has ended the connection.
    """

    about: Literal["version", "close-notify"]


Want = Send | Receive | StartTLS | On | HangUp | Drop | Pause | AskTLS | AskTime

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
        ours: Whether this side could not even begin.
    """

    def __init__(self, message: str, *, certificate: bool, ours: bool = False) -> None:
        super().__init__(message)
        self.certificate = certificate
        self.ours = ours

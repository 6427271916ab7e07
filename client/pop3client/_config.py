"""How a client is set up, and the limits that it sets to a server."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from ._exceptions import InvalidArgument

__all__ = ["TLS", "Config", "Limits", "RetrMode"]


class TLS(enum.Enum):
    """When the connection is encrypted."""

    NONE = "none"
    """Never."""
    STLS = "stls"
    """Connect in the clear, upgrade before anything else is said (RFC 2595 section 4)."""
    IMPLICIT = "implicit"
    """From the first octet; port 995 by default (RFC 8314 section 3.3)."""


class RetrMode(enum.Enum):
    """Whence the client takes the size of a message that it is about to read.

    The size only decides how much room to make and how much to ask the socket for at once.
    The message ends where its terminator stands, so all three modes give the same octets.
    """

    RETR = "retr"
    """From the number in RETR's status line."""
    LIST = "list"
    """From ``LIST n``, asked before each RETR."""
    SLOW = "slow"
    """From nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Security limits: how much a server may send before the client gives up.

    Attributes:
        line_octets: longest line of a reply, line end included. Lines of messages have no
            limit of their own.
        capa_lines: longest capability list, in lines.
        listing_lines: longest answer to LIST or UIDL, in lines.
        messages: largest number of messages in a maildrop.
        message_octets: largest message as it is sent, or None for no limit.
        minimum_rate: octets per second below which a message body is given up; each octet
            received extends the deadline of the body by 1/minimum_rate seconds.
    """

    line_octets: int = 8192
    capa_lines: int = 200
    listing_lines: int = 1_000_000
    messages: int = 1_000_000
    message_octets: int | None = None
    minimum_rate: float = 256.0

    def __post_init__(self) -> None:
        for name in ("line_octets", "capa_lines", "listing_lines", "messages", "minimum_rate"):
            if getattr(self, name) <= 0:
                raise InvalidArgument(f"Limits.{name}: expected a number above 0")
        if self.message_octets is not None and self.message_octets < 0:
            raise InvalidArgument("Limits.message_octets: expected None, 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings in force; ``client.config`` is a snapshot of them.

    Attributes:
        host: name or address that was asked for; a certificate must be for it.
        port: TCP port.
        msex: true if the server is taken for MS Exchange.
        tls: when the connection is encrypted.
        retr_mode: the retrieval mode in force *now*; it falls from RETR to LIST to SLOW.
        limits: what a server may send at most.
        timeout: seconds that connecting, the TLS handshake, sending, and each reply may take.
        strict: true if a departure from an RFC is an error.
        allow_insecure_auth: true if passwords may cross a network in the clear.
        lf_commands: true if commands end in a bare LF.
    """

    host: str
    port: int
    msex: bool = False
    tls: TLS = TLS.NONE
    retr_mode: RetrMode = RetrMode.RETR
    limits: Limits = field(default_factory=Limits)
    timeout: float = 60.0
    strict: bool = False
    allow_insecure_auth: bool = False
    lf_commands: bool = False

    def __post_init__(self) -> None:
        # Every wait is bounded, so there is no "for ever" to ask for; 0 would mean
        # "non-blocking" to a socket.
        if not 0 < self.timeout < float("inf"):
            raise InvalidArgument("timeout: expected seconds, finite and above 0")
        if not 0 <= self.port <= 65535:
            raise InvalidArgument(f"port: expected 0 to 65535, got {self.port}")
        if any(ord(character) <= ord(" ") for character in self.host) or not self.host:
            raise InvalidArgument("host: expected a name or an address without white space")

    @classmethod
    def for_server(
        cls,
        host: str,
        port: int | None,
        *,
        tls: TLS,
        msex: bool,
        retr_mode: RetrMode,
        limits: Limits,
        timeout: float,
        strict: bool,
        allow_insecure_auth: bool,
        lf_commands: bool,
    ) -> Config:
        """Fill in what follows from the other settings: the port, and Exchange's mode."""
        if msex and retr_mode is RetrMode.RETR:
            # Exchange's sizes are absent or estimated: looking at them is never worth it.
            retr_mode = RetrMode.SLOW
        if port is None:
            port = 995 if tls is TLS.IMPLICIT else 110
        return cls(
            host=host.removeprefix("[").removesuffix("]"),  # as URLs write IPv6 addresses
            port=port,
            msex=msex,
            tls=tls,
            retr_mode=retr_mode,
            limits=limits,
            timeout=timeout,
            strict=strict,
            allow_insecure_auth=allow_insecure_auth,
            lf_commands=lf_commands,
        )

"""How a client is set up, and the limits that it sets to a server."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypedDict

from ._exceptions import InvalidArgument

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection

    from ._patience import Clock
    from ._peer import SocketFactory
    from ._tls import TLSCallback
    from ._wirelog import WireCallback

__all__ = ["TLS", "Config", "Limits", "RetrMode", "Settings"]


class TLS(enum.Enum):
    """When the connection is encrypted."""

    NONE = "none"
    """Never."""
    STLS = "stls"
    """Connect in the clear, upgrade before anything else is said (RFC 2595 section 4)."""
    OPPORTUNISTIC = "opportunistic"
    """As ``STLS`` if the server offers it, else in the clear. Whoever can change what the server
    sends decides that the connection stays in the clear: this protects from nobody but
    listeners. Passwords are held back as with ``NONE`` then.
    """
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
        pipeline_commands: how many commands may be under way at once, see
            ``Settings.pipelining``.
        pipeline_octets: how many octets they may have together. What is under way has to fit
            into the buffers between client and server: else both could wait for ever, each for
            the other to read.
        pipeline_message_octets: how many octets of messages ``messages``, ``iter_retrieve`` and
            ``sync`` may have under way, by the sizes that LIST gives. A larger message is asked
            for alone.
    """

    line_octets: int = 8192
    capa_lines: int = 200
    listing_lines: int = 1_000_000
    messages: int = 1_000_000
    message_octets: int | None = None
    minimum_rate: float = 256.0
    pipeline_commands: int = 100
    pipeline_octets: int = 1024
    pipeline_message_octets: int = 1024 * 1024

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.name != "message_octets" and getattr(self, each.name) <= 0:
                raise InvalidArgument(f"Limits.{each.name}: expected a number above 0")
        if self.message_octets is not None and self.message_octets < 0:
            raise InvalidArgument("Limits.message_octets: expected None, 0 or more")


class Settings(TypedDict, total=False):
    """The keywords that every way to open a client takes; ``Config`` has what they are if left out.

    Attributes:
        port: TCP port; by default 995 for ``TLS.IMPLICIT``, else 110.
        tls: when to encrypt.
        msex: the server is MS Exchange. LAST and APOP are not used, and sizes are not trusted:
            ``RetrMode.RETR`` is taken as ``RetrMode.SLOW``, while ``RetrMode.LIST`` is left as
            it was asked for.
        retr_mode: where to look for the size of a message first; see ``RetrMode``.
        socket_factory: makes the connected socket from host, port and timeout in seconds; the
            place for a proxy. The asyncio client calls it in a thread.
        ssl_context: the TLS policy; by default certificates and host names are verified and
            TLS is 1.2 or later.
        tls_callback: told what was agreed in the handshake, before any secret is sent. If it
            raises, the connection is closed and the exception goes to the caller.
        timeout: seconds for connecting, for the handshake, for sending, and for each reply. A
            message may take longer as long as it keeps coming, see ``Limits.minimum_rate``.
        allow_insecure_auth: let secrets cross a network in the clear.
        strict: raise DeviationError where the server breaks an RFC.
        limits: what the server may send at most.
        pipelining: send commands for many messages without waiting for each answer (RFC 2449
            section 6.6). None: if the last answer to CAPA lists PIPELINING.
        ignored_capabilities: what to overlook in the server's answers to CAPA: a name, such as
            ``"UTF8"``, or one argument, such as ``"SASL CRAM-MD5"``. For servers that
            announce what does not work.
        keepalive: seconds after which NOOP is sent, and again, while a function of yours works
            for ``sync``, or your code between two messages of ``messages`` and
            ``iter_retrieve``. None: never; see ``POP3Client.keeping_alive``.
        rset_before_quit: take back all marks by RSET before QUIT, then mark again what was to be
            deleted: for servers that mark each message that is retrieved.
        lf_commands: end commands in a bare LF, for servers that take CR for a part of the
            argument (what the classic client does with its ``-msex``).
        wire_log: told each line that goes over the wire, without secrets; see ``WireLine``. The
            same goes to the logger ``pop3client`` at level DEBUG.
        log_user: let that show the name of the user.
        clock: gives seconds that only ever grow; for tests.
    """

    port: int | None
    tls: TLS
    msex: bool
    retr_mode: RetrMode
    socket_factory: SocketFactory | None
    ssl_context: ssl.SSLContext | None
    tls_callback: TLSCallback | None
    timeout: float
    allow_insecure_auth: bool
    strict: bool
    limits: Limits
    pipelining: bool | None
    ignored_capabilities: Collection[str]
    keepalive: float | None
    rset_before_quit: bool
    lf_commands: bool
    wire_log: WireCallback | None
    log_user: bool
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings in force, see ``Settings``; ``client.config`` is a snapshot of them.

    Attributes:
        host: name or address that was asked for; a certificate must be for it.
        port: TCP port.
        retr_mode: the retrieval mode in force *now*; it falls from RETR to LIST to SLOW.
        pipelining: what was asked for; false once pipelining has gone wrong, see the deviation
            ``pipelined-race``.
    """

    host: str
    port: int
    tls: TLS = TLS.NONE
    msex: bool = False
    retr_mode: RetrMode = RetrMode.RETR
    socket_factory: SocketFactory | None = field(default=None, repr=False)
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    tls_callback: TLSCallback | None = field(default=None, repr=False)
    timeout: float = 60.0
    allow_insecure_auth: bool = False
    strict: bool = False
    limits: Limits = field(default_factory=Limits)
    pipelining: bool | None = None
    ignored_capabilities: Collection[str] = ()
    keepalive: float | None = None
    rset_before_quit: bool = False
    lf_commands: bool = False
    wire_log: WireCallback | None = field(default=None, repr=False)
    log_user: bool = False
    clock: Clock = field(default=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        # Every wait is bounded, so there is no "for ever" to ask for; 0 would mean
        # "non-blocking" to a socket.
        if not 0 < self.timeout < float("inf"):
            raise InvalidArgument("timeout: expected seconds, finite and above 0")
        if self.keepalive is not None and not 0 < self.keepalive < float("inf"):
            raise InvalidArgument("keepalive: expected None, or seconds, finite and above 0")
        if not 0 <= self.port <= 65535:
            raise InvalidArgument(f"port: expected 0 to 65535, got {self.port}")
        if any(ord(character) <= ord(" ") for character in self.host) or not self.host:
            raise InvalidArgument("host: expected a name or an address without white space")
        if isinstance(self.ignored_capabilities, str):  # a collection, but of letters
            raise InvalidArgument("ignored_capabilities: expected a collection of names")

    @classmethod
    def for_server(cls, host: str, settings: Settings) -> Config:
        """Fill in what follows from the other settings: the port, and Exchange's mode."""
        chosen: dict[str, Any] = {**settings}
        if chosen.get("port") is None:
            chosen["port"] = 995 if chosen.get("tls") is TLS.IMPLICIT else 110
        if chosen.get("msex") and chosen.get("retr_mode", RetrMode.RETR) is RetrMode.RETR:
            # Exchange's sizes are absent or estimated: looking at them is never worth it.
            chosen["retr_mode"] = RetrMode.SLOW
        # As URLs write IPv6 addresses, they stand in brackets.
        return cls(host=host.removeprefix("[").removesuffix("]"), **chosen)

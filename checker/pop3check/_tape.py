"""What went over the wire, octet by octet, and how it falls into commands and replies.

The tape knows the framing of POP3 by itself: it shares nothing with the server that it listens to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

#: Commands whose positive reply is of several lines, by the number of their arguments.
_MULTI_LINE = {"CAPA": (0,), "LIST": (0,), "UIDL": (0,), "RETR": (1,), "TOP": (2,), "LANG": (0,)}

_GREETING = "(greeting)"
_RESPONSE = "(response)"
_LOGINS = ("PASS", "APOP", "AUTH", _RESPONSE)


class Framing(Exception):
    """The octets of the server do not fall into one reply for each command."""


class Reply(NamedTuple):
    """One reply of the server.

    Attributes:
        command: The keyword it answers, in upper case; ``(greeting)``, or ``(response)`` for SASL.
        line: The client's line, without its line end.
        status: The first line, with its line end.
        data: What follows the first line, terminator included; empty for a reply of one line.
        before_login: Whether nobody was logged in when it came.
    """

    command: str
    line: bytes
    status: bytes
    data: bytes
    before_login: bool

    @property
    def text(self) -> bytes:
        """What stands behind the status indicator and one space."""
        return self.status.rstrip(b"\r\n").partition(b" ")[2]

    @property
    def is_challenge(self) -> bool:
        """Whether it asks for a SASL response (RFC 5034, section 4)."""
        return self.status.startswith(b"+ ") or self.status == b"+\r\n"

    @property
    def is_refusal(self) -> bool:
        """Whether it is negative."""
        return self.status.startswith(b"-")


@dataclass
class _Stretch:
    """What both sides said between two changes to TLS, or from beginning to end."""

    greets: bool
    client: bytearray = field(default_factory=bytearray)
    server: bytearray = field(default_factory=bytearray)


class Tape:
    """The octets of one connection, both ways.

    Args:
        secrets: Passwords and tokens that no reply may hold.

    Attributes:
        ended: Whether the connection is over.
        odd: Whether octets went out that do not fall into commands: then nothing is said of the
            replies to them.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self.secrets = secrets
        self.ended = False
        self.odd = False
        self._stretches = [_Stretch(greets=True)]

    @classmethod
    def of(cls, *exchanges: tuple[bytes, bytes], secrets: tuple[str, ...] = ()) -> Tape:
        """A tape of a conversation that is written down: the greeting first, for no command.

        Args:
            exchanges: What the client says, and what the server says to it.
            secrets: Passwords and tokens that no reply may hold.
        """
        tape = cls(secrets)
        for client, server in exchanges:
            tape.client(client)
            tape.server(server)
        return tape

    def client(self, octets: bytes) -> None:
        """The client has said something."""
        self._stretches[-1].client += octets

    def server(self, octets: bytes) -> None:
        """The server has said something."""
        self._stretches[-1].server += octets

    def secured(self, *, greets: bool = False) -> None:
        """What follows is inside TLS.

        Args:
            greets: Whether the server greets there: TLS from the first octet.
        """
        self._stretches.append(_Stretch(greets=greets))

    def end(self) -> None:
        """The connection is over."""
        self.ended = True

    def replies(self) -> list[Reply]:
        """All replies, in order.

        Raises:
            Framing: A reply is not whole, is missing, or nobody asked for it.
        """
        found: list[Reply] = []
        for at, stretch in enumerate(self._stretches):
            last = at == len(self._stretches) - 1
            reader = _Reader(stretch, found[-1].before_login if found else True)
            found += reader.replies(may_end=self.ended or not last)
        return found


class _Reader:
    """Takes one stretch apart."""

    def __init__(self, stretch: _Stretch, before_login: bool) -> None:
        self._rest = bytes(stretch.server)
        *self._lines, self._partial = bytes(stretch.client).split(b"\n")
        self._greets = stretch.greets
        self._before_login = before_login

    def replies(self, *, may_end: bool) -> list[Reply]:
        found = [self._take(_GREETING, b"")] if self._greets and self._rest else []
        responding = False
        for raw in self._lines:
            line = raw.removesuffix(b"\r")
            if not self._rest:
                self._unanswered(line, may_end, found[-1] if found else None)
                break
            keyword = line.split(b" ")[0].decode("ascii", "replace").upper()
            found.append(self._take(_RESPONSE if responding else keyword, line))
            responding = found[-1].is_challenge
        # A line that never ended may have been refused for its length.
        if self._rest and self._partial:
            found.append(self._take("", self._partial))
        if self._rest:
            raise Framing(f"nobody asked for {self._rest[:80]!r}")
        return found

    def _unanswered(self, line: bytes, may_end: bool, last: Reply | None) -> None:
        over = last is not None and last.command in ("QUIT", "STLS") and not last.is_refusal
        if not (may_end or over):
            raise Framing(f"no reply to {line[:80]!r}")

    def _take(self, command: str, line: bytes) -> Reply:
        status = self._upto(b"\n", command)
        data = b""
        arguments = len(line.split(b" ")) - 1
        lists = arguments in _MULTI_LINE.get(command, ())
        # Before CAPA there was AUTH alone, and some servers still list their mechanisms.
        lists = lists or (line.upper() == b"AUTH" and b"\r\n.\r\n" in self._rest)
        if lists and status.startswith(b"+OK"):
            alone = self._rest.startswith(b".\r\n")
            data = self._upto(b".\r\n" if alone else b"\r\n.\r\n", command)
        reply = Reply(command, line, status, data, self._before_login)
        if command in _LOGINS and status.startswith(b"+OK"):
            self._before_login = False
        return reply

    def _upto(self, end: bytes, command: str) -> bytes:
        found, there, self._rest = self._rest.partition(end)
        if not there:
            raise Framing(f"the reply to {command} ends in {found[-40:]!r}, expected {end!r}")
        return found + end

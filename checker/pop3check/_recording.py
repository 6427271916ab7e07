"""What went through between a client and a server, as exchanges in the order of the client's lines.

No socket: whoever carries the octets tells the recording of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from ._tape import Framing, Reply, Tape

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The commands of what the server says first, and of what answers a SASL response.
GREETING, RESPONSE = "(greeting)", "(response)"

#: Security limit: octets of one connection that are kept.
MAX_OCTETS = 256 << 20


class Unrecordable(Exception):
    """What went through does not make a conversation that can be written down."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A line of the client, and what the server said to it.

    Attributes:
        connection: The number of the connection, from 0.
        order: Its place among the lines of all connections.
        command: The keyword in upper case; ``(greeting)``, or ``(response)`` for SASL.
        line: The client's line without its line end; empty for the greeting.
        status: The first line of the answer, with its line end; empty for no answer.
        data: What followed it, terminator included.
        starts_tls: Whether TLS began behind it.
    """

    connection: int
    order: int
    command: str
    line: bytes = b""
    status: bytes = b""
    data: bytes = b""
    starts_tls: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the answer is positive."""
        return self.status.startswith(b"+OK")

    @property
    def challenges(self) -> bool:
        """Whether the answer asks for a SASL response."""
        return self.status.startswith(b"+") and not self.accepted


@dataclass(slots=True)
class Connection:
    """One connection, as it is heard.

    Attributes:
        number: Its number, from 0.
        implicit: Whether TLS began with the first octet.
        opened: When it came, among the lines of all.
        ended_by: Who ended it; empty if nobody has.
    """

    number: int
    implicit: bool
    opened: int
    _clock: Iterator[int]
    ended_by: str = ""
    tape: Tape = field(default_factory=Tape)
    octets: int = 0
    _partial: bytes = b""
    _said: list[tuple[int, bytes]] = field(default_factory=list)

    def client(self, octets: bytes) -> None:
        """The client has said something.

        Raises:
            Unrecordable: It is more than is kept.
        """
        self._keep(octets)
        self.tape.client(octets)
        *lines, self._partial = (self._partial + octets).split(b"\n")
        self._said += [(next(self._clock), line.removesuffix(b"\r")) for line in lines]

    def server(self, octets: bytes) -> None:
        """The server has said something.

        Raises:
            Unrecordable: It is more than is kept.
        """
        self._keep(octets)
        self.tape.server(octets)

    def secured(self) -> None:
        """TLS has begun, by STLS."""
        self.tape.secured()

    def ended(self, who: str) -> None:
        """The connection is over; the first who ends it, ``client`` or ``server``, counts."""
        self.ended_by = self.ended_by or who
        self.tape.end()

    def _keep(self, octets: bytes) -> None:
        self.octets += len(octets)
        if self.octets > MAX_OCTETS:
            raise Unrecordable(f"connection {self.number + 1} carries over {MAX_OCTETS} octets")

    def exchanges(self) -> list[Exchange]:
        """What was said, line by line.

        Raises:
            Unrecordable: The server's octets do not fall into one answer for each line.
        """
        try:
            replies = self.tape.replies()
        except Framing as error:
            raise Unrecordable(f"connection {self.number + 1}: {error}") from None
        greets = [each for each in replies if each.command == GREETING]
        found = [self._exchange(self.opened, each) for each in greets]
        answers = replies[len(greets) :]
        for (order, _), reply in zip(self._said, answers, strict=False):
            found.append(self._exchange(order, reply))
        # Who says QUIT need not wait for the answer.
        for order, line in self._said[len(answers) :]:
            found.append(Exchange(self.number, order, line.upper().decode("latin-1"), line))
        return found

    def _exchange(self, order: int, reply: Reply) -> Exchange:
        starts = reply.command == "STLS" and reply.status.startswith(b"+OK")
        return Exchange(
            self.number, order, reply.command, reply.line, reply.status, reply.data, starts
        )


class Recording:
    """All connections of a client.

    Attributes:
        connections: The connections, in the order in which they came.
    """

    def __init__(self) -> None:
        self._clock = count()
        self.connections: list[Connection] = []

    def open(self, *, implicit: bool = False) -> Connection:
        """A connection has come.

        Args:
            implicit: Whether TLS begins with the first octet.
        """
        number = len(self.connections)
        self.connections.append(Connection(number, implicit, next(self._clock), self._clock))
        return self.connections[-1]

    def exchanges(self) -> list[Exchange]:
        """What was said on all connections, in the order of the client's lines.

        Raises:
            Unrecordable: It does not make a conversation.
        """
        found = [each for connection in self.connections for each in connection.exchanges()]
        return sorted(found, key=lambda each: each.order)

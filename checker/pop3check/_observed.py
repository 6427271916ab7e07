"""What a server answered, session by session: what a picture of it is made from.

Lines have marks where something stands that is another each time, or that nobody may read; whoever
plays them again puts there what is right for the server before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

from ._observed_mail import Maildrop
from ._recording import GREETING, RESPONSE, Exchange, Recording
from ._written import RecordedConversation

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Marks in lines: user name, password, APOP's digest, the initial response of PLAIN.
USER, PASSWORD, DIGEST, PLAIN = b"\0user\0", b"\0password\0", b"\0digest\0", b"\0plain\0"

#: The password of no one.
WRONG = b"no-password-of-anybody"

#: What varies from session to session wherever it stands.
_VARYING = (
    (re.compile(rb"<[^<> ]*@[^<> ]*>"), b"<stamp>"),
    (re.compile(rb"^\+ [A-Za-z0-9+/]{24,}=*(?=\r\n)", re.MULTILINE), b"+ <challenge>"),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """What was sent, and what came back.

    Attributes:
        sent: The client's octets, with marks; empty where the server speaks first.
        octets: The answer, all of it.
        ended: Whether the server then ended the connection.
        secures: Whether TLS began behind it.
    """

    sent: bytes
    octets: bytes = b""
    ended: bool = False
    secures: bool = False

    @property
    def keyword(self) -> str:
        """The command, in upper case, if it is one line with one."""
        first = self.sent.split(b"\n")[0].split(b" ")[0].strip()
        return first.decode("latin-1").upper()

    @property
    def line(self) -> bytes:
        """The line without its end."""
        return self.sent.removesuffix(b"\r\n")

    @property
    def accepted(self) -> bool:
        """Whether the answer is positive."""
        return self.octets.startswith(b"+OK")

    @property
    def status(self) -> bytes:
        """The first line of the answer, without its end."""
        return self.octets.partition(b"\n")[0].removesuffix(b"\r")

    @property
    def data(self) -> bytes:
        """What follows the first line."""
        return self.octets.partition(b"\n")[2]

    def exchange(self) -> Exchange:
        """The same as an exchange, from which one learns about mail."""
        return Exchange(0, 0, self.keyword, self.line, self.status + b"\r\n", self.data)


@dataclass(slots=True)
class Observed:
    """A server, as far as it was seen.

    Attributes:
        sessions: What was said on each connection, the greeting first.
        user: Who logged in; empty if nobody did.
        mail: What that user has.
        implicit: Whether TLS begins with the first octet.
        varying: Words of the greeting that are others each time.
    """

    sessions: list[list[Probe]]
    user: str = ""
    mail: Maildrop = field(default_factory=Maildrop)
    implicit: bool = False
    varying: frozenset[bytes] = frozenset()

    def __post_init__(self) -> None:
        self.varying = self.varying or _varying(self.sessions)

    @property
    def probes(self) -> list[Probe]:
        """All probes of all sessions, in order."""
        return [probe for session in self.sessions for probe in session]

    def hollow(self, octets: bytes) -> bytes:
        """An answer with holes where it is another each time.

        Args:
            octets: The answer.
        """
        for pattern, hole in _VARYING:
            octets = pattern.sub(hole, octets)
        for word in self.varying:
            octets = octets.replace(word, b"<varies>")
        return octets


def _varying(sessions: Iterable[list[Probe]]) -> frozenset[bytes]:
    """Words in which the greetings differ, if they have as many of them."""
    greetings = [session[0].status.split(b" ") for session in sessions if session]
    found: set[bytes] = set()
    if len({len(words) for words in greetings}) == 1:
        for words in zip_longest(*greetings):
            found |= set(words) if len(set(words)) > 1 else set()
    return frozenset(found)


def observed_in(recording: Recording) -> Observed:
    """What a recording shows of the server.

    Args:
        recording: What went through.

    Raises:
        Unrecordable: It does not make conversations.
        Unredacted: A secret stands in an answer.
    """
    conversation = RecordedConversation(recording, "recorded", "a server")
    conversation.written()  # looks through all of it
    sessions: list[list[Probe]] = [[] for _ in recording.connections]
    for exchange in recording.exchanges():
        ended = recording.connections[exchange.connection].ended_by == "server"
        probe = Probe(
            marked(exchange),
            exchange.status + exchange.data,
            secures=exchange.starts_tls,
            ended=ended and exchange.command == "QUIT",
        )
        sessions[exchange.connection].append(probe)
    user, mail = conversation.first_user()
    implicit = any(connection.implicit for connection in recording.connections)
    return Observed([each for each in sessions if each], user, mail, implicit)


def marked(exchange: Exchange) -> bytes:
    """The client's line with marks in place of what it proves with.

    Args:
        exchange: What was said.
    """
    if exchange.command == GREETING:
        return b""
    words = exchange.line.split(b" ")
    match exchange.command:
        case "USER" if len(words) > 1:
            line = words[0] + b" " + USER
        case "PASS":
            line = words[0] + b" " + (PASSWORD if exchange.accepted else WRONG)
        case "APOP" if len(words) > 2:
            line = b" ".join((words[0], USER, DIGEST))
        case "AUTH" if len(words) > 2:
            line = b" ".join((*words[:2], PLAIN))
        case command if command == RESPONSE:
            line = exchange.line if exchange.line == b"*" else PLAIN
        case _:
            line = exchange.line
    return line + b"\r\n"

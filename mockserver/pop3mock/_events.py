"""What can happen on a connection, one type for each: the journal is made of these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from . import _actions as act
from ._flow import beginning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pop3scenarios import Source

#: Octets of an answer that are kept: enough to recognise it, and no message twice in memory.
KEPT = 400

_NUMBER = re.compile(r"\S+\s+0*([0-9]{1,18})(\s|$)")

By = Literal["client", "server", ""]


class Sent(NamedTuple):
    """Octets that were sent.

    Attributes:
        head: The first of them.
        octets: How many there were in all.
        size: So many at a time; 0 if at once.
        every: Seconds between two writes.
    """

    head: bytes
    octets: int
    size: int = 0
    every: float = 0.0


Deed = Sent | act.Pause | act.StartTLS | act.End | act.Hold


class Exchange(NamedTuple):
    """One command and its answer. A named tuple, since each command of a client makes one.

    Attributes:
        connection: Number of the connection, from 1.
        time: Seconds since the connection came up.
        command: The command's keyword in upper case; empty if no line of the client is answered.
        line: The whole line, secrets masked and escaped.
        reply: The status line of the answer, without its line end, as ``line``; empty if nothing
            was said.
        octets: Octets of the whole answer, as they were handed to the connection.
        source: The rule that answered; None if the RFCs did.
        tls: Whether it went inside TLS.
        state: The state of the session when the command came.
        event: What was answered, if it is no line of the client: ``greeting``, ``autologout`` …
        deeds: What the server did, in order.
        heard: ``line`` as patterns see it: not escaped; octets that are not UTF-8 are surrogates.
    """

    connection: int
    time: float
    command: str
    line: str
    reply: str
    octets: int
    source: Source | None
    tls: bool
    state: str
    event: str = ""
    deeds: tuple[Deed, ...] = ()
    heard: str = ""

    @property
    def rule(self) -> str:
        """What answered: ``default``, or the rule as ``name:line``."""
        return "default" if self.source is None else str(self.source)

    @property
    def place(self) -> str:
        """The file and the line of the rule, as ``file:line``; empty if the RFCs answered."""
        return "" if self.source is None else f"{self.source.file}:{self.source.line}"

    @property
    def ok(self) -> bool:
        """Whether the answer was ``+OK``."""
        return self.reply.startswith("+OK")

    def numbers_of(self, command: str) -> list[int]:
        """The message that it is about, if it is such a command and was answered ``+OK``.

        Args:
            command: The command.
        """
        found = _NUMBER.match(self.line) if self.command == command and self.ok else None
        return [] if found is None else [int(found[1])]

    @property
    def greeting(self) -> bool:
        """Whether it is the greeting, which no command asked for."""
        return self.event == "greeting"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a client should not have done.

    Attributes:
        what: What it did.
        why: Why that is wrong, and what would have been right.
        place: The file and line that say so; empty if it is the RFC.
        connection: Number of the connection; 0 if it is about all of them.
    """

    what: str
    why: str
    place: str = ""
    connection: int = 0

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place else ""
        number = f"#{self.connection} " if self.connection else ""
        return f"{number}{self.what}: {self.why}{where}"


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection came up.

    Attributes:
        peer: The client's address, as ``host:port``.
        at: The time of day, in seconds since 1970.
        scenario: What the server plays on it.
    """

    peer: str
    at: float
    scenario: str


@dataclass(frozen=True, slots=True)
class Secured:
    """TLS is active.

    Attributes:
        version: Its version, such as ``TLSv1.3``.
        cipher: The cipher suite.
    """

    version: str
    cipher: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A user has logged in.

    Attributes:
        user: Who it is.
        mechanism: How it was proven: ``USER`` for USER and PASS, ``APOP``, or the SASL mechanism.
    """

    user: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class Removed:
    """Messages were removed from the maildrop: what UPDATE did.

    Attributes:
        numbers: Their message numbers.
        uids: Their unique-ids.
    """

    numbers: tuple[int, ...]
    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recast:
    """From here on the server plays another scenario, chosen by the user's name.

    Attributes:
        scenario: Its name.
    """

    scenario: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something worth knowing that is none of the others.

    Attributes:
        text: What it is.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """It is settled how the connection ends; a client may still hold on to it.

    Attributes:
        how: ``quit``, ``client closed``, ``client reset``, ``close``, ``reset``, ``half-close``,
            ``hang``, ``autologout``, ``handshake failed``, ``TLS failed`` or ``stopped``.
        by: Who ended it.
    """

    how: str
    by: By


@dataclass(frozen=True, slots=True)
class Over:
    """The connection is gone."""


Other = Connected | Secured | LoggedIn | Removed | Recast | Fault | Remark | Ended | Over
Event = Exchange | Other


class Timed(NamedTuple):
    """An event and its time.

    Attributes:
        time: Seconds since the connection came up.
        tls: Whether the connection was inside TLS.
        event: What happened.
    """

    time: float
    tls: bool
    event: Event


#: What is kept of an action. What :class:`Sent` says of octets sent at once is a plain tuple, which
#: is made sooner, and which the search for garbage soon leaves out.
Kept = Deed | tuple[bytes, int]


def kept(actions: Iterable[act.Action]) -> tuple[Kept, ...]:
    """What actions do, without the octets that need not be kept.

    Args:
        actions: What a session wants done.
    """
    return tuple([_kept(action) for action in actions])


def deeds_of(kept: Iterable[Kept]) -> tuple[Deed, ...]:
    """What actions did, of which so much was kept.

    Args:
        kept: What was kept of them.
    """
    return tuple([_deed(each) for each in kept])


def _deed(kept: Kept) -> Deed:
    if isinstance(kept, Sent) or not isinstance(kept, tuple):
        return kept
    head, octets = kept
    return Sent(head, octets)


def _kept(action: act.Action) -> Kept:
    # Not a match, which takes longer: this runs for each answer.
    if isinstance(action, act.Send):
        return beginning(action.data, KEPT), len(action.data)
    if isinstance(action, act.Trickle):
        return Sent(beginning(action.data, KEPT), len(action.data), action.size, action.every)
    return action

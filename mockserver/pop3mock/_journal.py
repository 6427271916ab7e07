"""What happened: every connection, every exchange, and what a client should not have done."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import _actions as act

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Octets of an answer that a transcript shows.
_SHOWN = 400

#: What may stand before a command that is not sent as it should be, the command, the rest.
_KEYWORD = re.compile(r"([^A-Za-z]*(PASS|APOP|AUTH)[ \t]+)(.*)", re.IGNORECASE | re.DOTALL)

#: A secret of fewer letters stands in words by chance, and is not looked for in answers.
_TELLING = 3

#: Commands whose arguments are secret, and how many of the leading ones are not.
_SECRET = {"PASS": 0, "APOP": 1, "AUTH": 1}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command and its answer.

    Attributes:
        connection: Number of the connection, from 1.
        time: Seconds since the connection came up.
        command: The command's keyword in upper case; empty for the greeting.
        line: The whole line as it came, secrets masked.
        reply: The status line of the answer.
        rule: What answered: ``default``, or the rule as ``name:line``.
        tls: Whether it went inside TLS.
        state: The state of the session when the command came.
        greeting: Whether it is the greeting, which no command asked for.
    """

    connection: int
    time: float
    command: str
    line: str
    reply: str
    rule: str
    tls: bool
    state: str
    greeting: bool = False


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


@dataclass(slots=True)
class ConnectionLog:
    """What happened on one connection.

    Attributes:
        number: Number of the connection, from 1.
        exchanges: Commands and answers, in order; the first is the greeting.
        faults: What the client should not have done.
        ended: How the connection ended: ``client``, ``close``, ``reset`` …; empty while it is up.
        removed: Unique-ids of the messages that UPDATE removed.
        tls: The version of TLS, or an empty string.
    """

    number: int
    exchanges: list[Exchange] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ended: str = ""
    removed: tuple[str, ...] = ()
    tls: str = ""
    _events: list[tuple[float, str, bool]] = field(default_factory=list)
    _secrets: set[str] = field(default_factory=set)
    _began: float = field(default_factory=time.monotonic)
    _notify: Callable[[], None] = lambda: None

    def exchange(
        self, line: str, reply: str, rule: str, *, tls: bool, state: str, label: str = ""
    ) -> None:
        """Write down a command and the answer to it; a label stands for what is no command."""
        now = time.monotonic() - self._began
        greeting = label == "GREETING"
        shown = "" if greeting else label or self.masked(line)
        command = "" if greeting else shown.split(" ", 1)[0].upper()
        self.exchanges.append(
            Exchange(self.number, now, command, shown, reply, rule, tls, state, greeting)
        )
        if not greeting:
            self._events.append((now, f"C: {shown}", tls))

    def said(self, actions: Iterable[act.Action], rule: str, *, tls: bool) -> None:
        """Write down what the server does."""
        now = time.monotonic() - self._began
        note = f"    ({rule})"
        for action in actions:
            for text in _describe(action):
                self._events.append((now, self._without_secrets(text) + note, tls))
                note = ""
        self._notify()

    def remark(self, text: str) -> None:
        """Write down something that is neither a command nor an answer."""
        self._events.append((time.monotonic() - self._began, f"-- {text}", bool(self.tls)))
        self._notify()

    def fault(self, fault: Fault) -> None:
        """Write down what the client should not have done."""
        self.faults.append(Fault(fault.what, fault.why, fault.place, self.number))

    def masked(self, line: str) -> str:
        """A command line with its secrets replaced by ``****``, however it is spaced."""
        found = _KEYWORD.match(line)
        if found is None:
            return line
        words = re.split(r"([ \t]+)", found[3], maxsplit=_SECRET[found[2].upper()])
        secret = words.pop()
        if not secret or (found[2].upper() != "PASS" and not words):
            return line
        if len(secret) >= _TELLING:
            self._secrets.add(secret)
        return f"{found[1]}{''.join(words)}****"

    def _without_secrets(self, text: str) -> str:
        """What the server says, where a scenario lets it repeat a secret."""
        for secret in self._secrets:
            text = text.replace(secret, "****")
        return text

    def transcript(self) -> str:
        """The connection as a conversation, with times, TLS and the rules that answered."""
        return "".join(
            f"#{self.number} +{when:.3f} {'TLS ' if tls else ''}{text}\n"
            for when, text, tls in self._events
        )


def _describe(action: act.Action) -> list[str]:
    match action:
        case act.Send(data):
            return _lines(data)
        case act.Trickle(data, size, every):
            return [*_lines(data), f"-- {size} octets every {every:g} s"]
        case act.Pause(seconds):
            return [f"-- wait {seconds:g} s"]
        case act.StartTLS():
            return ["-- TLS handshake"]
        case act.End(how):
            return [f"-- {how}"]


def _lines(data: bytes) -> list[str]:
    text = data[:_SHOWN].decode("ascii", "backslashreplace")
    lines = [f"S: {_escape(line)}" for line in text.removesuffix("\r\n").split("\r\n")]
    if len(data) > _SHOWN:
        lines.append(f"S: … {len(data)} octets in all")
    return lines


def _escape(text: str) -> str:
    return "".join(char if " " <= char <= "~" else repr(char)[1:-1] for char in text)


class Journal:
    """What happened on all connections of a server.

    Attributes:
        connections: The connections, in the order in which they came.
    """

    def __init__(self) -> None:
        self.connections: list[ConnectionLog] = []
        self._changed = threading.Condition()

    def open(self) -> ConnectionLog:
        """Begin the log of a new connection."""
        with self._changed:
            log = ConnectionLog(len(self.connections) + 1, _notify=self._wake)
            self.connections.append(log)
        return log

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges, connection by connection; greetings are left out."""
        return [e for log in self.connections for e in log.exchanges if not e.greeting]

    @property
    def commands(self) -> list[str]:
        """All command lines, secrets masked, connection by connection."""
        return [exchange.line for exchange in self.exchanges]

    @property
    def faults(self) -> list[Fault]:
        """Everything that clients should not have done."""
        return [fault for log in self.connections for fault in log.faults]

    def transcript(self) -> str:
        """All connections as conversations."""
        return "".join(log.transcript() for log in self.connections)

    def wait_until(self, happened: Callable[[], bool], timeout: float) -> bool:
        """Wait until something has happened.

        Args:
            happened: Says whether it has.
            timeout: Seconds to wait at most.

        Returns:
            Whether it has happened.
        """
        with self._changed:
            return self._changed.wait_for(happened, timeout)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def __eq__(self, other: object) -> bool:
        """A journal equals the list of its command lines, so that an assert can spell them out."""
        if isinstance(other, list):
            return self.commands == other
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<Journal {self.commands!r}>"

"""A transcript's commands played against the mock, answer by answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

from pop3mock import MockServer
from pop3mock import _actions as act
from pop3mock._channel import Channel
from pop3mock._flow import chunks_of
from pop3scenarios import loads

from . import _transcript
from ._proofs import proven
from ._stored import rewritten, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3mock._session import Session

    from ._transcript import Digest, Event, Probe

#: What varies from run to run or from host to host, wherever a server says it.
_HOLES = (
    (re.compile(rb"<[^<> ]*@[^<> ]*>(?=\r?\n| )"), b"<stamp>"),
    (re.compile(rb"SESSIONID=<[^>]*>"), b"SESSIONID=<>"),
    (re.compile(rb"^\+ [A-Za-z0-9+/]{24,}=*(?=\r\n)", re.MULTILINE), b"+ <challenge>"),
    (re.compile(rb"[0-9a-z]{16}(?=\r\n)"), b"<id>"),
)

#: Connections that are gone, without a word of it, when the other one of the probe speaks.
_DROPPED = {"LOCK-stale": "A", "DROP-mid": ""}

#: There is something that SCRAM can bind to.
_INSIDE_TLS = Channel(version="TLSv1.3", certificate="its certificate")

#: Seconds that pass between two connections, so that no LOGIN-DELAY is felt.
_BETWEEN = 3600.0


@dataclass(slots=True)
class Exchange:
    """What the client sent, and what came back.

    Attributes:
        probe: The probe in which it stands, with its place there if it is not the first.
        sent: The client's octets.
        expected: What the real server answered.
        whole: The digest of that, where the transcript leaves octets out.
        ending: How the real server ended the connection then: ``close``, ``reset`` or nothing.
        actual: What the mock answered.
        actual_ending: How the mock ended the connection.
    """

    probe: str
    sent: bytes = b""
    expected: bytes = b""
    whole: Digest | None = None
    ending: str = ""
    actual: bytes = b""
    actual_ending: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the mock said the same, what varies left out, and ended the same way."""
        if self.ending != self.actual_ending:
            return False
        if self.whole is not None:
            return self.whole.means(self.actual)
        if self.probe == "DROP-mid":
            return self.actual.startswith(self.expected)  # the client did not stay for the rest
        return _hollow(self.expected) == _hollow(self.actual)


def _hollow(octets: bytes) -> bytes:
    for pattern, hole in _HOLES:
        octets = pattern.sub(hole, octets)
    return octets


@dataclass(slots=True)
class _Line:
    """A connection under its name in the transcript."""

    session: Session | None = None
    exchange: Exchange | None = None
    said: list[bytes] = field(default_factory=list)
    heard: bytes = b""
    shakes_hands: bool = False


class Replay:
    """Plays a transcript against a scenario.

    Args:
        transcript: The name of the transcript.
        scenario: The reference of the scenario.
        mail: How the server had the mail, in a word of :mod:`._stored`; empty: as it is.
    """

    def __init__(self, transcript: str, scenario: str, mail: str = "") -> None:
        self._probes = _transcript.read(transcript)
        self._now = 0.0
        text = f"pop3: 1\nname: replayed\nsummary: s\nextends: {scenario}\n" + _OWN
        self._mock = MockServer(loads(text), clock=lambda: self._now)
        self._read = False
        self._later = rewritten(mail, self._uids())
        self._fill(stored(mail, self._uids()))
        self._lines: dict[str, _Line] = {}
        self._greeting = next(e.data for p in self._probes for e in p.events if e.kind == "S")

    def _fill(self, messages: list[bytes]) -> None:
        for octets, uid in zip_longest(messages, self._uids()):
            self._mock.deliver(octets, uid=uid)

    def _rewrite(self) -> None:
        """Some servers write what they know of the mail into it when somebody has read it."""
        if self._read and self._later:
            maildrop = self._mock.maildrops["alice"]
            maildrop.remove(maildrop.messages)
            self._fill(self._later)
            self._later = []

    def _uids(self) -> list[str]:
        """The unique-ids that the real server gave, from its first UIDL listing."""
        for probe in self._probes:
            sent = b"".join(event.data for event in probe.events if event.kind == "C")
            lines = [event.data for event in probe.events if event.kind == "S"][1:-1]
            if sent == b"UIDL\r\n" and len(lines) > 1:
                return [line.split()[-1].decode() for line in lines]
        return []

    def exchanges(self) -> Iterator[Exchange]:
        """Each exchange of the transcript, with what the mock answered."""
        for probe in self._probes:
            done: list[Exchange] = []
            for event in probe.events:
                self._event(event, probe, done)
            for line in self._lines.values():
                self._send(line)
                line.exchange = None
            yield from done

    def _event(self, event: Event, probe: Probe, done: list[Exchange]) -> None:
        line = self._lines.setdefault(event.connection, _Line())
        dropped = _DROPPED.get(probe.name, event.connection)
        if dropped != event.connection and dropped in self._lines:
            self._send(self._lines[dropped])
            self._leave(self._lines[dropped])
        match event.kind:
            case "open" | "login":
                self._take_back(line)
                self._open(line, probe)
                if event.kind == "login":
                    self._log_in(line)
            case "C":
                self._client(line, event, probe, done)
            case "S":
                self._server(line, event, probe, done)
            case "tls":
                self._tls(line, probe)
            case "gone":
                self._send(line)
                self._leave(line)
            case "summary":
                self._unrecorded(line, done)
            case _:
                self._ended(line, event, probe)

    def _take_back(self, line: _Line) -> None:
        """The driver left a connection that was open still with RSET, and said so nowhere."""
        self._send(line)
        if line.session is not None and not line.session.over:
            line.session.receive(b"RSET\r\n")

    def _tls(self, line: _Line, probe: Probe) -> None:
        self._send(line)
        if line.session is None or probe.section == "S10":
            self._open(line, probe)
        elif line.shakes_hands:
            line.session.secured(_INSIDE_TLS)
            line.shakes_hands = False
            octets, _ = _spoken(line.session.receive(b""))  # what came together with STLS
            if line.exchange is not None:
                line.exchange.actual += octets

    def _unrecorded(self, line: _Line, done: list[Exchange]) -> None:
        """Leave an exchange out of which only a summary is on record."""
        self._send(line)
        if line.exchange is not None:
            done.remove(line.exchange)
            line.exchange = None

    def _client(self, line: _Line, event: Event, probe: Probe, done: list[Exchange]) -> None:
        data = proven(probe.name, event.data, line.heard)
        if probe.name == "COMMIT-noread" and _quits(line):
            self._go_without_reading(line)
        if line.exchange is not None and not (line.exchange.expected or line.exchange.ending):
            line.exchange.sent += data
            line.said.append(data)
            return
        self._send(line)
        if line.session is None or (line.session.over and not line.shakes_hands):
            early = any(e.kind == "S" and self._greets(e.data) for e in probe.events)
            self._open(line, probe)
            if not (early and event.data.startswith(b"USER")):
                self._log_in(line)
                self._begin(line, probe, done)
            else:
                self._begin(line, probe, done).actual = self._first_words
        else:
            self._begin(line, probe, done)
        assert line.exchange is not None
        line.exchange.sent += data
        line.said.append(data)

    def _greets(self, octets: bytes) -> bool:
        return _hollow(octets) == _hollow(self._greeting)

    def _go_without_reading(self, line: _Line) -> None:
        self._send(line)
        assert line.exchange is not None
        line.exchange.expected, line.exchange.actual_ending = line.exchange.actual, ""
        self._leave(line)

    def _server(self, line: _Line, event: Event, probe: Probe, done: list[Exchange]) -> None:
        if line.exchange is None:
            fresh = line.session is None or line.session.over
            greeted = fresh or self._greets(event.data)
            if greeted:
                self._open(line, probe)
            exchange = self._begin(line, probe, done)
            if greeted:
                exchange.actual = self._first_words
        else:
            self._send(line)
        assert line.exchange is not None
        line.exchange.expected += event.data
        if event.whole:
            line.exchange.whole = event.digest

    def _ended(self, line: _Line, event: Event, probe: Probe) -> None:
        if line.exchange is None:
            return
        self._send(line)
        exchange = line.exchange
        assert exchange is not None
        exchange.ending = event.kind
        if probe.name.startswith("HALF") and not exchange.actual_ending:
            # The client has closed its side; that the server closes its own is not the session's.
            exchange.actual_ending = event.kind
        self._leave(line)

    def _begin(self, line: _Line, probe: Probe, done: list[Exchange]) -> Exchange:
        before = sum(exchange.probe.split(" #")[0] == probe.name for exchange in done)
        name = f"{probe.name} #{before + 1}" if before else probe.name
        line.exchange = Exchange(name)
        done.append(line.exchange)
        return line.exchange

    # The mock's side

    def _open(self, line: _Line, probe: Probe) -> None:
        self._leave(line)
        self._rewrite()
        self._now += _BETWEEN
        line.session = self._mock.session()
        if probe.section == "S10":
            # TLS from the first octet: whoever then speaks in the clear is not understood.
            line.session.secured(_INSIDE_TLS)
            line.shakes_hands = probe.name == "TLS-plain"
        if line.shakes_hands:
            return  # before TLS nobody is greeted
        self._first_words, _ = _spoken(line.session.connected())
        line.heard = self._first_words

    def _leave(self, line: _Line) -> None:
        if line.session is not None:
            line.session.lost()
            line.session = None
        line.exchange = None
        line.said.clear()
        line.shakes_hands = False

    def _log_in(self, line: _Line) -> None:
        assert line.session is not None
        line.session.receive(b"USER alice\r\n")
        line.session.receive(b"PASS secret\r\n")

    def _send(self, line: _Line) -> None:
        if not line.said or line.session is None:
            return
        said, line.said = b"".join(line.said), []
        self._read |= said == b"UIDL\r\n"
        if line.shakes_hands:  # TLS was to begin here, and this is none
            actions = line.session.handshake_failed()
            line.shakes_hands = False
            octets, ending = _spoken(actions) if actions else (b"", "close")
        else:
            apart = line.exchange is not None and line.exchange.probe == "bytewise"
            actions = _heard(line.session, said, len(said) if not apart else 1)
            line.shakes_hands = any(isinstance(each, act.StartTLS) for each in actions)
            octets, ending = _spoken(actions)
        line.heard = octets
        if line.exchange is not None:
            line.exchange.actual += octets
            line.exchange.actual_ending = ending


_OWN = """
server:
  users: {alice: secret, bob: secret}
maildrop: []
"""


def _quits(line: _Line) -> bool:
    return line.exchange is not None and line.exchange.sent.endswith(b"QUIT\r\n")


def _heard(session: Session, said: bytes, octets: int) -> list[act.Action]:
    """What a session does about what the client says, so many octets at a time."""
    pieces = (said[at : at + octets] for at in range(0, len(said), octets))
    return [action for piece in pieces for action in session.receive(piece)]


def _spoken(actions: list[act.Action]) -> tuple[bytes, str]:
    octets = bytearray()
    ending = ""
    for action in actions:
        match action:
            case act.Send(data) | act.Trickle(data):
                octets += b"".join(chunks_of(data))
            case act.End(how):
                ending = how
            case _:
                pass
    return bytes(octets), ending

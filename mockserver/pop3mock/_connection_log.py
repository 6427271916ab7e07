"""What happened on one connection, as the server writes it down.

An exchange is noted in brief, since each command makes one, and most journals are never read; what
can be told from that is told to those who ask.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ._escaping import escaped
from ._events import (
    KEPT,
    Connected,
    Ended,
    Exchange,
    Fault,
    LoggedIn,
    Over,
    Recast,
    Remark,
    Removed,
    Secured,
    Sent,
    Timed,
    deeds_of,
    kept,
)
from ._masking import Masking
from ._transcript import conversation
from ._turns import turns_of
from ._verification import Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pop3scenarios import ExpectSection, Source

    from . import _actions as act
    from ._events import By, Deed, Kept, Other
    from ._transcript import Transcript
    from ._turns import Turn

#: An exchange as it is noted: its time, whether inside TLS, the line or what stands for it, the
#: event if it is one, the state, the rule, and what the server did.
_Brief = tuple[float, bool, str, str, str, "Source | None", "tuple[Kept, ...]"]

#: Labels of exchanges that no line of the client began.
_EVENTS = {
    "GREETING": "greeting",
    "(silence)": "autologout",
    "(handshake failed)": "handshake failed",
}

#: Why a session closes in the end, where its last exchange says so.
_LAST_WORDS = {"QUIT": "quit", "autologout": "autologout"}

#: Who has ended a connection that ended like this; else it was the server.
_ENDED_BY: dict[str, By] = {
    "quit": "client",
    "client closed": "client",
    "client reset": "client",
}

#: So much is shown of what a server did not listen to, which may be anything.
_SHOWN = 5
_SHOWN_OF_EACH = 80


class ConnectionLog(Verification):
    """What happened on one connection.

    Attributes:
        number: Number of the connection, from 1.
        reveals: Whether secrets are kept for a transcript that is asked for them.
        scenario: What the server plays on it.
        expect: What that scenario expects of clients; None if nobody holds it against them.
        peer: The client's address as ``host:port``; empty without a socket.
        faults: What the client should not have done.
        user: Who logged in; empty if nobody did.
        mechanism: How it was proven: ``USER``, ``APOP``, or the SASL mechanism.
        tls: The version of TLS, or an empty string.
        cipher: The cipher suite, or an empty string.
        secured_at: When TLS became active, in seconds since the connection came up; None if never.
        removed: Unique-ids of the messages that UPDATE removed.
        removed_numbers: Their message numbers.
        unheard: What the client said in the clear behind STLS, which nobody may hear (RFC 2595,
            section 4), secrets masked.
        ended: How the connection ended: ``quit``, ``client closed``, ``client reset``, ``close``,
            ``reset``, ``half-close``, ``hang``, ``autologout``, ``handshake failed``, ``TLS
            failed`` or ``stopped``; empty while it is up.
        ended_by: Who ended it: ``client``, ``server``, or nobody yet.
    """

    __slots__ = (
        "_at", "_began", "_latest", "_masking", "_notes", "_plain", "_response", "_sasl",
        "_settle", "_tell", "cipher", "ended", "ended_by", "expect", "faults", "mechanism",
        "number", "peer", "removed", "removed_numbers", "reveals", "scenario", "secured_at",
        "tls", "unheard", "user",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        scenario: str = "",
        expect: ExpectSection | None = None,
        *,
        tell: Callable[[ConnectionLog], None] = lambda _: None,
        settle: Callable[[], object] = list,
        reveals: bool = False,
    ) -> None:
        self.number = number
        self.scenario = scenario
        self.expect = expect
        self.peer = ""
        self.faults: list[Fault] = []
        self.user = ""
        self.mechanism = ""
        self.tls = ""
        self.cipher = ""
        self.secured_at: float | None = None
        self.removed: tuple[str, ...] = ()
        self.removed_numbers: tuple[int, ...] = ()
        self.unheard: tuple[str, ...] = ()
        self.ended = ""
        self.ended_by: By = ""
        self._masking = Masking()
        self._tell = tell
        self._settle = settle
        self.reveals = reveals
        self._plain: dict[int, str] = {}
        self._response = ""
        self._began = time.monotonic()
        self._at = time.time()
        self._sasl = ""
        self._latest = "", ""
        self._notes: list[Timed | _Brief] = []

    @property
    def started(self) -> datetime:
        """When the connection came up, by the clock on the wall (UTC)."""
        return datetime.fromtimestamp(self._at, UTC)

    # What the server writes down

    def connected(self, peer: str) -> None:
        """The connection is up.

        Args:
            peer: The client's address, as ``host:port``.
        """
        self.peer = peer
        self._record(Connected(peer, self._at, self.scenario))

    def exchange(
        self,
        line: str,
        source: Source | None,
        actions: Iterable[act.Action],
        *,
        tls: bool,
        state: str,
        label: str = "",
        user: str = "",
        removed: tuple[tuple[int, str], ...] = (),
    ) -> None:
        """Write down a command, the answer to it, and what both came to.

        Args:
            line: The client's line.
            source: The rule that answered; None if the RFCs did.
            actions: What the server does.
            tls: Whether the command came inside TLS.
            state: The state of the session when it came.
            label: What stands for the line where there is none, or none that may be shown.
            user: Who is logged in afterwards; empty if nobody is.
            removed: Numbers and unique-ids of the messages removed so far.
        """
        now = time.monotonic() - self._began
        event = _EVENTS.get(label, "")
        shown = self._masking.line(line)
        shown = "" if event else label or shown
        self._latest = event, shown
        if not self.user:
            self._follow_login(shown, user)
        if len(removed) > len(self.removed):
            self.update(removed)
        if self.reveals:
            self._plain[len(self._notes)] = self._response or line
            self._response = ""
        self._note((now, tls, shown, event, state, source, kept(actions)))

    def response(self, line: str) -> None:
        """A SASL response has come, for which something stands that shows nothing of it.

        Args:
            line: The response.
        """
        if self.reveals:
            self._response = line

    def _follow_login(self, shown: str, user: str) -> None:
        command = _command(shown)
        if command == "AUTH":
            self._sasl = " ".join(shown.split()[1:2]).upper()
        if user:
            self._logged_in(user, command)

    def _logged_in(self, user: str, command: str) -> None:
        self.user = user
        self.mechanism = {"PASS": "USER", "APOP": "APOP"}.get(command, self._sasl)
        self._record(LoggedIn(user, self.mechanism))

    def update(self, removed: tuple[tuple[int, str], ...]) -> None:
        """Write down what has been removed from the maildrop, if there is more than before.

        Args:
            removed: Numbers and unique-ids of all messages removed so far.
        """
        fresh = removed[len(self.removed) :]
        if fresh:
            self.removed = tuple(uid for _, uid in removed)
            self.removed_numbers = tuple(number for number, _ in removed)
            self._record(Removed(tuple(n for n, _ in fresh), tuple(uid for _, uid in fresh)))

    def secured(self, version: str, cipher: str) -> None:
        """TLS is active.

        Args:
            version: Its version.
            cipher: The cipher suite.
        """
        self.tls = version
        self.cipher = cipher
        self.secured_at = time.monotonic() - self._began
        self._record(Secured(version, cipher))

    def recast(self, scenario: str) -> None:
        """From here on the server plays another scenario.

        Args:
            scenario: Its name.
        """
        self.scenario = scenario
        self._record(Recast(scenario))

    def remark(self, text: str) -> None:
        """Write down something that is neither a command nor an answer."""
        self._record(Remark(escaped(text)))

    def not_heard(self, text: str) -> None:
        """Write down what the client has said and the server did not listen to.

        Args:
            text: Its lines.
        """
        lines = [self._masking.line(line.removesuffix("\r")) for line in text.split("\n")]
        self.unheard += tuple(line for line in lines if line)
        for line in self.unheard[:_SHOWN]:
            self.remark(f"not heard, since it came before TLS: {line[:_SHOWN_OF_EACH]}")

    def fault(self, fault: Fault) -> None:
        """Write down what the client should not have done."""
        made = Fault(escaped(fault.what), escaped(fault.why), fault.place, self.number)
        self.faults.append(made)
        self._record(made)

    def end(self, how: str, by: By = "") -> None:
        """It is settled how the connection ends; what comes later changes nothing.

        Args:
            how: As ``ended`` has it.
            by: Who ends it, if that does not follow.
        """
        if self.ended:
            return
        # A session that closes says why in its last exchange.
        event, line = self._latest
        why = _LAST_WORDS.get(event or _command(line), how)
        self.ended = why if how == "close" else how
        self.ended_by = by or _ENDED_BY.get(self.ended, "server")
        self._record(Ended(self.ended, self.ended_by))

    def over(self) -> None:
        """The connection is gone."""
        self._record(Over())

    def masked(self, line: str) -> str:
        """A command line with its secrets replaced by ``****``."""
        return self._masking.line(line)

    def keep_secret(self, line: str) -> None:
        """Show nothing of a line, wherever it is repeated."""
        self._masking.learn(line)

    def _record(self, event: Other) -> None:
        self._note(Timed(time.monotonic() - self._began, bool(self.tls), event))

    def _note(self, note: Timed | _Brief) -> None:
        self._notes.append(note)
        self._tell(self)

    # What is read off it

    @property
    def events(self) -> list[Timed]:
        """Everything so far, in order, each with its time."""
        return [self._timed(note) for note in self._notes]

    @property
    def exchanges(self) -> list[Exchange]:
        """Commands and answers so far, in order; the first is the greeting."""
        return [self._exchange(note) for note in self._notes if not isinstance(note, Timed)]

    @property
    def latest(self) -> Timed:
        """What has happened last."""
        return self._timed(self._notes[-1])

    @property
    def silence(self) -> float:
        """Seconds since something has happened."""
        happened = self.latest.time if self._notes else 0.0
        return time.monotonic() - self._began - happened

    @property
    def length(self) -> int:
        """How many events there are so far."""
        return len(self._notes)

    def _timed(self, note: Timed | _Brief) -> Timed:
        return note if isinstance(note, Timed) else Timed(note[0], note[1], self._exchange(note))

    def _exchange(self, brief: _Brief) -> Exchange:
        when, tls, line, event, state, source, what = brief
        deeds = deeds_of(what)
        reply, octets = _said(deeds, self._masking)
        return Exchange(
            self.number, when, escaped(_command(line)), escaped(line),
            escaped(reply), octets, source, tls, state, event, deeds, line,
        )  # fmt: skip

    def asked(self) -> list[Exchange]:
        return [each for each in self.exchanges if not each.event]

    def logs(self) -> list[ConnectionLog]:
        return [self]

    def hear_all(self) -> None:
        self._settle()

    def turns(self) -> list[Turn]:
        """What the client said, line by line, and the answers."""
        return turns_of(self.exchanges, self._masking)

    def transcript(self, *, secrets: bool = False) -> Transcript:
        """The connection as a conversation, with times, TLS and the rules that answered.

        Args:
            secrets: Whether to show secrets, if they were kept.
        """
        if not secrets or not self.reveals:
            return conversation(self.number, self.events, self._masking)
        events = (self._plainly(at, timed) for at, timed in enumerate(self.events))
        return conversation(self.number, events, Masking())

    def _plainly(self, at: int, timed: Timed) -> Timed:
        event = timed.event
        if not isinstance(event, Exchange) or event.event:
            return timed
        return timed._replace(event=event._replace(line=escaped(self._plain[at])))

    def __repr__(self) -> str:
        return f"<ConnectionLog {self.number}: {self.commands!r}>"


def _command(line: str) -> str:
    """The command of a line, or of what stands for one."""
    return line.split(" ", 1)[0].upper()


def _said(deeds: Iterable[Deed], masking: Masking) -> tuple[str, int]:
    """The status line of an answer, secrets masked, and the octets of all of it."""
    head, octets = b"", 0
    for deed in deeds:
        if isinstance(deed, Sent):
            if octets < KEPT:
                head += deed.head
            octets += deed.octets
    line, end, _ = head.partition(b"\n")
    # With its end, which tells that it is no line that breaks off.
    text = masking.text((line + end).decode("utf-8", "surrogateescape"))
    return text.removesuffix("\n").removesuffix("\r"), octets

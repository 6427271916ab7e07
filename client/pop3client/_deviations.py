"""What the client tolerates, by name.

``QUIRKS`` is the table; a ``DeviationLog`` keeps what one session has met. The ids are those of
the scenario library, so that a deviation seen in the field can be played back by its name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from ._exceptions import DeviationError

__all__ = ["QUIRKS", "Deviation", "DeviationLog", "Quirk"]

_DETAIL_OCTETS = 80


class Quirk(NamedTuple):
    """One way in which servers surprise clients.

    Attributes:
        summary: what the server does, in a line.
        breaks: the clause of an RFC that it breaks; ``""`` if the RFC allows it.
    """

    summary: str
    breaks: str = ""


_EXACT_SIZE = "RFC 1939 section 5 (LIST gives the exact size of the message in octets)"
_CRLF = "RFC 1939 section 3 (every line of a response ends in CRLF)"
_ANSWER = "RFC 1939 section 3 (every command is answered)"
_STUFFING = "RFC 1939 section 3 (a line that begins with a dot gets one more)"
_STATUS = "RFC 1939 section 3 (a response starts with a status indicator)"
_UIDL_LINE = "RFC 1939 section 7 (message number, a single space, unique-id of 1 to 70 characters)"
_UNIQUE = "RFC 1939 section 7 (a unique-id is of one message)"
_NUMBERS = "RFC 1939 section 4 (the first message has number 1, the second 2, and so on)"
_ONE_LINE = "RFC 1939 sections 5 and 7 (LIST n and UIDL n are answered by one line)"
_EMPTY = "RFC 1939 section 5 (RETR sends the message)"
_ONE_STATUS = "RFC 1939 section 3 (one status line for each command)"
_TOP_LINES = "RFC 1939 section 7 (TOP sends the header and the number of lines asked for)"
_LISTING = "RFC 1939 section 5 (a listing has one line for each message)"
_DROP_SIZE = "RFC 1939 section 5 (STAT gives the size of the maildrop in octets)"
_PIPELINING = "RFC 2449 section 6.6 (commands that are sent at once are answered in turn)"
_SASL = "RFC 5034 section 3 (SASL lists the mechanisms that the server supports)"
_CHALLENGE = "RFC 5034 section 4 (a challenge is a plus, a space and base64)"

QUIRKS: dict[str, Quirk] = {
    # Greeting and capabilities. CAPA is an extension, so a server need not know it.
    "greeting-bare": Quirk("the greeting is +OK with nothing after it"),
    "no-capa": Quirk("CAPA is refused"),
    "capa-closes": Quirk("the connection is closed when CAPA is sent", _ANSWER),
    # RFC 1939 section 4: a server may close the connection after a refused login.
    "close-on-bad-auth": Quirk("the connection is closed after a refused login"),
    # Authentication. Which mechanisms a server can do is its own affair, but not what it says.
    "mech-advertised-broken": Quirk("a mechanism is announced and does not work", _SASL),
    "sasl-ok-for-plus": Quirk("+OK stands where a challenge has to", _CHALLENGE),
    "sasl-text-challenge": Quirk("a challenge is not in base64", _CHALLENGE),
    "sasl-plus-no-space": Quirk("a challenge is a plus with no space after it", _CHALLENGE),
    # Commands that RFC 1939 makes optional, or has dropped.
    "no-last": Quirk("LAST is refused"),
    "last-zero": Quirk("LAST says 0 although messages were retrieved in this session"),
    "no-uidl": Quirk("UIDL is refused"),
    "no-top": Quirk("TOP is refused"),
    # Sizes. What stands behind RETR's +OK is free text; clients came to rely on it.
    "retr-without-size": Quirk("RETR's status line has no size"),
    "retr-size-not-a-number": Quirk("RETR's status line has something else for a size"),
    "retr-size-too-small": Quirk("RETR announces fewer octets than it sends"),
    "retr-size-too-large": Quirk("RETR announces more octets than it sends"),
    "list-sizes-wrong": Quirk("LIST announces another size than RETR sends", _EXACT_SIZE),
    "list-single-refused": Quirk(
        "LIST n is refused for a message that exists",
        "RFC 1939 section 5 (LIST takes a message number)",
    ),
    "list-arg-ignored": Quirk("LIST n or UIDL n is answered by the whole listing", _ONE_LINE),
    "list-gaps": Quirk("the numbers of a listing are not 1, 2, 3", _NUMBERS),
    "stat-negative": Quirk("STAT gives a negative number of octets", _DROP_SIZE),
    # Framing.
    "lf-only": Quirk("lines end in a bare LF", _CRLF),
    "dot-lf": Quirk("lines end in CRLF, but the terminator in a bare LF", _CRLF),
    "no-stuffing": Quirk("a line begins with one dot and goes on", _STUFFING),
    "reply-blank-line": Quirk("a blank line stands before a status line", _STATUS),
    "first-line-blank": Quirk("a listing has a blank line", _LISTING),
    "pipelined-race": Quirk("several commands at once are not answered in turn", _PIPELINING),
    # Messages.
    "retr-empty": Quirk("RETR sends nothing of a message", _EMPTY),
    "top-double-ok": Quirk("TOP is answered by two status lines", _ONE_STATUS),
    "top-extra-lines": Quirk("TOP sends more lines of the body than asked for", _TOP_LINES),
    # Unique-ids.
    "uidl-extra-spaces": Quirk("more than one space around a unique-id", _UIDL_LINE),
    "uidl-ok-prefix": Quirk("each line of UIDL's listing starts with +OK", _UIDL_LINE),
    "uidl-one-no-number": Quirk("UIDL n answers without the message number", _UIDL_LINE),
    "uidl-blank": Quirk("a message has no unique-id", _UIDL_LINE),
    "uidl-long": Quirk("a unique-id has more than 70 characters", _UIDL_LINE),
    "uidl-odd-octets": Quirk("a unique-id has spaces or octets that are not ASCII", _UIDL_LINE),
    "uidl-duplicate": Quirk("two messages have the same unique-id", _UNIQUE),
    # The end of the session. RFC 1939 section 6 lets QUIT fail.
    "quit-err": Quirk("QUIT is refused"),
    "quit-silent": Quirk("QUIT is not answered", _ANSWER),
}


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something that this server does and the client put up with.

    Attributes:
        quirk: its id in ``QUIRKS`` and in the scenario library.
        where: the command whose answer showed it, such as ``"RETR"``, or ``"greeting"``.
        detail: what was seen the first time; never a secret.
        breaks: the clause of an RFC that it breaks; ``""`` if the RFC allows it.
        count: how often it was seen.
    """

    quirk: str
    where: str
    detail: str
    breaks: str
    count: int = 1


class DeviationLog:
    """The deviations of a session: one entry for each quirk and command.

    Args:
        strict: true if a deviation that breaks an RFC is an error.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._entries: dict[tuple[str, str], Deviation] = {}
        self._offence: Deviation | None = None

    @property
    def entries(self) -> tuple[Deviation, ...]:
        """What was seen, in the order in which it was first seen."""
        return tuple(self._entries.values())

    def note(self, quirk: str, where: str, detail: str | bytes = "") -> None:
        """Take note of a quirk; ``settle`` decides later whether it is an error."""
        if isinstance(detail, bytes):
            detail = repr(detail[:_DETAIL_OCTETS])[2:-1]
        known = self._entries.get((quirk, where))
        if known is None:
            entry = Deviation(quirk, where, detail, QUIRKS[quirk].breaks)
        else:
            entry = replace(known, count=known.count + 1)
        self._entries[quirk, where] = entry
        if entry.breaks and self._offence is None:
            self._offence = entry

    def excuse(self) -> None:
        """Let pass what was noted since the last call: the command has failed anyway."""
        self._offence = None

    def settle(self) -> None:
        """Raise what strictness asks for, now that the reply has been read to its end.

        Raises:
            DeviationError: the client is strict, and something seen since the last call
                breaks an RFC.
        """
        offence, self._offence = self._offence, None
        if self._strict and offence is not None:
            raise DeviationError(offence)

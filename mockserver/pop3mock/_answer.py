"""The RFC-correct answer to a command, and how a rule's changes show in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pop3scenarios import Template, parse_line

from ._flow import Flow, held
from ._wire import stuff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from pop3scenarios import Announced, Hole

    from ._changes import Changes
    from ._message import StoredMessage, Text

_LF = b"\n"
_CRLF = b"\r\n"
EMPTY = parse_line("")

#: Letters of the client's that an answer repeats at most.
_REPEATED = 100


@dataclass(slots=True)
class Entry:
    """One line of a scan listing or a unique-id listing (RFC 1939, sections 5 and 7)."""

    number: int
    octets: int | None = None
    uid: str = ""
    message: StoredMessage | None = None


class Listing:
    """The lines of a listing, made whenever somebody looks: a maildrop may be very large.

    Args:
        view: The messages of the session.
        left_out: Numbers of those that are not listed.
        entry_of: Makes the line of a message.
    """

    __slots__ = ("_entry_of", "_left_out", "_view")

    def __init__(
        self,
        view: Sequence[StoredMessage],
        left_out: AbstractSet[int],
        entry_of: Callable[[int, StoredMessage], Entry],
    ) -> None:
        self._view = view
        self._left_out = left_out
        self._entry_of = entry_of

    def __iter__(self) -> Iterator[Entry]:
        return (
            self._entry_of(number, message)
            for number, message in enumerate(self._view, 1)
            if number not in self._left_out
        )


@dataclass(slots=True)
class Answer:
    """What the server says, before it is octets.

    Attributes:
        ok: ``+OK`` or ``-ERR``.
        text: The text behind the status; may have the holes of ``values`` and ``{octets}``.
        code: Response code (RFC 2449, section 8), without its brackets.
        values: What stands in the holes of the text.
        octets: The true size that ``{octets}`` announces.
        counted: Gives that size counted otherwise: ``stored`` or ``body``.
        entry: The one listing line that stands in the status line itself (``LIST n``).
        entries: The lines of a listing.
        lines: Other lines of a multi-line answer (CAPA).
        data: The message, or the part of one, that is a multi-line answer.
        message: The message that ``data`` is, all of it.
        form: The form of a listing line.
        continuation: A SASL challenge to be sent instead of a status line (RFC 5034).
        commit: What the command does to the session and the mail, once it takes effect.
        starts_tls: The TLS handshake follows.
        ends: The server closes the connection afterwards.
        silent: Nothing is said.
        unexpected: Why a client should not have sent this; empty if it may.
        reason: Why it is refused, in one word of the scenario language's ``outcome:``.
    """

    ok: bool
    text: Template = EMPTY
    code: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    octets: int | None = None
    counted: Callable[[str], int] | None = None
    entry: Entry | None = None
    entries: Iterable[Entry] | None = None
    lines: list[str] | None = None
    data: Text | None = None
    message: StoredMessage | None = None
    form: Template = EMPTY
    continuation: bytes | None = None
    commit: Callable[[], None] | None = None
    starts_tls: bool = False
    ends: bool = False
    silent: bool = False
    unexpected: str = ""
    reason: str = "refused"

    @property
    def outcome(self) -> str:
        """``ok``, ``challenge``, or why it is refused.

        Two that need be no refusals: ``gone`` for a message that another session has removed, or of
        which the file is gone, ``no-user`` for a name that USER takes although nobody has it.
        """
        if self.continuation is not None:
            return "challenge"
        return "ok" if self.ok and self.reason not in ("gone", "no-user") else self.reason

    @property
    def multi_line(self) -> bool:
        """Whether lines and a terminator follow the status line."""
        return not (self.entries is None and self.lines is None and self.data is None)


def acceptance(text: Template | str, **values: str) -> Answer:
    """A ``+OK`` answer.

    Args:
        text: The text behind the status; one without holes may be a string.
        values: What stands in the holes.
    """
    return Answer(True, Template(text, (text,)) if isinstance(text, str) else text, values=values)


def totals(text: Template, count: int, messages: Sequence[StoredMessage]) -> Answer:
    """An answer that tells how many messages there are, and the octets of those given.

    Args:
        text: The text behind the status, with the holes ``{count}`` and ``{octets}``.
        count: How many messages.
        messages: Those whose octets are counted.
    """
    octets = sum(message.octets for message in messages)
    answer = acceptance(text, count=str(count), octets=str(octets))
    answer.octets = octets
    answer.counted = lambda way: sum(message.counted(way) for message in messages)
    return answer


def refusal(text: str, *, code: str = "", unexpected: str = "", reason: str = "refused") -> Answer:
    """A ``-ERR`` answer.

    Args:
        text: The text behind the status, taken as it is.
        code: Response code without brackets.
        unexpected: Why a client should not have asked; empty if it may.
        reason: Why it is refused, in one word of the scenario language's ``outcome:``.
    """
    template = Template(text, (text,))
    return Answer(False, template, code=code, unexpected=unexpected, reason=reason)


def out_of_reach(text: str, error: OSError, reason: str = "gone") -> Answer:
    """The refusal where mail on the disk is gone, has changed, or cannot be read.

    Args:
        text: What cannot be done.
        error: Why.
        reason: The same in one word of the scenario language's ``outcome:``.
    """
    return refusal(repeated(f"{text}: {error.strerror or error}"), reason=reason)


def repeated(word: str) -> str:
    """A word of the client's as an answer may repeat it.

    RFC 2449, section 4: a first line is ASCII, and of 512 octets at most.

    Args:
        word: The word as it came.
    """
    shown = "".join(letter if " " <= letter <= "~" else "?" for letter in word[:_REPEATED])
    return shown if len(word) <= _REPEATED else f"{shown}..."


def status_line(answer: Answer, changes: Changes, announced_codes: frozenset[str]) -> str:
    """The status line, without its line end.

    Args:
        answer: The answer.
        changes: What rules change in it.
        announced_codes: The response codes that the server's capabilities allow it to use.
    """
    if answer.continuation is not None:
        return "+ " + answer.continuation.decode("ascii")
    if answer.entry is not None:
        return f"+OK {_entry_line(answer.entry, answer, changes)}"
    template = (changes.text if answer.ok else changes.error) or answer.text
    if changes.octets is not None and changes.octets.kind == "omitted" and _sized(template):
        template = EMPTY  # the words around the size go with it
    text = _fill(template, answer.values, answer.octets, changes.octets, answer.counted)
    if not answer.ok and changes.error is None and answer.code in announced_codes:
        text = f"[{answer.code}] {text}"
    status = "+OK" if answer.ok else "-ERR"
    return f"{status} {text}" if text else status


def render(answer: Answer, changes: Changes, announced_codes: frozenset[str]) -> list[bytes | Flow]:
    """The answer as octets for the wire, in pieces, so that a big message is not copied about.

    Args:
        answer: The answer.
        changes: What rules change in it.
        announced_codes: The response codes that the server's capabilities allow it to use.
    """
    status = status_line(answer, changes, announced_codes).encode("utf-8", "surrogateescape")
    pieces: list[bytes | Flow] = [status + _CRLF]
    if answer.ok and answer.multi_line:
        pieces += _end(_body(answer, changes), changes.terminator or "crlf")
    if changes.eol == "lf":
        return [held(pieces).replace(_CRLF, _LF)]
    return pieces


def _body(answer: Answer, changes: Changes) -> bytes | Flow:
    if changes.body is not None:
        data = changes.body.encode("utf-8", "surrogateescape").replace(_LF, _CRLF)
    elif answer.data is not None:
        if not _reshaped(changes):
            return answer.data.wire()
        return _message(answer, answer.data.data, changes)
    else:
        data = _joined(_lines(answer, changes))
    return data if changes.stuffing is False else stuff(data)


def _lines(answer: Answer, changes: Changes) -> Iterable[str]:
    if answer.entries is None:
        return answer.lines or ()
    entries = _numbered(answer.entries, changes)
    return (_entry_line(entry, answer, changes) for entry in entries)


def _joined(lines: Iterable[str]) -> bytes:
    """Lines as octets; they are many in a large maildrop, and none is kept."""
    data = bytearray()
    for line in lines:
        data += line.encode("utf-8", "surrogateescape") + _CRLF
    return bytes(data)


def _reshaped(changes: Changes) -> bool:
    """Whether rules change how a message looks on the wire."""
    return (
        changes.stuffing is not None
        or changes.columns is not None
        or changes.truncate is not None
        or changes.blank_line is not None
        or changes.eol in ("crcrlf", "lf-lines", "stored")
    )


def _message(answer: Answer, data: bytes, changes: Changes) -> bytes:
    """A message, or part of one, as rules want it."""
    as_stored = changes.eol == "stored" and answer.message is not None
    if as_stored and answer.message is not None:
        data = _ended(answer.message.stored)
    if changes.eol == "lf-lines" and answer.data is not None:
        data = answer.data.by_lf()
    if answer.data is not None:
        data = _blank_line(data, answer.data.message.head_end, changes)
    if changes.columns is not None:
        data = re.sub(rb"([^\r\n]{%d})[^\r\n]+" % changes.columns, rb"\1", data)
    if changes.truncate is not None and len(data) > changes.truncate:
        data = _ended(data[: changes.truncate].removesuffix(b"\r"))
    if changes.stuffing is not False:
        # A server that lets a bare LF pass does not see that a line begins behind it.
        data = _stuff_by_crlf(data) if as_stored else stuff(data)
    return data.replace(_CRLF, b"\r\r\n") if changes.eol == "crcrlf" else data


def _blank_line(data: bytes, head_end: int, changes: Changes) -> bytes:
    """A message with what a rule wants behind its header, in place of one empty line."""
    if changes.blank_line is False and head_end < 0:
        return data.removesuffix(_CRLF)
    if changes.blank_line == "double" and head_end >= 0:
        return data[:head_end] + _CRLF + data[head_end:]
    return data


def _ended(data: bytes) -> bytes:
    """The terminator needs a line of its own."""
    return data if data.endswith(_LF) or not data else data + _CRLF


def _stuff_by_crlf(data: bytes) -> bytes:
    data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data


def _numbered(entries: Iterable[Entry], changes: Changes) -> Iterable[Entry]:
    if changes.numbering is None:
        return entries
    return (replace(entry, number=number) for number, entry in enumerate(entries, 1))


def _end(body: bytes | Flow, terminator: str) -> list[bytes | Flow]:
    if terminator == "crlf":
        return [body, b".\r\n"]
    match terminator:
        case "none":
            return [body]
        case "bare":
            return [body, b"."]
        case "lf":
            return [body, b".\n"]
        case _:  # glued
            return [held([body]).removesuffix(_CRLF), b".", _CRLF]


def _entry_line(entry: Entry, answer: Answer, changes: Changes) -> str:
    values = {**answer.values, "number": str(entry.number), "uid": entry.uid}
    counted = entry.message.counted if entry.message is not None else None
    line = _fill(changes.entry or answer.form, values, entry.octets, changes.octets, counted)
    return line.rstrip(" ") if entry.octets is not None else line


def _sized(template: Template) -> bool:
    return any(hole.name == "octets" for hole in template.holes)


def _fill(
    template: Template,
    values: Mapping[str, str],
    octets: int | None,
    announced: Announced | None,
    counted: Callable[[str], int] | None,
) -> str:
    def value_of(hole: Hole) -> str:
        if hole.name == "octets" and octets is not None:
            return announced.of(octets, counted) if announced else str(octets)
        return values.get(hole.name, hole.example or "")

    return template.fill(value_of)

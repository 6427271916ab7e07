"""The RFC-correct answer to a command, and how a rule's changes show in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pop3scenarios import Template, parse_line

from ._maildrop import stuff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pop3scenarios import Announced, Hole

    from ._changes import Changes

_LF = b"\n"
_CRLF = b"\r\n"
EMPTY = parse_line("")


@dataclass(slots=True)
class Entry:
    """One line of a scan listing or a unique-id listing (RFC 1939, sections 5 and 7)."""

    number: int
    octets: int | None = None
    uid: str = ""


@dataclass(slots=True)
class Answer:
    """What the server says, before it is octets.

    Attributes:
        ok: ``+OK`` or ``-ERR``.
        text: The text behind the status; may have the holes of ``values`` and ``{octets}``.
        code: Response code (RFC 2449, section 8), without its brackets.
        values: What stands in the holes of the text.
        octets: The true size that ``{octets}`` announces.
        entry: The one listing line that stands in the status line itself (``LIST n``).
        entries: The lines of a listing.
        lines: Other lines of a multi-line answer (CAPA).
        data: The octets of a multi-line answer that is a message.
        stuffed: ``data`` already dot-stuffed, where it is kept.
        form: The form of a listing line.
        continuation: A SASL challenge to be sent instead of a status line (RFC 5034).
        commit: What the command does to the session and the mail, once it takes effect.
        starts_tls: The TLS handshake follows.
        ends: The server closes the connection afterwards.
        unexpected: Why a client should not have sent this; empty if it may.
    """

    ok: bool
    text: Template = EMPTY
    code: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    octets: int | None = None
    entry: Entry | None = None
    entries: list[Entry] | None = None
    lines: list[str] | None = None
    data: bytes | None = None
    stuffed: bytes | None = None
    form: Template = EMPTY
    continuation: bytes | None = None
    commit: Callable[[], None] | None = None
    starts_tls: bool = False
    ends: bool = False
    unexpected: str = ""

    @property
    def multi_line(self) -> bool:
        """Whether lines and a terminator follow the status line."""
        return not (self.entries is None and self.lines is None and self.data is None)


def refusal(text: str, *, code: str = "", unexpected: str = "") -> Answer:
    """A ``-ERR`` answer.

    Args:
        text: The text behind the status, taken as it is.
        code: Response code without brackets.
        unexpected: Why a client should not have asked; empty if it may.
    """
    return Answer(False, Template(text, (text,)), code=code, unexpected=unexpected)


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
    text = _fill(template, answer.values, answer.octets, changes.octets)
    if not answer.ok and changes.error is None and answer.code in announced_codes:
        text = f"[{answer.code}] {text}"
    status = "+OK" if answer.ok else "-ERR"
    return f"{status} {text}" if text else status


def render(answer: Answer, changes: Changes, announced_codes: frozenset[str]) -> list[bytes]:
    """The answer as octets for the wire, in pieces, so that a big message is not copied about.

    Args:
        answer: The answer.
        changes: What rules change in it.
        announced_codes: The response codes that the server's capabilities allow it to use.
    """
    status = status_line(answer, changes, announced_codes).encode("utf-8", "surrogateescape")
    pieces = [status + _CRLF]
    if answer.ok and answer.multi_line:
        pieces += _end(_body(answer, changes), changes.terminator or "crlf")
    if changes.eol == "lf":
        return [b"".join(pieces).replace(_CRLF, _LF)]
    return pieces


def _body(answer: Answer, changes: Changes) -> bytes:
    if changes.body is not None:
        data = changes.body.encode("utf-8", "surrogateescape").replace(_LF, _CRLF)
    elif answer.data is not None:
        if changes.stuffing is not False and answer.stuffed is not None:
            return answer.stuffed
        data = answer.data
    else:
        lines = answer.lines or []
        if answer.entries is not None:
            lines = [_entry_line(entry, answer, changes) for entry in answer.entries]
        data = "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
    return data if changes.stuffing is False else stuff(data)


def _end(body: bytes, terminator: str) -> list[bytes]:
    match terminator:
        case "none":
            return [body]
        case "lf":
            return [body, b".\n"]
        case "glued":
            return [body.removesuffix(_CRLF), b".", _CRLF]
        case _:
            return [body, b"." + _CRLF]


def _entry_line(entry: Entry, answer: Answer, changes: Changes) -> str:
    values = {"number": str(entry.number), "uid": entry.uid}
    line = _fill(changes.entry or answer.form, values, entry.octets, changes.octets)
    return line.rstrip(" ") if entry.octets is not None else line


def _sized(template: Template) -> bool:
    return any(hole.name == "octets" for hole in template.holes)


def _fill(
    template: Template,
    values: Mapping[str, str],
    octets: int | None,
    announced: Announced | None,
) -> str:
    def value_of(hole: Hole) -> str:
        if hole.name == "octets" and octets is not None:
            return announced.of(octets) if announced else str(octets)
        return values.get(hole.name, hole.example or "")

    return template.fill(value_of)

"""The passive rows: what is checked on every octet that the server ever says."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator

from ._tape import Framing, Reply, Tape

#: Octets that the first line of a reply may have (RFC 2449, section 4).
_LONGEST = 512

#: Of so many breaches of one row it is told how they look.
_KEPT = 3

_STATUS = re.compile(rb"(\+OK|-ERR)( [^\r\n]*)?\r\n|\+ [^\r\n]*\r\n")
_CODE = re.compile(rb"\[([^\s\[\]/]+(?:/[^\s\[\]/]+)*)\](?: |$)")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_LOGIN = ("AUTH", "(response)", "USER", "PASS", "APOP")

#: A row's check: what in the replies of a connection breaks it.
Check = Callable[[Tape, list[Reply]], Iterator[str]]


def breaches(row: str, *tapes: Tape) -> list[str]:
    """What in conversations breaks a passive row.

    Args:
        row: The row's id; ``*`` means all of them.
        tapes: The conversations.
    """
    return [breach for tape in tapes for breach in _breaches(row, tape)]


def _breaches(row: str, tape: Tape) -> Iterator[str]:
    try:
        replies = tape.replies()
    except Framing as broken:
        yield str(broken)
        return
    for each, check in CHECKS.items():
        if row in (each, "*"):
            yield from (f"{each}: {breach}" for breach in check(tape, replies))


class Passive:
    """What all connections of a run break of the passive rows."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}
        self._judged: set[str] = set()

    def review(self, tape: Tape) -> None:
        """Judge a connection that is over.

        Args:
            tape: All that was said on it; nothing is kept of it.
        """
        if tape.odd:
            return
        try:
            replies = tape.replies()
        except Framing as broken:
            for row in FRAMING:
                self._note(row, str(broken))
            return
        for row, check in CHECKS.items():
            if any(map(_SUBJECTS.get(row, bool), replies)):
                self._judged.add(row)
            for breach in check(tape, replies):
                self._note(row, breach)

    def found(self, row: str) -> list[str] | None:
        """The first things that break a row; none if it is kept, None if it was about nothing.

        Args:
            row: Its id.
        """
        if row in self._found:
            return self._found[row]
        return [] if row in self._judged else None

    def _note(self, row: str, breach: str) -> None:
        kept = self._found.setdefault(row, [])
        if len(kept) < _KEPT and breach not in kept:
            kept.append(breach)


def codes(replies: Iterable[Reply]) -> Iterator[tuple[Reply, bytes]]:
    """The replies whose text begins with a bracket, each with its code; empty if it is none."""
    for reply in replies:
        if not reply.is_challenge and reply.text.startswith(b"["):
            found = _CODE.match(reply.text)
            yield reply, found[1] if found else b""


def _announced(replies: list[Reply]) -> set[bytes] | None:
    """The capabilities that the server has announced; None if nobody asked."""
    lists = [r.data.split(b"\r\n") for r in replies if r.command == "CAPA" and r.data]
    return {line.split(b" ")[0] for lines in lists for line in lines} if lists else None


def _utf8_allowed(replies: list[Reply]) -> Iterator[tuple[Reply, bool]]:
    """Each reply, and whether LANG or UTF8 was in force when it came (RFC 6856)."""
    allowed = False
    for reply in replies:
        chosen = reply.command == "UTF8" or reply.line.upper().startswith(b"LANG ")
        allowed = allowed or (chosen and not reply.is_refusal)
        yield reply, allowed


def _greeting_length(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies[:1]:
        if len(reply.status) > _LONGEST:
            yield f"a greeting of {len(reply.status)} octets"


def _greeting_text(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies[:1]:
        if re.search(rb"[^\x20-\x7e]", reply.status.removesuffix(b"\r\n")):
            yield f"octets that are not printable ASCII: {reply.status!r}"
        opened = reply.status.find(b"<")
        if reply.status.count(b"<") > 1 or (opened >= 0 and b">" not in reply.status[opened:]):
            yield f"more than one <...>: {reply.status!r}"


def _upper_case(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies:
        if not reply.status.startswith((b"+OK", b"-ERR", b"+ ")):
            yield f"no status indicator: {reply.status!r}"


def _crlf(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies:
        lines = reply.status + (b"" if reply.command in ("RETR", "TOP") else reply.data)
        if re.search(rb"(?<!\r)\n", lines):
            yield f"LF without CR: {lines[:80]!r}"


def _separator(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies:
        if not _STATUS.fullmatch(reply.status):
            yield f"neither CRLF nor space behind the status: {reply.status!r}"


def _ascii(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply, utf8 in _utf8_allowed(replies):
        line = reply.status.removesuffix(b"\r\n")
        if _CONTROL.search(line) or not (utf8 or line.isascii()):
            yield f"octets that are no text: {reply.status!r}"


def _first_line(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies:
        # A SASL challenge has a limit of its own (RFC 5034, section 4).
        if len(reply.status) > _LONGEST and not reply.is_challenge:
            yield f"{len(reply.status)} octets: {reply.status[:40]!r}"


def _no_trailing_space(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies:
        if reply.status in (b"+OK \r\n", b"-ERR \r\n"):
            yield f"a space and no text: {reply.status!r}"


def _framed(_tape: Tape, _replies: list[Reply]) -> Iterator[str]:
    """What is not framed has no replies, and was told before."""
    yield from ()


def _quit_closes(tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies:
        if reply.command == "QUIT" and reply.is_refusal and b" " not in reply.line:
            yield f"QUIT is refused: {reply.status!r}"
            if not tape.ended:
                yield "and the connection stays up"


def _codes_legal(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply, code in codes(replies):
        if not code:
            yield f"no response code: {reply.status!r}"


def _codes_announced(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    announced = _announced(replies)
    if announced is not None and b"RESP-CODES" not in announced:
        for reply, _ in codes(replies):
            yield f"a response code though none are announced: {reply.status!r}"


def _login_delay_at_login(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply, code in codes(replies):
        if code == b"LOGIN-DELAY" and not (reply.is_refusal and reply.command in _LOGIN):
            yield f"{reply.status!r} to {reply.command}"


def _login_delay_not_on_user(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply, code in codes(replies):
        if code == b"LOGIN-DELAY" and reply.command == "USER":
            yield f"{reply.status!r} to USER"


def _sys_codes(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply, code in codes(replies):
        if code.split(b"/")[0] == b"SYS" and code.split(b"/")[1:2] not in ([b"TEMP"], [b"PERM"]):
            yield f"{reply.status!r}"


def _challenges(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies:
        if _asks_for_response(reply):
            try:
                base64.b64decode(reply.status.removesuffix(b"\r\n")[2:], validate=True)
            except binascii.Error:
                yield f"not base64: {reply.status!r}"
            if not reply.status.startswith(b"+ "):
                yield f"no space behind +: {reply.status!r}"


def _asks_for_response(reply: Reply) -> bool:
    return reply.status.startswith(b"+") and not reply.status.startswith(b"+OK")


def _status_utf8(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply in replies:
        try:
            reply.status.decode("utf-8")
        except UnicodeDecodeError:
            yield f"not UTF-8: {reply.status!r}"


def _utf8_code(_tape: Tape, replies: list[Reply]) -> Iterator[str]:
    for reply, code in codes(replies):
        if code == b"UTF8" and not (reply.is_refusal and reply.command in ("LIST", "TOP", "RETR")):
            yield f"{reply.status!r} to {reply.command}"


def _no_secret(tape: Tape, replies: list[Reply]) -> Iterator[str]:
    said = b"".join(reply.status for reply in replies)
    for secret in tape.secrets:
        octets = secret.encode("utf-8", "surrogateescape")
        if octets in said or base64.b64encode(octets) in said:
            yield "a secret stands in a reply"


CHECKS: dict[str, Check] = {
    "RFC2449-3-01": _greeting_length,
    "RFC2449-3-02": _greeting_text,
    "RFC1939-3-02": _upper_case,
    "RFC1939-3-03": _crlf,
    "RFC2449-3-03": _separator,
    "RFC2449-3-04": _ascii,
    "RFC2449-4-01": _first_line,
    "RFC1957-1-01": _no_trailing_space,
    "RFC1939-3-04": _framed,
    "RFC1939-3-39": _framed,
    "RFC1939-3-42": _framed,
    "RFC1939-6-12": _quit_closes,
    "RFC2449-6.4-01": _codes_legal,
    "RFC2449-6.4-02": _codes_announced,
    "RFC2449-8-01": _codes_legal,
    "RFC2449-8.1.1-01": _login_delay_at_login,
    "RFC2449-8.1.1-02": _login_delay_not_on_user,
    "RFC3206-4-01": _sys_codes,
    "RFC5034-4-05": _challenges,
    "RFC6856-3.2-06": _status_utf8,
    "RFC6856-5-01": _utf8_code,
    "SEC-04": _no_secret,
}

#: Rows that are about some replies alone: a run in which none of them came says nothing.
_SUBJECTS: dict[str, Callable[[Reply], bool]] = {"RFC5034-4-05": _asks_for_response}

#: Rows that are broken where replies and commands do not belong together.
FRAMING = tuple(row for row, check in CHECKS.items() if check is _framed)

"""The grammar of replies: status lines, response codes, numbers (RFC 1939, RFC 2449)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ._exceptions import (
    AuthenticationError,
    BadStatusLine,
    CommandError,
    LoginDelayError,
    MailboxInUse,
    MalformedReply,
    PermanentError,
    TemporaryError,
    UTF8Required,
)
from ._results import Maildrop, ScanListing, UniqueId

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Plain",
    "Reply",
    "Size",
    "announced_size",
    "apop_challenge",
    "command_error",
    "continuation",
    "maildrop",
    "number",
    "plain",
    "scan_listing",
    "status",
    "unique_id",
]

# A number of more than 18 digits is no size of anything, and int() refuses long ones anyway.
_NUMBER = re.compile(rb"-?[0-9]{1,18}")
_MAILDROP = re.compile(rb"([0-9]{1,18})[ \t]+(-?[0-9]{1,18})(?:\s.*)?", re.DOTALL)
# RFC 1939 section 7: "one to 70 characters in the range 0x21 to 0x7E", after "a single space".
_UNIQUE_ID = re.compile(rb"([0-9]{1,18}) ([!-~]{1,70})")
_UNIQUE_ID_LENGTH = 70
_UNIQUE_ID_OCTETS = re.compile(rb"[!-~]+")
_SCAN_LISTING = re.compile(rb"[ \t]*([0-9]{1,18})[ \t]+(-?[0-9]{1,18})(?:\s.*)?", re.DOTALL)
# RFC 2449 section 8: "[", levels divided by "/", "]", directly behind the status.
_RESPONSE_CODE = re.compile(rb"\[([!-.0-Z\\^-~]+(?:/[!-.0-Z\\^-~]+)*)\] ?")
# RFC 1939 section 7 wants an RFC 822 msg-id. CVE-2007-1558: what is not printable ASCII
# with an "@" may be a server's half of an MD5 collision, so it is never signed.
_CHALLENGE = re.compile(rb"<[!-;=?A-~]+@[!-;=?A-~]+>")
# Servers of the time before response codes say it in words, in any case.
_LOCKED = re.compile(r"\b(?:un)?lock(?:ed|ing)?\b|\bwait\b|\bin use\b", re.IGNORECASE)

_BY_CODE: dict[str, type[CommandError]] = {
    "AUTH": AuthenticationError,
    "IN-USE": MailboxInUse,
    "LOGIN-DELAY": LoginDelayError,
    "SYS/TEMP": TemporaryError,
    "SYS/PERM": PermanentError,
    "UTF8": UTF8Required,
}
_LOGIN_COMMANDS = frozenset({"USER", "PASS", "APOP", "AUTH"})


class Reply(NamedTuple):
    """A status line.

    Attributes:
        ok: true for +OK, false for -ERR.
        text: what follows the status and one space.
        line_end: CRLF or LF, as it came.
    """

    ok: bool
    text: bytes
    line_end: bytes


class Size(NamedTuple):
    """A size that was announced, which may be a lie.

    Attributes:
        octets: the number, or None if there is none.
        quirk: what is already seen to be odd about it, an id of ``QUIRKS``, or ``""``.
        detail: the octets in which it was looked for.
    """

    octets: int | None
    quirk: str = ""
    detail: bytes = b""


class Plain(NamedTuple):
    """How lines of a listing are known that are just as the RFC has them, many at once.

    Attributes:
        lines: matches such lines, and nothing that would be read otherwise one by one.
        octets: the longest line that it matches.
    """

    lines: re.Pattern[bytes]
    octets: int


def status(line: bytes, line_end: bytes, step: str) -> Reply:
    """Tell +OK from -ERR (RFC 1939 section 3).

    Raises:
        BadStatusLine: the line starts with neither, exactly and in upper case.
    """
    token, _, text = line.partition(b" ")
    # "Servers MUST send the "+OK" and "-ERR" in upper case." A longer token, such as "+OKAY",
    # or one further on in the line, is neither.
    if token == b"+OK":
        return Reply(True, text, line_end)
    if token == b"-ERR":
        return Reply(False, text, line_end)
    advice = ""
    if step == "greeting":
        advice = "is this the port of a POP3 server, and is TLS meant to start at once?"
    raise BadStatusLine(step, line, expected="a line that starts with +OK or -ERR", advice=advice)


def continuation(line: bytes) -> bytes | None:
    """Take the challenge from a line that has one (RFC 5034 section 4).

    Returns:
        What follows the plus, or None if the line is a status line.
    """
    token, _, text = line.partition(b" ")
    return text if token == b"+" else None


def command_error(step: str, text: bytes) -> CommandError:
    """Make the typed error for a -ERR reply from its response code, else from its words."""
    code = ""
    if found := _RESPONSE_CODE.match(text):
        code = found[1].decode("ascii").upper()
        text = text[found.end() :]
    words = text.decode("utf-8", "backslashreplace")
    # Codes are a hierarchy: [SYS/TEMP/DISK] is at least [SYS/TEMP] (RFC 2449 section 8).
    levels = code.split("/")
    for depth in range(len(levels), 0, -1):
        if kind := _BY_CODE.get("/".join(levels[:depth])):
            return kind(step, words, code)
    if step.partition(" ")[0] in _LOGIN_COMMANDS:
        kind = MailboxInUse if _speaks_of_a_lock(words) else AuthenticationError
        return kind(step, words, code)
    return CommandError(step, words, code)


def _speaks_of_a_lock(words: str) -> bool:
    # "Account locked" is about the account: waiting does not help, so it stays a refusal.
    return bool(_LOCKED.search(words)) and "account" not in words.lower()


def apop_challenge(greeting: bytes) -> bytes | None:
    """Find the timestamp that APOP signs, angle brackets included (RFC 1939 section 7)."""
    found = _CHALLENGE.search(greeting)
    return found[0] if found else None


def announced_size(text: bytes) -> Size:
    """Read the number that RETR's status line may start with."""
    first, _, rest = text.strip().partition(b" ")
    if _NUMBER.fullmatch(first) and not first.startswith(b"-"):
        return Size(int(first), detail=text)
    # "-1 octets", "2024-01-01", "many octets" stand where a number should; "Message follows"
    # does not try to be one.
    tries = first[:1].isdigit() or first[:1] in b"+-" or rest.split(b" ")[0] in _UNITS
    quirk = "retr-size-not-a-number" if first and tries else "retr-without-size"
    return Size(None, quirk, text)


_UNITS = frozenset({b"octets", b"octet", b"bytes"})


def number(text: bytes, step: str) -> int:
    """Read the number that is LAST's answer (RFC 1460 section 5).

    Raises:
        MalformedReply: there is none.
    """
    first, _, _ = text.strip().partition(b" ")
    if not _NUMBER.fullmatch(first) or first.startswith(b"-"):
        raise MalformedReply(step, text, expected="a message number")
    return int(first)


def maildrop(text: bytes) -> Maildrop:
    """Read STAT's answer (RFC 1939 section 5).

    Raises:
        MalformedReply: it does not start with two numbers.
    """
    found = _MAILDROP.fullmatch(text)
    if not found:
        raise MalformedReply("STAT", text, expected="number of messages, space, octets")
    return Maildrop(int(found[1]), int(found[2]))


def scan_listing(line: bytes, step: str) -> ScanListing:
    """Read a line of LIST's answer (RFC 1939 section 5).

    Raises:
        MalformedReply: it does not start with two numbers.
    """
    found = _SCAN_LISTING.fullmatch(line)
    if not found:
        raise MalformedReply(step, line, expected="message number, space, octets")
    return ScanListing(int(found[1]), int(found[2]))


@lru_cache(maxsize=16)
def plain(command: str, most: int) -> Plain:
    """Say how plain lines look in a maildrop in which no number is above ``most``.

    Args:
        command: LIST or UIDL.
        most: the highest number.
    """
    pattern, octets = _PLAIN_VALUES[command]
    lines = re.compile(b"(?:(?:%b) %b\r\n)++" % (_up_to(most), pattern))
    return Plain(lines, len(b"%d" % most) + len(b" \r\n") + octets)


_PLAIN_VALUES = {
    "LIST": (rb"(?:0|[1-9][0-9]{0,17}+)", 18),
    "UIDL": (rb"[!-~]{1,70}+", _UNIQUE_ID_LENGTH),
}


def _up_to(most: int) -> bytes:
    """Make a pattern of the numbers from 1, as they are written, up to another."""
    digits = b"%d" % most
    # Digit by digit: the same as before it, there a smaller one, and any after it.
    choices = [
        b"%b[%d-%d][0-9]{%d}" % (digits[:place], place == 0, digit - 1, len(digits) - place - 1)
        for place, digit in enumerate(map(int, digits.decode()))
        if digit > (place == 0)
    ]
    fewer = [b"[1-9][0-9]{0,%d}+" % (len(digits) - 2)] if len(digits) > 1 else []
    return b"|".join([*choices, digits, *fewer])


def unique_id(line: bytes, step: str) -> tuple[UniqueId, tuple[str, ...]]:
    """Read a line of UIDL's answer (RFC 1939 section 7).

    Returns:
        The unique-id, and the ids of the quirks that the line shows.

    Raises:
        MalformedReply: it does not start with a message number.
    """
    if regular := _UNIQUE_ID.fullmatch(line):
        return UniqueId(int(regular[1]), regular[2]), ()
    if line.startswith(b"+OK "):
        found, quirks = unique_id(line.removeprefix(b"+OK "), step)
        return found, ("uidl-ok-prefix", *quirks)
    digits, *rest = line.split(None, 1) or (b"",)
    if not _NUMBER.fullmatch(digits) or digits.startswith(b"-"):
        raise MalformedReply(step, line, expected="message number, space, unique-id")
    # Spaces inside a unique-id are against the RFC but belong to it; those around it do not.
    uid = rest[0].rstrip(b" \t") if rest else b""
    if not uid:
        return UniqueId(int(digits), b""), ("uidl-blank",)
    return UniqueId(int(digits), uid), tuple(_oddities(line, digits, uid))


def _oddities(line: bytes, digits: bytes, uid: bytes) -> Iterator[str]:
    if line != digits + b" " + uid:
        yield "uidl-extra-spaces"
    if len(uid) > _UNIQUE_ID_LENGTH:
        yield "uidl-long"
    if not _UNIQUE_ID_OCTETS.fullmatch(uid):
        yield "uidl-odd-octets"

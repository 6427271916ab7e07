"""Actions of the line language: a line that is only ``<…>`` is done instead of being sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ._errors import did_you_mean
from ._lines import LineError

#: How a connection can end, or be left: in ``then:`` of a rule and as an action.
Ending = Literal["close", "reset", "half-close", "hang"]

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(ms|s|min)?")
_DRIBBLE = re.compile(r"([0-9]{1,9})(?: every (.+))?")
_MESSAGE = re.compile(
    r"(?P<number>\{[a-z][a-z0-9_]*\}|[1-9][0-9]{0,8})"
    r"(?: (?P<part>header|body|top (?P<lines>[0-9]{1,9})))?"
    r"(?: first (?P<first>[0-9]{1,9})(?P<unit>%| octets?))?"
)
_ACTION = re.compile(r"<([a-z-]+)(?: (.*))?>", re.DOTALL)
_OCTET = re.compile(
    r'\\x(?P<hex>[0-9A-Fa-f]{2})|\\(?P<escape>[\\"rnt0])|[\x00-\x21\x23-\x5b\x5d-\x7f]'
)
_ESCAPED = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", '"': b'"', "\\": b"\\"}
_ESCAPES = r"\r \n \t \0 \xff \" \\"
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, None: 1.0}


@dataclass(frozen=True, slots=True)
class End:
    """``<close> <reset> <half-close> <hang>``: what becomes of the connection."""

    how: Ending


@dataclass(frozen=True, slots=True)
class Wait:
    """``<wait 2s>``: say nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Dribble:
    """``<dribble 1 every 10ms>``: from here on, send so many octets at a time."""

    octets: int
    every: float = 0.0


@dataclass(frozen=True, slots=True)
class Octets:
    r"""``<bytes "\xff\r">``: exactly these octets, no line end added."""

    data: bytes


@dataclass(frozen=True, slots=True)
class StartTLS:
    """``<starttls>``: the TLS handshake begins here."""


@dataclass(frozen=True, slots=True)
class Default:
    """``<default>``: what the RFC-correct server would answer here."""


@dataclass(frozen=True, slots=True)
class MessageData:
    """``<message 1>``: a message of the maildrop, dot-stuffed, without its terminator.

    Attributes:
        number: The message number, or the name of the hole that holds it.
        part: All of it; the header without the empty line behind it; the body; or header, empty
            line and so many lines of the body.
        lines: Lines of the body in ``top``.
        first: Only the first so many octets, or per cent of the octets.
        percent: Whether ``first`` is per cent.
    """

    number: int | str
    part: Literal["whole", "header", "body", "top"] = "whole"
    lines: int = 0
    first: int | None = None
    percent: bool = False


Action = End | Wait | Dribble | Octets | StartTLS | Default | MessageData

#: The actions by name: how each is written, and what it does.
ACTIONS = {
    "close": ("<close>", "close the connection (FIN)"),
    "reset": ("<reset>", "reset the connection (RST)"),
    "half-close": ("<half-close>", "say nothing more, and go on reading"),
    "hang": ("<hang>", "do nothing more until the server stops"),
    "wait": ("<wait 2s>", "say nothing for a while"),
    "dribble": ("<dribble 1 every 10ms>", "from here on, send so many octets at a time"),
    "bytes": (r'<bytes "\xff\r\n">', "exactly these octets, no line end added"),
    "starttls": ("<starttls>", "the TLS handshake begins here"),
    "default": ("<default>", "what the RFC-correct server would answer here"),
    "message": (
        "<message {n} first 50%>",
        "a message, dot-stuffed, without its terminator; of it header, body, top 10 or first 100",
    ),
}


def parse_duration(text: str) -> float:
    """Seconds from ``"2s"``, ``"10ms"``, ``"1min"`` or a bare number of seconds.

    Raises:
        ValueError: The text is no duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no duration: write for example 2s or 10ms")
    return float(found[1]) * _UNITS[found[2]]


def parse_dribble(text: str) -> Dribble:
    """A dribble from ``"1 every 10ms"`` or ``"1"``.

    Raises:
        ValueError: The text is no dribble.
    """
    found = _DRIBBLE.fullmatch(text.strip())
    if found is None or int(found[1]) < 1:
        raise ValueError(f"{text!r} is no dribble: write for example 1 every 10ms")
    return Dribble(int(found[1]), parse_duration(found[2]) if found[2] else 0.0)


def is_action(line: str) -> bool:
    """Whether the line is an action rather than text to send."""
    # Nobody sees a space at the end of a line, so it must not turn an action into text.
    return line.startswith("<") and line.rstrip().endswith(">")


def parse_action(line: str) -> Action:
    """Parse a line that is only ``<…>``.

    Raises:
        LineError: There is no such action, or its argument is wrong.
    """
    line = line.rstrip()
    if not line.startswith("<bytes") and "> <" in line:
        raise LineError("one action a line", line.index("> <") + 2)
    found = _ACTION.fullmatch(line)
    if found is None or found[1] not in ACTIONS:
        word = found[1] if found else line[1:-1]
        raise LineError(
            f"there is no action <{word}>",
            0,
            did_you_mean(word, ACTIONS) or 'to send the line itself: <bytes "…\\r\\n">',
        )
    name, argument = found[1], found[2]
    try:
        return _build(name, argument or "")
    except ValueError as error:
        raise LineError(f"<{name}>: {error}", 0) from None


def _build(name: str, argument: str) -> Action:
    match name:
        case "wait":
            return Wait(parse_duration(argument))
        case "dribble":
            return parse_dribble(argument)
        case "bytes":
            return Octets(_octets(argument))
        case "message":
            return _message(argument)
    if argument:
        raise ValueError(f"takes no argument, but {argument!r} is there")
    match name:
        case "starttls":
            return StartTLS()
        case "default":
            return Default()
        case "close" | "reset" | "half-close" | "hang":
            return End(name)
    raise AssertionError(name)


def _octets(argument: str) -> bytes:
    if len(argument) < 2 or argument[0] != '"' or argument[-1] != '"':
        raise ValueError(f"expected octets in double quotes, got {argument!r}")
    result = bytearray()
    i, end = 1, len(argument) - 1
    while i < end:
        found = _OCTET.match(argument, i, end)
        if found is None:
            raise ValueError(
                f"expected ASCII and the escapes {_ESCAPES}, got {argument[i : i + 4]!r}"
            )
        result += _octet(found)
        i = found.end()
    return bytes(result)


def _octet(found: re.Match[str]) -> bytes:
    if found["hex"]:
        return bytes([int(found["hex"], 16)])
    if found["escape"]:
        return _ESCAPED[found["escape"]]
    return found[0].encode("ascii")


def _message(argument: str) -> MessageData:
    found = _MESSAGE.fullmatch(argument)
    if found is None:
        raise ValueError(
            f"expected a message number, from 1, got {argument!r}: <message 1 first 50%>, "
            "<message 1 header>, <message 1 body>, <message 1 top 10>"
        )
    name = found["number"]
    number: int | str = name.strip("{}") if name[0] == "{" else int(name)
    first = int(found["first"]) if found["first"] else None
    return MessageData(
        number, _part(found["part"]), int(found["lines"] or 0), first, found["unit"] == "%"
    )


def _part(text: str | None) -> Literal["whole", "header", "body", "top"]:
    match text:
        case None:
            return "whole"
        case "header" | "body":
            return text
        case _:
            return "top"

"""Rules by which the mock could give an answer that a server gave: the widest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pop3check import Probe

#: Why the right server refuses; what each means is in the reference of the language.
_REASONS = ("unknown", "not-offered", "state", "syntax", "missing", "credentials", "cancelled")

#: Sizes that servers announce otherwise than they send.
_SIZES = ("unended", "lf", "stored", "body", "omitted")
_SIZED = ("STAT", "LIST", "RETR", "TOP")


@dataclass(frozen=True, slots=True)
class Change:
    """A rule, and how wide it is.

    Attributes:
        width: From 0, for one line, up; narrower rules stand before wider ones.
        rule: The rule, as a file has it.
    """

    width: int
    rule: dict[str, Any]


def in_order(changes: Sequence[Change]) -> list[Change]:
    """Changes in the order in which a file has to have them: the first that matches holds."""
    return sorted(changes, key=lambda change: change.width)


def candidates(
    server: Sequence[Probe], mock: Sequence[Probe], at: int, state: str
) -> Iterator[Change]:
    """Rules that could bring the mock to answer as the server did.

    Args:
        server: What the server answered.
        mock: What the mock answers.
        at: The place of the answer.
        state: The state of the session there.
    """
    probe, answer = server[at], mock[at]
    if not probe.sent or probe.sent.count(b"\n") != 1 or not _is_text(probe):
        return
    where = {"state": state}
    if probe.sent.startswith((b"*", b"\0")):
        yield from _of_response(probe)
        return
    if probe.accepted == answer.accepted:
        yield from _taken_for(server, probe, where)
    if probe.accepted and answer.accepted:
        yield from _accepted(probe, answer, where)
    if not probe.accepted and not answer.accepted:
        yield from _refused(probe, where)
    yield from _by_count(server, at, where)
    yield from _taken_for(server, probe, where)
    yield from _exactly(probe, where)


def _is_text(probe: Probe) -> bool:
    return all(part.isascii() and part.decode().isprintable() for part in _lines(probe.octets))


def _lines(octets: bytes) -> list[bytes]:
    return octets.replace(b"\r\n", b"\n").split(b"\n")


def _text(probe: Probe) -> str:
    """What stands behind the status indicator."""
    return _escaped(probe.status.partition(b" ")[2].decode("ascii"))


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _worded(probe: Probe) -> Iterator[str]:
    """The text with what varies in it as holes, then as it is."""
    text = _text(probe)
    words = probe.line.decode("latin-1").split(" ")
    argument = probe.line.decode("latin-1").partition(" ")[2]
    for value, hole in ((words[0], "{command}"), (argument, "{argument}"), *_numbered(words)):
        # What stands in brackets is a response code (RFC 2449, section 8).
        found = re.compile(rf"(?<![\w\[]){re.escape(value)}(?!\w)") if value else None
        if found is not None and found.search(text):
            yield found.sub(lambda _: hole, text)  # noqa: B023
    yield text


def _numbered(words: list[str]) -> Iterator[tuple[str, str]]:
    if len(words) > 1 and words[1].isdigit():
        yield words[1], "{number}"


def _accepted(probe: Probe, answer: Probe, where: dict[str, str]) -> Iterator[Change]:
    if probe.keyword in _SIZED:
        for size in _SIZES:
            yield Change(5, {"when": list(_SIZED), "octets": size})
            yield Change(4, {"when": probe.keyword, "octets": size})
    same_data = probe.data == answer.data
    if probe.data and not same_data and probe.keyword in ("CAPA", "LANG"):
        listed = {"text": _text(probe), "body": _body(probe)}
        yield Change(3, {"when": probe.keyword, **where, **listed})
        for tls in ("yes", "no"):
            yield Change(2, {"when": probe.keyword, **where, "tls": tls, **listed})
    if probe.keyword == "TOP" and not same_data:
        for blank in ("off", "double"):
            yield Change(4, {"when": "TOP", "text": _text(probe), "blank-line": blank})
    for text in _sized(probe):
        arguments = str(len(probe.line.split(b" ")) - 1)
        yield Change(5, {"when": probe.keyword, **where, "outcome": "ok", "text": text})
        yield Change(
            4,
            {"when": probe.keyword, **where, "arguments": arguments, "outcome": "ok", "text": text},
        )


def _sized(probe: Probe) -> Iterator[str]:
    """A positive text, with its numbers for what they count."""
    text = _text(probe)
    numbers = re.findall(r"\d+", text)
    known = {1: ["{octets}", "{count}", "{number}"], 2: ["{count} {octets}"]}
    for holes in known.get(len(numbers), []):
        parts = iter(holes.split(" "))
        yield re.sub(r"\d+", lambda _: next(parts), text)  # noqa: B023
    yield from _worded(probe)


def _body(probe: Probe) -> str:
    return probe.data.removesuffix(b".\r\n").replace(b"\r\n", b"\n").decode("ascii")


def _refused(probe: Probe, where: dict[str, str]) -> Iterator[Change]:
    for text in _worded(probe):
        for reason in _REASONS:
            yield Change(7, {"when": "*", **where, "outcome": reason, "error": text})
        for reason in _REASONS:
            yield Change(5, {"when": probe.keyword, **where, "outcome": reason, "error": text})
        arguments = str(len(probe.line.split(b" ")) - 1)
        for reason in _REASONS:
            narrow = {"arguments": arguments, "outcome": reason, "error": text}
            yield Change(4, {"when": probe.keyword, **where, **narrow})


def _of_response(probe: Probe) -> Iterator[Change]:
    """A SASL response is no command; what answers it is told by its outcome."""
    when = "response *" if probe.sent.startswith(b"*") else "response"
    key = "text" if probe.accepted else "error"
    yield Change(1, {"when": when, key: _text(probe)})


def _taken_for(server: Sequence[Probe], probe: Probe, where: dict[str, str]) -> Iterator[Change]:
    """Arguments that are not there for the server: it answers as to the keyword alone."""
    keyword = probe.keyword
    alone = [p for p in server if p.line == keyword.encode() and p.octets == probe.octets]
    if alone and probe.line != keyword.encode() and b" " in probe.line:
        yield Change(0, {"when": keyword, **where, "arguments": "1..", "as": "{command}"})


def _by_count(server: Sequence[Probe], at: int, where: dict[str, str]) -> Iterator[Change]:
    """So many bad commands in a row end it."""
    probe = server[at]
    if not probe.ended or probe.keyword == "QUIT":
        return
    run = 0
    while run < at and server[at - run].sent == probe.sent:
        run += 1
    reply = "\n".join(_escaped(line.decode()) for line in _lines(probe.octets)[:-1])
    for said in (reply.replace(probe.keyword, "{command}"), reply):
        rule = {"when": "*", **where, "outcome": ["unknown", "not-offered", "state"]}
        yield Change(
            6, rule | {"nth": str(run), "scope": "in-a-row", "reply": said, "then": "close"}
        )


def _exactly(probe: Probe, where: dict[str, str]) -> Iterator[Change]:
    """Just this answer to just this line."""
    if b"\0" in probe.sent and probe.keyword not in ("USER", "PASS"):
        return
    line = probe.line.decode("latin-1")
    when = probe.keyword if b"\0" in probe.sent else _escaped(line)
    arguments = (
        {"arguments": "0"} if when == probe.keyword and when and b"\0" not in probe.sent else {}
    )
    reply = "\n".join(_escaped(each.decode()) for each in _lines(probe.octets)[:-1])
    whole = probe.accepted and probe.keyword in ("RETR", "TOP")  # no message stands in a rule
    if reply and not whole:
        ends: dict[str, str] = {"then": "close"} if probe.ended and probe.keyword != "QUIT" else {}
        yield Change(1, {"when": when, **where, **arguments, "reply": reply, **ends})

"""Commands that come together (RFC 2449, section 6.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check._dialogue import positive
from pop3check._findings import Unmet
from pop3check._talk import negative

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Commands that are queued at once, and how many of them go out before answers are read.
_MANY, _BATCH = 1000, 100


@probe("RFC2449-6.6-01")
def in_turn(talk: Talk) -> Wants[None]:
    """Thirteen commands in one segment."""
    count, octets = yield from talk.stat()
    yield from _together(talk, *["NOOP"] * 10, "STAT", "LIST 1", "NOOP")
    for _ in range(10):
        yield from _answered(talk, "NOOP")
    answer = yield from _answered(talk, "STAT")
    talk.require(answer.startswith(f"+OK {count} {octets}"), f"+OK {count} {octets}", answer)
    answer = yield from _answered(talk, "LIST")
    talk.require(answer.startswith("+OK 1 "), "+OK 1 and its octets", answer)
    yield from _answered(talk, "NOOP")
    yield from talk.silent()


@probe("RFC2449-6.6-02")
def places_are_kept(talk: Talk) -> Wants[None]:
    """Answers of several lines among others."""
    count, _ = yield from talk.stat()
    yield from _together(talk, "UIDL", "TOP 1 0", "LIST", "STAT")
    yield from _answered(talk, "UIDL")
    uids = yield from talk.listing()
    yield from _answered(talk, "TOP")
    yield from talk.rest_of_message()
    yield from _answered(talk, "LIST")
    sizes = yield from talk.listing()
    seen = len(uids), len(sizes)
    talk.require(seen == (count, count), f"{count} lines of UIDL and of LIST", str(seen))
    answer = yield from _answered(talk, "STAT")
    talk.require(answer.startswith(f"+OK {count} "), f"+OK {count}", answer)


@probe("RFC2449-6.6-03", logs_in=True)
def across_login(talk: Talk) -> Wants[None]:
    """USER, PASS and STAT in one segment."""
    target = talk.target
    yield from _together(talk, f"USER {target.user}", f"PASS {target.password}", "STAT")
    for command in ("USER", "PASS", "STAT"):
        yield from _answered(talk, command)


@probe("RFC2449-6.6-04")
def behind_a_refusal(talk: Talk) -> Wants[None]:
    """An unknown command between two others."""
    yield from _together(talk, "NOOP", "XYZZ", "NOOP")
    yield from _answered(talk, "NOOP")
    answer = yield from talk.line("-ERR to XYZZ")
    talk.require(negative(answer), talk.expected, answer)
    yield from _answered(talk, "NOOP")


@probe("RFC2449-6.6-05")
def quit_comes_last(talk: Talk) -> Wants[None]:
    """Two commands and QUIT."""
    yield from _together(talk, "STAT", "NOOP", "QUIT")
    for command in ("STAT", "NOOP", "QUIT"):
        yield from _answered(talk, command)
    yield from talk.closed()


@probe("RFC2449-6.6-06")
def very_many(talk: Talk) -> Wants[None]:
    """A thousand commands; answers are read while they go out."""
    for _ in range(_MANY // _BATCH):
        yield from _together(talk, *["NOOP"] * _BATCH)
        for _ in range(_BATCH // 2):
            yield from _answered(talk, "NOOP")
    for _ in range(_MANY // 2):
        yield from _answered(talk, "NOOP")
    yield from talk.silent()


@probe("RFC2449-6.6-07")
def not_announced(talk: Talk) -> Wants[None]:
    """Three commands in one segment where PIPELINING is not announced."""
    yield from _together(talk, *["NOOP"] * 3)
    answered = 0
    while answered < 3:
        came = yield from talk.dialogue.silent(talk.limits.quiet)
        if not came:
            break
        yield from talk.line("+OK to NOOP")
        answered += 1
    talk.note(f"of three commands that come together {answered} are answered")


def _together(talk: Talk, *lines: str) -> Wants[None]:
    """Send lines in one segment."""
    talk.asked = lines[0].split(" ")[0]
    octets = b"".join(line.encode("utf-8", "surrogateescape") + b"\r\n" for line in lines)
    secret = any(line.startswith("PASS ") for line in lines)
    yield from talk.send_octets(octets, "an answer to each command", secret=secret)


def _answered(talk: Talk, command: str) -> Wants[str]:
    """The next answer is +OK, and belongs to a command."""
    answer = yield from talk.line(f"+OK to {command}")
    if not positive(answer):
        raise Unmet(talk.expected, answer)
    return answer

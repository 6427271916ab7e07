"""Lines of commands: how they come in, how they end, and how long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pop3check._dialogue import positive
from pop3check._findings import Skipped, Unmet
from pop3check._talk import negative
from pop3check._verdict import Outcome
from pop3check._wants import Lost, Silence

from ._registry import probe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Seconds between two segments, so that they are not one.
_BETWEEN = 0.05

#: Octets that the first line of a reply may have, and a command line has to (RFC 2449, section 4).
_REPLY, _COMMAND = 512, 255

#: Octets of a line that never ends, and of one piece of it.
_ENDLESS, _PIECE = 1 << 20, 1 << 15

#: Connections that are opened at most to find out how many a server takes.
_CROWD = 64


@probe("RFC1939-3-01")
def server_speaks_first(talk: Talk) -> Wants[None]:
    """A greeting comes although nothing was sent."""
    yield from talk.connect(greeted=False, secure=False)
    try:
        yield from talk.line("a greeting")
    except Silence as silence:
        raise Unmet("a greeting", str(silence)) from None


@probe("RFC1939-4-02")
def greeting_is_one_line(talk: Talk) -> Wants[None]:
    """Silence behind the greeting."""
    yield from talk.connect(secure=False)
    yield from talk.silent()


@probe("RFC1939-4-03")
def busy_server_says_so(talk: Talk) -> Wants[None]:
    """Connections are opened until one is not greeted."""
    for number in range(min(_CROWD, talk.limits.connections)):
        yield from talk.connect(f"{number or ''}", greeted=False, secure=False)
        greeting = yield from talk.line("a greeting, or -ERR and the end of the connection")
        if positive(greeting):
            continue
        talk.require(negative(greeting), "-ERR, and the end of the connection", greeting)
        yield from talk.closed()
        return
    raise Skipped(f"{talk.limits.connections} connections at a time are served (--connections)")


@probe("RFC2449-4-02")
def echo_is_short(talk: Talk) -> Wants[None]:
    """A word of 600 letters, in front and as an argument."""
    for line in ("X" * 600, "LIST " + "X" * 600):
        answer = yield from talk.ask(line)
        length = len(answer.encode("utf-8", "surrogateescape")) + 2
        talk.require(
            length <= _REPLY, f"a reply of at most {_REPLY} octets", f"one of {length} octets"
        )
        yield from talk.accepted("NOOP")


@probe("RFC1939-3-05")
def octet_by_octet(talk: Talk) -> Wants[None]:
    """NOOP, an octet at a time."""
    yield from _in_pieces(talk, (bytes([octet]) for octet in b"NOOP\r\n"))


@probe("RFC1939-3-06")
def cr_and_lf_apart(talk: Talk) -> Wants[None]:
    """NOOP and CR, then LF."""
    yield from _in_pieces(talk, (b"NOOP\r", b"\n"))


def _in_pieces(talk: Talk, pieces: Iterable[bytes]) -> Wants[None]:
    for piece in pieces:
        yield from talk.send_octets(piece, "+OK to NOOP")
        yield from talk.pause(_BETWEEN)

    answer = yield from talk.line()
    talk.require(positive(answer), "+OK to NOOP", answer)
    yield from talk.silent()


@probe("RFC1939-3-07")
def bare_lf(talk: Talk) -> Wants[None]:
    """NOOP that ends in LF alone."""
    yield from talk.send_octets(b"NOOP\n")
    came = yield from talk.dialogue.silent(talk.limits.quiet)
    if came is None:
        talk.note("a bare LF does not end a command")
        return
    talk.require(bool(came), "an answer, or silence", "the end of the connection")
    answer = yield from talk.line()
    talk.note("a bare LF ends a command" if positive(answer) else f"a bare LF: {answer}")


@probe("RFC1939-3-08")
def bare_cr(talk: Talk) -> Wants[None]:
    """Two commands with a CR between them are one, and none that there is."""
    yield from _refused_once(talk, b"NOOP\rSTAT\r\n")


@probe("RFC1939-3-09")
def empty_line(talk: Talk) -> Wants[None]:
    """CRLF alone."""
    yield from _refused_once(talk, b"\r\n")


@probe("RFC1939-3-10")
def odd_octets(talk: Talk) -> Wants[None]:
    """Keywords with octets in them that are no letters."""
    for line in (b"CA\xffPA\r\n", b"\x00CAPA\r\n"):
        yield from _refused_once(talk, line)


@probe("RFC1939-3-22")
def tab(talk: Talk) -> Wants[None]:
    """A tab where a space should be."""
    yield from _refused_once(talk, b"LIST\t1\r\n")


@probe("RFC1939-3-23")
def leading_space(talk: Talk) -> Wants[None]:
    """A space before the keyword."""
    yield from _refused_once(talk, b" STAT\r\n")


def _refused_once(talk: Talk, octets: bytes) -> Wants[None]:
    """What is sent is answered by one -ERR, and the session goes on."""
    yield from talk.send_octets(octets, f"-ERR to {octets!r}")
    answer = yield from talk.line()
    talk.require(negative(answer), talk.expected, answer)
    yield from talk.silent()


@probe("RFC1939-3-24")
def trailing_space(talk: Talk) -> Wants[None]:
    """A space behind STAT, and behind LIST."""
    for line in (b"STAT \r\n", b"NOOP \r\n"):
        yield from talk.send_octets(line, f"an answer to {line!r}")
        answer = yield from talk.line()
        taken = "taken" if positive(answer) else "refused"
        talk.note(f"{line[:4].decode()} with a space behind it is {taken}")


@probe("RFC1939-3-25")
def forty_letters(talk: Talk) -> Wants[None]:
    """USER with a name of forty letters."""
    yield from talk.ask("USER " + "x" * 40)
    yield from _goes_on(talk)


@probe("RFC2449-4-03")
def line_of_255(talk: Talk) -> Wants[None]:
    """USER with a name that makes the line 255 octets long."""
    yield from talk.ask("USER " + "x" * (_COMMAND - len("USER \r\n")))
    yield from _goes_on(talk)


def _goes_on(talk: Talk) -> Wants[None]:
    """The next command is answered, and by one line: an unknown one, which every server knows."""
    yield from talk.refused("XYZZ")


@probe("RFC2449-4-04")
def long_line_is_one(talk: Talk) -> Wants[None]:
    """USER with 2,000 letters, then a command that there is not."""
    yield from talk.send_octets(b"USER " + b"x" * 2000 + b"\r\nXYZZ\r\n", "an answer to each line")
    answers = []
    try:
        answers.append((yield from talk.line("one answer, or two, and no more")))
        answers.append((yield from talk.line()))
    except Lost:
        talk.over.add(talk.on)  # closed, with what it had not read
        return
    except Unmet as ended:
        closed = ended.closed and all(map(negative, answers))
        talk.require(closed, "two answers, or -ERR and a close", ended.actual)
        talk.over.add(talk.on)
        return
    talk.require(negative(answers[1]), "-ERR to the second line", answers[1])
    yield from talk.silent()


@probe("RFC2449-4-05")
def endless_line(talk: Talk) -> Wants[None]:
    """A mebibyte without a line end: it is answered, or the connection is closed.

    A server that says nothing may have thrown all of it away: that cannot be seen from outside.
    It has to refuse the line when it ends.
    """
    talk.expected = "-ERR, or the end of the connection"
    try:
        for _ in range(_ENDLESS // _PIECE):
            yield from talk.send_octets(b"x" * _PIECE, talk.expected)
        came = yield from talk.dialogue.silent(max(talk.limits.quiet, 1.0))
    except Lost:
        came = b""  # closed while we were sending
    if came is None:
        yield from talk.send_octets(b"\r\n", "-ERR to the line at its end")
        try:
            grade = Outcome.NON_STRICT if negative((yield from talk.line())) else None
        except Silence:
            grade = None
        silence = f"{_ENDLESS} octets are taken in silence"
        raise Unmet("-ERR, or the end of the connection", silence, grade=grade)
    talk.over.add(talk.on)


@probe("RFC1939-5-02")
def odd_numbers(talk: Talk) -> Wants[None]:
    """Numbers that are not of the grammar, and how LIST takes them."""
    for number in ("+1", "01", "1.0", "0x1"):
        answer = yield from talk.ask(f"LIST {number}")
        talk.note(f"LIST {number}: {'taken' if positive(answer) else 'refused'}")

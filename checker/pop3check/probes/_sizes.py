"""STAT and LIST: their forms, and what is counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pop3check._findings import Skipped

from ._registry import probe

if TYPE_CHECKING:
    from pop3check._talk import Talk
    from pop3check._wants import Wants

#: Messages that are looked at in one case, at most.
_AT_MOST = 20

#: A header field, or a line that goes on with one (RFC 5322, section 2.2).
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]")


@probe("RFC1939-5-04")
def form_of_stat(talk: Talk) -> Wants[None]:
    """+OK, count and octets."""
    answer = yield from talk.accepted("STAT")
    form = re.match(r"\+OK \d+ \d+(\s|$)", answer)
    talk.require(form is not None, "+OK, one space, the count, one space, the octets", answer)


@probe("RFC1939-5-05")
def nothing_behind_stat(talk: Talk) -> Wants[None]:
    """Nothing behind the octets."""
    answer = yield from talk.accepted("STAT")
    talk.require(re.fullmatch(r"\+OK \d+ \d+", answer) is not None, "+OK and two numbers", answer)


@probe("RFC1939-5-07")
def stat_is_the_sum_of_list(talk: Talk) -> Wants[None]:
    """STAT's octets are the sum of LIST's."""
    _, octets = yield from talk.stat()
    listed = yield from talk.sizes()

    total = sum(listed.values())
    talk.require(octets == total, f"STAT to say {total} octets, the sum of LIST", octets)


@probe("RFC1939-5-08")
def marked_are_not_in_stat(talk: Talk) -> Wants[None]:
    """STAT before and after a mark."""
    (number,) = talk.own()
    size = (yield from talk.sizes())[number]
    count, octets = yield from talk.stat()
    yield from talk.accepted(f"DELE {number}")
    after = yield from talk.stat()
    left = count - 1, octets - size
    talk.require(after == left, f"STAT to say {left[0]} {left[1]}", f"{after[0]} {after[1]}")
    yield from talk.accepted("RSET")


@probe("RFC1939-5-10")
def list_has_all(talk: Talk) -> Wants[None]:
    """As many lines as STAT counts."""
    count, _ = yield from talk.stat()
    listed = yield from talk.lines("LIST")
    talk.require(len(listed) == count, f"{count} lines, as STAT says", f"{len(listed)} lines")


@probe("RFC1939-5-11")
def form_of_scan_listing(talk: Talk) -> Wants[None]:
    """Each line of LIST."""
    for line in (yield from talk.lines("LIST")):
        form = re.match(r"[1-9]\d* \d+(\s|$)", line)
        talk.require(form is not None, "a number, one space, the octets", line)


@probe("RFC1939-5-12")
def nothing_behind_scan_listing(talk: Talk) -> Wants[None]:
    """Nothing behind the octets of each line."""
    for line in (yield from talk.lines("LIST")):
        talk.require(re.fullmatch(r"\d+ +\d+", line) is not None, "two numbers", line)


@probe("RFC1939-5-16")
def marked_are_not_listed(talk: Talk) -> Wants[None]:
    """LIST after a mark."""
    (number,) = talk.own()
    yield from talk.accepted(f"DELE {number}")
    listed = yield from talk.sizes()
    talk.require(number not in listed, f"LIST without message {number}", f"{number} is listed")
    yield from talk.accepted("RSET")


@probe("RFC1939-5-19")
def list_says_what_retr_sends(talk: Talk) -> Wants[None]:
    """The octets of some messages, and what LIST said."""
    sizes = yield from talk.sizes()
    # How dots and a missing line end are counted is asked apart; a header that is not ASCII may be
    # refused without UTF8 (RFC 6856, section 2.1).
    odd = {talk.facts.fixtures.get(name) for name in ("dots", "dot1", "nonl", "utf8")}
    for number in [number for number in sizes if number not in odd][-_AT_MOST:]:
        yield from _size_is_right(talk, number, sizes[number])


@probe("RFC1939-11-01")
def line_ends_count_two(talk: Talk) -> Wants[None]:
    """A message that is stored with LF."""
    yield from _fixture_size(talk, "lf")


@probe("RFC1939-11-02")
def added_dots_do_not_count(talk: Talk) -> Wants[None]:
    """A message with lines that begin with a dot; what else a size can be wrong by is not asked."""
    number = talk.fixture("dots")
    size = (yield from talk.sizes())[number]
    message = yield from talk.message(f"RETR {number}")
    added = sum(line.startswith(b".") for line in message.split(b"\r\n"))
    if size not in (len(message), len(message) + added):
        raise Skipped(f"LIST says {size} octets of {len(message)}: wrong, but not by the dots")
    told = f"LIST to say {len(message)} octets, without the {added} dots"
    talk.require(size == len(message), told, str(size))


@probe("RFC1939-11-03")
def missing_line_end(talk: Talk) -> Wants[None]:
    """A message without a last line end."""
    yield from _fixture_size(talk, "nonl")


def _fixture_size(talk: Talk, name: str) -> Wants[None]:
    number = talk.fixture(name)
    yield from _size_is_right(talk, number, (yield from talk.sizes())[number])


def _size_is_right(talk: Talk, number: int, size: int) -> Wants[None]:
    message = yield from talk.message(f"RETR {number}")
    talk.require(
        len(message) == size, f"RETR {number} to send {size} octets, as LIST says", len(message)
    )


@probe("RFC1939-11-04")
def only_crlf(talk: Talk) -> Wants[None]:
    """The line ends of some messages."""
    for name in ("plain", "lf", "dots"):
        message = yield from talk.message(f"RETR {talk.fixture(name)}")
        bare = re.search(rb".{0,20}(?<!\r)\n|.{0,20}\r(?!\n)", message)
        talk.require(bare is None, "CRLF alone", repr(bare[0])[1:] if bare else "")


@probe("RFC1939-11-05")
def looks_like_mail(talk: Talk) -> Wants[None]:
    """The header of some messages."""
    for number in list((yield from talk.sizes()))[:3]:
        header, there, _ = (yield from talk.message(f"RETR {number}")).partition(b"\r\n\r\n")
        talk.require(bool(there), "an empty line behind the header", "there is none")
        for line in header.split(b"\r\n"):
            talk.require(_FIELD.match(line) is not None, "header fields", repr(line[:80])[1:])

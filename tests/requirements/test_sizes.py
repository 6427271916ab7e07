"""STAT, LIST, and the sizes of messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ._wire import accepted, data_of, lines_of, refused

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Connect, Play

HEAD = b"Subject: x\r\n\r\n"

#: Messages as they are stored, and as a client must get them.
MESSAGES = {
    "plain": (HEAD + b"one\r\ntwo\r\n", HEAD + b"one\r\ntwo\r\n"),
    "lf": (b"Subject: x\n\none\ntwo\n", HEAD + b"one\r\ntwo\r\n"),
    "mixed": (b"Subject: x\r\n\none\r\ntwo\n", HEAD + b"one\r\ntwo\r\n"),
    "dots": (HEAD + b".\r\n..\r\n.x\r\n...\r\n.\r\n", HEAD + b".\r\n..\r\n.x\r\n...\r\n.\r\n"),
    "dot1": (b".Subject: x\r\n\r\n", b".Subject: x\r\n\r\n"),
    "nonl": (HEAD + b"no end", HEAD + b"no end\r\n"),
    "emptybody": (HEAD, HEAD),
    "nobody": (b"Subject: x\r\n", b"Subject: x\r\n"),
    "trail": (HEAD + b"x\r\n\r\n\r\n\r\n", HEAD + b"x\r\n\r\n\r\n\r\n"),
    "long": (HEAD + b"y" * 10_000 + b"\r\n", HEAD + b"y" * 10_000 + b"\r\n"),
    "8bit": (HEAD + b"caf\xe9\r\n", HEAD + b"caf\xe9\r\n"),
}


@pytest.fixture
def empty(connect: Connect, server: MockServer) -> Wire:
    """A conversation of a user whose maildrop is empty."""
    wire = connect(server)
    wire.log_in(b"bob", b"hunter2")
    return wire


def sizes(wire: Wire) -> dict[int, int]:
    """What LIST says of each message."""
    pairs = (line.split(b" ") for line in lines_of(wire.ask(b"LIST")))
    return {int(number): int(size) for number, size in pairs}


# STAT


def test_rfc1939_5_04_stat_form(wire: Wire) -> None:
    """STAT is +OK, count and octets, with one space before each."""
    assert re.fullmatch(rb"\+OK \d+ \d+(\s.*)?\r\n", wire.ask(b"STAT"))


def test_rfc1939_5_05_nothing_behind_the_size(wire: Wire) -> None:
    """Nothing follows the size in STAT."""
    assert re.fullmatch(rb"\+OK \d+ \d+\r\n", wire.ask(b"STAT"))


def test_rfc1939_5_06_stat_counts_what_list_lists(wire: Wire) -> None:
    """STAT's count is the number of LIST's lines, also after a DELE."""
    for line in (b"NOOP", b"DELE 2"):
        wire.ask(line)

        assert int(wire.ask(b"STAT").split()[1]) == len(sizes(wire))


def test_rfc1939_5_07_stat_sums_what_list_lists(wire: Wire) -> None:
    """STAT's size is the sum of LIST's sizes, also after a DELE."""
    for line in (b"NOOP", b"DELE 2"):
        wire.ask(line)

        assert int(wire.ask(b"STAT").split()[2]) == sum(sizes(wire).values())


def test_rfc1939_5_08_marked_messages_leave_stat(wire: Wire) -> None:
    """A marked message is in neither of STAT's totals."""
    listed = sizes(wire)

    wire.ask(b"DELE 1")

    rest = sum(listed.values()) - listed[1]
    assert wire.ask(b"STAT") == b"+OK %d %d\r\n" % (len(listed) - 1, rest)


def test_rfc1939_5_09_stat_of_an_empty_maildrop(empty: Wire) -> None:
    """An empty maildrop has no messages and no octets."""
    assert empty.ask(b"STAT") == b"+OK 0 0\r\n"


# LIST


def test_rfc1939_5_10_list_has_a_line_for_each_message(wire: Wire) -> None:
    """LIST is of several lines, one for each message."""
    assert list(sizes(wire)) == [1, 2, 3, 4]


def test_rfc1939_5_11_scan_listing_form(wire: Wire) -> None:
    """A scan listing is number, one space and size, without padding."""
    for line in lines_of(wire.ask(b"LIST")):
        assert re.fullmatch(rb"[1-9]\d* (0|[1-9]\d*)(\s.*)?", line)


def test_rfc1939_5_12_nothing_behind_the_size(wire: Wire) -> None:
    """Nothing follows the size in a scan listing."""
    for line in lines_of(wire.ask(b"LIST")):
        assert re.fullmatch(rb"\d+ \d+", line)


def test_rfc1939_5_13_list_of_one_is_one_line(wire: Wire) -> None:
    """LIST n is one line, and the next reply is the next command's."""
    said = wire.send(b"LIST 1\r\nXYZZ\r\n").splitlines(keepends=True)

    assert re.fullmatch(rb"\+OK 1 \d+\r\n", said[0])
    assert refused(said[1])
    assert len(said) == 2


def test_rfc1939_5_14_list_and_list_of_one_agree(wire: Wire) -> None:
    """LIST n says what LIST says."""
    for number, size in sizes(wire).items():
        assert wire.ask(b"LIST %d" % number) == b"+OK %d %d\r\n" % (number, size)


def test_rfc1939_5_15_list_of_an_empty_maildrop(empty: Wire) -> None:
    """LIST of an empty maildrop is +OK and the terminator."""
    said = empty.ask(b"LIST")

    assert re.fullmatch(rb"\+OK[^\r\n]*\r\n\.\r\n", said)


def test_rfc1939_5_16_marked_messages_are_not_listed(wire: Wire) -> None:
    """LIST leaves marked messages out."""
    wire.ask(b"DELE 1")

    assert list(sizes(wire)) == [2, 3, 4]


def test_rfc1939_5_17_list_of_a_marked_message(wire: Wire) -> None:
    """LIST n of a marked message is refused."""
    wire.ask(b"DELE 1")

    assert refused(wire.ask(b"LIST 1"))


def test_rfc1939_5_18_list_of_no_message(wire: Wire, empty: Wire) -> None:
    """LIST n of no message is refused."""
    assert refused(wire.ask(b"LIST 5"))
    assert refused(empty.ask(b"LIST 1"))


# Sizes


def test_rfc1939_5_19_size_is_exact(wire: Wire) -> None:
    """LIST's size is the octets that RETR sends, without dots that were stuffed."""
    listed = sizes(wire)

    sent = {number: len(data_of(wire.ask(b"RETR %d" % number))) for number in listed}

    assert sent == listed


@pytest.fixture
def one(connect: Connect, play: Play, request: pytest.FixtureRequest) -> tuple[Wire, bytes]:
    """A conversation on a maildrop with one message of ``MESSAGES``, and what must come of it."""
    stored, expected = MESSAGES[request.param]
    wire = connect(play("", stored))
    wire.log_in()
    return wire, expected


@pytest.mark.parametrize("one", MESSAGES, indirect=True)
def test_rfc1939_5_19_size_is_exact_of_any_message(one: tuple[Wire, bytes]) -> None:
    """The same for messages of every kind."""
    wire, expected = one

    assert wire.ask(b"LIST 1") == b"+OK 1 %d\r\n" % len(expected)
    assert data_of(wire.ask(b"RETR 1")) == expected


@pytest.mark.parametrize("one", ["lf", "mixed"], indirect=True)
def test_rfc1939_11_01_line_end_counts_as_two(one: tuple[Wire, bytes]) -> None:
    """A message that is stored with LF counts two octets for each line end."""
    wire, _ = one

    assert wire.ask(b"LIST 1") == b"+OK 1 24\r\n"
    assert wire.ask(b"STAT") == b"+OK 1 24\r\n"


@pytest.mark.parametrize("one", ["dots"], indirect=True)
def test_rfc1939_11_02_stuffed_dots_are_not_counted(one: tuple[Wire, bytes]) -> None:
    """Dots that stuffing adds are not counted."""
    wire, expected = one

    assert wire.ask(b"LIST 1") == b"+OK 1 %d\r\n" % len(expected)
    assert len(wire.ask(b"RETR 1").partition(b"\r\n")[2]) == len(expected) + 5 + len(b".\r\n")


@pytest.mark.parametrize("one", ["nonl"], indirect=True)
def test_rfc1939_11_03_message_without_final_newline(one: tuple[Wire, bytes]) -> None:
    """A message without a final newline: what is counted is what is sent."""
    wire, _ = one

    sent = data_of(wire.ask(b"RETR 1"))

    assert wire.ask(b"LIST 1") == b"+OK 1 %d\r\n" % len(sent)


@pytest.mark.parametrize("one", MESSAGES, indirect=True)
def test_rfc1939_11_04_line_ends_are_crlf(one: tuple[Wire, bytes]) -> None:
    """Message data has CRLF line ends only."""
    wire, _ = one

    for line in (b"RETR 1", b"TOP 1 99"):
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire.ask(line))


def test_rfc1939_11_05_messages_have_header_and_blank_line(wire: Wire) -> None:
    """The default server's messages are header fields, then a blank line."""
    for number in (1, 2, 3, 4):
        data = data_of(wire.ask(b"RETR %d" % number))

        assert re.match(rb"([!-9;-~]+:[^\r\n]*\r\n([ \t][^\r\n]*\r\n)*)+\r\n", data)


def test_rfc1939_11_05_status_before_data(wire: Wire) -> None:
    """A message's data begins behind the status line."""
    assert accepted(wire.ask(b"RETR 1").partition(b"\n")[0] + b"\n")

"""Command syntax."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ._wire import accepted, lines_of, refused

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Dial


@pytest.mark.parametrize("keyword", [b"noop", b"Noop", b"nOOp", b"stat", b"rSET"])
def test_rfc1939_3_11_case_of_keywords(wire: Wire, keyword: bytes) -> None:
    """Keywords are case-insensitive."""
    assert accepted(wire.ask(keyword))


def test_rfc1939_3_11_case_of_keywords_of_several_lines(wire: Wire) -> None:
    """So are CAPA, whose reply has several lines, and QUIT."""
    assert lines_of(wire.ask(b"capa"))
    assert accepted(wire.ask(b"quit"))
    assert wire.ended == "close"


def test_rfc1939_3_12_unknown_command_before_login(before: Wire) -> None:
    """An unknown command is refused in the authorization state."""
    assert refused(before.ask(b"XYZZ"))


def test_rfc1939_3_13_unknown_command_after_login(wire: Wire) -> None:
    """An unknown command is refused in the transaction state."""
    assert refused(wire.ask(b"XYZZ"))


@pytest.mark.parametrize("times", [1, 100])
def test_rfc1939_3_14_unknown_commands_do_not_end_the_session(before: Wire, times: int) -> None:
    """Unknown commands, one or many, leave the session as it was."""
    for _ in range(times):
        before.ask(b"XYZZ")

    assert accepted(before.log_in())
    for _ in range(times):
        before.ask(b"XYZZ")
    assert wire_lives(before)


def wire_lives(wire: Wire) -> bool:
    """Whether the session still answers in the transaction state."""
    return wire.ended is None and wire.ask(b"NOOP") == b"+OK\r\n"


@pytest.mark.parametrize("line", [b"ST", b"S", b"STATT", b"LISTX 1", b"TOPX 1 0", b"NOOPNOOP"])
def test_rfc1939_3_15_keywords_of_other_lengths(wire: Wire, line: bytes) -> None:
    """What only begins like a command, or is cut short, is none."""
    assert refused(wire.ask(line))
    assert wire_lives(wire)


@pytest.mark.parametrize("line", [b"RETR", b"DELE", b"RETR ", b"DELE "])
def test_rfc1939_3_16_missing_argument(wire: Wire, line: bytes) -> None:
    """RETR and DELE without a message number are refused."""
    assert refused(wire.ask(line))
    assert wire.ask(b"STAT").startswith(b"+OK 4 ")


@pytest.mark.parametrize("line", [b"TOP", b"TOP 1", b"TOP 1 ", b"TOP "])
def test_rfc1939_3_17_missing_argument_of_top(wire: Wire, line: bytes) -> None:
    """TOP without both its arguments is refused."""
    assert refused(wire.ask(line))


@pytest.mark.parametrize("line", [b"USER", b"USER "])
def test_rfc1939_3_18_missing_argument_of_user(before: Wire, line: bytes) -> None:
    """USER without a name is refused."""
    assert refused(before.ask(line))
    assert refused(before.ask(b"PASS secret"))


@pytest.mark.parametrize("line", [b"STAT x", b"NOOP x", b"RSET x", b"QUIT x", b"STAT 1 2"])
def test_rfc1939_3_19_surplus_argument(wire: Wire, line: bytes) -> None:
    """A command without arguments that is given one is refused."""
    assert refused(wire.ask(line))
    assert wire_lives(wire)


@pytest.mark.parametrize("line", [b"LIST 1 2", b"RETR 1 2", b"DELE 1 2", b"UIDL 1 2", b"TOP 1 2 3"])
def test_rfc1939_3_20_surplus_argument_of_a_message(wire: Wire, line: bytes) -> None:
    """LIST, RETR, DELE, UIDL and TOP with an argument too many are refused."""
    assert refused(wire.ask(line))
    assert wire.ask(b"STAT").startswith(b"+OK 4 ")


@pytest.mark.parametrize("line", [b"LIST  1", b"RETR  1", b"TOP 1  0", b"TOP  1 0", b"DELE  1"])
def test_rfc1939_3_21_one_space_between_arguments(wire: Wire, line: bytes) -> None:
    """Arguments are separated by exactly one space."""
    assert refused(wire.ask(line))


@pytest.mark.parametrize("line", [b"LIST\t1", b"RETR\t1", b"TOP 1\t0"])
def test_rfc1939_3_22_tab_separates_nothing(wire: Wire, line: bytes) -> None:
    """A tab is no separator."""
    assert refused(wire.ask(line))


@pytest.mark.parametrize("line", [b" STAT", b"  NOOP", b"\tSTAT"])
def test_rfc1939_3_23_leading_space(wire: Wire, line: bytes) -> None:
    """A command does not begin with a space."""
    assert refused(wire.ask(line))


@pytest.mark.parametrize("line", [b"STAT ", b"LIST ", b"NOOP ", b"LIST 1 "])
def test_rfc1939_3_24_trailing_space(wire: Wire, line: bytes) -> None:
    """A command with a trailing space: the default server refuses it."""
    assert refused(wire.ask(line))


def test_rfc1939_3_25_argument_of_40_characters(before: Wire) -> None:
    """An argument of 40 characters is processed, and the session lives."""
    said = before.ask(b"USER " + b"x" * 40)

    assert accepted(said) or refused(said)
    assert accepted(before.log_in())


def test_rfc2449_4_03_line_of_255_octets(before: Wire) -> None:
    """A command line of 255 octets is taken, and the session lives."""
    line = b"USER " + b"x" * 248 + b"\r\n"

    said = before.send(line)

    assert len(line) == 255
    assert accepted(said)
    assert accepted(before.log_in())


@pytest.mark.parametrize("length", [256, 2000, 20_000])
def test_rfc2449_4_04_long_line_is_not_split(before: Wire, length: int) -> None:
    """A line over any limit is never two commands: there is one reply to it, or a close."""
    said = before.send(b"USER " + b"x" * length + b"\r\n")
    after = before.ask(b"CAPA")

    assert said.count(b"\n") == 1
    assert (before.ended == "close" and after == b"") or lines_of(after)


def test_rfc2449_4_04_long_line_across_segments(before: Wire) -> None:
    """The same where the line comes in pieces, the last of which looks like a command."""
    said = before.send(b"USER " + b"x" * 20_000)
    said += before.send(b"x" * 20_000)
    said += before.send(b"CAPA\r\n")

    assert said.count(b"\n") == 1


def test_rfc2449_4_05_endless_line_is_bounded(dial: Dial, server: MockServer) -> None:
    """A line of 1 MiB that does not end is refused and the connection closed."""
    line = dial(server)
    line.line()

    try:
        for _ in range(64):
            line.send(b"x" * 16_384)
        said = line.rest()
    except ConnectionError:
        return  # closed while octets of ours were under way

    assert said == b"" or refused(said)


def test_rfc2449_4_05_endless_line_does_not_grow(before: Wire) -> None:
    """The server keeps no more of it than a command line may have."""
    said = before.send(b"x" * 1_048_576)

    assert refused(said)
    assert before.ended == "close"


NO_NUMBERS = [b"0", b"-1", b"5", b"abc", b"9" * 20, b"", b"00", b"1abc", b"\xd9\xa3", b"*"]


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("command", [b"RETR %b", b"DELE %b", b"LIST %b", b"UIDL %b", b"TOP %b 0"])
def test_rfc1939_5_01_no_message_number(wire: Wire, command: bytes, number: bytes) -> None:
    """What is the number of no message is refused."""
    assert refused(wire.ask(command % number))
    assert wire.ask(b"STAT").startswith(b"+OK 4 ")


@pytest.mark.parametrize("number", [b"+1", b"1.0", b"0x1", b"1e0", b"1_0"])
def test_rfc1939_5_02_base_10_without_sign(wire: Wire, number: bytes) -> None:
    """A message number is of digits alone."""
    assert refused(wire.ask(b"LIST " + number))


def test_rfc1939_5_02_leading_zero(wire: Wire) -> None:
    """A leading zero is base 10 still: the default server takes 01 for 1."""
    assert wire.ask(b"LIST 01") == wire.ask(b"LIST 1")


@pytest.mark.parametrize(
    "number", [b"4294967297", b"18446744073709551617", b"1" + b"0" * 30 + b"1"]
)
@pytest.mark.parametrize("command", [b"RETR ", b"DELE ", b"LIST "])
def test_rfc1939_5_03_numbers_do_not_wrap(wire: Wire, command: bytes, number: bytes) -> None:
    """No number, however large, wraps onto a message."""
    assert refused(wire.ask(command + number))
    assert wire.ask(b"STAT").startswith(b"+OK 4 ")

"""Connection, greeting and line discipline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pop3check._passive import breaches
from pop3check._tape import Tape

from ._wire import accepted, refused

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Dial, Play

GREETED = (b"", b"+OK ready\r\n")


def test_rfc1939_3_01_server_speaks_first(dial: Dial, server: MockServer) -> None:
    """The server sends a greeting as soon as the connection is up."""
    line = dial(server)

    greeting = line.line()

    assert accepted(greeting)


def test_rfc1939_4_01_greeting_is_positive(before: Wire) -> None:
    """The greeting is a positive response."""
    assert re.fullmatch(rb"\+OK( .*)?\r\n", before.greeting)


def test_rfc1939_4_02_greeting_is_one_line(before: Wire) -> None:
    """The greeting is exactly one line, and silence follows."""
    assert before.greeting.count(b"\n") == 1
    assert before.send(b"") == b""


def test_rfc1939_4_03_refusal_to_serve(dial: Dial, play: Play) -> None:
    """A server that cannot serve says -ERR once and closes."""
    busy = play("rules: [{when: greeting, reply: '-ERR too many connections', then: close}]")

    said = dial(busy).rest()

    assert said == b"-ERR too many connections\r\n"


def test_rfc2449_3_01_greeting_at_most_512_octets(tour: list[Tape]) -> None:
    """The greeting has at most 512 octets, CRLF included."""
    longest = Tape.of((b"", b"+OK " + b"x" * 506 + b"\r\n"))
    longer = Tape.of((b"", b"+OK " + b"x" * 507 + b"\r\n"))

    assert breaches("RFC2449-3-01", *tour, longest) == []
    assert breaches("RFC2449-3-01", longer)


@pytest.mark.parametrize("text", [b"<a@b> <c@d>", b"caf\xe9", b"a\tb", b"<a@b"])
def test_rfc2449_3_02_greeting_is_printable(tour: list[Tape], text: bytes) -> None:
    """The greeting is printable ASCII with at most one <...>."""
    assert breaches("RFC2449-3-02", *tour) == []
    assert breaches("RFC2449-3-02", Tape.of((b"", b"+OK " + text + b"\r\n")))


@pytest.mark.parametrize("status", [b"+ok", b"-Err", b"+Ok", b"OK", b" +OK"])
def test_rfc1939_3_02_status_is_upper_case(tour: list[Tape], status: bytes) -> None:
    """+OK and -ERR are upper case."""
    assert breaches("RFC1939-3-02", *tour) == []
    assert breaches("RFC1939-3-02", Tape.of(GREETED, (b"NOOP\r\n", status + b"\r\n")))


def test_rfc1939_3_03_lines_end_in_crlf(tour: list[Tape]) -> None:
    """Every response line ends in CRLF."""
    status = Tape.of(GREETED, (b"NOOP\r\n", b"+OK\n"))
    data = Tape.of(GREETED, (b"LIST\r\n", b"+OK\r\n1 2\n2 2\r\n.\r\n"))

    assert breaches("RFC1939-3-03", *tour) == []
    assert breaches("RFC1939-3-03", status)
    assert breaches("RFC1939-3-03", data)


@pytest.mark.parametrize("status", [b"+OKready", b"-ERR: no", b"+OK\tready"])
def test_rfc2449_3_03_status_then_space(tour: list[Tape], status: bytes) -> None:
    """After the status comes CRLF, or a space and text."""
    assert breaches("RFC2449-3-03", *tour) == []
    assert breaches("RFC2449-3-03", Tape.of((b"", status + b"\r\n")))


@pytest.mark.parametrize("text", [b"caf\xe9", b"a\x07b", b"a\rb", b"caf\xc3\xa9"])
def test_rfc2449_3_04_status_is_ascii(tour: list[Tape], text: bytes) -> None:
    """Status text is ASCII without control octets, unless LANG or UTF8 is in force."""
    said = b"+OK " + text + b"\r\n"

    assert breaches("RFC2449-3-04", *tour) == []
    assert breaches("RFC2449-3-04", Tape.of(GREETED, (b"NOOP\r\n", said)))


def test_rfc2449_3_04_what_the_client_sent_is_no_exception(before: Wire) -> None:
    """No octet of the client's that is no text comes back in a status."""
    for word in (b"caf\xc3\xa9", b"\xff", b"a\rb", b"a\0b", b"a\x1bb"):
        for line in (b"USER " + word, b"AUTH " + word, b"LANG " + word, word):
            said = before.ask(line)

            assert re.fullmatch(rb"[\x20-\x7e]+\r\n", said), line


def test_rfc2449_4_01_first_line_at_most_512_octets(tour: list[Tape]) -> None:
    """The first line of any response has at most 512 octets."""
    said = b"+OK " + b"x" * 507 + b"\r\n"

    assert breaches("RFC2449-4-01", *tour) == []
    assert breaches("RFC2449-4-01", Tape.of(GREETED, (b"NOOP\r\n", said)))


@pytest.mark.parametrize("command", [b"", b"USER ", b"AUTH ", b"LANG ", b"APOP "])
def test_rfc2449_4_02_rubbish_is_not_echoed_at_length(before: Wire, command: bytes) -> None:
    """The first line stays within 512 octets also where the client sent more."""
    said = before.ask(command + b"X" * 600)

    assert said.count(b"\n") == 1
    assert len(said) <= 512


def test_rfc2449_4_02_rubbish_after_login(wire: Wire) -> None:
    """The same in the transaction state."""
    for command in (b"X", b"RETR ", b"LIST ", b"UIDL ", b"TOP 1 ", b"DELE "):
        assert len(wire.ask(command + b"X" * 600)) <= 512


def test_rfc1957_1_01_no_trailing_space(tour: list[Tape], wire: Wire) -> None:
    """A status without text is legal; here it has no space behind it."""
    assert wire.ask(b"NOOP") == b"+OK\r\n"
    assert breaches("RFC1957-1-01", *tour) == []
    assert breaches("RFC1957-1-01", Tape.of(GREETED, (b"NOOP\r\n", b"+OK \r\n")))


def test_rfc1939_3_04_one_response_for_each_command(tour: list[Tape]) -> None:
    """Each command has one response, in order, and none comes unasked."""
    surplus = Tape.of(GREETED, (b"NOOP\r\n", b"+OK\r\n+OK\r\n"))
    missing = Tape.of(GREETED, (b"NOOP\r\nNOOP\r\n", b"+OK\r\n"))

    assert breaches("RFC1939-3-04", *tour) == []
    assert breaches("RFC1939-3-04", surplus)
    assert breaches("RFC1939-3-04", missing)


def test_rfc1939_3_05_octet_by_octet(wire: Wire) -> None:
    """A command that comes octet by octet is one command."""
    said = [wire.send(bytes([octet])) for octet in b"NOOP\r\n"]

    assert said == [b"", b"", b"", b"", b"", b"+OK\r\n"]


def test_rfc1939_3_05_octet_by_octet_in_segments(dial: Dial, server: MockServer) -> None:
    """The same in segments of one octet."""
    line = dial(server)
    line.log_in()

    for octet in b"NOOP\r\nSTAT\r\n":
        line.send(bytes([octet]))

    assert line.line() == b"+OK\r\n"
    assert line.line().startswith(b"+OK 4 ")


def test_rfc1939_3_06_cr_and_lf_apart(dial: Dial, server: MockServer) -> None:
    """CR and LF in separate segments still end one line."""
    line = dial(server)
    line.log_in()

    line.send(b"NOOP\r")
    server.settle()
    line.send(b"\n")
    line.send(b"XYZZ\r\n")

    assert line.line() == b"+OK\r\n"
    assert refused(line.line())


def test_rfc1939_3_07_bare_lf_ends_a_command(wire: Wire) -> None:
    """Commands end in CRLF; the default server takes a bare LF for it."""
    assert wire.send(b"NOOP\n") == b"+OK\r\n"


def test_rfc1939_3_08_bare_cr_ends_nothing(wire: Wire) -> None:
    """A bare CR inside a line does not end it: there is one reply, a refusal."""
    said = wire.send(b"NOOP\rSTAT\r\n")

    assert refused(said)


@pytest.mark.parametrize("login", [False, True])
def test_rfc1939_3_09_empty_line(before: Wire, login: bool) -> None:
    """An empty line is refused: it is neither met with silence nor with a close."""
    if login:
        before.log_in()

    said = before.send(b"\r\n")

    assert refused(said)
    assert before.ended is None


@pytest.mark.parametrize("keyword", [b"NO\xffP", b"\x00NOOP", b"NOOP\x00", b"\xc3\x84"])
def test_rfc1939_3_10_octets_that_are_no_keyword(wire: Wire, keyword: bytes) -> None:
    """Octets outside printable ASCII in a keyword are refused."""
    assert refused(wire.ask(keyword))
    assert wire.ask(b"NOOP") == b"+OK\r\n"

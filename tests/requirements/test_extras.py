"""Withdrawn commands, security, interoperability."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pop3check._passive import breaches
from pop3check._tape import Tape

from ._wire import accepted, data_of, lines_of, plain, refused

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Connect, Dial, Play

GREETED = (b"", b"+OK ready\r\n")


# Withdrawn commands


def test_hist_01_last_is_gone(server: MockServer, wire: Wire) -> None:
    """LAST is refused; to ask for it is no fault of a client's."""
    assert refused(wire.ask(b"LAST"))
    assert server.broken_expectations() == []


def test_hist_02_rpop_does_not_log_in(before: Wire) -> None:
    """RPOP does not log in."""
    before.ask(b"USER alice")

    assert refused(before.ask(b"RPOP alice"))
    assert refused(before.ask(b"STAT"))


@pytest.mark.parametrize("login", [False, True])
@pytest.mark.parametrize(
    "line", [b"XTND XLST Subject", b"XSENDER 1", b"XOIP 192.0.2.1", b"XCLIENT ADDR=192.0.2.1"]
)
def test_hist_03_private_commands_are_refused(before: Wire, login: bool, line: bytes) -> None:
    """Commands that no RFC has any more are refused, in both states."""
    if login:
        before.log_in()

    assert refused(before.ask(line))


# Security


def test_sec_01_user_reveals_no_user(before: Wire) -> None:
    """USER answers alike for known and unknown names, and so does PASS."""
    known, wrong = before.ask(b"USER alice"), before.ask(b"PASS wrong")
    unknown, refusal = before.ask(b"USER elica"), before.ask(b"PASS wrong")

    assert unknown.replace(b"elica", b"alice") == known
    assert refusal == wrong


@pytest.mark.parametrize("user", [b"alice", b"nobody"])
def test_sec_02_failures_take_no_time(before: Wire, user: bytes) -> None:
    """A login that fails is answered at once, whether the name is known or not."""
    for _ in range(5):
        assert refused(before.log_in(user, b"wrong"))

    assert before.waited == 0.0


def test_sec_03_failures_are_not_slowed(before: Wire) -> None:
    """The default server neither slows a client down nor closes, however often it fails."""
    answers = {before.log_in(password=b"wrong") for _ in range(20)}

    assert len(answers) == 1
    assert before.waited == 0.0
    assert before.ended is None


@pytest.mark.parametrize("echo", [b"hunter2", b"no hunter2 here", b"aHVudGVyMg=="])
def test_sec_04_secrets_are_not_echoed(tour: list[Tape], echo: bytes) -> None:
    """No reply holds a password or a token."""
    said = b"-ERR " + echo + b"\r\n"

    assert breaches("SEC-04", *tour) == []
    assert breaches("SEC-04", Tape.of(GREETED, (b"PASS x\r\n", said), secrets=("hunter2",)))


@pytest.mark.parametrize(
    "line",
    [b"PASS secret", b"AUTH PLAIN secret", b"APOP alice secret", b"secret", b"PASS\tsecret",
     b"USER a secret", b"AUTH PLAIN " + plain() + b" x", b"CAPA secret"],
)  # fmt: skip
def test_sec_04_secrets_in_the_wrong_place(before: Wire, line: bytes) -> None:
    """Nor does the reply to a command that has the secret where it should not be."""
    said = before.ask(line)

    assert refused(said)
    assert b"secret" not in said
    assert plain() not in said


@pytest.mark.parametrize("line", [b"XY\rZ", b"USER a\rb", b"AUTH A\rB", b"LANG a\rb", b"APOP a\rb"])
def test_sec_05_reply_is_not_split(before: Wire, line: bytes) -> None:
    """No CR of the client's comes back in a reply."""
    said = before.ask(line)

    assert said.count(b"\r") == said.count(b"\n") == 1
    assert said.endswith(b"\r\n")


def test_sec_06_strangers_cannot_pretend(before: Wire) -> None:
    """XCLIENT and XOIP of a stranger are refused."""
    assert refused(before.ask(b"XOIP 192.0.2.1"))
    assert refused(before.ask(b"XCLIENT ADDR=192.0.2.1 PORT=1"))


def test_sec_07_no_version_number(before: Wire) -> None:
    """Neither the greeting nor IMPLEMENTATION gives a version number."""
    greeting = before.greeting.partition(b"<")[0].removeprefix(b"+OK POP3")

    assert not re.search(rb"\d", greeting)
    assert b"IMPLEMENTATION pop3kit" in lines_of(before.ask(b"CAPA"))


# Interoperability


def test_iop_01_size_in_retr_is_that_of_list(wire: Wire) -> None:
    """The size that RETR announces is that of LIST, and true."""
    for line in lines_of(wire.ask(b"LIST")):
        number, size = line.split()
        said = wire.ask(b"RETR " + number)

        assert said.partition(b"\r\n")[0] == b"+OK " + size + b" octets"
        assert len(data_of(said)) == int(size)


def test_iop_02_top_and_uidl_are_announced_before_login(before: Wire) -> None:
    """CAPA lists TOP and UIDL before login."""
    assert {b"TOP", b"UIDL"} <= set(lines_of(before.ask(b"CAPA")))


@pytest.mark.parametrize("more", [b"", b"NOOP\r\n" * 1000])
def test_iop_03_fin_follows_quit(dial: Dial, server: MockServer, more: bytes) -> None:
    """The reply to QUIT can be read, and FIN follows it, whatever else has been sent."""
    line = dial(server)
    line.log_in()

    line.send(b"QUIT\r\n" + more)

    assert accepted(line.rest())


def test_iop_04_first_reply_after_login(dial: Dial, play: Play) -> None:
    """In a maildrop of 5,000 messages the first replies come in time."""
    line = dial(play("maildrop: [{octets: 200, count: 5000}]"))

    # Each read has a deadline.
    assert accepted(line.log_in())
    assert line.ask(b"STAT") == b"+OK 5000 1000000\r\n"
    assert len(lines_of(line.ask_for_lines(b"LIST"))) == 5000
    assert len(lines_of(line.ask_for_lines(b"UIDL"))) == 5000


def test_iop_05_parallel_sessions(connect: Connect, server: MockServer) -> None:
    """One user has one session at a time, several users each have one."""
    sessions = [connect(server) for _ in range(3)]

    assert accepted(sessions[0].log_in())
    assert refused(sessions[1].log_in())
    assert accepted(sessions[2].log_in(b"bob", b"hunter2"))


def test_iop_06_both_families(dial: Dial, play: Play) -> None:
    """Over IPv4 and IPv6 the server greets alike and has the same capabilities."""
    said = []
    for host in ("127.0.0.1", "::1"):
        line = dial(play(host=host))
        greeting = re.sub(rb"<[^>]*>", b"<>", line.line())
        said.append((greeting, line.ask_for_lines(b"CAPA")))

    assert said[0] == said[1]

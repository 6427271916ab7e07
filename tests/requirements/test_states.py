"""The states of a session, logging in, the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ._wire import accepted, apop_digest, lines_of, plain, refused, stamp_of

if TYPE_CHECKING:
    from pop3mock import MockServer

    from ._wire import Wire
    from .conftest import Clock, Connect, Dial, Play


@pytest.mark.parametrize("line", [b"STAT", b"LIST", b"LIST 1"])
def test_rfc1939_3_26_stat_and_list_before_login(before: Wire, line: bytes) -> None:
    """STAT and LIST before login are refused."""
    assert refused(before.ask(line))


def test_rfc1939_3_27_retr_before_login(before: Wire) -> None:
    """RETR before login is refused, and gives no data."""
    assert refused(before.ask(b"RETR 1"))


@pytest.mark.parametrize("line", [b"DELE 1", b"RSET"])
def test_rfc1939_3_28_dele_and_rset_before_login(before: Wire, line: bytes) -> None:
    """DELE and RSET before login are refused."""
    assert refused(before.ask(line))


def test_rfc1939_3_29_noop_before_login(before: Wire) -> None:
    """NOOP before login is refused."""
    assert refused(before.ask(b"NOOP"))


@pytest.mark.parametrize("line", [b"TOP 1 0", b"UIDL", b"UIDL 1"])
def test_rfc1939_3_30_top_and_uidl_before_login(before: Wire, line: bytes) -> None:
    """TOP and UIDL before login are refused."""
    assert refused(before.ask(line))


@pytest.mark.parametrize("line", [b"USER alice", b"PASS secret", b"USER bob"])
def test_rfc1939_3_31_user_and_pass_after_login(wire: Wire, line: bytes) -> None:
    """USER and PASS after login are refused, and the session stays as it is."""
    assert refused(wire.ask(line))
    assert wire.ask(b"STAT").startswith(b"+OK 4 ")


def test_rfc1939_3_32_apop_after_login(wire: Wire) -> None:
    """APOP after login is refused, even with the right digest."""
    digest = apop_digest(stamp_of(wire.greeting))

    assert refused(wire.ask(b"APOP alice " + digest))
    assert refused(wire.ask(b"APOP alice " + b"0" * 32))


def test_rfc1939_3_33_refused_command_changes_nothing(before: Wire) -> None:
    """A command refused for the state leaves the way to log in open."""
    for line in (b"STAT", b"RETR 1", b"DELE 1", b"RSET", b"NOOP", b"UIDL"):
        before.ask(line)

    assert accepted(before.log_in())
    assert before.ask(b"STAT").startswith(b"+OK 4 ")


# The inactivity timer


def stay_silent(clock: Clock, server: MockServer, seconds: float) -> None:
    """Let time pass in which no client says anything, and what is due happen."""
    server.settle()
    clock.advance(seconds)
    server.settle()


def test_rfc1939_3_34_ten_minutes_after_login(
    dial: Dial, server: MockServer, loop_clock: Clock
) -> None:
    """After login the server waits ten minutes for a command, and no longer."""
    line = dial(server)
    line.log_in()

    stay_silent(loop_clock, server, 595)
    assert line.ask(b"NOOP") == b"+OK\r\n"

    stay_silent(loop_clock, server, 601)
    assert line.rest() == b""


def test_rfc1939_3_35_ten_minutes_before_login(
    dial: Dial, server: MockServer, loop_clock: Clock
) -> None:
    """It does so before login too."""
    line = dial(server)
    line.line()

    stay_silent(loop_clock, server, 595)
    assert accepted(line.ask(b"USER alice"))

    stay_silent(loop_clock, server, 601)
    assert line.rest() == b""


def test_rfc1939_3_36_any_command_restarts_the_timer(
    dial: Dial, server: MockServer, loop_clock: Clock
) -> None:
    """Each command, right or wrong, restarts the timer."""
    line = dial(server)
    line.log_in()

    for command in (b"NOOP", b"XYZZ", b"STAT"):
        stay_silent(loop_clock, server, 360)

        assert line.ask(command).startswith((b"+OK", b"-ERR"))


def test_rfc1939_3_37_timed_out_session_removes_nothing(
    dial: Dial, server: MockServer, loop_clock: Clock
) -> None:
    """A session that is closed for silence removes nothing, and frees the maildrop."""
    line = dial(server)
    line.log_in()
    line.ask(b"DELE 1")

    stay_silent(loop_clock, server, 601)
    assert line.rest() == b""

    assert len(server.maildrop) == 4
    assert accepted(dial(server).log_in())


def test_rfc1939_3_38_nothing_is_said_on_time_out(
    dial: Dial, server: MockServer, loop_clock: Clock
) -> None:
    """On time-out the server closes and says nothing, before login and after it."""
    before, after = dial(server), dial(server)
    before.line()
    after.log_in()

    stay_silent(loop_clock, server, 601)

    assert before.rest() == b""
    assert after.rest() == b""


# Logging in


def test_rfc1939_4_04_there_is_a_way_to_log_in(before: Wire) -> None:
    """The server offers at least one way to log in; the default one offers three."""
    capabilities = lines_of(before.ask(b"CAPA"))

    assert stamp_of(before.greeting)
    assert b"USER" in capabilities
    assert any(line.startswith(b"SASL ") for line in capabilities)


def test_rfc1939_4_05_login_leads_to_the_transaction_state(before: Wire) -> None:
    """After a login the session is in the transaction state and nothing is marked."""
    said = before.log_in()

    count = int(before.ask(b"STAT").split()[1])
    assert accepted(said)
    assert count == len(lines_of(before.ask(b"LIST"))) == 4


def test_rfc1939_4_06_failed_login(before: Wire) -> None:
    """After a failed login the session is still in the authorization state."""
    said = before.log_in(password=b"wrong")

    assert refused(said)
    assert before.ended is None
    assert refused(before.ask(b"STAT"))


def test_rfc1939_4_07_login_after_a_failure(before: Wire) -> None:
    """A server that does not close after a failure takes a new login."""
    before.log_in(password=b"wrong")

    said = before.log_in()

    assert accepted(said)
    assert before.ask(b"STAT").startswith(b"+OK 4 ")


# The lock


def test_rfc1939_4_08_lock_is_exclusive(connect: Connect, server: MockServer, wire: Wire) -> None:
    """A second login on the same maildrop is refused while the first session is open."""
    for way in (b"PASS", b"APOP", b"AUTH"):
        second = connect(server)

        assert refused(_login(second, way)), way
        assert refused(second.ask(b"STAT"))


def _login(wire: Wire, way: bytes) -> bytes:
    if way == b"APOP":
        return wire.ask(b"APOP alice " + apop_digest(stamp_of(wire.greeting)))
    return wire.ask(b"AUTH PLAIN " + plain()) if way == b"AUTH" else wire.log_in()


def test_rfc1939_4_08_lock_is_of_one_maildrop(
    connect: Connect, server: MockServer, wire: Wire
) -> None:
    """Another user's maildrop is free."""
    assert accepted(connect(server).log_in(b"bob", b"hunter2"))


def test_rfc1939_4_09_refused_login_does_not_disturb(
    connect: Connect, server: MockServer, wire: Wire
) -> None:
    """A refused second login leaves the first session as it was."""
    wire.ask(b"DELE 1")
    stat = wire.ask(b"STAT")

    second = connect(server)
    second.log_in()
    second.ask(b"QUIT")

    assert wire.ask(b"NOOP") == b"+OK\r\n"
    assert wire.ask(b"STAT") == stat


def test_rfc1939_4_10_messages_do_not_vanish_under_a_session(connect: Connect, play: Play) -> None:
    """Without a lock, what another session removes changes no number of this one."""
    server = play("server: {lock: none}")
    first, second = connect(server), connect(server)
    first.log_in()
    listings = [first.ask(line) for line in (b"LIST", b"UIDL", b"STAT", b"RETR 1")]

    second.log_in()
    second.ask(b"DELE 1")
    second.ask(b"QUIT")

    assert [first.ask(line) for line in (b"LIST", b"UIDL", b"STAT", b"RETR 1")] == listings
    assert len(server.maildrop) == 3


def test_rfc1939_4_11_quit_releases_the_lock(
    connect: Connect, server: MockServer, wire: Wire
) -> None:
    """After QUIT the maildrop is free at once."""
    wire.ask(b"QUIT")

    assert accepted(connect(server).log_in())


def test_rfc1939_4_12_dropped_connection_releases_the_lock(dial: Dial, server: MockServer) -> None:
    """A connection that goes down frees the maildrop."""
    first = dial(server)
    first.log_in()
    first.close()
    server.settle()

    assert accepted(dial(server).log_in())


def test_rfc1939_4_13_lock_of_a_refused_login_is_released(
    connect: Connect, server: MockServer, wire: Wire
) -> None:
    """Logins that were refused keep no lock."""
    others = [connect(server) for _ in range(3)]
    assert all(refused(other.log_in()) for other in others)

    wire.ask(b"QUIT")

    assert accepted(connect(server).log_in())


def test_rfc1939_4_13_wrong_credentials_lock_nothing(connect: Connect, server: MockServer) -> None:
    """Nor does a login that failed for its password, though its connection stays open."""
    first = connect(server)
    first.log_in(password=b"wrong")

    assert accepted(connect(server).log_in())


def test_rfc1939_4_14_numbers_without_gaps(connect: Connect, play: Play) -> None:
    """Messages are numbered from 1 in steps of 1, in base 10."""
    wire = connect(play("maildrop: [{octets: 200, count: 120}]"))
    wire.log_in()

    numbers = [line.split(b" ")[0] for line in lines_of(wire.ask(b"LIST"))]

    assert numbers == [b"%d" % number for number in range(1, 121)]


def test_rfc1939_4_15_view_is_fixed(server: MockServer, wire: Wire) -> None:
    """Mail that arrives during a session changes no number and no count."""
    asked = (b"STAT", b"LIST", b"UIDL")
    listings = [wire.ask(line) for line in asked]

    server.deliver(b"Subject: late\r\n\r\nlate\r\n")

    assert [wire.ask(line) for line in asked] == listings
    assert refused(wire.ask(b"RETR 5"))
    assert len(server.maildrop) == 5


def test_rfc1939_4_16_quit_before_login(before: Wire) -> None:
    """QUIT in the authorization state is answered +OK."""
    assert accepted(before.ask(b"QUIT"))


def test_rfc1939_4_17_quit_before_login_closes(dial: Dial, server: MockServer) -> None:
    """After QUIT in the authorization state the server closes."""
    line = dial(server)
    line.line()

    line.send(b"QUIT\r\n")

    assert accepted(line.rest())

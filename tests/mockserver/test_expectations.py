"""What clients must and must not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import BrokenExpectation, MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]


def test_unexpected_command(playing: Playing, raw: Raw) -> None:
    """An unexpected command gets its RFC answer, and is told with the nearest rule."""
    rules = "rules: [{when: XTND 2, reply: +OK}]"
    with playing(rules) as server:
        client = raw(server)
        client.login()
        said = client.ask(b"XTND 3")
        server.wait_for("XTND")

    assert said.startswith(b"-ERR ")
    with pytest.raises(BrokenExpectation) as caught:
        server.verify()
    assert "unexpected XTND 3: there is no such command" in str(caught.value)
    assert "nearest rule test:4: argument 1 is '3', not '2'" in str(caught.value)
    assert "C: XTND 3" in caught.value.transcript


def test_allowed_command(playing: Playing, raw: Raw) -> None:
    """What the scenario allows is no fault."""
    with playing("expect: {allow: [XTND]}") as server:
        client = raw(server)
        client.login()
        client.ask(b"XTND 3")

        server.verify()


@pytest.mark.parametrize(
    ("expect", "fault"),
    [
        ("never: [DELE]", "DELE 1: the scenario forbids it (never)"),
        ("never-in-clear: [PASS]", "PASS ****: the scenario forbids it outside TLS"),
        ("always: [RSET]", "RSET: the scenario demands it (always), and it never came"),
        ("counts: {NOOP: '2..'}", "NOOP: came 1 time(s), which the scenario rules out (counts)"),
    ],
)
def test_expectation(playing: Playing, raw: Raw, expect: str, fault: str) -> None:
    """Each kind of expectation is checked, and a broken one is told."""
    with playing(f"expect: {{{expect}}}") as server:
        client = raw(server)
        client.login()
        client.ask(b"NOOP")
        client.ask(b"DELE 1")

        assert fault in str(server.broken_expectations())


def test_expectations_kept(playing: Playing, raw: Raw) -> None:
    """Expectations that are kept are silent; inside TLS a secret may go."""
    expect = "expect: {never: [DELE], never-in-clear: [PASS], always: [STLS], counts: {NOOP: 2}}"
    with playing(expect) as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")
        client.wrap()
        for command in (b"USER alice", b"PASS secret", b"NOOP", b"NOOP"):
            client.ask(command)

        server.verify()


def test_rule_for_another_password(playing: Playing, raw: Raw) -> None:
    """The difference from the nearest rule does not repeat a password."""
    with playing("rules: [{when: PASS right, reply: +OK}]") as server:
        client = raw(server)
        client.line()
        client.ask(b"PASS hunter2")

        assert "unexpected PASS ****" in server.broken_expectations()[0]
        assert "hunter2" not in str(server.broken_expectations())


def test_empty_line_is_a_fault(playing: Playing, raw: Raw) -> None:
    """An empty line is no command; it is reported, and ``*`` means it too."""
    with MockServer() as server, playing("rules: [{when: '*', reply: -ERR any}]") as other:
        client, second = raw(server), raw(other)
        client.line()
        second.line()

        assert client.ask(b"").startswith(b"-ERR ")
        assert second.ask(b"") == b"-ERR any\r\n"
        assert "unexpected empty line" in server.broken_expectations()[0]
        assert server.journal == [""]


def test_client_that_says_greeting(playing: Playing, raw: Raw) -> None:
    """GREETING from a client is an unknown command, not the greeting."""
    with playing("rules: [{when: greeting, text: hello}]") as server:
        client = raw(server)

        assert client.line() == b"+OK hello\r\n"
        assert client.ask(b"GREETING").startswith(b"-ERR ")
        assert server.journal == ["GREETING"]
        assert server.broken_expectations()


def test_verify_hears_the_end(playing: Playing, raw: Raw) -> None:
    """A client that has gone before its script is over is found out without waiting for it."""
    script = "script: |\n  S: +OK\n  C: USER {user}\n  S: +OK\n  C: QUIT\n  S: +OK\n"
    with playing(script) as server:
        client = raw(server)
        client.line()
        client.ask(b"USER alice")
        client.close()

        assert "script not finished" in server.broken_expectations()[0]

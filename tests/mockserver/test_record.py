"""What a server tells afterwards: its journal, its transcript; and waiting for what is to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]


def test_journal(raw: Raw) -> None:
    """The journal spells out the commands, secrets masked, and compares with a list."""
    with MockServer() as server:
        client = raw(server)
        client.login()
        client.ask(b"quit")
        server.wait_closed()

    assert server.journal == ["USER alice", "PASS ****", "quit"]
    quit_ = server.journal.exchanges[-1]
    assert (quit_.command, quit_.reply, quit_.rule, quit_.state) == (
        "QUIT",
        "+OK bye",
        "default",
        "transaction",
    )
    assert server.journal.connections[0].ended == "quit"


def test_transcript_names_the_rule(raw: Raw) -> None:
    """The transcript shows each line and, behind an answer, the rule that made it."""
    with MockServer("retr-without-size") as server:
        client = raw(server)
        client.login()
        client.listing(b"RETR 1")
        transcript = server.transcript()

    assert "C: PASS ****" in transcript
    assert "secret" not in transcript
    line = next(line for line in transcript.splitlines() if "S: +OK    (retr-without-size:" in line)
    assert line.startswith("#1 +0.")


@pytest.mark.parametrize(
    "line", [b" PASS hunter2", b"PASS\thunter2", b"(PASS hunter2", b"pass  hunter2"]
)
def test_secrets_are_masked_however_they_come(playing: Playing, raw: Raw, line: bytes) -> None:
    """A password in a line that is framed wrongly, or that the scenario repeats, is not shown."""
    rules = "rules: [{when: '*', reply: '-ERR bad {argument}'}, {when: greeting, text: hello}]"
    with playing(rules) as server:
        client = raw(server)
        client.line()
        client.ask(line)
        text = (
            server.transcript() + str(server.journal.commands) + str(server.broken_expectations())
        )

    assert "PASS" in text.upper()
    assert "hunter2" not in text


def test_wait_for(raw: Raw) -> None:
    """wait_for returns once the command has been answered, and in time tells what came instead."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        client.send(b"CAPA\r\n")

        server.wait_for("CAPA")
        with pytest.raises(TimeoutError, match=r"no QUIT within 0\.01 s; came: CAPA"):
            server.wait_for("QUIT", timeout=0.01)


def test_wait_for_times(raw: Raw) -> None:
    """wait_for can wait for the n-th occurrence, and for arguments."""
    with MockServer() as server:
        client = raw(server)
        client.login()
        client.send(b"RETR 1\r\nRETR 2\r\n")

        server.wait_for("RETR", times=2)
        server.wait_for("RETR 2")
        with pytest.raises(TimeoutError):
            server.wait_for("RETR", times=3, timeout=0.01)


def test_wait_for_nothing() -> None:
    """An empty pattern is the caller's mistake."""
    with pytest.raises(ValueError, match="pattern"):
        MockServer().wait_for("")


def test_wait_closed_in_vain(raw: Raw) -> None:
    """wait_closed says how many connections are still open."""
    with MockServer() as server:
        raw(server).line()

        with pytest.raises(TimeoutError, match="1 connection"):
            server.wait_closed(timeout=0.01)

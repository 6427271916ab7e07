"""What a server tells afterwards: its journal, its transcript; and waiting for what is to come."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3scenarios import loads

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
    """The transcript shows each line and, behind an answer, the rule that made it, and where."""
    with MockServer("retr-without-size") as server:
        client = raw(server)
        client.login()
        client.listing(b"RETR 1")
        transcript = server.transcript()

    assert "C: PASS ****" in transcript
    assert "secret" not in transcript
    line = next(line for line in transcript.splitlines() if "S: +OK    (retr-" in line)
    assert re.fullmatch(r"#1 \+0\..*\(retr-without-size, .*retr-without-size.pop3.yaml:\d+\)", line)


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


# Secrets


def told(server: MockServer) -> str:
    """All that a server tells afterwards, by whichever way."""
    journal = server.journal
    pieces = (server.transcript(), journal.to_json_lines(), journal.commands, journal.replies)
    return "".join(map(str, pieces)) + "".join(server.broken_expectations())


def heard(octets: bytes, rules: str = "") -> MockServer:
    """A server to which a client without a socket has said this."""
    server = MockServer(loads(f"pop3: 1\nname: test\nsummary: test\n{rules}\n"))
    session = server.session()
    session.connected()
    session.receive(octets)
    return server


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"PASS open sesame now", "PASS ****"),
        (b"PASS  open  sesame ", "PASS  ****"),
        (b"APOP alice open sesame", "APOP alice ****"),
        (b"AUTH XYZ open sesame", "AUTH XYZ ****"),
        (b"XPASS open sesame", "XPASS ****"),
        (b"PASSWORD sesame", "PASS****"),
        (b"PASS:sesame", "PASS****"),
        (b"NOOP\rPASS sesame", r"NOOP\rPASS ****"),
        (b"USER alice PASS sesame", "USER alice PASS ****"),
        (b"XAUTH XYZ sesame", "XAUTH XYZ ****"),
        (b"USER compass", "USER compass"),
        (b"PASS", "PASS"),
    ],
)
def test_all_of_a_secret_is_masked(line: bytes, shown: str) -> None:
    """Of a secret nothing is shown, however many words it has and whatever is before it."""
    server = heard(line + b"\r\n")

    assert server.journal.commands == [shown]
    assert "sesame" not in told(server)
    assert "open" not in told(server)


@pytest.mark.parametrize(
    ("secret", "reply", "shown"),
    [
        (b"open sesame now", "{argument}", "-ERR ****"),
        (b"open sesame now", "it is sesame!", "-ERR it is ****!"),
        (b"open sesame now", "opened, reopen", "-ERR opened, reopen"),
        (b"my word", "my, word", "-ERR my, ****"),
        (b"abc abc-def", "abc-def abc", "-ERR **** ****"),
        (b"p\xc3\xa4ss\\word", "{argument}", "-ERR ****"),
        (b"\xff\xfe\xfd", "{argument}", "-ERR ****"),
    ],
)
def test_what_a_reply_repeats_of_a_secret(secret: bytes, reply: str, shown: str) -> None:
    """The whole secret, and each word of it of three letters or more, is masked in replies."""
    server = heard(b"PASS %b\r\n" % secret, f"rules: [{{when: PASS, reply: '-ERR {reply}'}}]")

    assert server.journal.replies == [shown]
    assert f"S: {shown} " in server.transcript()


def test_secret_that_a_reply_breaks_off() -> None:
    """What an answer that is cut short still shows of a secret is masked as well."""
    server = heard(b"PASS sesame4711\r\n", "rules: [{when: PASS, reply: '{argument}', cut: 9}]")

    assert server.journal.replies == ["****"]
    assert "sesame" not in server.transcript()


SASL = "server: {capabilities: [USER, SASL LOGIN PLAIN CRAM-MD5]}\n"
REPEATS = "rules: [{when: '*', outcome: unknown, reply: '-ERR what is {line}?'}]"


@pytest.mark.parametrize(
    "begin",
    [b"AUTH LOGIN YWxpY2U=", b"AUTH NTLM", b"AUTH CRAM-MD5\r\n$$$", b"AUTH LOGIN\r\n*", b"auth"],
)
@pytest.mark.parametrize("response", [b"c2VjcmV0", b"XPASS secret", b"hunter2 secret"])
def test_response_to_an_auth_that_was_refused(begin: bytes, response: bytes) -> None:
    """A client that goes on with an exchange which was refused shows nothing of its secret."""
    octets = begin + b"\r\n" + response + b"\r\n" + response + b"\r\nNOOP\r\nXYZZY\r\n"

    server = heard(octets, SASL + REPEATS)

    assert server.journal.commands[-4:] == ["(SASL response)"] * 2 + ["NOOP", "XYZZY"]
    assert not any(word in told(server) for word in response.decode().split())
    assert any("(SASL response)" in fault.what for fault in server.journal.faults)


def test_command_that_rules_know_after_a_refused_auth() -> None:
    """What a rule answers is a command, and no response."""
    server = heard(b"AUTH NTLM\r\nXTND a\r\n", "rules: [{when: XTND, reply: '+OK'}]")

    assert server.journal.commands == ["AUTH NTLM", "XTND a"]


# Octets that are no text


def test_one_escaping_for_all() -> None:
    """Commands, replies, faults, transcript and JSON lines escape alike, and say it in ASCII."""
    server = heard(
        b"USER \xc3\xa9\xff\\xff\t\r\n", "rules: [{when: USER, reply: '-ERR {argument}'}]"
    )
    shown = r"\xc3\xa9\xff\\xff\t"

    (event,) = [
        e for e in map(json.loads, server.journal.to_json_lines().splitlines()) if e.get("command")
    ]

    assert server.journal.commands == [f"USER {shown}"]
    assert server.journal.replies == [f"-ERR {shown}"]
    assert (event["line"], event["reply"]) == (f"USER {shown}", f"-ERR {shown}")
    assert f"C: USER {shown}\n" in server.transcript()
    assert told(server).isascii()


def test_patterns_see_what_came() -> None:
    """A pattern is held against the line itself, not against how it is shown."""
    journal = heard(b"USER DOMAIN\\al\xc3\xa9\r\n").journal

    assert journal.commands == [r"USER DOMAIN\\al\xc3\xa9"]
    assert journal.sent("USER DOMAIN\\al\xe9")
    assert not journal.never_in_clear("USER DOMAIN\\al\xe9")


@pytest.mark.parametrize("key", ["never", "never-in-clear"])
def test_expectations_see_what_came(key: str) -> None:
    """So is a pattern in what a scenario expects."""
    server = heard(b"USER DOMAIN\\alice\r\n", rf"expect: {{{key}: 'USER DOMAIN\alice'}}")

    assert len(server.broken_expectations()) == 1


def test_fault_of_octets_can_be_printed() -> None:
    """What a client should not have sent can be written into any file."""
    (fault,) = heard(b"XYZZY \xff\\\r\n").journal.faults

    assert fault.what == r"unexpected XYZZY \xff\\"

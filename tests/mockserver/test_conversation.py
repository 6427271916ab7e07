"""Exact conversations: what the mock says, what it binds, and what it tells of a near miss."""

from __future__ import annotations

import pytest

from pop3mock import MockServer
from pop3mock._actions import End, Send, StartTLS
from pop3scenarios import loads

HEAD = "pop3: 1\nname: talk\nsummary: an exact conversation\n"
MAIL = r"""
maildrop:
  - {raw: "a: b\n\n.\n", uid: one}
"""


def playing(script: str, more: str = "") -> MockServer:
    """A server that plays a script."""
    lines = "".join(f"  {line}\n" for line in script.strip().splitlines())
    return MockServer(loads(f"{HEAD}{MAIL}{more}script: |\n{lines}"))


def said(server: MockServer, *lines: bytes) -> list[object]:
    """The actions of one session that is fed with lines."""
    session = server.session()
    actions = [*session.connected()]
    for line in lines:
        actions += session.receive(line + b"\r\n")
    session.lost()
    return list(actions)


SCRIPT = """
S: +OK ready {stamp:msgid=<1896.697170952@example.com>}
C: USER {user}
S: +OK ...
C: PASS {password}
S: +OK welcome {user}
C?: CAPA
S: +OK
S: UIDL
S: .
C: STAT
S: +OK {count} {octets}
C: RETR {n}
S: +OK
<message {n}>
S: .
C: QUIT
S: +OK ...
"""


def test_the_conversation_as_written() -> None:
    """Lines go out as written; holes hold what was bound, else what the server knows."""
    server = playing(SCRIPT)

    actions = said(server, b"USER alice", b"PASS secret", b"STAT", b"RETR 1", b"QUIT")

    assert isinstance(actions[0], Send)
    assert actions[0].data.startswith(b"+OK ready <1.")
    assert actions[1:] == [
        Send(b"+OK now the password for alice\r\n"),
        Send(b"+OK welcome alice\r\n"),
        Send(b"+OK 1 11\r\n"),
        Send(b"+OK\r\na: b\r\n\r\n..\r\n.\r\n"),
        Send(b"+OK bye\r\n"),
        End("close"),
    ]
    assert not server.broken_expectations()


def test_optional_exchange() -> None:
    """``C?:`` may come and may be left out."""
    server = playing(SCRIPT)

    actions = said(server, b"USER alice", b"PASS secret", b"CAPA", b"STAT", b"RETR 1", b"QUIT")

    assert actions[3] == Send(b"+OK\r\nUIDL\r\n.\r\n")
    assert not server.broken_expectations()


def test_script_has_effects() -> None:
    """A command that the script answers +OK is done, so that later answers and UPDATE are true."""
    server = playing("""
S: +OK
C: USER {user}
S: +OK
C: PASS {password}
S: +OK
C: DELE 1
S: +OK gone
C: QUIT
S: +OK
""")

    said(server, b"USER alice", b"PASS secret", b"DELE 1", b"QUIT")

    assert len(server.maildrop) == 0


def test_near_miss() -> None:
    """What the script does not have gets its RFC answer, and is told with place and difference."""
    server = playing(SCRIPT)

    actions = said(server, b"USER alice", b"PASS secret", b"NOOP", b"STAT", b"RETR 1", b"QUIT")

    assert actions[3] == Send(b"+OK\r\n")
    assert server.broken_expectations() == [
        "#1 unexpected NOOP: expected C: STAT; the command is 'NOOP', not 'STAT' (<string>:17)"
    ]


def test_bound_holes_must_agree() -> None:
    """A hole once bound must hold the same again."""
    server = playing("S: +OK\nC: USER {user}\nS: +OK\nC: APOP {user} {digest}\nS: +OK\n")

    said(server, b"USER alice", b"APOP bob 00")

    assert "argument 1 is 'bob', not 'alice'" in server.broken_expectations()[0]


def test_unfinished() -> None:
    """A client that goes away before the script is over is told what was still to come."""
    server = playing(SCRIPT)

    said(server, b"USER alice", b"PASS secret")

    assert server.broken_expectations() == [
        "#1 script not finished: the client went away before C: STAT (<string>:17)"
    ]


def test_more_than_the_script() -> None:
    """Commands after the last step are unexpected."""
    server = playing("S: +OK\nC: CAPA\nS: +OK\nS: .\n")

    said(server, b"CAPA", b"CAPA")

    assert server.broken_expectations() == ["#1 unexpected CAPA: the script is over"]


def test_secrets_are_masked_in_near_misses() -> None:
    """A password that comes where the script has none is not repeated."""
    server = playing("S: +OK\nC: STAT\nS: +OK 0 0\n")

    said(server, b"PASS hunter2")

    assert "hunter2" not in str(server.broken_expectations()) + server.transcript()


def test_starttls() -> None:
    """<starttls> begins the handshake where the script says."""
    server = playing("S: +OK\nC: STLS\nS: +OK go\n<starttls>\nC: QUIT\nS: +OK\n")
    session = server.session()
    session.connected()

    assert session.receive(b"STLS\r\n") == [Send(b"+OK go\r\n"), StartTLS()]


@pytest.mark.parametrize("action", ["close", "reset", "half-close", "hang"])
def test_endings(action: str) -> None:
    """An ending in the script ends the connection there."""
    server = playing(f"S: +OK\nC: NOOP\nS: +OK\n<{action}>\n")

    assert said(server, b"NOOP", b"NOOP")[1:] == [Send(b"+OK\r\n"), End(action)]  # type: ignore[arg-type]


def test_two_connections_each_from_the_start() -> None:
    """Each connection plays the script from its beginning, with bindings of its own."""
    server = playing("S: +OK\nC: USER {user}\nS: +OK hello {user}\n")

    first, second = said(server, b"USER alice"), said(server, b"USER bob")

    assert first[1] == Send(b"+OK hello alice\r\n")
    assert second[1] == Send(b"+OK hello bob\r\n")


def test_line_of_any_text_is_the_rest_of_the_default() -> None:
    """``S: ...`` stands for the lines that the correct server would say and the script does not."""
    server = playing(
        "S: +OK\nC: USER {user}\nS: +OK\nC: PASS {password}\nS: +OK\n"
        "C: CAPA\nS: +OK\nS: ...\nS: .\nC: LIST\nS: +OK\nS: 1 99\nS: ...\nS: .\n",
        "server: {capabilities: [TOP, UIDL, USER]}\n",
    )

    actions = said(server, b"USER alice", b"PASS secret", b"CAPA", b"LIST")

    assert actions[3:] == [
        Send(b"+OK\r\nTOP\r\nUIDL\r\nUSER\r\n.\r\n"),
        Send(b"+OK\r\n1 99\r\n.\r\n"),
    ]


def test_sasl_exchange_is_the_scripts() -> None:
    """A SASL response is heard by the script, and never shown."""
    server = playing(
        "S: +OK\nC: AUTH PLAIN\nS: + \nC: {resp:base64}\nS: +OK in\n"
        "C: STAT\nS: +OK 7 7\nC: QUIT\nS: +OK\n"
    )

    actions = said(server, b"AUTH PLAIN", b"AGFsaWNlAHNlY3JldA==", b"STAT", b"QUIT")

    assert actions[1:4] == [Send(b"+ \r\n"), Send(b"+OK in\r\n"), Send(b"+OK 7 7\r\n")]
    assert server.broken_expectations() == []
    assert "AGFsaWNlAHNlY3JldA" not in server.transcript()


@pytest.mark.parametrize(
    "script",
    ["S: +OK\nC: USER {user}\nS: +OK\nC: PASS right\nS: +OK\n",
     "S: +OK\nC: USER {user}\nS: +OK\nC: STAT\nS: +OK 0 0\n"],
)  # fmt: skip
def test_another_password_is_not_repeated(script: str) -> None:
    """A password that is not the script's appears in no fault and in no transcript."""
    server = playing(script)

    said(server, b"USER alice", b"PASS hunter2")

    assert server.broken_expectations()
    assert "hunter2" not in str(server.broken_expectations()) + server.transcript()

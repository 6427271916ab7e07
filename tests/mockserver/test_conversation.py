"""Exact conversations: what the mock says, what it binds, and what it tells of a near miss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop3mock import MockServer, _conversation
from pop3mock._actions import End, Hold, Send, StartTLS
from pop3scenarios import likeness, loads, parse_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    from pop3mock._actions import Action
    from pop3mock._session import Session

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
    assert isinstance(actions[0].data, bytes)
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
        (
            "#1 unexpected NOOP: expected C: STAT (step 5 of 7);"
            " the command is 'NOOP', not 'STAT' (<string>:17)"
        )
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

    assert server.broken_expectations() == [
        "#1 unexpected CAPA: the script is over; this is C: CAPA, step 2 (<string>:9), again"
    ]


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


# Near misses

LONG = """
S: +OK
C: USER {user}
S: +OK
C: PASS {password}
S: +OK
C: CAPA
S: +OK
S: .
C: UIDL 1
S: +OK 1 {uid}
C: RETR 1
S: +OK
<message 1>
S: .
C: RETR 2
S: -ERR
C: QUIT
S: +OK
"""
LOGIN = (b"USER alice", b"PASS secret")
CAPA, UIDL, RETR_1, RETR_2, QUIT = b"CAPA", b"UIDL 1", b"RETR 1", b"RETR 2", b"QUIT"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (
            (CAPA, UIDL, RETR_1, b"RETR 3", QUIT),
            (
                "unexpected RETR 3: expected C: RETR 2 (step 7 of 8);"
                " argument 1 is '3', not '2' (<string>:22)"
            ),
        ),
        (
            (CAPA, UIDL, RETR_1, b"RETR two", QUIT),
            (
                "unexpected RETR two: expected C: RETR 2 (step 7 of 8);"
                " argument 1 is 'two', not '2' (<string>:22)"
            ),
        ),
        (
            (RETR_1, RETR_2, QUIT),
            (
                "unexpected RETR 1: expected C: CAPA (step 4 of 8); this is C: RETR 1, step 6"
                " (<string>:18), too early; 2 exchanges were left out: CAPA, UIDL 1 (<string>:13)"
            ),
        ),
        (
            (CAPA, RETR_1, RETR_2, QUIT),
            (
                "unexpected RETR 1: expected C: UIDL 1 (step 5 of 8); this is C: RETR 1, step 6"
                " (<string>:18), too early; 1 exchange was left out: UIDL 1 (<string>:16)"
            ),
        ),
        (
            (CAPA, UIDL, RETR_1, RETR_1, RETR_2, QUIT),
            (
                "unexpected RETR 1: expected C: RETR 2 (step 7 of 8); this is C: RETR 1, step 6"
                " (<string>:18), again (<string>:22)"
            ),
        ),
        (
            (CAPA, UIDL, RETR_1, RETR_2, b"NOOP", QUIT),
            (
                "unexpected NOOP: expected C: QUIT (step 8 of 8);"
                " the command is 'NOOP', not 'QUIT' (<string>:24)"
            ),
        ),
        (
            (CAPA, UIDL, RETR_1, b"", RETR_2, QUIT),
            (
                "unexpected empty line: expected C: RETR 2 (step 7 of 8);"
                " the command is '', not 'RETR' (<string>:22)"
            ),
        ),
        (
            (CAPA, UIDL, RETR_1, RETR_2, QUIT[:-1]),
            (
                "unexpected QUI: expected C: QUIT (step 8 of 8);"
                " the command is 'QUI', not 'QUIT' (<string>:24)"
            ),
        ),
    ],
)
def test_one_departure_is_one_fault(lines: tuple[bytes, ...], fault: str) -> None:
    """Altered, left out, too early, doubled, put in: one fault each, and the rest is judged on."""
    server = playing(LONG)

    said(server, *LOGIN, *lines)

    assert server.broken_expectations() == [f"#1 {fault}"]


def test_what_comes_too_late_is_told() -> None:
    """Of two exchanged lines the first came too early, and the second too late."""
    server = playing(LONG)

    said(server, *LOGIN, UIDL, CAPA, RETR_1, RETR_2, QUIT)

    assert [fault.split("; ")[1] for fault in server.broken_expectations()] == [
        "this is C: UIDL 1, step 5 (<string>:16), too early"
    ]


def test_late_after_the_script_went_on() -> None:
    """An exchange that was left out long ago is too late."""
    server = playing(LONG)

    said(server, *LOGIN, UIDL, RETR_1, CAPA, RETR_2, QUIT)

    assert "this is C: CAPA, step 4 (<string>:13), too late" in server.broken_expectations()[1]


def test_after_a_departure_the_conversation_goes_on() -> None:
    """The answers behind a line that was altered are the script's again."""
    server = playing("S: +OK\nC: NOOP\nS: +OK one\nC: RSET\nS: +OK two\nC: QUIT\nS: +OK three")

    actions = said(server, b"NOPE", b"RSET", b"QUIT")

    assert actions[2:] == [Send(b"+OK two\r\n"), Send(b"+OK three\r\n"), End("close")]


def test_bound_hole_is_told_with_its_line() -> None:
    """Where a hole disagrees, the line is told on which it was bound, also by the server."""
    server = playing("S: +OK {word=x}\nC: UIDL {uid}\nS: +OK\nC: LIST {word} {uid}\nS: +OK")

    said(server, b"UIDL a", b"LIST x b")

    assert server.broken_expectations()[0].endswith(
        "argument 2 is 'b', not 'a' ({uid} was bound to 'a' on line 9) (<string>:11)"
    )


def test_hole_bound_by_the_server_is_told_too() -> None:
    """A client that does not use what it was told learns where it was told."""
    server = playing("S: +OK\nC: UIDL 1\nS: +OK 1 {key=abc}\nC: XKEY {key}\nS: +OK")

    said(server, b"UIDL 1", b"XKEY abd")

    assert "({key} was bound to 'abc' on line 10)" in server.broken_expectations()[0]


@pytest.mark.parametrize(
    ("script", "lines", "why"),
    [
        ("C: PASS letmein", [b"PASS hunter2"], ("expected C: PASS **** (step 2 of 2);"
         " its secret is another one")),
        ("C: PASS letmein", [b"STAT"], ("expected C: PASS **** (step 2 of 2);"
         " the command is 'STAT', not 'PASS'")),
        ("C: APOP alice letmein", [b"APOP bob hunter2"], "argument 1 is 'bob', not 'alice'"),
        ("C: STAT", [b"AUTH PLAIN hunter2"], "the command is 'AUTH', not 'STAT'"),
        ("C: AUTH PLAIN\nS: + \nC: letmein\nS: -ERR", [b"AUTH PLAIN", b"hunter2"],
         "expected C: (SASL response) (step 3 of 3); another response came"),
        ("C: AUTH PLAIN\nS: + \nC: letmein\nS: -ERR\nC: QUIT\nS: +OK", [b"AUTH PLAIN", b"letmein",
         b"AUTH PLAIN hunter2"], "the command is 'AUTH', not 'QUIT'"),
        ("C: PASS letmein\nS: +OK\nC: NOOP", [b"NOOP"], "left out: PASS ****"),
    ],
)  # fmt: skip
def test_no_fault_tells_a_secret(script: str, lines: list[bytes], why: str) -> None:
    """Neither the secret that came nor the one that the script has is told."""
    server = playing(f"S: +OK\n{script}")

    said(server, *lines)

    told = "\n".join(server.broken_expectations())
    assert why in told
    assert "hunter2" not in told
    assert "letmein" not in told


def test_nearest_rule_is_the_one_most_like() -> None:
    """Without a script a strange command is held against all rules, whatever their order."""
    rules = "rules:\n  - {when: DELE 1, error: no}\n  - {when: RETR 2, error: no}\n"
    server = MockServer(loads(HEAD + rules))

    said(server, b"RTER 2")

    assert server.broken_expectations() == [
        (
            "#1 unexpected RTER 2: there is no such command;"
            " nearest rule talk:6: the command is 'RTER', not 'RETR' (<string>:6)"
        )
    ]


# Repetition


LOOP = """
S: +OK
C: USER {user}
S: +OK
C: PASS {password}
S: +OK
C*: LIST {n}
S: +OK {n} {size:int=7}
C*: DELE {n}
S: +OK
C: QUIT
S: +OK
"""


@pytest.mark.parametrize(
    "lines",
    [[], [b"LIST 1"], [b"LIST 1", b"DELE 1", b"LIST 2", b"DELE 2"], [b"DELE 2", b"LIST 1"]],
)
def test_repeated_exchanges(lines: list[bytes]) -> None:
    """``C*:`` exchanges that stand together come as often and in the order that a client likes."""
    server = playing(LOOP)

    actions = said(server, *LOGIN, *lines, b"QUIT")

    assert len(actions) == 5 + len(lines)
    assert server.broken_expectations() == []


def test_holes_of_a_repeated_exchange_are_bound_afresh() -> None:
    """Each time is a first time; what was bound before the loop holds in it."""
    server = playing("S: +OK\nC: X {a}\nS: +OK\nC*: Y {a} {b}\nS: +OK {b}\nC: Z {b}\nS: +OK")

    actions = said(server, b"X 1", b"Y 1 2", b"Y 1 3", b"Z 4")
    said(server, b"X 1", b"Y 2 2", b"Z 4")

    assert actions[2:4] == [Send(b"+OK 2\r\n"), Send(b"+OK 3\r\n")]
    assert server.broken_expectations() == [
        (
            "#2 unexpected Y 2 2: expected C: Y {a} {b} (step 3 of 4); argument 1 is '2', not '1'"
            " ({a} was bound to '1' on line 9) (<string>:11)"
        )
    ]


# Several connections

TWO = """
[A] S: +OK a
[A] C: USER {user}
[A] S: +OK
[A] C: PASS {password}
[A] S: +OK {uid=first}
[B] S: +OK b
[B] C: USER {user}
[B] S: +OK
[B] C: PASS {password}
[B] S: -ERR locked
[A] C: QUIT
[A] S: +OK
[B] C: STAT
[B] S: +OK {uid}
"""


def feed(session: Session, *lines: bytes) -> list[Action]:
    """The actions of a session that is fed with lines."""
    return [action for line in lines for action in session.receive(line + b"\r\n")]


def test_two_connections() -> None:
    """The first to come is the first that is named; holes hold the same on both."""
    server = playing(TWO)
    a, b = server.session(), server.session()

    first = [*a.connected(), *feed(a, *LOGIN)]
    second = [*b.connected(), *feed(b, *LOGIN)]
    first += feed(a, b"QUIT")
    second += feed(b, b"STAT")
    a.lost()
    b.lost()

    assert [action.data for action in first if isinstance(action, Send)] == [
        b"+OK a\r\n", b"+OK\r\n", b"+OK first\r\n", b"+OK\r\n"
    ]  # fmt: skip
    assert [action.data for action in second if isinstance(action, Send)] == [
        b"+OK b\r\n", b"+OK\r\n", b"-ERR locked\r\n", b"+OK first\r\n"
    ]  # fmt: skip
    assert server.broken_expectations() == []


def test_who_is_early_is_held() -> None:
    """What stands behind another connection's exchange is said when that has happened."""
    server = playing(TWO)
    a, b = server.session(), server.session()
    woken: list[str] = []
    b.wake = lambda: woken.append("b")
    a.connected()

    held = b.connected()
    early = feed(b, b"USER alice")
    feed(a, *LOGIN)
    resumed = b.resume()

    assert (held, early) == ([Hold(_conversation.PATIENCE)], [])
    assert woken == ["b", "b"]
    assert resumed == [Send(b"+OK b\r\n"), Send(b"+OK\r\n")]


def test_who_is_early_for_too_long() -> None:
    """Once the patience is over, what was held is answered by the script, and is a fault."""
    server = playing(TWO)
    a, b = server.session(), server.session()
    a.connected()
    b.connected()

    answered = b.give_up()
    feed(a, *LOGIN)
    feed(b, *LOGIN)
    feed(a, b"QUIT")
    feed(b, b"STAT")
    a.lost()
    b.lost()

    assert answered == [Send(b"+OK b\r\n")]
    assert server.broken_expectations() == [
        (
            "#2 too early: [B] S: +OK b has to wait for [A] C: USER {user} (<string>:9),"
            " which did not come (<string>:13)"
        )
    ]
    assert b.give_up() == []


def test_nobody_waits_for_a_secret_by_name() -> None:
    """A password that the script writes out is told neither by who waits nor by who goes."""
    server = playing("[A] S: +OK\n[A] C: PASS letmein\n[A] S: +OK\n[B] S: +OK\n[B] C: QUIT")
    a, b = server.session(), server.session()
    a.connected()
    b.connected()

    b.give_up()
    a.lost()

    told = "\n".join([*server.broken_expectations(), server.transcript()])
    assert told.count("[A] C: PASS ****") == 3
    assert "letmein" not in told


def test_answer_that_is_owed() -> None:
    """An answer can stand behind another connection's exchange; the command then takes effect."""
    server = playing("""
[A] S: +OK
[B] S: +OK
[B] C: USER {user}
[B] S: +OK
[B] C: PASS {password}
[A] C: NOOP
[A] S: +OK
[B] S: +OK in
[B] C: STAT
[B] S: ...
""")
    a, b = server.session(), server.session()
    a.connected()
    b.connected()

    held = feed(b, *LOGIN)[1:]
    still = b.resume()
    feed(a, b"NOOP")
    answered = b.resume()
    feed(b, b"STAT")
    a.lost()
    b.lost()

    assert held == still == [Hold(_conversation.PATIENCE)]
    assert answered == [Send(b"+OK in\r\n")]
    assert server.broken_expectations() == []
    assert server.journal.connection(2).user == "alice"


def test_connection_that_never_comes() -> None:
    """What a connection had to do that nobody opened is told, with the first of it."""
    server = playing(TWO)
    a = server.session()
    a.connected()

    feed(a, *LOGIN)

    assert server.broken_expectations() == [
        "script not finished: the connection never came; due is [B] S: +OK b (<string>:13)"
    ]
    assert playing(TWO).broken_expectations() == []


def test_one_connection_too_many() -> None:
    """A third connection is a fault, and is served as by any correct server."""
    server = playing(TWO)
    sessions = [server.session() for _ in range(3)]
    for session in sessions:
        session.connected()

    answers = feed(sessions[2], b"STAT")
    sessions[2].lost()

    assert [type(answer) for answer in answers] == [Send]
    assert server.broken_expectations() == [
        "#3 one connection too many: the script has only [A], [B] (<string>:8)"
    ]


def test_connection_that_goes_away_before_its_steps() -> None:
    """It is told what it left out and what it waited for; the others do not wait for it."""
    server = playing(TWO)
    a, b = server.session(), server.session()
    a.connected()
    b.connected()

    b.lost()
    feed(a, *LOGIN, b"QUIT")
    a.lost()

    assert server.broken_expectations() == [
        (
            "#2 script not finished: the client went away before [B] S: +OK b;"
            " [A] C: USER {user} (<string>:9) has to come first (<string>:13)"
        )
    ]


def test_line_of_the_other_connection() -> None:
    """A line that another connection was to say is told as that."""
    server = playing("[A] S: +OK\n[B] S: +OK\n[A] C: NOOP\n[A] S: +OK\n[B] C: RSET\n[B] S: +OK")
    a, b = server.session(), server.session()
    a.connected()
    b.connected()

    feed(a, b"RSET")

    assert server.broken_expectations() == [
        (
            "#1 unexpected RSET: expected [A] C: NOOP (step 3 of 4);"
            " this is [B] C: RSET, step 4 (<string>:12) (<string>:10)"
        )
    ]


LEAVING = """
[A] S: +OK
[A] C: USER {user}
[A] S: +OK
[B] S: +OK
[A] C: <close>
[B] C: USER {user}
[B] S: +OK
"""


def test_client_that_is_to_go_away() -> None:
    """``C: <close>`` is met by going away, and others go on behind it."""
    server = playing(LEAVING)
    a, b = server.session(), server.session()
    a.connected()
    feed(a, b"USER alice")
    b.connected()

    held = feed(b, b"USER alice")
    a.lost()
    answered = b.resume()
    b.lost()

    assert (held, answered) == ([Hold(_conversation.PATIENCE)], [Send(b"+OK\r\n")])
    assert server.broken_expectations() == []


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([b"USER alice"], ("#1 script not finished: the client went away before [A] C: <close>;"
         " [B] S: +OK (<string>:11) has to come first (<string>:12)")),
        ([], "#1 script not finished: the client went away before [A] C: USER {user} (<string>:9)"),
        ([b"USER alice", b"QUIT"], ("#1 unexpected QUIT: expected [A] C: <close> (step 4 of 5);"
         " the client was to go away without a word (<string>:12)")),
    ],
)  # fmt: skip
def test_client_that_does_not_go_away_as_it_should(lines: list[bytes], fault: str) -> None:
    """Too early, before its steps, or with a word: one fault each."""
    server = playing(LEAVING)
    a = server.session()
    a.connected()

    feed(a, *lines)
    a.lost()

    assert server.broken_expectations()[0] == fault


def test_two_connections_over_sockets(raw: Callable[[MockServer], RawClient]) -> None:
    """The shell holds what is early, and lets it go when the other connection has gone on."""
    with playing(TWO) as server:
        a = raw(server)
        assert a.line() == b"+OK a\r\n"
        b = raw(server)
        b.send(b"USER alice\r\nPASS secret\r\n")
        a.send(b"USER alice\r\nPASS secret\r\n")

        said = [b.line() for _ in range(3)]
        b.send(b"STAT\r\n")
        a.send(b"QUIT\r\n")
        said.append(b.line())
        server.verify()

    assert said == [b"+OK b\r\n", b"+OK\r\n", b"-ERR locked\r\n", b"+OK first\r\n"]


@pytest.mark.parametrize(("server", "seconds"), [("", 1.0), ("server: {patience: 20ms}\n", 0.02)])
def test_patience(server: str, seconds: float) -> None:
    """Who is early waits for a second, which no client takes for the end, or as the file says."""
    two = playing(TWO, server)
    two.session().connected()

    held = two.session().connected()

    assert held == [Hold(seconds)]


def test_patience_over_sockets(raw: Callable[[MockServer], RawClient]) -> None:
    """The wait for another connection is bounded."""
    with playing(TWO, "server: {patience: 10ms}\n") as server:
        raw(server).line()

        greeting = raw(server).line()
        faults = server.broken_expectations()

    assert greeting == b"+OK b\r\n"
    assert [fault.partition(":")[0] for fault in faults] == ["#2 too early"]


# Any script

KEYWORDS = ("STAT", "NOOP", "RSET", "LIST", "UIDL", "RETR", "XTND")


@dataclass(frozen=True)
class Line:
    """One client's line of a random script, with what a client says there."""

    mark: str
    template: str
    says: str


@st.composite
def client_lines(draw: st.DrawFn) -> Line:
    """A line with a keyword, and arguments that are written or are holes."""
    mark = draw(st.sampled_from(["C", "C", "C", "C?", "C*"]))
    words, said = [draw(st.sampled_from(KEYWORDS))], []
    for argument in draw(st.lists(st.integers(1, 9), max_size=2)):
        # Each number has its own hole, so that what a hole holds always agrees.
        words.append(draw(st.sampled_from([str(argument), f"{{h{argument}:int}}"])))
        said.append(str(argument))
    return Line(mark, " ".join(words), " ".join([words[0], *said]))


def scripts() -> st.SearchStrategy[list[Line]]:
    """Lines of a script in which none could be meant for an exchange that need not come."""
    return st.lists(client_lines(), min_size=1, max_size=8).filter(is_plain)


def is_plain(lines: list[Line]) -> bool:
    """Whether each line can be meant for one exchange only: else the first of them is taken."""
    optional = [
        (at, parse_line(line.template)) for at, line in enumerate(lines) if line.mark != "C"
    ]
    return not any(
        template.match(line.says, {}) is not None
        for at, template in optional
        for other, line in enumerate(lines)
        if other != at
    )


def as_script(lines: list[Line]) -> str:
    """A script of these lines, each of which the server answers +OK."""
    return "S: +OK\n" + "".join(f"{line.mark}: {line.template}\nS: +OK\n" for line in lines)


@given(scripts())
def test_who_keeps_to_a_script_is_never_at_fault(lines: list[Line]) -> None:
    """Whatever the script, a client that says its lines as they are written has no fault."""
    server = playing(as_script(lines))

    said(server, *(line.says.encode() for line in lines))

    assert server.broken_expectations() == []


@given(scripts())
def test_who_leaves_out_what_is_optional_is_never_at_fault(lines: list[Line]) -> None:
    """Exchanges ``C?:`` and ``C*:`` need not come."""
    server = playing(as_script(lines))

    said(server, *(line.says.encode() for line in lines if line.mark == "C"))

    assert server.broken_expectations() == []


@given(st.data(), scripts())
def test_one_altered_line_is_one_fault(data: st.DataObject, lines: list[Line]) -> None:
    """Whatever line is altered, there is one fault, and it names the line that was to come.

    Or a later one, to which the altered line is nearer.
    """
    at = data.draw(st.integers(0, len(lines) - 1))
    says = [line.says.encode() for line in lines]
    says[at] += data.draw(st.sampled_from([b"X", b" X", b" 77 X"]))
    server = playing(as_script(lines))

    said(server, *says)

    (fault,) = server.broken_expectations()
    must_come = next((i for i in range(at, len(lines)) if lines[i].mark == "C"), len(lines) - 1)
    near = [likeness(parse_line(line.template), says[at].decode(), {}) for line in lines]
    named = [i for i in range(len(lines)) if f"<string>:{9 + 2 * i})" in fault]
    assert any(i <= must_come or near[i] > near[must_come] for i in named)


@given(st.data(), scripts())
def test_one_altered_line_of_a_plain_script_is_named(
    data: st.DataObject, lines: list[Line]
) -> None:
    """Where every line must come, the fault names exactly the one that was altered."""
    lines = [replace(line, mark="C") for line in lines]
    at = data.draw(st.integers(0, len(lines) - 1))
    says = [line.says.encode() for line in lines]
    says[at] = data.draw(st.sampled_from([says[at] + b"X", says[at] + b" X", b"ODD", b""]))
    server = playing(as_script(lines))

    said(server, *says)

    (fault,) = server.broken_expectations()
    assert fault.endswith(f"(<string>:{9 + 2 * at})")


@given(st.data(), st.lists(client_lines(), min_size=2, max_size=8).filter(is_plain))
def test_one_line_left_out_is_one_fault(data: st.DataObject, lines: list[Line]) -> None:
    """A line that does not come is one fault, unless nothing follows it but its like."""
    lines = [Line("C", f"{line.template} {i + 10}", f"{line.says} {i + 10}")
             for i, line in enumerate(lines)]  # fmt: skip
    at = data.draw(st.integers(0, len(lines) - 1))
    server = playing(as_script(lines))

    said(server, *(line.says.encode() for i, line in enumerate(lines) if i != at))

    (fault,) = server.broken_expectations()
    assert fault.endswith(f"(<string>:{9 + 2 * at})")


@given(
    st.data(),
    st.lists(st.tuples(st.sampled_from("AB"), client_lines()), max_size=8).filter(
        lambda lines: is_plain([line for _, line in lines])
    ),
)
def test_connections_in_any_timing_keep_to_a_script(
    data: st.DataObject, lines: list[tuple[str, Line]]
) -> None:
    """However early a connection speaks, it is held until its turn, and nobody is at fault."""
    script = "[A] S: +OK\n[B] S: +OK\n" + "".join(
        f"[{name}] {line.mark}: {line.template}\n[{name}] S: +OK\n" for name, line in lines
    )
    server = playing(script)
    sessions = {name: server.session() for name in "AB"}
    answers = {name: list(session.connected()) for name, session in sessions.items()}
    rest = {name: [line.says for who, line in lines if who == name] for name in "AB"}

    while any(rest.values()):
        name = data.draw(st.sampled_from([name for name in "AB" if rest[name]]))
        answers[name] += feed(sessions[name], rest[name].pop(0).encode())
        for other in "ABABABABABABABAB":
            answers[other] += sessions[other].resume()
    for session in sessions.values():
        session.lost()

    assert server.broken_expectations() == []
    for name in "AB":
        sent = [action for action in answers[name] if isinstance(action, Send)]
        assert len(sent) == 1 + sum(who == name for who, _ in lines)


# What is easily got wrong


def test_altered_line_that_is_nearer_to_an_optional_one() -> None:
    """It may have been meant for the one that must come all the same: still one fault."""
    server = playing("S: +OK\nC?: LIST 1\nS: +OK\nC: LIST 3\nS: +OK\nC: QUIT\nS: +OK")

    said(server, b"LIST 2", b"QUIT")

    assert len(server.broken_expectations()) == 1


def test_line_is_not_mistaken_for_a_response() -> None:
    """Almost any line has the form of a SASL response: that says nothing of what was meant."""
    server = playing("S: +OK\nC: AUTH PLAIN\nS: + \nC: {resp:base64}\nS: -ERR")

    said(server, b"NOOP")

    assert server.broken_expectations()[0].endswith(
        "expected C: AUTH PLAIN (step 2 of 3); the command is 'NOOP', not 'AUTH' (<string>:9)"
    )


def test_password_that_is_bound_is_not_told() -> None:
    """A command of the script's own that repeats the password does not betray it."""
    server = playing(
        "S: +OK\nC: USER {user}\nS: +OK\nC: PASS {password}\nS: +OK\nC: XAUTH {password}\nS: +OK"
    )

    said(server, *LOGIN, b"XAUTH other")

    assert "XAUTH" in server.broken_expectations()[0]
    assert "'secret'" not in server.broken_expectations()[0]


OWED = """
[A] S: +OK
[B] S: +OK
[A] C: STAT
[B] C: NOOP
[B] S: +OK
[A] S: +OK 0 0
[A] C: QUIT
[A] S: +OK
"""


def test_altered_line_whose_answer_is_owed() -> None:
    """The answer is left out with its command, and nobody waits for either."""
    server = playing(OWED)
    a, b = server.session(), server.session()
    a.connected()
    b.connected()

    feed(a, b"STATE")
    feed(b, b"NOOP")
    feed(a, b"QUIT")
    a.lost()
    b.lost()

    assert len(server.broken_expectations()) == 1


def test_nobody_is_held_without_need() -> None:
    """Where a line may be one of two, it is the one that need not wait."""
    server = playing(
        "[A] S: +OK\n[B] S: +OK\n[A] C: NOOP\n[A] S: +OK\n[B] C: RSET\n[B] S: +OK\n"
        "[A] C: NOOP\n[A] S: +OK"
    )
    a, b = server.session(), server.session()
    a.connected()
    b.connected()

    feed(a, b"NOOPX")
    answers = feed(a, b"NOOP")

    assert answers == [Send(b"+OK\r\n")]


def test_who_goes_away_wakes_the_others(raw: Callable[[MockServer], RawClient]) -> None:
    """What was held for a client that goes away is answered as soon as it has gone."""
    with playing(LEAVING) as server:
        a = raw(server)
        a.line()
        a.ask(b"USER alice")
        b = raw(server)
        b.line()
        b.send(b"USER alice\r\n")
        server.settle()

        a.close()
        answer = b.line()
        b.close()
        server.wait_closed()
        server.verify()

    assert answer == b"+OK\r\n"

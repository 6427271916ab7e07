"""Servers that send anything at all: the same outcome in any segmentation, and never a hang."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pop3client

PIECES = st.sampled_from(
    [
        b"+OK",
        b"-ERR",
        b" ",
        b"\r\n",
        b"\n",
        b"\r",
        b".",
        b"..",
        b"1",
        b"99",
        b"-",
        b"x",
        b"\0",
        b"\xff",
        b"\r\n.\r\n",
        b"+OK 1 2\r\n",
        b"+OK\r\n",
        b"-ERR [IN-USE] no\r\n",
        b"octets",
        b"[",
        b"]",
    ]
)
ANSWER = st.lists(PIECES, max_size=12).map(b"".join)
CALLS = {
    "STAT": lambda c: c.stat(),
    "LIST": lambda c: c.list(),
    "UIDL": lambda c: c.uidl(),
    "UIDL 1": lambda c: c.uidl(1),
    "CAPA": lambda c: c.capa(),
    "RETR 1": lambda c: c.retr(1),
    "TOP 1 0": lambda c: c.top(1, 0),
    "LAST": lambda c: c.last(),
    "DELE 1": lambda c: c.dele(1),
    "QUIT": lambda c: c.quit(),
}


def outcome(fake: Any, answers: dict[str, bytes], end: str, call: str, cut: int | None) -> Any:
    """What a caller sees: result or error, state, deviations and mode."""
    greeting = answers.get("greeting", b"+OK ready\r\n")
    table: dict[str, Any] = {
        key: (value, end) for key, value in answers.items() if key not in {"greeting", "STAT"}
    }
    if "STAT" in answers:
        table["STAT"] = [b"+OK 3 14\r\n", (answers["STAT"], end)]
    server = fake(table, greeting=(greeting, end) if "greeting" in answers else greeting, cut=cut)
    client = None
    try:
        client = server.client(timeout=5.0)
        client.login("alice", "secret")
        result = CALLS[call](client)
    except pop3client.OutOfStep:
        result = "out of step"  # how much of the surplus had come depends on the cut
    except pop3client.POP3Error as error:
        result = (type(error), str(error), getattr(error, "received", None))
    assert server.clock.now <= 1000 + 4 * 6.0
    state = client._session.state if client else None
    return result, state, client and client.deviations, client and client.config.retr_mode


@settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    answer=ANSWER,
    call=st.sampled_from(sorted(CALLS)),
    at=st.sampled_from(["call", "greeting", "PASS"]),
    end=st.sampled_from(["<close>", "<hang>", "<reset>"]),
    cut=st.integers(1, 9),
)
def test_any_server(fake: Any, answer: bytes, call: str, at: str, end: str, cut: int) -> None:
    """Random octets give the same result, or the same typed error, in any segmentation."""
    answers = {call if at == "call" else at: answer}

    whole = outcome(fake, answers, end, call, None)

    assert outcome(fake, answers, end, call, cut) == whole
    assert outcome(fake, answers, end, call, 1) == whole

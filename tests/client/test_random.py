"""Servers that send anything at all: the same outcome in any segmentation, and never a hang."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pop3client

pytestmark = pytest.mark.once

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
        b"+",
        b"+ ",
        b"+ eA==\r\n",
        b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n",
        b"+ cj1hLHM9UVVKRCxpPTQwOTY=\r\n",
    ]
)
ANSWER = st.lists(PIECES, max_size=12).map(b"".join)
CALLS: dict[str, Any] = {
    "STAT": lambda c: c.stat(),
    "LIST": lambda c: c.list(),
    "UIDL": lambda c: c.uidl(),
    "UIDL 1": lambda c: c.uidl(1),
    "CAPA": lambda c: c.capa(),
    "RETR 1": lambda c: c.retr(1),
    "TOP 1 0": lambda c: c.top(1, 0),
    "LAST": lambda c: c.last(),
    "RETR 2": lambda c: list(c.messages(on_error=lambda *_: None)),
    "RETR 3": lambda c: b"".join(c.iter_retr(3)),
    # These three send their second and third command at once.
    "RETR 2 ": lambda c: c.retrieve("start", "end", on_error=lambda *_: None),
    "DELE 2": lambda c: c.delete("start", "end"),
    "UIDL 2": lambda c: c.uidl([1, 2, 3], on_error=lambda *_: None),
    "TOP 1 0 ": lambda c: c.supports("TOP"),
    "UTF8": lambda c: c.utf8(),
    "LANG": lambda c: c.lang(),
    "LANG de": lambda c: c.lang("de"),
    "XTND": lambda c: c.command("XTND", multiline=True),
    "AUTH PLAIN": lambda c: c.login("alice", "secret", "PLAIN"),
    "AUTH LOGIN": lambda c: c.login("alice", "secret", "LOGIN"),
    "AUTH CRAM-MD5": lambda c: c.login("alice", "secret", "CRAM-MD5"),
    "AUTH SCRAM-SHA-1": lambda c: c.login("alice", "secret", "SCRAM-SHA-1"),
    "AUTH XOAUTH2": lambda c: c.authenticate(pop3client.XOAuth2("alice", "token")),
    "AUTH OAUTHBEARER": lambda c: c.authenticate(pop3client.OAuthBearer("alice", "token")),
    "AUTH": lambda c: c.login("alice", "secret"),
    "DELE 1": lambda c: c.dele(1),
    "QUIT": lambda c: c.quit(),
}


BEFORE_LOGIN = ("AUTH", "UTF8", "LANG")


class Exchanges(dict[str, Any]):
    """The same answer to every line, whatever the mechanism."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get(self, _name: object, _default: object = None) -> Any:
        """A server that always says the same."""
        return self._always

    def _always(self, _line: str) -> Any:
        while True:
            yield self._answer


def outcome(fake: Any, answers: dict[str, bytes], end: str, call: str, cut: int | None) -> Any:
    """What a caller sees: result or error, state, deviations and mode."""
    greeting = answers.get("greeting", b"+OK ready\r\n")
    table: dict[str, Any] = {
        key.strip(): (value, end)
        for key, value in answers.items()
        if key not in {"greeting", "STAT"}
    }
    if "STAT" in answers:
        table["STAT"] = [b"+OK 3 14\r\n", (answers["STAT"], end)]
    offered = b"+OK\r\nUTF8\r\nLANG\r\nSASL PLAIN LOGIN SCRAM-SHA-1\r\n.\r\n"
    server = fake(
        {
            "UIDL 1": b"+OK 1 a\r\n",
            "UIDL 3": b"+OK 3 c\r\n",
            "CAPA": offered,
            "UTF8": b"+OK\r\n",
            "LANG": b"+OK\r\n.\r\n",
            "XTND": b"-ERR\r\n",
        }
        | table,
        greeting=(greeting, end) if "greeting" in answers else greeting,
        cut=cut,
    )
    if call.startswith("AUTH"):
        server.exchanges = Exchanges((answers.get(call, b"-ERR [AUTH]\r\n"), end))
    client = None
    try:
        client = server.client(timeout=5.0, pipelining=True)
        if not call.startswith(BEFORE_LOGIN):
            client.login("alice", "secret", "USER")
        result = CALLS[call](client)
    except pop3client.OutOfStep:
        result = "out of step"  # how much of the surplus had come depends on the cut
    except pop3client.POP3Error as error:
        done = error.retrieved, error.marked, error.listed
        result = (type(error), str(error), getattr(error, "received", None), *done)
        if "expected to send" in str(error):
            result = result[:2]  # so does what had come when the connection broke under a send
    assert server.clock.now <= 1000 + 8 * 6.0
    state = client._session.state if client else None
    config = client and client.config
    return (
        result,
        state,
        client and client.deviations,
        config and (config.retr_mode, config.pipelining),
    )


@settings(
    max_examples=600,
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

"""Where a connection stands that is still up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

HEAD = "pop3: 1\nname: test\nsummary: test\n"

STANDS = {
    "next-command": (b"", "", "the greeting was given: the server waits for the client's next"),
    "partial": (b"CAPA", "", "the client has sent 'CAPA' and no line end: the server waits for"),
    "partial-secret": (b"PASS sesame", "", "the client has sent 'PASS ****' and no line end"),
    "partial-response": (
        b"AUTH PLAIN\r\nc2Vz",
        "server: {capabilities: [SASL PLAIN]}",
        "the client has sent '(SASL response)' and no line end",
    ),
    "hang": (
        b"NOOP\r\n",
        "rules: [{when: NOOP, reply: '+OK <hang>', then: hang}]",
        "the server hangs in the answer to NOOP (<string>:4)",
    ),
    "hang-at-once": (
        b"NOOP\r\n",
        "rules: [{when: NOOP, cut: 0, then: hang}]",
        "the server hangs before the answer to NOOP (<string>:4): the client waits for it",
    ),
    "hang-in-greeting": (
        b"",
        "rules: [{when: greeting, cut: 2, then: hang}]",
        "the server hangs in the greeting (<string>:4), 2 octets into it",
    ),
    "half-close": (
        b"NOOP\r\n",
        "rules: [{when: NOOP, reply: +OK, then: half-close}]",
        "the server has ended its side behind the answer to NOOP (<string>:4)",
    ),
    "delay": (
        b"NOOP\r\n",
        "rules: [{when: NOOP, delay: 100s}]",
        "the server takes its time over the answer to NOOP (<string>:4)",
    ),
    "handshake": (b"STLS\r\n", "", "the TLS handshake is not finished: the server waits for the"),
    "handshake-hangs": (
        b"STLS\r\n",
        "tls: {handshake: hang}",
        "the server hangs in the TLS handshake: the client waits for the server's part",
    ),
    "held": (
        b"NOOP\r\n",
        "script: |\n  [A] S: +OK\n  [B] S: +OK\n  [B] C: CAPA\n  [A] C: NOOP\n  [A] S: +OK\n",
        "the server holds what it has to say until another connection does [B]",
    ),
}


@pytest.mark.parametrize(("octets", "rules", "step"), STANDS.values(), ids=STANDS)
def test_step(raw: Raw, octets: bytes, rules: str, step: str) -> None:
    """It is told who waits, at which step, and what for."""
    with MockServer(loads(HEAD + rules)) as server:
        raw(server).send(octets)
        server.settle()

        stalls = server.stalls()

    assert [stall[: len(step) + 3] for stall in stalls] == [f"#1 {step}"]
    assert "; nothing has happened for " in stalls[0]
    assert f"-- released, since the server stops: {step}" in server.transcript()
    assert "sesame" not in server.transcript()


def test_client_that_does_not_read(raw: Raw) -> None:
    """A client that reads nothing of a large answer is told so."""
    with MockServer(loads(f"{HEAD}maildrop: [{{octets: 50000000}}]")) as server:
        client = raw(server)
        client.login()
        client.send(b"RETR 1\r\n")
        server.wait_for("RETR")
        server.settle()

        assert "#1 the client does not read the answer to RETR 1" in server.stalls()[0]


def test_nobody_is_connected(raw: Raw) -> None:
    """Who has gone does not stand anywhere, and a server that is stopped has nobody."""
    with MockServer() as server:
        client = raw(server)
        client.ask(b"QUIT")
        server.wait_closed()

        assert server.stalls() == []
    assert server.stalls() == []


def test_time_out_says_where_clients_stand(raw: Raw) -> None:
    """Who waits in vain for a command, or for the end, is told where clients are."""
    with MockServer() as server:
        raw(server).send(b"CAPA")

        with pytest.raises(TimeoutError, match=r"(?s)no QUIT within .* #1 the client has"):
            server.wait_for("QUIT", timeout=0.05)
        with pytest.raises(TimeoutError, match="#1 the client has sent 'CAPA'"):
            server.wait_closed(timeout=0.05)

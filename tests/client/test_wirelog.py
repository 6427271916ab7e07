"""The log of what goes over the wire: readable, and without secrets."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest

import pop3client
from pop3client import TLS, WireLine
from pop3mock import MockServer

HIDDEN = "*****"


def session(fake: Any, answers: Any = None, **options: Any) -> list[str]:
    """What is told of a login and one message."""
    lines: list[WireLine] = []
    exchanges = options.pop("exchanges", None)
    options = {"mechanism": "USER"} | options
    server = fake(answers, exchanges=exchanges, greeting=options.pop("greeting", b"+OK hi\r\n"))
    with server.connect(wire_log=lines.append, **options) as client:
        client.retr(1)
    assert not any(line.encrypted for line in lines)
    return [f"{line.sender}: {line.text}" for line in lines]


def test_a_session(fake: Any) -> None:
    """Each line is told, with its sender; of a message only how long it is."""
    assert session(fake) == [
        "S: +OK hi",
        "C: CAPA",
        *["S: +OK", "S: TOP", "S: UIDL", "S: USER", "S: ."],
        f"C: USER {HIDDEN}",
        "S: +OK",
        f"C: PASS {HIDDEN}",
        "S: +OK",
        "C: CAPA",
        *["S: +OK", "S: TOP", "S: UIDL", "S: USER", "S: ."],
        "C: STAT",
        "S: +OK 3 17",
        "C: RETR 1",
        "S: +OK 5 octets",
        "S: (5 octets)",
        "C: QUIT",
        "S: +OK",
    ]


def test_what_a_server_echoes(fake: Any) -> None:
    """A server that repeats user and password does not put them into the log."""
    told = session(
        fake,
        {
            "USER": b"+OK alice?\r\n",
            "PASS": b"+OK alice, not secret\r\n",
            "STAT": b"+OK 3 17 of alice\r\n",
        },
    )

    assert f"S: +OK 3 17 of {HIDDEN}" in told
    assert f"S: +OK {HIDDEN}?" in told
    assert f"S: +OK {HIDDEN}, not {HIDDEN}" in told


def test_the_user_on_request(fake: Any) -> None:
    """The name of the user is shown only if that was asked for; the password never."""
    told = session(fake, {"PASS": b"+OK alice\r\n"}, log_user=True)

    assert "C: USER alice" in told
    assert "S: +OK alice" in told
    assert f"C: PASS {HIDDEN}" in told


@pytest.mark.parametrize("shown", [True, False])
def test_apop(fake: Any, shown: bool) -> None:
    """The digest of APOP is secret: whoever has it can try passwords."""
    told = session(fake, greeting=b"+OK <1@h>\r\n", mechanism="APOP", log_user=shown)

    assert (f"C: APOP alice {HIDDEN}" if shown else f"C: APOP {HIDDEN}") in told


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_sasl(fake: Any, mechanism: str) -> None:
    """Nothing of an exchange is shown but what it is: neither challenge nor response."""
    challenge = b"+ " + base64.b64encode(b"<1@h>") + b"\r\n"
    challenges = [challenge] * {"PLAIN": 0, "LOGIN": 2, "CRAM-MD5": 1}[mechanism]
    told = session(
        fake,
        mechanism=mechanism,
        exchanges={mechanism: [*challenges, b"+OK bG9nZ2VkIGlu\r\n"]},
        log_user=True,
    )

    begin = next(n for n, line in enumerate(told) if line.startswith("C: AUTH"))
    end = told.index("C: STAT")
    assert told[begin] in {f"C: AUTH {mechanism}", f"C: AUTH {mechanism} {HIDDEN}"}
    replies = {line for line in told[begin + 1 : end] if HIDDEN in line}
    assert replies <= {f"S: + {HIDDEN}", f"C: {HIDDEN}", f"S: +OK {HIDDEN}"}
    assert f"S: +OK {HIDDEN}" in replies


def test_a_cancelled_exchange(fake: Any) -> None:
    """That an exchange was cancelled is shown, and why it was refused; the token is not."""
    lines: list[WireLine] = []
    server = fake(exchanges={"CRAM-MD5": [b"+ \r\n", b"-ERR for alice: cancelled\r\n"]})

    with pytest.raises(pop3client.ChallengeError):
        server.connect(wire_log=lines.append, mechanism="CRAM-MD5")

    told = [f"{line.sender}: {line.text}" for line in lines]
    assert told[-3:] == [f"S: + {HIDDEN}", "C: *", f"S: -ERR for {HIDDEN}: cancelled"]


def test_commands_that_are_not_known(fake: Any) -> None:
    """The arguments of a command without a method may be a secret."""
    lines: list[WireLine] = []
    with fake({"XTND": b"+OK\r\n", "TOP": b"-ERR\r\n"}).connect(
        wire_log=lines.append, mechanism="USER"
    ) as client:
        client.command("XTND token")
        with pytest.raises(pop3client.CommandError):
            client.top(2, 3)

    told = [line.text for line in lines if line.sender == "C"]
    assert f"XTND {HIDDEN}" in told
    assert "TOP 2 3" in told


def test_no_control_characters(fake: Any) -> None:
    """What a server says cannot drive the terminal of who reads the log."""
    told = session(fake, greeting=b"+OK \x1b[2J\xff\r\n")

    assert told[0] == "S: +OK \\x1b[2J\\xff"


def test_logging(fake: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The same goes to the logger, if it is set to DEBUG, with the server's name."""
    with caplog.at_level(logging.DEBUG, "pop3client"):
        fake().connect(mechanism="USER").close()
    logged = [record.getMessage() for record in caplog.records if record.name == "pop3client"]
    caplog.clear()
    fake().connect(mechanism="USER").close()

    assert "localhost:110 C: CAPA" in logged
    assert f"localhost:110 C: PASS {HIDDEN}" in logged
    assert not any("secret" in line or "alice" in line for line in logged)
    assert caplog.records == []


def test_callback_raises(fake: Any) -> None:
    """What the function raises comes out, and the session is over."""
    server = fake()

    def fail(line: WireLine) -> None:
        raise LookupError(line.text)

    with pytest.raises(LookupError, match="OK"):
        server.client(wire_log=fail)

    assert server.connection.closed


@pytest.mark.parametrize("pipelining", [True, False])
def test_many(facade: Any, pipelining: bool) -> None:
    """Listings and messages are told whether they are read one by one or many at once, and TLS."""
    lines: list[WireLine] = []
    with MockServer(tls="stls") as server:
        client = facade.connect(
            server.host,
            *server.credentials,
            port=server.port,
            tls=TLS.STLS,
            ssl_context=server.client_context(),
            pipelining=pipelining,
            wire_log=lines.append,
        )
        with client:
            client.uidl()
            sizes = [message.octets for message in client.retrieve("start", "end")]
            uids = [entry.uid.decode() for entry in client.uidl()]

    told = [line.text for line in lines]
    assert [text for text in told if text.startswith("RETR ")] == [
        f"RETR {number}" for number in range(1, len(sizes) + 1)
    ]
    assert [text for text in told if text.endswith(" octets)")] == [f"({n} octets)" for n in sizes]
    assert [text.partition(" ")[2] for text in told if text.partition(" ")[2] in uids] == uids * 2
    assert lines[told.index("STLS")].encrypted is False
    assert lines[-1].encrypted is True
    assert not any("secret" in text for text in told)

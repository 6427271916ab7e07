"""The server as a test uses it: its life, its faults on the wire, what it tells afterwards."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
import time
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest

from pop3mock import BrokenExpectation, MockServer
from pop3scenarios import ScenarioError, loads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]

HEAD = "pop3: 1\nname: test\nsummary: test\n"


def playing(rules: str) -> MockServer:
    """A server that plays rules."""
    return MockServer(loads(HEAD + rules))


# Life


def test_start_and_stop(raw: Raw) -> None:
    """A started server answers; a stopped one refuses connections and may start again."""
    server = MockServer()

    server.start()
    assert raw(server).line().startswith(b"+OK ")
    server.stop()

    with pytest.raises(ConnectionRefusedError):
        raw(server)
    with server:
        assert raw(server).line().startswith(b"+OK ")


def test_stop_twice() -> None:
    """Stopping a server that is not running does nothing."""
    server = MockServer().start()

    server.stop()
    server.stop()

    assert "stopped" in repr(server)


def test_start_twice() -> None:
    """Starting a server that is running is an error that says so."""
    with MockServer() as server, pytest.raises(RuntimeError, match="running already"):
        server.start()


def test_port_taken() -> None:
    """An address that cannot be had is the caller's error, and leaves nothing running."""
    with MockServer() as server:
        other = MockServer(port=server.port)
        with pytest.raises(OSError, match="in use"):
            other.start()

    assert not any(thread.name == "pop3mock" for thread in threading.enumerate())


def test_wrong_scenario_starts_nothing() -> None:
    """A scenario that is wrong is an error before anything is started."""
    with pytest.raises(ScenarioError, match="did you mean 'gmail'"):
        MockServer("gmial")


def test_stop_ends_hangs(raw: Raw) -> None:
    """A connection that hangs ends when the server stops, and not before."""
    with playing("rules: [{when: NOOP, then: hang}]") as server:
        client = raw(server)
        client.login()
        client.ask(b"NOOP")
        client.send(b"NOOP\r\n")
        assert client.silent()

    assert client.rest() == b""


def test_no_thread_is_left() -> None:
    """The loop's thread ends with the last server."""
    with MockServer(), MockServer():
        names = [thread.name for thread in threading.enumerate()]

    assert names.count("pop3mock") == 1
    assert not any(thread.name == "pop3mock" for thread in threading.enumerate())


def test_side_by_side(raw: Raw) -> None:
    """Connections are served side by side, each in its own state."""
    with MockServer() as server:
        clients = [raw(server) for _ in range(50)]
        answers = [client.line()[:4] for client in reversed(clients)]
        logins = [clients[7].ask(b"USER alice")[:4], clients[3].ask(b"PASS secret")[:4]]

    assert answers == [b"+OK "] * 50
    assert logins == [b"+OK ", b"-ERR"]


def test_from_async_code() -> None:
    """The server serves clients on an event loop of the test's own."""

    async def fetch(server: MockServer) -> bytes:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"QUIT\r\n")
        data = await reader.read()
        writer.close()
        await writer.wait_closed()
        return data

    with MockServer() as server:
        said = asyncio.run(fetch(server))

    assert said.startswith(b"+OK ")
    assert said.endswith(b"+OK bye\r\n")


def test_ipv6() -> None:
    """The server can listen on an IPv6 address."""
    with (
        MockServer(host="::1") as server,
        socket.create_connection((server.host, server.port), 5) as sock,
    ):
        assert sock.recv(3) == b"+OK"


# Octets on the wire


def test_one_write_an_answer() -> None:
    """An answer is one write: a client that reads once has all of it."""
    with MockServer() as server, socket.create_connection((server.host, server.port), 5) as sock:
        sock.recv(65536)
        sock.sendall(b"CAPA\r\n")

        said = sock.recv(65536)

    assert said.startswith(b"+OK ")
    assert said.endswith(b"\r\n.\r\n")


def test_close_is_fin(raw: Raw) -> None:
    """``close`` is a FIN: the client reads an end, not an error."""
    with playing("rules: [{when: NOOP, then: close}]") as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\n")

        assert client.rest() == b"+OK\r\n"


def test_reset_is_rst(raw: Raw) -> None:
    """``reset`` is a true RST: the client reads an error, not an end."""
    with playing("rules: [{when: NOOP, cut: 0, then: reset}]") as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\n")

        with pytest.raises(ConnectionResetError):
            client.rest()


def test_half_close(raw: Raw) -> None:
    """``half-close`` ends the server's side alone: the client reads an end and can still send."""
    with playing("rules: [{when: NOOP, then: half-close}]") as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\n")

        assert client.rest() == b"+OK\r\n"
        client.send(b"NOOP\r\n" * 10)
        assert server.journal.connections[0].ended == "half-close"


def test_hang_is_silence(raw: Raw) -> None:
    """``hang`` says nothing and keeps the connection up."""
    with playing("rules: [{when: NOOP, cut: 2, then: hang}]") as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\n")

        assert client.until(b"+O") == b"+O"
        assert client.silent()


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_cut(raw: Raw, cut: int) -> None:
    """An answer can be cut at any octet."""
    with playing(f"rules: [{{when: RETR, cut: {cut}}}]") as server:
        client = raw(server)
        client.login()
        client.send(b"RETR 1\r\n")

        assert client.rest() == (b"+OK 194 octets\r\nFrom: carol@example.com\r\n" * 2)[:cut]


def test_dribble_is_many_segments(raw: Raw) -> None:
    """A dribble sends so many octets at a time, that long apart."""
    with playing("rules: [{when: NOOP, reply: +OK 789, dribble: 3 every 20ms}]") as server:
        client = raw(server)
        client.login()
        before = time.monotonic()
        client.send(b"NOOP\r\n")
        first = client.socket.recv(100)
        rest = client.line()
        after = time.monotonic()

    assert first == b"+OK"
    assert rest == b" 789\r\n"
    assert after - before >= 0.04


def test_delay_keeps_the_order(raw: Raw) -> None:
    """An answer that waits holds back those behind it."""
    rules = "rules: [{when: NOOP, nth: 1, delay: 50ms, text: slow}]"
    with playing(rules) as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\nNOOP\r\nQUIT\r\n")

        assert client.rest() == b"+OK slow\r\n+OK\r\n+OK bye\r\n"


def test_action_after_dribble_and_wait(raw: Raw) -> None:
    """What follows a wait and a dribble in one reply comes after them."""
    reply = "+OK\n      <wait 5ms>\n      <dribble 1 every 1ms>\n      abc\n      <close>"
    with playing(f"rules:\n  - when: NOOP\n    reply: |\n      {reply}\n") as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\n")

        assert client.rest() == b"+OK\r\nabc\r\n"


def test_client_that_half_closes_gets_its_answers(raw: Raw) -> None:
    """A client may send all, end its side, and still read every answer."""
    with MockServer() as server:
        client = raw(server)
        client.send(b"USER alice\r\nPASS secret\r\nRETR 4\r\nQUIT\r\n")
        client.socket.shutdown(socket.SHUT_WR)

        said = client.rest()

    assert len(said) > 20_000
    assert said.endswith(b".\r\n+OK bye\r\n")


@pytest.mark.parametrize("ending", ["hang", "half-close"])
@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_client_that_gives_up(
    raw: Raw, ending: str, tls: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that hangs, or is half closed, is over when the client closes its side."""
    rules = f"rules: [{{when: NOOP, then: {ending}}}]\ntls: {{mode: {tls}}}\n"
    with playing(rules) as server:
        client = raw(server)
        if tls == "implicit":
            client.wrap()
        client.login()
        client.ask(b"NOOP")
        client.close()

        server.wait_closed()

    assert caplog.records == []


def test_reader_that_does_not_read(raw: Raw) -> None:
    """A client that asks for far more than it reads is held back, and loses nothing."""
    mail = "maildrop: [{octets: 1000000}]\n"
    with playing(mail) as server:
        client = raw(server)
        client.login()
        client.send(b"RETR 1\r\n" * 40 + b"QUIT\r\n")

        said = client.rest()

    assert said.count(b"+OK 1000000 octets\r\n") == 40
    assert len(said) == 40 * (len(b"+OK 1000000 octets\r\n.\r\n") + 1_000_000) + len(b"+OK bye\r\n")


def test_reset_by_the_client(raw: Raw) -> None:
    """A client's RST removes nothing and frees the maildrop (RFC1939-6-07)."""
    with MockServer() as server:
        client = raw(server)
        client.login()
        client.ask(b"DELE 1")
        linger = struct.pack("ii", 1, 0)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.close()
        server.wait_closed()

        assert len(server.maildrop) == 4
        assert not server.maildrop.locked
        assert raw(server).login().startswith(b"+OK ")


# TLS


def test_stls(raw: Raw) -> None:
    """STLS upgrades, and the client's context checks name and authority."""
    with MockServer() as server:
        client = raw(server)
        client.line()
        client.ask(b"STLS")

        version = client.wrap()
        said = client.ask(b"USER alice")

        assert version in ("TLSv1.2", "TLSv1.3")
        assert said.startswith(b"+OK ")
        assert server.journal.exchanges[-1].tls
        assert server.journal.connections[0].tls == version


def test_implicit_tls(raw: Raw) -> None:
    """With implicit TLS the greeting comes inside TLS, and CAPA has no STLS."""
    with MockServer(tls="implicit") as server:
        client = raw(server)
        client.wrap()

        assert client.line().startswith(b"+OK ")
        assert b"STLS" not in client.listing(b"CAPA")


def test_no_tls(raw: Raw) -> None:
    """Without TLS there is no STLS, in CAPA or else."""
    with MockServer(tls="none") as server:
        client = raw(server)
        client.line()

        assert b"STLS" not in client.listing(b"CAPA")
        assert client.ask(b"STLS").startswith(b"-ERR ")


def test_certificate_has_a_common_name(raw: Raw) -> None:
    """The certificate has a CN beside its SANs, for clients that read only that."""
    with MockServer(tls="implicit") as server:
        client = raw(server)
        client.wrap()
        assert isinstance(client.socket, ssl.SSLSocket)
        certificate = client.socket.getpeercert()

    assert certificate
    assert ((("commonName", "localhost"),)) in certificate["subject"]
    assert ("DNS", "localhost") in certificate["subjectAltName"]
    assert ("IP Address", "127.0.0.1") in certificate["subjectAltName"]


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("expired", "certificate has expired"),
        ("not-yet-valid", "certificate is not yet valid"),
        ("wrong-host", "Hostname mismatch|doesn't match"),
        ("self-signed", "self[- ]signed certificate"),
        ("unknown-ca", "unable to get local issuer certificate|self[- ]signed certificate"),
    ],
)
def test_bad_certificate(raw: Raw, certificate: str, reason: str) -> None:
    """Each kind of bad certificate is refused by a client that checks, for its own reason."""
    with playing(f"tls: {{mode: implicit, certificate: {certificate}}}") as server:
        client = raw(server)

        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            client.wrap()

        server.wait_closed()
        assert server.journal.connections[0].ended == "handshake failed"


@pytest.mark.parametrize(
    ("handshake", "error"),
    [
        ("garbage", ssl.SSLError),
        ("close", (ssl.SSLEOFError, ConnectionResetError)),
    ],
)
def test_bad_handshake(
    raw: Raw, handshake: str, error: type[OSError] | tuple[type[OSError], ...]
) -> None:
    """What stands in place of the handshake is seen by the client as what it is."""
    with playing(f"tls: {{mode: implicit, handshake: {handshake}}}") as server:
        client = raw(server)

        with pytest.raises(error):
            client.wrap()


def test_handshake_that_is_reset(raw: Raw) -> None:
    """A handshake can be answered by a true RST."""
    with (
        playing("tls: {mode: implicit, handshake: reset}") as server,
        pytest.raises(ConnectionResetError),  # it can come as early as in connect()
    ):
        raw(server).rest()


def test_handshake_that_hangs(raw: Raw) -> None:
    """A handshake that is never answered ends by the client's patience."""
    with playing("tls: {mode: implicit, handshake: hang}") as server:
        client = raw(server)
        client.socket.settimeout(0.1)

        with pytest.raises(TimeoutError):
            client.wrap()


def test_stopping_in_the_handshake(raw: Raw) -> None:
    """A client that never begins its handshake does not keep the server from stopping."""
    with MockServer(tls="implicit") as server:
        client = raw(server)
        assert client.silent()

    assert client.rest() == b""


# Mail


def test_deliver(raw: Raw, tmp_path: Path) -> None:
    """Octets, text, a file and an email message can be delivered, to any user."""
    message = EmailMessage()
    message["Subject"] = "object"
    message.set_content("hello\n")
    (tmp_path / "mail.eml").write_bytes(b"Subject: file\r\n\r\nx\r\n")

    with playing("maildrop: []") as server:
        server.deliver(b"Subject: bytes\n\nx\n")
        server.deliver("Subject: text\n\nx\n", uid="my-own")
        server.deliver(tmp_path / "mail.eml")
        server.deliver(message, user="bob")
        client = raw(server)
        client.login()
        listing = client.listing(b"UIDL")

    assert listing.split(b"\r\n")[2] == b"2 my-own"
    assert [mail.split(b"\r\n")[0] for mail in server.maildrop] == [
        b"Subject: bytes",
        b"Subject: text",
        b"Subject: file",
    ]
    assert server.maildrops["bob"][0].startswith(b"Subject: object\r\n")


def test_maildrop_after_update(raw: Raw) -> None:
    """``server.maildrop`` is what is left as soon as QUIT is answered."""
    with MockServer() as server:
        client = raw(server)
        client.login()
        client.ask(b"DELE 1")
        assert len(server.maildrop) == 4
        client.ask(b"QUIT")

        assert len(server.maildrop) == 3


def test_users() -> None:
    """Users can be given in place of the scenario's; the first one's are the credentials."""
    with MockServer(users={"zoe": "pw", "yan": "pw2"}) as server:
        assert server.credentials == ("zoe", "pw")
        assert server.credentials.password == "pw"
        assert set(server.maildrops) == {"zoe", "yan"}


# What happened


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
    assert server.journal.connections[0].ended == "close"


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


def test_wait_closed_in_vain(raw: Raw) -> None:
    """wait_closed says how many connections are still open."""
    with MockServer() as server:
        raw(server).line()

        with pytest.raises(TimeoutError, match="1 connection"):
            server.wait_closed(timeout=0.01)


# What clients must and must not do


def test_unexpected_command(raw: Raw) -> None:
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


def test_allowed_command(raw: Raw) -> None:
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
def test_expectation(raw: Raw, expect: str, fault: str) -> None:
    """Each kind of expectation is checked, and a broken one is told."""
    with playing(f"expect: {{{expect}}}") as server:
        client = raw(server)
        client.login()
        client.ask(b"NOOP")
        client.ask(b"DELE 1")

        assert fault in str(server.broken_expectations())


def test_expectations_kept(raw: Raw) -> None:
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


@pytest.mark.parametrize(
    "line", [b" PASS hunter2", b"PASS\thunter2", b"(PASS hunter2", b"pass  hunter2"]
)
def test_secrets_are_masked_however_they_come(raw: Raw, line: bytes) -> None:
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


def test_rule_for_another_password(raw: Raw) -> None:
    """The difference from the nearest rule does not repeat a password."""
    with playing("rules: [{when: PASS right, reply: +OK}]") as server:
        client = raw(server)
        client.line()
        client.ask(b"PASS hunter2")

        assert "unexpected PASS ****" in server.broken_expectations()[0]
        assert "hunter2" not in str(server.broken_expectations())


def test_empty_line_is_a_fault(raw: Raw) -> None:
    """An empty line is no command; it is reported, and ``*`` means it too."""
    with MockServer() as server, playing("rules: [{when: '*', reply: -ERR any}]") as other:
        client, second = raw(server), raw(other)
        client.line()
        second.line()

        assert client.ask(b"").startswith(b"-ERR ")
        assert second.ask(b"") == b"-ERR any\r\n"
        assert "unexpected empty line" in server.broken_expectations()[0]
        assert server.journal == [""]


def test_client_that_says_greeting(raw: Raw) -> None:
    """GREETING from a client is an unknown command, not the greeting."""
    with playing("rules: [{when: greeting, text: hello}]") as server:
        client = raw(server)

        assert client.line() == b"+OK hello\r\n"
        assert client.ask(b"GREETING").startswith(b"-ERR ")
        assert server.journal == ["GREETING"]
        assert server.broken_expectations()


def test_verify_hears_the_end(raw: Raw) -> None:
    """A client that has gone before its script is over is found out without waiting for it."""
    script = "script: |\n  S: +OK\n  C: USER {user}\n  S: +OK\n  C: QUIT\n  S: +OK\n"
    with playing(script) as server:
        client = raw(server)
        client.line()
        client.ask(b"USER alice")
        client.close()

        assert "script not finished" in server.broken_expectations()[0]


@pytest.mark.parametrize(
    ("message", "uid", "error"),
    [(None, None, TypeError), (b"a: b\r\n", "a b", ValueError), (b"a: b\r\n", "", ValueError),
     (b"a: b\r\n", "x" * 71, ValueError)],
)  # fmt: skip
def test_deliver_refuses(message: Any, uid: str | None, error: type[Exception]) -> None:
    """What is no message, and what is no unique-id, is refused with what was expected."""
    with pytest.raises(error, match="expected"):
        MockServer().deliver(message, uid=uid)


def test_wait_for_nothing() -> None:
    """An empty pattern is the caller's mistake."""
    with pytest.raises(ValueError, match="pattern"):
        MockServer().wait_for("")

"""Faults at the wire, as a socket of the client's sees them."""

from __future__ import annotations

import math
import socket
import struct
import time
from typing import TYPE_CHECKING

import pytest

from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RawClient

    Raw = Callable[[MockServer], RawClient]
    Playing = Callable[[str], MockServer]

#: What a client sees of each way in which a connection can end, or be left.
ENDINGS = {"close": "fin", "reset": "rst", "half-close": "fin", "hang": "silence"}

NOOP_THEN = "rules: [{{when: NOOP, then: {}}}]"


def test_one_write_an_answer() -> None:
    """An answer is one write: a client that reads once has all of it."""
    with MockServer() as server, socket.create_connection((server.host, server.port), 5) as sock:
        sock.recv(65536)
        sock.sendall(b"CAPA\r\n")

        said = sock.recv(65536)

    assert said.startswith(b"+OK ")
    assert said.endswith(b"\r\n.\r\n")


@pytest.mark.parametrize(
    ("when", "commands", "answer"),
    [
        ("greeting", b"", b">\r\n"),
        ("NOOP", b"USER alice\r\nPASS secret\r\nNOOP\r\n", b"octets)\r\n+OK\r\n"),
        ("QUIT", b"QUIT\r\n", b"+OK bye\r\n"),
    ],
)
@pytest.mark.parametrize("then", ENDINGS)
def test_ending(
    playing: Playing, raw: Raw, then: str, when: str, commands: bytes, answer: bytes
) -> None:
    """FIN, RST and silence are told apart, after a greeting as after any answer."""
    with playing(f"rules: [{{when: {when}, delay: 20ms, then: {then}}}]") as server:
        client = raw(server)
        client.send(commands)
        came = client.until(answer)

        assert came.endswith(answer)
        assert client.ending() == (b"", ENDINGS[then])


@pytest.mark.parametrize("then", ["close", "reset"])
def test_cut_at_every_octet(playing: Playing, raw: Raw, then: str) -> None:
    """An answer can be cut at each of its octets, and what comes before the cut comes whole."""
    mail = r'maildrop: [{raw: "a: b\n\n.\n"}]'
    whole = b"+OK 11 octets\r\na: b\r\n\r\n..\r\n.\r\n"

    for cut in range(len(whole) + 2):
        with playing(f"{mail}\nrules: [{{when: RETR, cut: {cut}, then: {then}}}]") as server:
            client = raw(server)
            client.login()
            client.send(b"RETR 1\r\n")

            assert client.ending() == (whole[:cut], ENDINGS[then])


def test_half_close_hears_the_client(playing: Playing, raw: Raw) -> None:
    """After ``half-close`` the client can still send; after ``close`` it is answered by a RST."""
    half, whole = playing(NOOP_THEN.format("half-close")), playing(NOOP_THEN.format("close"))
    with half, whole:
        clients = [raw(half), raw(whole)]
        for client in clients:
            client.login()
            client.send(b"NOOP\r\n")
            assert client.rest() == b"+OK\r\n"
            client.send(b"RETR 1\r\n")

        clients[0].send(b"RETR 1\r\n")
        half.settle()
        clients[0].send(b"RETR 1\r\n")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            clients[1].send(b"RETR 1\r\n")

    assert half.journal.commands[-1] == "NOOP"


@pytest.mark.parametrize(
    "rules",
    [
        "rules: [{when: greeting, then: hang}]",
        "rules: [{when: greeting, cut: 4, then: hang}]",
        "rules: [{when: greeting, delay: 1000s}]",
        'rules: [{when: greeting, reply: "+OK\\n<wait 1000s>\\n+OK\\n"}]',
        "rules: [{when: greeting, dribble: 4 every 1000s}]",
        "rules: [{when: greeting, then: half-close}]",
        'script: "S: +OK\\n<hang>\\n"',
    ],
)
def test_nothing_outlives_the_server(playing: Playing, raw: Raw, rules: str) -> None:
    """A hang, a wait and a dribble last until the server stops, and end then."""
    with playing(rules) as server:
        client = raw(server)
        server.settle()
        client.socket.settimeout(0.05)
        if "half-close" not in rules:
            with pytest.raises(TimeoutError):
                client.rest()

    assert client.ending()[1] == "fin"
    with pytest.raises(ConnectionRefusedError):
        raw(server)


# Segments


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_dribble_is_many_segments(playing: Playing, raw: Raw, size: int) -> None:
    """A dribble sends so many octets in a segment, whether or not the client reads meanwhile."""
    answer = b"+OK 0123456789\r\n"
    rules = f"rules: [{{when: NOOP, reply: +OK 0123456789, dribble: {size} every 2ms}}]"
    with playing(rules) as server:
        client = raw(server)
        client.login()
        before = client.segments()

        assert client.ask(b"NOOP") == answer
        assert client.segments() - before == math.ceil(len(answer) / size)


def test_answer_is_one_segment(raw: Raw) -> None:
    """Without a dribble an answer is one segment, in however many pieces the command came."""
    with MockServer() as server:
        client = raw(server)
        client.login()
        before = client.segments()
        for octet in b"RETR 1\r\n":
            client.send(bytes([octet]))

        assert client.until(b"\r\n.\r\n").startswith(b"+OK ")
        assert client.segments() - before == 1


# Time


def test_delay_is_a_lower_bound(playing: Playing, raw: Raw) -> None:
    """An answer does not come before its delay is over, nor a dribble faster than it should."""
    rules = (
        "rules: [{when: NOOP, delay: 30ms}, {when: STAT, reply: +OK 789, dribble: 3 every 20ms}]"
    )
    with playing(rules) as server:
        client = raw(server)
        client.login()
        times = [time.monotonic()]
        for command in (b"NOOP", b"STAT"):
            client.ask(command)
            times.append(time.monotonic())

    assert times[1] - times[0] >= 0.03
    assert times[2] - times[1] >= 0.04


def test_wait_within_an_answer(playing: Playing, raw: Raw) -> None:
    """A wait in the middle of an answer divides it: what stands before it has come by then."""
    reply = 'rules: [{when: NOOP, reply: "+OK\\nbefore\\n<wait 30ms>\\nbehind\\n"}]'
    with playing(reply) as server:
        client = raw(server)
        client.login()
        segments, start = client.segments(), time.monotonic()
        client.send(b"NOOP\r\n")

        assert client.until(b"behind\r\n") == b"+OK\r\nbefore\r\nbehind\r\n"
        assert client.segments() - segments == 2
        assert time.monotonic() - start >= 0.03


def test_delay_keeps_the_order(playing: Playing, raw: Raw) -> None:
    """An answer that waits holds back those behind it."""
    rules = "rules: [{when: NOOP, nth: 1, delay: 50ms, text: slow}]"
    with playing(rules) as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\nNOOP\r\nQUIT\r\n")

        assert client.rest() == b"+OK slow\r\n+OK\r\n+OK bye\r\n"


def test_action_after_dribble_and_wait(playing: Playing, raw: Raw) -> None:
    """What follows a wait and a dribble in one reply comes after them."""
    reply = "+OK\n      <wait 5ms>\n      <dribble 1 every 1ms>\n      abc\n      <close>"
    with playing(f"rules:\n  - when: NOOP\n    reply: |\n      {reply}\n") as server:
        client = raw(server)
        client.login()
        client.send(b"NOOP\r\n")

        assert client.rest() == b"+OK\r\nabc\r\n"


# Clients that misbehave


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
    playing: Playing, raw: Raw, ending: str, tls: str, caplog: pytest.LogCaptureFixture
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


def test_reader_that_does_not_read(playing: Playing, raw: Raw) -> None:
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

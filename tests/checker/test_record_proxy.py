"""The proxy carries octets, keeps them, and lets no secret out that the user would not."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from pop3check import Proxy, Recording, Target, certificate
from pop3mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pop3check import Certificate

SHORT = 5.0


@pytest.fixture(scope="module")
def shown() -> Certificate:
    """A certificate for all proxies of this file."""
    return certificate()


def talk(port: int, *lines: bytes) -> bytes:
    """Say lines, one after each answer; all that came until the other side closed."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), SHORT) as client:
        came += client.recv(4096)
        for line in lines:
            client.sendall(line + b"\r\n")
            came += client.recv(4096)
        came += b"".join(_rest(client))
    return came


def _rest(client: socket.socket) -> Iterator[bytes]:
    while data := client.recv(4096):
        yield data


def test_octets_pass_as_they_are(shown: Certificate) -> None:
    """The client hears what the server says, and the recording has both sides."""
    recording = Recording()
    with MockServer("dovecot") as server:
        target = Target(host=server.host, port=server.port)
        with Proxy(target, recording, shown=shown, connections=1) as proxy:
            came = talk(proxy.port, b"NOOP", b"QUIT")
            finished = proxy.finished.wait(SHORT)

    exchanges = recording.exchanges()
    assert finished
    assert came == b"".join(exchange.status + exchange.data for exchange in exchanges)
    assert [exchange.line for exchange in exchanges] == [b"", b"NOOP", b"QUIT"]
    assert recording.connections[0].ended_by == "server"
    assert proxy.failure == ""


@pytest.mark.parametrize("line", [b"PASS x", b"AUTH PLAIN eA==", b"auth login"])
def test_no_secret_leaves_in_the_clear(
    line: bytes, shown: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a server elsewhere, without TLS, a login is not carried on, and the run fails."""
    monkeypatch.setattr("pop3check._target.is_loopback", lambda _: False)
    recording = Recording()
    with MockServer("default") as server:
        target = Target(host=server.host, port=server.port)
        with Proxy(target, recording, shown=shown, connections=1) as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port), SHORT) as client:
                client.recv(4096)
                client.sendall(line)  # not even a part of it
                rest = b"".join(_rest(client))
            proxy.finished.wait(SHORT)
        server.settle()
        heard = list(server.journal.commands)

    assert rest == b""
    assert heard == []
    assert "unencrypted" in proxy.failure


def test_server_that_is_not_there(shown: Certificate) -> None:
    """The client finds the connection closed, and the run says why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    target = Target(host="127.0.0.1", port=port)
    with Proxy(target, Recording(), shown=shown, connections=1) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), SHORT) as client:
            came = b"".join(_rest(client))
        proxy.finished.wait(SHORT)

    assert came == b""
    assert "connection 1" in proxy.failure


def test_close_ends_what_is_open(shown: Certificate) -> None:
    """Connections that are open when the recording ends are ended by it."""
    recording = Recording()
    with MockServer("default") as server:
        target = Target(host=server.host, port=server.port)
        proxy = Proxy(target, recording, shown=shown)
        with socket.create_connection(("127.0.0.1", proxy.port), SHORT) as client:
            greeting = client.recv(4096)
            proxy.close()
            rest = b"".join(_rest(client))

    assert (greeting[:3], rest) == (b"+OK", b"")
    assert [exchange.command for exchange in recording.exchanges()] == ["(greeting)"]

"""The blocking shell on real sockets."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

import pop3client
from pop3client._peer import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

RAW = b"Subject: big\r\n\r\n" + b".x" * 40 + b"\r\n" * 3 + b"." * 200_000 + b"\r\n"


class Listener:
    """A small correct server on a loopback port, in a thread."""

    def __init__(self, family: int, host: str) -> None:
        self._listener = socket.create_server((host, 0), family=family)
        self._listener.settimeout(5)
        self.host, self.port = self._listener.getsockname()[:2]
        self.nodelay: list[int] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as lines:
            connection.settimeout(5)
            connection.sendall(b"+OK\r\n")
            for line in lines:
                connection.sendall(self._answer(line))
                if line == b"QUIT\r\n":
                    return

    def _answer(self, line: bytes) -> bytes:
        stuffed = (b"\r\n" + RAW).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
        return {
            b"CAPA\r\n": b"+OK\r\n.\r\n",
            b"STAT\r\n": b"+OK 1 %d\r\n" % len(RAW),
            b"RETR 1\r\n": b"+OK %d octets\r\n" % len(RAW) + stuffed,
        }.get(line, b"+OK\r\n")

    def stop(self) -> None:
        self._listener.close()
        self._thread.join()


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    """A listener on each loopback address that this machine has."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        one = Listener(family, request.param)
    except OSError:
        pytest.skip(f"no {request.param} here")
    yield one
    one.stop()


def test_a_session(facade: Any, listener: Listener) -> None:
    """A whole session over TCP, IPv4 and IPv6; TCP_NODELAY is set."""
    with facade.connect(listener.host, "u", "p", port=listener.port, timeout=5) as client:
        shell = client._shell
        sock = shell._link.socket if facade.kind == "blocking" else shell._channel.socket
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert client.retr(1).raw == RAW

    assert client.config.retr_mode is pop3client.RetrMode.RETR


def test_nobody_listens(facade: Any) -> None:
    """A port where nobody listens, and a name that is none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(pop3client.ConnectError, match=str(port)):
        facade.connect("127.0.0.1", "u", "p", port=port, timeout=5)
    with pytest.raises(pop3client.ConnectError, match="cannot connect"):
        facade.connect("a" * 70 + ".example", "u", "p", timeout=5)


def test_silent_socket(facade: Any) -> None:
    """On a real socket too the wait for the greeting ends."""
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(pop3client.POP3TimeoutError, match="greeting"):
        facade.client("h", socket_factory=lambda *_: ours, timeout=0.2)

    assert ours.fileno() == -1


def test_reset_and_end_of_a_real_socket(facade: Any) -> None:
    """End of stream and a reset are the same error, on a socket of the system's own."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"+OK\r\n")
    client = facade.client("localhost", socket_factory=lambda *_: ours, timeout=5)
    theirs.close()

    with pytest.raises(pop3client.ConnectionClosed):
        client.login("u", "p")

    assert ours.fileno() == -1


def test_is_local() -> None:
    """A socket pair is local; one that is not connected is not known to be."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert is_local(ours)
    with socket.socket() as lonely:
        assert not is_local(lonely)

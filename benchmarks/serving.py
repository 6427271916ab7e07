"""What the mock costs: start, session and stop against a bare listener; RETR against sendall."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

from timing import Row, milliseconds, paired

from pop3mock import Engine, MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION = (b"USER alice\r\n", b"PASS secret\r\n", b"STAT\r\n", b"QUIT\r\n")


def talk(host: str, port: int) -> None:
    """One short session."""
    with socket.create_connection((host, port), 5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.recv(4096)
        for command in SESSION:
            sock.sendall(command)
            sock.recv(4096)


def ours() -> None:
    """Start a mock server, talk to it, stop it."""
    with MockServer() as server:
        talk(server.host, server.port)


class Bare(asyncio.Protocol):
    """A listener that says +OK to everything: the least that any server does."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"+OK ready\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(b"+OK\r\n")
        if data.startswith(b"QUIT"):
            self.transport.close()


def bare(engine: Engine) -> Callable[[], None]:
    """Start a bare listener, talk to it, stop it."""

    async def start() -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()

    def run() -> None:
        server = engine.run(start())
        talk("127.0.0.1", server.sockets[0].getsockname()[1])
        engine.run(stop(server))

    return run


def drain(sock: socket.socket, octets: int) -> None:
    """Read so many octets and throw them away."""
    buffer = bytearray(1 << 18)
    while octets > 0:
        octets -= sock.recv_into(buffer)


def rows(*, quick: bool) -> list[Row]:
    """Start and stop, and throughput."""
    with Engine() as engine:
        mine, theirs, _ = paired(ours, bare(engine), 20 if quick else 200)
    result = [
        Row(
            "start + session + stop, against a bare asyncio listener",
            milliseconds(mine),
            milliseconds(theirs),
            f"+{(mine - theirs) * 1000:.2f} ms",
            "more than the bare listener",
        )
    ]
    result.append(throughput(4 if quick else 20))
    return result


def throughput(rounds: int) -> Row:
    """RETR of 10 MiB from the mock against a loop that only sends."""
    size = 10 << 20
    scenario = loads(
        f"pop3: 1\nname: big\nsummary: one big message\nmaildrop: [{{octets: {size}}}]\n"
    )
    payload = b"x" * size
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(16):
                connection.sendall(payload)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with MockServer(scenario) as server, socket.create_connection((server.host, server.port)) as a:
        a.sendall(b"USER alice\r\nPASS secret\r\n")
        while not a.recv(4096).endswith(b"octets)\r\n"):
            pass
        wire = size + len(f"+OK {size} octets\r\n.\r\n")
        with socket.create_connection(listener.getsockname()) as b:

            def retr() -> None:
                a.sendall(b"RETR 1\r\n")
                drain(a, wire)

            def send() -> None:
                b.sendall(b"RETR 1\r\n")
                drain(b, size)

            mine, theirs, ratio = paired(retr, send, rounds)
    thread.join(5)
    listener.close()
    return Row(
        "RETR of 10 MiB, against a bare sendall loop",
        f"{size / mine / 1e6:.0f} MB/s",
        f"{size / theirs / 1e6:.0f} MB/s",
        f"{ratio:.2f}",
        "of the bare loop's rate",
    )

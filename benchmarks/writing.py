"""How many writes a session costs: one for each command, so that none waits for a delayed ACK."""

from __future__ import annotations

import socket
from typing import Any

from timing import Row

import pop3client
from pop3mock import MockServer


class CountingSocket(socket.socket):
    """A socket that counts what is handed to the kernel."""

    writes = 0

    def send(self, *arguments: Any) -> int:  # noqa: ANN401 - whatever a socket takes
        """Count, and send."""
        self.writes += 1
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:  # noqa: ANN401 - whatever a socket takes
        """Count, and send."""
        self.writes += 1
        super().sendall(*arguments)


def rows(*, quick: bool) -> list[Row]:
    """Writes of one session against the commands that it sent."""
    del quick
    made: list[CountingSocket] = []

    def connect(host: str, port: int, timeout: float | None) -> socket.socket:
        sock = CountingSocket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        sock.connect((host, port))
        made.append(sock)
        return sock

    with MockServer() as server:
        with pop3client.connect(
            server.host, *server.credentials, port=server.port, socket_factory=connect
        ) as client:
            client.retrieve("start", "end")
            client.delete(1, 2)
        commands = len(server.journal.commands)
    writes = sum(sock.writes for sock in made)
    return [
        Row(
            "writes of a whole session",
            f"{writes} writes",
            f"{commands} commands",
            f"{writes / commands:.2f}",
            "writes per command; 1 is the least there can be",
        )
    ]

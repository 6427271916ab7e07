"""Clients that have other things to do than to talk to their server."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self

from pop3client._keepalive import beat
from pop3mock import MockServer
from pop3scenarios import loads

if TYPE_CHECKING:
    from collections.abc import Callable

SOON = 0.02
"""Seconds of silence after which NOOP is due."""
SCENARIO = """
pop3: 1
name: idle
summary: a server whose client has other things to do
server:
  users: {alice: secret}
maildrop: [{count: 5, octets: 300}]
"""


class Peer:
    """A server, a client, and one way to write for both clients what happens in a block.

    Args:
        facade: the client.
        rules: what the server does besides.
    """

    def __init__(self, facade: Any, rules: str = "") -> None:
        self.facade = facade
        self.server = MockServer(loads(SCENARIO + rules))
        self.client: Any = None

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.client is not None:
            self.client.abort()
        self.server.stop()

    def connect(self, **options: Any) -> Any:
        """Log in."""
        host, port = self.server.host, self.server.port
        self.client = self.facade.connect(host, "alice", "secret", port=port, **options)
        return self.client

    def noops(self) -> int:
        """How many have come."""
        return self.server.journal.count("NOOP")

    def until(self, times: int = 1) -> None:
        """Work until so many NOOPs have come."""
        self.server.wait_for("NOOP", times=times)

    def at_work(self, work: Callable[[], object], seconds: float | None = SOON) -> None:
        """Work in a block that keeps the session alive."""
        if self.facade.kind == "blocking":
            with self.client.keeping_alive(seconds) as same:
                assert same is self.client
                work()
        else:
            self.facade.run(self._at_work(work, seconds))

    async def _at_work(self, work: Callable[[], object], seconds: float | None) -> None:
        async with self.client.driven.keeping_alive(seconds):
            await asyncio.to_thread(work)

    def take(self, work: Callable[[], object]) -> list[bytes]:
        """Take all messages, and work after each."""
        if self.facade.kind == "blocking":
            return [(message.raw, work())[0] for message in self.client.messages()]
        return list(self.facade.run(self._take(work)))

    async def _take(self, work: Callable[[], object]) -> list[bytes]:
        came = []
        async for message in self.client.driven.messages():
            await asyncio.to_thread(work)
            came.append(message.raw)
        return came

    def deliverer(self, work: Callable[[Any], object]) -> Callable[[Any], object]:
        """What ``sync`` is given, so that the loop of the asyncio client goes on meanwhile."""
        if self.facade.kind == "blocking":
            return work

        async def deliver(message: Any) -> object:
            return await asyncio.to_thread(work, message)

        return deliver


def threads() -> list[threading.Thread]:
    """The threads that keep sessions alive."""
    return [each for each in threading.enumerate() if each.name == "pop3client keep-alive"]


def run_beat(peer: Peer) -> None:
    """Say NOOP, as it is said when the caller works for long."""
    client = peer.client
    if peer.facade.kind == "blocking":
        client._shell.run(beat(client._session))
    else:
        peer.facade.run(client.driven._shell.run(beat(client.driven._session)))

"""Octets over a socket on the running event loop, in the clear or inside TLS.

asyncio's own streams are not used: what has arrived must be seen without delay (an octet before
the TLS handshake is an attack), and a message goes from the socket into the client's buffer with
no copy between.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

__all__ = ["Channel", "TLSChannel"]

T = TypeVar("T")
_ROOM = 64 * 1024
"""Octets of TLS that are taken from the socket at once."""


class Channel:
    """A socket in the clear.

    Args:
        sock: a connected socket; from now on it does not block.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self.socket = sock

    def take(self, into: memoryview) -> int | None:
        """Take what has arrived.

        Returns:
            How many octets; 0 at the end of the stream; None if nothing is there.
        """
        try:
            return self.socket.recv_into(into)
        except (BlockingIOError, InterruptedError):
            return None

    async def receive(self, into: memoryview) -> int:
        """Wait for octets; 0 means end of stream."""
        return await asyncio.get_running_loop().sock_recv_into(self.socket, into)

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await asyncio.get_running_loop().sock_sendall(self.socket, data)


class TLSChannel(Channel):
    """TLS over another channel.

    Args:
        plain: the channel, whose socket is this one's from now on.
        context: the TLS policy.
        host: whose certificate it must be.

    Attributes:
        tls: the state of TLS.
    """

    def __init__(self, plain: Channel, context: ssl.SSLContext, host: str) -> None:
        self.socket = plain.socket
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._room = memoryview(bytearray(_ROOM))
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def handshake(self) -> None:
        """Do the handshake.

        Raises:
            OSError: it failed; the server has been told why.
        """
        try:
            await self._drive(self.tls.do_handshake)
        except ssl.SSLError:
            with contextlib.suppress(OSError):
                await self._flush()
            raise

    def take(self, into: memoryview) -> int | None:
        """Take what has arrived; see ``Channel.take``."""
        while True:
            try:
                return self._read(into)
            except ssl.SSLWantReadError:
                count = self._plain.take(self._room)
            if count is None:
                return None
            self._feed(count)

    async def receive(self, into: memoryview) -> int:
        """Wait for octets; see ``Channel.receive``."""
        return await self._drive(lambda: self._read(into))

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await self._drive(lambda: self.tls.write(data))

    def _read(self, into: memoryview) -> int:
        try:
            return cast("int", self.tls.read(len(into), into))  # into a buffer: gives their number
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return 0  # with or without a farewell: where a reply ends is POP3's affair

    def _feed(self, count: int) -> None:
        if count:
            self._incoming.write(self._room[:count])
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._plain.send(data)

    async def _drive(self, action: Callable[[], T]) -> T:
        """Do something in TLS, however often it wants octets of the other side for that."""
        while True:
            try:
                result = action()
            except ssl.SSLWantReadError:
                await self._flush()
                self._feed(await self._plain.receive(self._room))
            else:
                await self._flush()
                return result

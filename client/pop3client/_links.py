"""Octets over a socket that blocks its caller, each wait with its time limit."""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Link", "link"]

_READABLE: Final[int] = getattr(select, "POLLIN", 0)
_MILLISECONDS = 1000


class Link:
    """A socket of any kind, such as one inside TLS, or one that somebody else has made.

    Args:
        sock: a connected socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    def take(self, into: memoryview) -> int | None:
        """Take what has arrived, without waiting.

        Returns:
            How many octets; 0 at the end of the stream; None if nothing is there.

        Raises:
            OSError: the connection is lost.
        """
        self.socket.settimeout(0)
        try:
            return self.socket.recv_into(into)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def receive(self, into: memoryview, seconds: float) -> int:
        """Wait for octets; 0 means end of stream.

        Raises:
            TimeoutError: none came within that time.
            OSError: the connection is lost.
        """
        self.socket.settimeout(seconds)
        return self.socket.recv_into(into)

    def send(self, data: bytes, seconds: float) -> None:
        """Send all of it.

        Raises:
            TimeoutError: it took longer.
            OSError: the connection is lost.
        """
        self.socket.settimeout(seconds)
        self.socket.sendall(data)


class _PolledLink(Link):
    """A plain socket, which never blocks: it is asked whether there is something.

    To give a socket another time limit is a system call, and so is each wait of one that has a
    limit. Here a command and its reply take four of them instead of nine.

    Args:
        sock: a connected socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        sock.settimeout(0)
        poll = select.poll()
        poll.register(sock, _READABLE)
        self._poll: Callable[[float], list[tuple[int, int]]] = poll.poll

    def take(self, into: memoryview) -> int | None:
        return super().take(into) if self._poll(0) else None

    def receive(self, into: memoryview, seconds: float) -> int:
        if not self._poll(seconds * _MILLISECONDS):
            raise TimeoutError
        try:
            return self.socket.recv_into(into)
        except BlockingIOError:  # there was something, and it was of no use
            return self._blocking(lambda: self.socket.recv_into(into), seconds)

    def send(self, data: bytes, seconds: float) -> None:
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._blocking(lambda: self.socket.sendall(data[sent:]), seconds)

    def _blocking(self, action: Callable[[], int | None], seconds: float) -> int:
        self.socket.settimeout(seconds)
        try:
            return action() or 0
        finally:
            self.socket.settimeout(0)


def link(sock: socket.socket) -> Link:
    """Take a connected socket; a plain one in the quickest way that the system knows."""
    # A subclass may do as it likes with its octets, so nothing but its methods tells of them.
    return (_PolledLink if _POLLS and type(sock) is socket.socket else Link)(sock)


_POLLS = hasattr(select, "poll")  # Windows has none

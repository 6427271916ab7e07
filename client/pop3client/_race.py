"""Connecting to a name that has several addresses: they are raced (RFC 8305).

A host whose IPv6 does not work costs a quarter of a second instead of the whole time limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import selectors
import socket
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._patience import Clock

__all__ = ["race", "race_async"]

_HEAD_START = 0.25
"""Seconds until the next address is tried as well (RFC 8305 section 5)."""


class _Address(NamedTuple):
    """A line of ``getaddrinfo``."""

    family: int
    kind: int
    protocol: int
    name: str
    address: Any

    def socket(self) -> socket.socket:
        """Make a socket for it that does not block."""
        sock = socket.socket(self.family, self.kind, self.protocol)
        sock.setblocking(False)
        return sock


def _in_turn(addresses: Iterable[tuple[Any, ...]]) -> list[_Address]:
    """Let the families take turns, beginning with the system's first choice (section 4)."""
    families: dict[int, list[_Address]] = {}
    for each in addresses:
        families.setdefault(each[0], []).append(_Address(*each))
    rows = zip_longest(*families.values())
    return [each for each in chain.from_iterable(rows) if each is not None]


def race(
    host: str, port: int, timeout: float, *, clock: Clock, head_start: float = _HEAD_START
) -> socket.socket:
    """Connect to the address of a host that answers first.

    Args:
        host: name or address.
        port: TCP port.
        timeout: seconds for all of it.
        clock: gives seconds that only ever grow.
        head_start: seconds after which the next address is tried as well.

    Raises:
        TimeoutError: none has answered in time.
        OSError: none can be reached; the error of the last one that failed.
    """
    deadline = clock() + timeout
    waiting = _in_turn(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    with _Runners() as runners:
        while waiting or runners.any():
            if waiting:
                runners.start(waiting.pop(0))
            remaining = deadline - clock()
            if remaining <= 0:
                raise TimeoutError
            winner = runners.first(min(head_start, remaining) if waiting else remaining)
            if winner is not None:
                return winner
        raise runners.failure


class _Runners:
    """Sockets that are connecting; those that have not won are closed."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.failure: OSError = _nowhere()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            self._socket(key).close()
        self._selector.close()

    def any(self) -> bool:
        """True if at least one runs."""
        return bool(self._selector.get_map())

    def start(self, address: _Address) -> None:
        """Begin to connect to an address."""
        try:
            sock = address.socket()
        except OSError as error:
            self.failure = error  # this machine has no such family
            return
        try:
            with contextlib.suppress(BlockingIOError):
                sock.connect(address.address)
            self._selector.register(sock, selectors.EVENT_WRITE)
        except OSError as error:
            self.failure = error
            sock.close()

    def first(self, seconds: float) -> socket.socket | None:
        """Wait until one has arrived or has failed.

        Returns:
            The one that has arrived, if any.
        """
        if not self.any():
            return None
        for key, _ in self._selector.select(seconds):
            sock = self._socket(key)
            number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._selector.unregister(sock)
            if number in (0, errno.ECONNRESET):  # if it was reset, it was connected before
                return sock
            sock.close()
            self.failure = OSError(number, os.strerror(number))
        return None

    @staticmethod
    def _socket(key: selectors.SelectorKey) -> socket.socket:
        return cast("socket.socket", key.fileobj)


async def race_async(host: str, port: int, *, head_start: float = _HEAD_START) -> socket.socket:
    """Connect to the address of a host that answers first; the caller bounds the time.

    Args:
        host: name or address.
        port: TCP port.
        head_start: seconds after which the next address is tried as well.

    Raises:
        OSError: none can be reached; the error of the last one that failed.
    """
    loop = asyncio.get_running_loop()
    waiting = _in_turn(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    failure: BaseException = _nowhere()
    running: set[asyncio.Task[socket.socket]] = set()
    try:
        while waiting or running:
            if waiting:
                running.add(loop.create_task(_connected(waiting.pop(0))))
            done, _ = await asyncio.wait(
                running,
                timeout=head_start if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                running.remove(task)
                error = task.exception()
                if error is None:
                    return task.result()
                failure = error
        raise failure
    finally:
        await _call_off(running)


async def _connected(address: _Address) -> socket.socket:
    sock = address.socket()
    try:
        await asyncio.get_running_loop().sock_connect(sock, address.address)
    except ConnectionResetError:
        pass  # it was connected and is no more; who reads from it will see
    except BaseException:
        sock.close()
        raise
    return sock


async def _call_off(running: set[asyncio.Task[socket.socket]]) -> None:
    """Stop those that have not won; one that arrives in this very moment is closed."""
    for task in running:
        task.cancel()
    for end in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(end, socket.socket):
            end.close()


def _nowhere() -> OSError:
    return OSError("the name has no address")

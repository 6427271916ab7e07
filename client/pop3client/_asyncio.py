"""The asyncio shell: carries out what the protocol wants on an event loop, with time limits."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
from typing import TYPE_CHECKING, Any, TypeVar

from ._channels import Channel, TLSChannel
from ._exceptions import ConnectError, ConnectionClosed, POP3TimeoutError
from ._patience import Patience
from ._peer import is_local, names_this_machine, send_at_once
from ._race import race_async
from ._tls import (
    TLSInfo,
    agreed,
    default_context,
    gone,
    handshake_error,
    lost_in_receiving,
    lost_in_sending,
)
from ._wants import (
    Aside,
    Ask,
    Call,
    Deliver,
    Expect,
    Open,
    Poll,
    Receive,
    Send,
    StartTLS,
    Steps,
    Want,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from ._config import Config

__all__ = ["AsyncSocketShell"]

T = TypeVar("T")
_BREATH = 1024 * 1024
"""Octets after which other tasks get their turn, though more have arrived."""


class AsyncSocketShell:
    """A socket on an event loop, and the time limit of the reply that is being waited for.

    Args:
        config: the settings; of them the socket factory, the TLS policy and the clock.
    """

    def __init__(self, config: Config) -> None:
        self._channel: Channel | None = None
        self._factory = config.socket_factory
        self._context = config.ssl_context
        self._patience = Patience(config.clock)
        self._host = config.host
        self._waiting = False
        self._closings = 0
        self._taken = 0
        self._do: dict[type[Want], Callable[[Any], Awaitable[object]]] = {
            Open: self._open,
            StartTLS: self._start_tls,
            Send: self._send,
            Expect: self._expect,
            Receive: self._receive,
            Poll: self._poll,
            Ask: self._ask,
            Call: self._call,
            Aside: self._aside,
        }

    async def run(self, steps: Steps[T], sink: Callable[[bytes], object] | None = None) -> T:
        """Carry out an operation of the protocol and return its result.

        Args:
            steps: the operation.
            sink: takes the parts of a message, if the operation delivers any; may be a
                coroutine function.
        """
        try:
            want = next(steps)
            while True:
                try:
                    answer = await self._answer(want, sink)
                except BaseException as error:  # noqa: BLE001 - the protocol decides
                    want = steps.throw(error)
                else:
                    want = steps.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def stream(self, steps: Steps[object]) -> AsyncGenerator[bytes, None]:
        """Carry out an operation, and give each part of a message when it is asked for."""
        try:
            want = next(steps)
            while True:
                answer = None
                if isinstance(want, Deliver):
                    yield want.data
                else:
                    try:
                        answer = await self._do[type(want)](want)
                    except BaseException as error:  # noqa: BLE001 - the protocol decides
                        want = steps.throw(error)
                        continue
                want = steps.send(answer)
        except StopIteration:
            return
        finally:
            steps.close()  # whoever does not want the rest leaves an operation unfinished

    def close(self) -> None:
        """Close the socket, if one is open; an operation that waits for it ends."""
        self._closings += 1
        if self._channel is None:
            return
        if self._waiting:
            # To close it now would leave the event loop waiting for a number that may soon be
            # another socket's. The end of the stream wakes the operation, which then closes.
            with contextlib.suppress(OSError):
                self._channel.socket.shutdown(socket.SHUT_RDWR)
            return
        self._channel.socket.close()
        self._channel = None

    async def _answer(self, want: Want, sink: Callable[[bytes], object] | None) -> object:
        if not isinstance(want, Deliver):
            return await self._do[type(want)](want)
        assert sink is not None  # only operations that are run with one deliver
        taken = sink(want.data)
        return await taken if inspect.isawaitable(taken) else taken

    async def _within(self, seconds: float, waiting: Awaitable[T]) -> T:
        """Bound a wait, during which ``close`` must not pull the socket away."""
        self._waiting = True
        try:
            async with asyncio.timeout(seconds):
                return await waiting
        finally:
            self._waiting = False

    async def _open(self, want: Open) -> bool:
        self.close()
        closings = self._closings
        try:
            async with asyncio.timeout(want.seconds):
                sock = await self._connect(want)
        except TimeoutError as error:
            raise POP3TimeoutError("connect", want.seconds) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: no name that DNS could hold
            message = f"cannot connect to {want.host} port {want.port}: {error}"
            raise ConnectError(message, step="connect") from error
        if self._closings != closings:
            sock.close()
            raise ConnectionClosed("connect: the client was aborted meanwhile", step="connect")
        self._channel = Channel(sock)
        send_at_once(sock)
        # A socket made elsewhere may lead to a proxy on this machine, and from there anywhere.
        through_a_proxy = self._factory is not None and not names_this_machine(want.host)
        return is_local(sock) and not through_a_proxy

    async def _connect(self, want: Open) -> socket.socket:
        if self._factory is None:
            return await race_async(want.host, want.port)
        loop = asyncio.get_running_loop()
        making = loop.run_in_executor(None, self._factory, *want)
        try:
            return await asyncio.shield(making)
        except BaseException:
            # Nobody waits any more; what the thread makes all the same must not stay open.
            making.add_done_callback(_close_what_was_made)
            raise

    async def _start_tls(self, want: StartTLS) -> TLSInfo:
        plain = self._connected("TLS handshake")
        self._context = self._context or default_context()
        try:
            channel = TLSChannel(plain, self._context, want.host)
            await self._within(want.seconds, channel.handshake())
        except TimeoutError as error:
            raise POP3TimeoutError("TLS handshake", want.seconds) from error
        except (OSError, ValueError) as error:  # a host name that is none is a ValueError
            raise handshake_error(error, want.host) from error
        self._channel = channel
        return agreed(channel.tls)

    async def _send(self, want: Send | Ask) -> None:
        channel = self._connected(want.step)
        try:
            await self._within(want.seconds, channel.send(want.data))
        except TimeoutError as error:
            raise POP3TimeoutError(want.step, want.seconds) from error
        except OSError as error:
            raise lost_in_sending(error, want.step) from error

    async def _expect(self, want: Expect) -> None:
        self._patience.start(*want)

    async def _receive(self, want: Receive | Ask) -> int:
        channel = self._connected(self._patience.step)
        seconds = self._patience.seconds()
        try:
            count = channel.take(want.into)
            if count is None:
                count = await self._within(seconds, channel.receive(want.into))
        except TimeoutError as error:
            raise self._patience.exhausted() from error
        except OSError as error:
            raise lost_in_receiving(error, self._patience.step, self._host) from error
        self._patience.extend(count)
        await self._breathe(count)
        return count

    async def _breathe(self, count: int) -> None:
        # A server that is always ahead would else be the only one to be served.
        self._taken += count
        if self._taken >= _BREATH:
            self._taken = 0
            await asyncio.sleep(0)

    async def _poll(self, want: Poll | Ask) -> int | None:
        try:
            return self._connected("poll").take(want.into)
        except OSError as error:
            return gone(error, self._host)

    async def _ask(self, want: Ask) -> tuple[bool, int]:
        unasked = await self._poll(want)
        if unasked is not None:
            return False, unasked
        await self._send(want)
        self._patience.start(want.step, want.seconds)
        return True, await self._receive(want)

    async def _call(self, want: Call) -> object:
        answer = want.function()
        return await answer if inspect.isawaitable(answer) else answer

    async def _aside(self, want: Aside) -> object:
        return await asyncio.get_running_loop().run_in_executor(None, want.function)

    def _connected(self, step: str) -> Channel:
        if self._channel is None:
            raise ConnectionClosed(f"{step}: expected an open connection, got none", step=step)
        return self._channel


def _close_what_was_made(making: asyncio.Future[socket.socket]) -> None:
    if not making.cancelled() and making.exception() is None:
        making.result().close()

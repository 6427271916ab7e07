"""The blocking shell: carries out what the protocol wants on a socket, with time limits."""

from __future__ import annotations

import contextlib
import inspect
import socket
from typing import TYPE_CHECKING, Any, TypeVar

from ._exceptions import ConnectError, ConnectionClosed, InvalidArgument, POP3TimeoutError
from ._links import Link, link
from ._patience import Clock, Patience
from ._peer import SocketFactory, is_local, names_this_machine, send_at_once
from ._race import race
from ._tls import TLSInfo, default_context, gone, handshake, lost_in_receiving, lost_in_sending
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
    from collections.abc import Callable, Iterator

    from ._config import Config

__all__ = ["SocketShell"]

T = TypeVar("T")


class SocketShell:
    """A socket, and the time limit of the reply that is being waited for.

    Args:
        config: the settings; of them the socket factory, the TLS policy and the clock.
    """

    def __init__(self, config: Config) -> None:
        self._link: Link | None = None
        self._factory: SocketFactory | None = config.socket_factory
        self._context = config.ssl_context
        self._clock: Clock = config.clock
        self._patience = Patience(config.clock)
        self._host = config.host
        self._do: dict[type[Want], Callable[[Any], object]] = {
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

    def run(self, steps: Steps[T], sink: Callable[[bytes], object] | None = None) -> T:
        """Carry out an operation of the protocol and return its result.

        Args:
            steps: the operation.
            sink: takes the parts of a message, if the operation delivers any.
        """
        do = self._do
        try:
            want = next(steps)
            while True:
                try:
                    if type(want) is Deliver:
                        assert sink is not None  # only operations that are run with one deliver
                        answer = sink(want.data)
                    else:
                        answer = do[type(want)](want)
                except BaseException as error:  # noqa: BLE001 - the protocol decides
                    want = steps.throw(error)
                else:
                    want = steps.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def stream(self, steps: Steps[object]) -> Iterator[bytes]:
        """Carry out an operation, and give each part of a message when it is asked for."""
        try:
            want = next(steps)
            while True:
                answer = None
                if isinstance(want, Deliver):
                    yield want.data
                else:
                    try:
                        answer = self._do[type(want)](want)
                    except BaseException as error:  # noqa: BLE001 - the protocol decides
                        want = steps.throw(error)
                        continue
                want = steps.send(answer)
        except StopIteration:
            return
        finally:
            steps.close()  # whoever does not want the rest leaves an operation unfinished

    def wake(self) -> None:
        """Have an operation end that waits in another thread."""
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket, if one is open."""
        if self._link is not None:
            self._link.socket.close()
            self._link = None

    def _open(self, want: Open) -> bool:
        self.close()
        try:
            if self._factory is None:
                sock = race(want.host, want.port, want.seconds, clock=self._clock)
            else:
                sock = self._factory(want.host, want.port, want.seconds)
        except TimeoutError as error:
            raise POP3TimeoutError("connect", want.seconds) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: no name that DNS could hold
            message = f"cannot connect to {want.host} port {want.port}: {error}"
            raise ConnectError(message, step="connect") from error
        self._link = link(sock)
        send_at_once(sock)
        # A socket made elsewhere may lead to a proxy on this machine, and from there anywhere.
        through_a_proxy = self._factory is not None and not names_this_machine(want.host)
        return is_local(sock) and not through_a_proxy

    def _start_tls(self, want: StartTLS) -> TLSInfo:
        sock = self._connected("TLS handshake").socket
        sock.settimeout(want.seconds)
        self._context = self._context or default_context()
        try:
            secured, info = handshake(sock, want.host, self._context)
        except TimeoutError as error:
            raise POP3TimeoutError("TLS handshake", want.seconds) from error
        self._link = link(secured)
        return info

    def _send(self, want: Send) -> None:
        self._sent(self._connected(want.step), *want)

    def _sent(self, connected: Link, data: bytes, step: str, seconds: float) -> None:
        try:
            connected.send(data, seconds)
        except TimeoutError as error:
            raise POP3TimeoutError(step, seconds) from error
        except OSError as error:
            raise lost_in_sending(error, step) from error

    def _expect(self, want: Expect) -> None:
        self._patience.start(*want)

    def _receive(self, want: Receive) -> int:
        connected = self._connected(self._patience.step)
        return self._received(connected, want.into, self._patience.seconds())

    def _received(self, connected: Link, into: memoryview, seconds: float) -> int:
        patience = self._patience
        try:
            count = connected.receive(into, seconds)
        except TimeoutError as error:
            raise patience.exhausted() from error
        except OSError as error:
            raise lost_in_receiving(error, patience.step, self._host) from error
        patience.extend(count)
        return count

    def _poll(self, want: Poll) -> int | None:
        try:
            return self._connected("poll").take(want.into)
        except OSError as error:
            return gone(error, self._host)

    def _ask(self, want: Ask) -> tuple[bool, int]:
        data, step, seconds, into = want
        connected = self._connected(step)
        try:
            unasked = connected.take(into)
        except OSError as error:
            unasked = gone(error, self._host)
        if unasked is not None:
            return False, unasked
        self._sent(connected, data, step, seconds)
        self._patience.start(step, seconds)
        return True, self._received(connected, into, seconds)

    def _call(self, want: Call) -> object:
        answer = want.function()
        if inspect.iscoroutine(answer):
            answer.close()
            raise InvalidArgument(
                "expected a function, got a coroutine function; AsyncPOP3Client takes those"
            )
        return answer

    def _aside(self, want: Aside) -> object:
        return want.function()

    def _connected(self, step: str) -> Link:
        if self._link is None:
            raise ConnectionClosed(f"{step}: expected an open connection, got none", step=step)
        return self._link

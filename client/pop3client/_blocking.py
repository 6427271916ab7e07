"""The blocking shell: carries out what the protocol wants on a socket, with time limits."""

from __future__ import annotations

import inspect
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

from ._exceptions import ConnectError, ConnectionClosed, InvalidArgument, POP3TimeoutError
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
    import socket
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
        self._socket: socket.socket | None = None
        self._factory: SocketFactory | None = config.socket_factory
        self._context = config.ssl_context
        self._clock: Clock = config.clock
        self._patience = Patience(config.clock)
        self._host = config.host
        self._do: dict[type[Want], Callable[[Any], object]] = {
            Open: self._open,
            StartTLS: self._start_tls,
            Send: self._send,
            Expect: self._patience.start,
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
        try:
            want = next(steps)
            while True:
                want = self._step(steps, want, sink)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def stream(self, steps: Steps[object]) -> Iterator[bytes]:
        """Carry out an operation, and give each part of a message when it is asked for."""
        try:
            want = next(steps)
            while True:
                if isinstance(want, Deliver):
                    yield want.data
                    want = next(steps)
                else:
                    want = self._step(steps, want, None)
        except StopIteration:
            return
        finally:
            steps.close()  # whoever does not want the rest leaves an operation unfinished

    def close(self) -> None:
        """Close the socket, if one is open."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _step(
        self, steps: Steps[object], want: Want, sink: Callable[[bytes], object] | None
    ) -> Want:
        try:
            answer: object = None
            if isinstance(want, Deliver):
                assert sink is not None  # only operations that are run with one deliver
                sink(want.data)
            else:
                answer = self._do[type(want)](want)
        except BaseException as error:  # noqa: BLE001 - the protocol decides
            return steps.throw(error)
        return steps.send(answer)

    def _open(self, want: Open) -> bool:
        self.close()
        try:
            if self._factory is None:
                self._socket = race(want.host, want.port, want.seconds, clock=self._clock)
            else:
                self._socket = self._factory(want.host, want.port, want.seconds)
        except TimeoutError as error:
            raise POP3TimeoutError("connect", want.seconds) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: no name that DNS could hold
            message = f"cannot connect to {want.host} port {want.port}: {error}"
            raise ConnectError(message, step="connect") from error
        send_at_once(self._socket)
        # A socket made elsewhere may lead to a proxy on this machine, and from there anywhere.
        through_a_proxy = self._factory is not None and not names_this_machine(want.host)
        return is_local(self._socket) and not through_a_proxy

    def _start_tls(self, want: StartTLS) -> TLSInfo:
        sock = self._connected("TLS handshake")
        sock.settimeout(want.seconds)
        self._context = self._context or default_context()
        try:
            self._socket, info = handshake(sock, want.host, self._context)
        except TimeoutError as error:
            raise POP3TimeoutError("TLS handshake", want.seconds) from error
        return info

    def _send(self, want: Send | Ask) -> None:
        sock = self._connected(want.step)
        sock.settimeout(want.seconds)
        try:
            sock.sendall(want.data)
        except TimeoutError as error:
            raise POP3TimeoutError(want.step, want.seconds) from error
        except OSError as error:
            raise lost_in_sending(error, want.step) from error

    def _receive(self, want: Receive | Ask) -> int:
        sock = self._connected(self._patience.step)
        sock.settimeout(self._patience.seconds())
        try:
            count = sock.recv_into(want.into)
        except TimeoutError as error:
            raise self._patience.exhausted() from error
        except OSError as error:
            raise lost_in_receiving(error, self._patience.step, self._host) from error
        self._patience.extend(count)
        return count

    def _poll(self, want: Poll | Ask) -> int | None:
        sock = self._connected("poll")
        sock.settimeout(0)
        try:
            return sock.recv_into(want.into)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as error:
            return gone(error, self._host)

    def _ask(self, want: Ask) -> tuple[bool, int]:
        unasked = self._poll(want)
        if unasked is not None:
            return False, unasked
        self._send(want)
        self._patience.start(Expect(want.step, want.seconds))
        return True, self._receive(want)

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

    def _connected(self, step: str) -> socket.socket:
        if self._socket is None:
            raise ConnectionClosed(f"{step}: expected an open connection, got none", step=step)
        return self._socket

"""The blocking shell: carries out what the protocol wants on a socket, with time limits."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ._exceptions import ConnectError, ConnectionClosed, POP3TimeoutError
from ._tls import TLSInfo, default_context, handshake
from ._wants import Deliver, Expect, Open, Poll, Receive, Send, StartTLS, Steps

if TYPE_CHECKING:
    from ._wants import Want

__all__ = ["Clock", "SocketFactory", "SocketShell", "dial", "is_local"]

T = TypeVar("T")
SocketFactory: TypeAlias = Callable[[str, int, float], socket.socket]
Clock: TypeAlias = Callable[[], float]


class SocketShell:
    """A socket, and the time limit of the reply that is being waited for.

    Args:
        socket_factory: makes a connected socket from host, port and timeout in seconds.
        ssl_context: the TLS policy; None for the default one.
        clock: gives seconds that only ever grow.
    """

    def __init__(
        self,
        socket_factory: SocketFactory | None,
        ssl_context: ssl.SSLContext | None,
        clock: Clock,
    ) -> None:
        self._socket: socket.socket | None = None
        self._factory = socket_factory
        self._context = ssl_context
        self._clock = clock
        self._expect = Expect("connect", 0.0)
        self._deadline = 0.0
        self._do: dict[type[Want], Callable[[Any], object]] = {
            Open: self._open,
            StartTLS: self._start_tls,
            Send: self._send,
            Expect: self._start_waiting,
            Receive: self._receive,
            Poll: self._poll,
            Deliver: self._deliver,
        }

    def run(self, steps: Steps[T]) -> T:
        """Carry out an operation of the protocol and return its result."""
        try:
            want = next(steps)
            while True:
                try:
                    answer = self._do[type(want)](want)
                except BaseException as error:  # noqa: BLE001 - the protocol decides
                    want = steps.throw(error)
                else:
                    want = steps.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def close(self) -> None:
        """Close the socket, if one is open."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self, want: Open) -> bool:
        self.close()
        try:
            if self._factory is None:
                self._socket = dial(want.host, want.port, want.seconds, clock=self._clock)
            else:
                self._socket = self._factory(want.host, want.port, want.seconds)
        except TimeoutError as error:
            raise POP3TimeoutError("connect", want.seconds) from error
        except (OSError, UnicodeError) as error:  # UnicodeError: no name that DNS could hold
            message = f"cannot connect to {want.host} port {want.port}: {error}"
            raise ConnectError(message, step="connect") from error
        if self._socket.family in (socket.AF_INET, socket.AF_INET6):
            # A command is one small segment that must not wait for the acknowledgement of the
            # one before: Nagle's algorithm and delayed ACK cost 40 ms each time.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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

    def _send(self, want: Send) -> None:
        sock = self._connected(want.step)
        sock.settimeout(want.seconds)
        try:
            sock.sendall(want.data)
        except TimeoutError as error:
            raise POP3TimeoutError(want.step, want.seconds) from error
        except OSError as error:
            message = (
                f"{want.step}: expected to send a command, but the connection is lost: {error}"
            )
            raise ConnectionClosed(message, step=want.step) from error

    def _start_waiting(self, want: Expect) -> None:
        self._expect = want
        self._deadline = self._clock() + want.seconds

    def _receive(self, want: Receive) -> int:
        step, patience, rate = self._expect
        sock = self._connected(step)
        # The whole reply has one deadline, so a server that sends an octet now and then gains
        # nothing; a long message may take long, but no silence in it may.
        seconds = min(self._deadline - self._clock(), patience)
        if seconds <= 0:
            raise POP3TimeoutError(step, patience)
        sock.settimeout(seconds)
        try:
            count = sock.recv_into(want.into)
        except TimeoutError as error:
            raise POP3TimeoutError(step, patience) from error
        except OSError as error:
            message = f"{step}: expected an answer, but the connection is lost: {error}"
            raise ConnectionClosed(message, step=step) from error
        if rate is not None:
            self._deadline += count / rate
        return count

    def _poll(self, want: Poll) -> int | None:
        sock = self._connected("poll")
        sock.settimeout(0)
        try:
            return sock.recv_into(want.into)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:
            return 0  # a connection that was reset is a connection that has ended

    def _deliver(self, want: Deliver) -> None:
        want.sink(want.data)

    def _connected(self, step: str) -> socket.socket:
        if self._socket is None:
            raise ConnectionClosed(f"{step}: expected an open connection, got none", step=step)
        return self._socket


def dial(host: str, port: int, timeout: float, *, clock: Clock) -> socket.socket:
    """Connect to the first address of a host that answers; all together within ``timeout``.

    Raises:
        OSError: none does; the error of the last one that was tried.
    """
    deadline = clock() + timeout
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            remaining = deadline - clock()
            if remaining <= 0:
                raise TimeoutError
            sock.settimeout(remaining)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def names_this_machine(host: str) -> bool:
    """True for ``localhost`` and for loopback addresses."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_local(sock: socket.socket) -> bool:
    """True if the peer is this machine: a loopback address, or no network at all."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return sock.family == getattr(socket, "AF_UNIX", None)
    try:
        return names_this_machine(sock.getpeername()[0].partition("%")[0])
    except OSError:
        return False

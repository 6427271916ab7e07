"""The blocking shell: a socket with a time limit, and the loop that fulfils wants."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import TYPE_CHECKING, TypeVar

from ._wants import (
    HandshakeFailed,
    HangUp,
    Lost,
    On,
    Receive,
    Send,
    Silence,
    StartTLS,
    Want,
    Wants,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from ._target import Target

_Result = TypeVar("_Result")
_CHUNK = 65536


class Connection:
    """A connection to the target; every wait on it is bounded.

    Args:
        target: Where to connect, with the time limit of each wait.
        deadline: Seconds that the whole connection may last.
        clock: Seconds that only rise.

    Raises:
        Lost: It cannot be made.
        Silence: It is not made in time.
        HandshakeFailed: Implicit TLS cannot be agreed upon.
    """

    def __init__(
        self, target: Target, deadline: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._target = target
        self._clock = clock
        self._until = clock() + deadline
        try:
            self._socket: socket.socket = socket.create_connection(
                (target.host, target.port), self._patience()
            )
        except TimeoutError:
            raise Silence(f"no connection to {target} within {target.timeout:g} s") from None
        except OSError as error:
            raise Lost(f"cannot connect to {target}: {error.strerror or error}") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.tls == "implicit":
            try:
                self._start_tls()
            except BaseException:
                self._socket.close()
                raise

    def run(self, wants: Wants[_Result]) -> _Result:
        """Fulfil what a piece of protocol wants until it returns.

        Raises:
            Finding: What the protocol raises.
            Breakdown: The world did not go on, and the protocol did not mind.
        """
        return _run(wants, self.fulfil)

    def hurry(self, seconds: float) -> None:
        """From now on the connection lasts at most so many seconds."""
        self._until = min(self._until, self._clock() + seconds)

    def hang_up(self) -> None:
        """Tell the server that nothing more will be sent."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket, whatever the server thinks."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _patience(self) -> float:
        left = self._until - self._clock()
        if left <= 0:
            raise Silence("the conversation takes longer than it may")
        return min(self._target.timeout, left)

    def fulfil(self, want: Want) -> bytes:
        """Do one thing that is wanted of this connection.

        Returns:
            The octets that came, if octets were wanted.

        Raises:
            Breakdown: The world did not go on.
        """
        patience = self._patience()
        self._socket.settimeout(patience)
        try:
            match want:
                case Send(data):
                    self._socket.sendall(data)
                case Receive():
                    return self._socket.recv(_CHUNK)
                case StartTLS():
                    self._start_tls()
                case HangUp():
                    self.hang_up()
                case On():
                    raise AssertionError(want)  # there is only this connection
        except TimeoutError:
            raise Silence(f"nothing came within {patience:g} s") from None
        except OSError as error:
            raise Lost(f"the connection broke: {error.strerror or error}") from None
        return b""

    def _start_tls(self) -> None:
        context = self._target.context()
        self._socket.settimeout(self._patience())
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=self._target.host)
        except TimeoutError:
            raise Silence("the TLS handshake does not end") from None
        except ssl.SSLCertVerificationError as error:
            raise HandshakeFailed(
                f"the certificate is not accepted: {error.verify_message}", certificate=True
            ) from None
        except OSError as error:
            raise HandshakeFailed(
                f"no TLS handshake: {error.strerror or error}", certificate=False
            ) from None


class Connections:
    """The connections of one conversation, each made when it is wanted first.

    Args:
        target: Where to connect, with the time limit of each wait.
        deadline: Seconds that all of them together may last.

    Attributes:
        made: The connections by their names.
    """

    def __init__(self, target: Target, deadline: float) -> None:
        self._target = target
        self._until = time.monotonic() + deadline
        self._current: Connection | None = None
        self.made: dict[str, Connection] = {}

    def run(self, wants: Wants[_Result]) -> _Result:
        """Fulfil what a conversation wants until it returns; as :meth:`Connection.run`."""
        return _run(wants, self._fulfil)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in self.made.values():
            connection.close()

    def _fulfil(self, want: Want) -> bytes:
        if isinstance(want, On):
            self._current = self.made.get(want.connection) or self._make(want.connection)
            return b""
        assert self._current is not None
        return self._current.fulfil(want)

    def _make(self, name: str) -> Connection:
        self.made[name] = Connection(self._target, self._until - time.monotonic())
        return self.made[name]


def _run(wants: Wants[_Result], fulfil: Callable[[Want], bytes]) -> _Result:
    try:
        want = next(wants)
        while True:
            try:
                data = fulfil(want)
            except (Silence, Lost, HandshakeFailed) as error:
                want = wants.throw(error)
            else:
                want = wants.send(data)
    except StopIteration as done:
        result: _Result = done.value
        return result

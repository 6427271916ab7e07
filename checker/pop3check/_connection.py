"""The blocking shell: a socket with a time limit, and the loop that fulfils wants."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, TypeVar

from ._wants import (
    AskTime,
    AskTLS,
    Drop,
    Handshake,
    HandshakeFailed,
    HangUp,
    Lost,
    On,
    Pause,
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
_USUAL = Handshake()

#: What OpenSSL says where it has none of the versions that are to be offered.
_NOTHING_TO_OFFER = "NO_PROTOCOLS_AVAILABLE"

#: What OpenSSL finds where nobody who is trusted has signed: no issuer at hand, or itself.
_UNTRUSTED = frozenset({2, 18, 19, 20, 21})

#: What helps then.
_WHOM_TO_TRUST = " (ca= names the authority to trust)"

#: SO_LINGER, on, zero seconds: close() then sends RST instead of FIN.
_LINGER_NOTHING = struct.pack("ii", 1, 0)


class Connection:
    """A connection to the target; every wait on it is bounded.

    Args:
        target: Where to connect, with the time limit of each wait.
        deadline: Seconds that the whole connection may last.
        clock: Seconds that only rise.
        implicit: Whether TLS begins with the first octet; None: as the target has it.
        how: How TLS is agreed upon then.
        port: The port; None: the target's.

    Raises:
        Lost: It cannot be made.
        Silence: It is not made in time.
        HandshakeFailed: Implicit TLS cannot be agreed upon.
    """

    def __init__(
        self,
        target: Target,
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        implicit: bool | None = None,
        how: Handshake = _USUAL,
        port: int | None = None,
    ) -> None:
        self._target = target
        self._clock = clock
        self._close_notify = b""
        self._until = clock() + deadline
        try:
            self._socket: socket.socket = socket.create_connection(
                (target.host, port or target.port), self._patience()
            )
        except TimeoutError:
            raise Silence(f"no connection to {target} within {target.timeout:g} s") from None
        except OSError as error:
            raise Lost(f"cannot connect to {target}: {error.strerror or error}") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.tls == "implicit" if implicit is None else implicit:
            try:
                self._start_tls(how)
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
            # Not the method of a TLS socket: that one forgets TLS, and reads ciphertext.
            socket.socket.shutdown(self._socket, socket.SHUT_WR)

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

    def _patience(self, within: float | None = None) -> float:
        left = self._until - self._clock()
        if left <= 0:
            raise Silence("the conversation takes longer than it may")
        return min(self._target.timeout if within is None else within, left)

    def fulfil(self, want: Want) -> bytes:
        """Do one thing that is wanted of this connection.

        Returns:
            The octets that came, if octets were wanted.

        Raises:
            Breakdown: The world did not go on.
        """
        patience = self._patience(want.within if isinstance(want, Receive) else None)
        try:
            if not isinstance(want, Pause):  # which may come when the socket is closed already
                self._socket.settimeout(patience)
            return self._fulfil(want)
        except TimeoutError:
            raise Silence(f"nothing came within {patience:g} s") from None
        except OSError as error:
            raise Lost(f"the connection broke: {error.strerror or error}") from None

    def _fulfil(self, want: Want) -> bytes:
        match want:
            case Receive():
                return self._receive()
            case AskTime():
                return f"{self._clock():.6f}".encode()
            case AskTLS(about):
                return self._about_tls(about)
            case Send(data):
                self._socket.sendall(data)
            case StartTLS(how):
                self._start_tls(how)
            case HangUp():
                self.hang_up()
            case Drop(reset):
                self._drop(reset=reset)
            case Pause(seconds):
                # It is the server that must not be hurried; the deadline bounds it.
                time.sleep(min(seconds, max(0.0, self._until - self._clock())))
            case On():
                raise AssertionError(want)  # there is only this connection
        return b""

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(_CHUNK)
        except ssl.SSLEOFError:
            self._close_notify = b"no"
            return b""
        if not data:
            self._close_notify = b"yes" if isinstance(self._socket, ssl.SSLSocket) else b""
        return data

    def _drop(self, *, reset: bool) -> None:
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        self.close()

    def _about_tls(self, about: str) -> bytes:
        if about == "close-notify":
            return self._close_notify
        tls = self._socket
        return (tls.version() or "").encode() if isinstance(tls, ssl.SSLSocket) else b""

    def _start_tls(self, how: Handshake) -> None:
        context = self._target.context(how)
        self._socket.settimeout(self._patience())
        try:
            self._socket = self._wrapped(context)
        except TimeoutError:
            raise Silence("the TLS handshake does not end") from None
        except ssl.SSLCertVerificationError as error:
            advice = _WHOM_TO_TRUST if self._trusts_too_few(error) else ""
            raise HandshakeFailed(
                f"the certificate is not accepted: {error.verify_message}{advice}",
                certificate=True,
            ) from None
        except OSError as error:
            raise HandshakeFailed(
                f"no TLS handshake: {error.strerror or error}",
                certificate=False,
                ours=getattr(error, "reason", "") == _NOTHING_TO_OFFER,
            ) from None

    def _wrapped(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        try:
            return context.wrap_socket(
                self._socket, server_hostname=self._target.host, suppress_ragged_eofs=False
            )
        except OSError as error:
            # Python 3.11 and later lose the new socket where the old one was reset just before.
            trace = error.__traceback__
            while trace is not None:
                lost = trace.tb_frame.f_locals.get("self")
                if isinstance(lost, ssl.SSLSocket):
                    lost.close()
                trace = trace.tb_next
            raise

    def _trusts_too_few(self, error: ssl.SSLCertVerificationError) -> bool:
        """Whether another authority would help; a context that was given has its own."""
        return error.verify_code in _UNTRUSTED and self._target.ssl_context is None


def _at_once() -> None:
    """Nothing is waited for before a connection is made."""


class Connections:
    """The connections of one conversation, each made when it is wanted first.

    Args:
        target: Where to connect, with the time limit of each wait.
        deadline: Seconds that all of them together may last.
        before: Called before each is made; it may take its time.

    Attributes:
        made: The connections by their names.
    """

    def __init__(
        self, target: Target, deadline: float, before: Callable[[], None] = _at_once
    ) -> None:
        self._target = target
        self._before = before
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
            self._current = self.made.get(want.connection) or self._make(want)
            return b""
        assert self._current is not None
        return self._current.fulfil(want)

    def _make(self, on: On) -> Connection:
        self._before()
        left = self._until - time.monotonic()
        made = Connection(self._target, left, implicit=on.implicit, how=on.how, port=on.port)
        self.made[on.connection] = made
        return made


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

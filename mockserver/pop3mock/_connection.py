"""The asyncio shell: does what a session wants done, in order, and brings it what comes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING

from . import _actions as act
from ._tls import server_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pop3scenarios import TLSSection

    from ._session import Session

#: SO_LINGER, on, zero seconds: close() then sends RST instead of FIN.
_LINGER_NOTHING = struct.pack("ii", 1, 0)

#: Octets handed to the transport at once; answers that are smaller are one write.
_AT_ONCE = 1 << 18

#: What a server that does not speak TLS says where the handshake should be.
_GARBAGE = b"This is not a TLS handshake.\r\n"

#: A handshake that the client never finishes must not outlive a test run.
_HANDSHAKE_TIMEOUT = 60.0


class Connection(asyncio.Protocol):
    """One connection of the mock server.

    Args:
        session: Its protocol.
        tls: The scenario's TLS.
        gone: Called once, when the connection is gone.
    """

    def __init__(
        self,
        session: Session,
        tls: TLSSection,
        gone: Callable[[Connection], None],
    ) -> None:
        self._session = session
        self._log = session.log
        self._tls = tls
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._todo: deque[act.Action] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._early: list[bytes] = []
        self._unsent = memoryview(b"")
        self._babbles = False
        self._busy = False
        self._full = False
        self._client_done = False
        self._lost = False

    # What asyncio tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is up."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._log.ended:
            transport.abort()  # the server was stopped between the accept and now
            return
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls.mode == "implicit":
            self._do([act.StartTLS()])
        else:
            self._do(self._session.connected())

    def data_received(self, data: bytes) -> None:
        """Octets have come."""
        if self._babbles:
            assert self._transport is not None
            self._transport.write(_GARBAGE)
            self._end("close")
        elif self._handshake is not None:
            # The client's first words inside TLS can come before our task hears of its end.
            self._early.append(data)
        elif not self._session.over:
            self._do(self._session.receive(data))

    def eof_received(self) -> bool:
        """The client has sent its FIN; what it asked before is still answered."""
        self._client_done = True
        # Both sides are done with a connection that hangs or is half closed, and inside TLS there
        # is no half-close to answer into.
        if self._log.ended or self._log.tls:
            return False
        return self._answering

    def pause_writing(self) -> None:
        """The client does not read: answer nothing more, and take nothing more in."""
        self._full = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._full = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._drain()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._lost:
            return
        self._lost = True
        self._todo.clear()
        if self._timer is not None:
            self._timer.cancel()
        if not self._log.ended:
            self._log.ended = "client reset" if exc is not None else "client"
            self._log.remark("client reset" if exc is not None else "client closed")
        self._session.lost()
        self._gone(self)
        self._log.remark("connection over")

    def abort(self) -> None:
        """End the connection at once; the server is being stopped."""
        self._todo.clear()
        if not self._log.ended:
            self._log.ended = "stopped"
        if self._handshake is not None:
            self._handshake.cancel()
        if self._transport is not None:
            self._transport.abort()
        if self._handshake is not None:
            self.connection_lost(None)

    # What the session wants

    def _do(self, actions: Iterable[act.Action]) -> None:
        self._todo.extend(actions)
        self._drain()

    def _drain(self) -> None:
        transport = self._transport
        assert transport is not None
        if self._unsent and not self._full:
            rest, self._unsent = self._unsent, memoryview(b"")
            self._write(transport, rest)
        while self._todo and not self._busy and not self._full and not self._lost:
            match self._todo.popleft():
                case act.Send(data):
                    self._write(transport, data)
                case act.Trickle(data, size, every):
                    self._trickle(data, size, every, 0)
                case act.Pause(seconds):
                    self._later(seconds, self._drain)
                case act.StartTLS():
                    self._start_tls()
                case act.End(how):
                    self._end(how)
        if self._client_done and not self._answering:
            transport.close()

    @property
    def _answering(self) -> bool:
        """Whether there is still something to send or to do."""
        return self._busy or bool(self._todo) or bool(self._unsent)

    def _write(self, transport: asyncio.Transport, data: bytes | memoryview) -> None:
        """Write a big answer as fast as the client takes it, and never hold it twice."""
        rest = memoryview(data)
        while len(rest) > _AT_ONCE and not self._full:
            transport.write(rest[:_AT_ONCE])
            rest = rest[_AT_ONCE:]
        if self._full:
            self._unsent = rest
        else:
            transport.write(rest)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._busy = True

        def resume() -> None:
            self._busy = False
            self._timer = None
            if not self._lost:
                call()

        self._timer = self._loop.call_later(seconds, resume)

    def _trickle(self, data: bytes, size: int, every: float, at: int) -> None:
        assert self._transport is not None
        self._transport.write(data[at : at + size])
        if at + size < len(data):
            self._later(every, lambda: self._trickle(data, size, every, at + size))
        elif not self._busy:
            # Called from the timer rather than from _drain: go on with what is left.
            self._loop.call_soon(self._drain)

    # How it ends

    def _end(self, how: str) -> None:
        transport = self._transport
        assert transport is not None
        self._log.ended = how
        if how == "close":
            transport.close()
        elif how == "reset":
            self._reset()
        elif how == "half-close":
            self._half_close()
        else:
            self._busy = True  # a hang: nothing more is said until the server stops

    def _reset(self) -> None:
        assert self._transport is not None
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        self._transport.abort()

    def _half_close(self) -> None:
        assert self._transport is not None
        self._busy = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            # Inside TLS there is no half-close: the TCP connection gets it, without close_notify.
            self._transport.get_extra_info("socket").shutdown(socket.SHUT_WR)

    # TLS

    def _start_tls(self) -> None:
        assert self._transport is not None
        self._busy = True
        match self._tls.handshake:
            case "garbage":
                # Not before the client has begun: it would be a reply put in behind STLS's own.
                self._babbles = True
            case "close" | "reset" | "hang" as how:
                self._end(how)
            case _:
                # Whatever comes from here on is the handshake's.
                self._transport.pause_reading()
                self._handshake = self._loop.create_task(self._shake_hands())

    async def _shake_hands(self) -> None:
        plain = self._transport
        assert plain is not None
        try:
            secure = await self._loop.start_tls(
                plain,
                self,
                server_context(self._tls),
                server_side=True,
                ssl_handshake_timeout=_HANDSHAKE_TIMEOUT,
            )
        except (OSError, asyncio.CancelledError) as error:
            self._handshake = None
            if not self._log.ended:
                self._log.ended = "handshake failed"
                self._log.remark(f"TLS handshake failed: {_reason(error)}")
            plain.abort()
            self.connection_lost(None)
            return
        self._handshake = None
        if secure is None or self._lost:
            return
        self._transport = secure
        self._busy = False
        version = secure.get_extra_info("ssl_object").version()
        self._log.tls = version or ""
        self._log.remark(f"{version}")
        self._session.secured()
        self._do(self._session.connected() if self._tls.mode == "implicit" else ())
        self._do(self._session.receive(b"".join(self._early)))
        self._early.clear()


def _reason(error: BaseException) -> str:
    return getattr(error, "reason", None) or str(error) or type(error).__name__

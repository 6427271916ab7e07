"""The asyncio shell: does what a session wants done, in order, and brings it what comes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from typing import TYPE_CHECKING, Literal

from . import _actions as act
from ._autologout import Autologout
from ._flow import AT_ONCE, chunks_of, sized
from ._pretence import Pretence
from ._stall import Standing, stall
from ._tls import identity
from ._tls_layer import TLSLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pop3scenarios import TLSSection

    from ._session import Session

#: SO_LINGER, on, zero seconds: close() then sends RST instead of FIN.
_LINGER_NOTHING = struct.pack("ii", 1, 0)

#: Commands that are answered before any of the answers is sent. A client may send thousands ahead,
#: and their answers are not to be in memory all at once.
_AT_MOST = 32

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
        self._autologout = Autologout(
            self._loop, lambda: session.patience, lambda: self._at_work, self._silent
        )
        self._layer: TLSLayer | None = None
        self._pretence: Pretence | None = None
        self._flow: Iterator[bytes] | None = None
        self._every: float | None = None
        self._busy = False
        self._full = False
        self._client_done = False
        self._lost = False
        self._released = False
        self._patience_of_others: asyncio.TimerHandle | None = None
        session.wake = self._woken

    @property
    def number(self) -> int:
        """Its number, from 1."""
        return self._log.number

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
        self._log.connected(_address(transport.get_extra_info("peername")))
        self._autologout.heard()
        if self._tls.mode == "implicit":
            self._do([act.StartTLS()])
        else:
            self._do(self._session.connected())
        self._autologout.watch()

    def data_received(self, data: bytes) -> None:
        """Octets have come."""
        self._autologout.heard()
        if self._log.ended:
            return  # it hangs, or is half closed
        if self._pretence is not None:
            self._refuse_handshake(self._pretence, data)
        elif self._layer is not None:
            self._hear_inside(self._layer, data)
        elif not self._session.over:
            self._hear(data)
        self._autologout.adjust()

    def eof_received(self) -> bool:
        """The client has sent its FIN; what it asked before is still answered."""
        self._client_done = True
        # Both sides are done with a connection that hangs or is half closed, and a handshake needs
        # both.
        if self._log.ended or self._shaking_hands:
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
        if self._log.ended in ("hang", "half-close") and not self._released:
            self._log.remark(f"the client gave up: {self.stall()}")
        self._forget()
        self._autologout.cancel()
        for timer in (self._timer, self._patience_of_others):
            if timer is not None:
                timer.cancel()
        how = "client reset" if exc is not None else "client closed"
        self._log.end("handshake failed" if self._shaking_hands else how, "client")
        self._session.lost()
        self._gone(self)
        self._log.over()

    def stall(self) -> str:
        """Where the connection stands, and what it waits for."""
        session = self._session
        standing = Standing(
            self._at_work, self._full, self._shaking_hands,
            session.held_for, session.partial, session.due,
        )  # fmt: skip
        return stall(self._log, standing)

    def abort(self) -> None:
        """End the connection at once; the server is being stopped."""
        if self._transport is not None and not self._transport.is_closing():
            self._log.remark(f"released, since the server stops: {self.stall()}")
            self._released = True
        self._forget()
        self._log.end("stopped")
        if self._transport is not None:
            self._transport.abort()

    def _silent(self) -> None:
        """The client has been silent too long."""
        if self._shaking_hands:
            self._handshake_left()
        elif not self._session.over:
            self._do(self._session.idle())

    # What the session wants

    def _do(self, actions: Iterable[act.Action]) -> None:
        self._todo.extend(actions)
        self._drain()

    def _hear(self, data: bytes) -> None:
        """Bring the session what the client has said; it answers what it can at once."""
        self._listen(data)
        self._drain()

    def _listen(self, data: bytes = b"") -> None:
        self._todo.extend(self._session.receive(data, at_most=_AT_MOST))

    def _drain(self) -> None:
        while not (self._busy or self._full or self._lost):
            if self._flow is not None:
                self._pump(self._flow)
            elif self._todo:
                self._act(self._todo.popleft())
            elif self._behind:
                self._listen()
            else:
                break
        if self._client_done and not self._answering:
            self._close()

    def _act(self, action: act.Action) -> None:
        match action:
            case act.Send(bytes(data)) if len(data) <= AT_ONCE:
                self._put(self._with_what_follows(data))
            case act.Send(data):
                self._flow, self._every = iter(chunks_of(data)), None
            case act.Trickle(data, size, every):
                self._trickle(sized(chunks_of(data), size), every)
            case act.Pause(seconds):
                self._later(seconds, self._drain)
            case act.StartTLS(behind):
                self._start_tls(behind)
            case act.End(how):
                self._end(how)
            case act.Hold(seconds):
                self._hold(seconds)

    def _with_what_follows(self, data: bytes) -> bytes:
        """The answers to commands that came together leave together."""
        parts, octets = [data], len(data)
        while self._todo:
            match self._todo[0]:
                case act.Send(bytes(more)) if octets + len(more) <= AT_ONCE:
                    parts.append(more)
                    octets += len(more)
                    self._todo.popleft()
                case _:
                    break
        return data if len(parts) == 1 else b"".join(parts)

    @property
    def _answering(self) -> bool:
        """Whether there is still something to send or to do."""
        waits = self._busy or self._behind
        return waits or bool(self._todo) or self._flow is not None

    @property
    def _at_work(self) -> bool:
        """Whether it is for the server to say something; a handshake waits for the client."""
        return self._answering and not self._shaking_hands

    @property
    def _behind(self) -> bool:
        """Whether the client has said more that is still to be heard."""
        return self._session.behind and not self._log.ended

    def _forget(self) -> None:
        """Let go of all that was still to be done."""
        self._todo.clear()
        self._flow = None

    def _pump(self, flow: Iterator[bytes]) -> None:
        """Send the next chunk of a flow, or wait until it is time for it."""
        try:
            chunk = next(flow, None)
        except OSError as error:
            self._unreadable(error)
            return
        if chunk is None:
            self._flow = None
        elif self._every is None:
            self._put(chunk)
        else:
            self._later(self._every, lambda: self._put_late(chunk))

    def _trickle(self, flow: Iterator[bytes], every: float) -> None:
        self._flow, self._every = flow, None
        self._pump(flow)  # the first chunk is not waited for
        self._every = every

    def _put_late(self, chunk: bytes) -> None:
        self._put(chunk)
        self._drain()

    def _unreadable(self, error: OSError) -> None:
        """Mail on the disk that is gone, or has changed, while it is sent ends the connection."""
        self._forget()
        self._log.remark(f"mail cannot be read: {error}")
        self._end("close")

    def _put(self, data: bytes) -> None:
        """Hand octets to the transport, through TLS if it is on."""
        assert self._transport is not None
        if self._layer is not None:
            self._layer.write(data)
            data = self._layer.drain()
        self._transport.write(data)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._busy = True

        def resume() -> None:
            self._busy = False
            self._timer = None
            if not self._lost:
                call()

        self._timer = self._loop.call_later(seconds, resume)

    # Where a script has other connections go first

    def _hold(self, seconds: float) -> None:
        """Wait for other connections, but not for ever."""
        if self._patience_of_others is not None:
            self._patience_of_others.cancel()
        self._patience_of_others = self._loop.call_later(seconds, self._give_up)

    def _go_on(self) -> None:
        """Other connections have gone on: what was held may now be answered."""
        if self._patience_of_others is not None:
            self._patience_of_others.cancel()
            self._patience_of_others = None
        if not self._lost:
            self._do(self._session.resume(at_most=_AT_MOST))

    def _woken(self) -> None:
        # Not at once: the other connection is still about to say what lets this one go on.
        self._loop.call_soon(self._go_on)

    def _give_up(self) -> None:
        """Other connections have not gone on: what was held is answered all the same."""
        self._patience_of_others = None
        if not self._lost:
            self._do(self._session.give_up(at_most=_AT_MOST))

    # How it ends

    def _end(self, how: str) -> None:
        self._log.end(how)
        if how == "close":
            self._close()
        elif how == "reset":
            self._reset()
        elif how == "half-close":
            self._half_close()
        else:
            self._busy = True  # a hang: nothing more is said until the server stops

    def _close(self) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._end_tls()
            self._transport.close()

    def _reset(self) -> None:
        assert self._transport is not None
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
        self._transport.abort()

    def _half_close(self) -> None:
        assert self._transport is not None
        self._busy = True
        self._end_tls()
        self._transport.write_eof()

    # TLS

    @property
    def _shaking_hands(self) -> bool:
        """Whether the handshake has begun and is not done."""
        return self._pretence is not None or (
            self._layer is not None and not self._layer.established
        )

    def _start_tls(self, behind: bytes) -> None:
        how = self._tls.handshake
        if how in ("close", "reset", "hang"):
            self._end(how)
            return
        # A handshake that the client never finishes must not outlive a test run.
        self._later(_HANDSHAKE_TIMEOUT, lambda: self._handshake_failed("timed out", b""))
        if how in Pretence.WAYS:
            # Not before the client has begun: it would be a reply put in behind STLS's own.
            self._pretence = Pretence(how)
        else:
            self._layer = TLSLayer(identity(self._tls))
        if behind:
            self.data_received(behind)

    def _refuse_handshake(self, pretence: Pretence, data: bytes) -> None:
        """Answer what should be a ClientHello with something else."""
        last_words = pretence.hear(data)
        if last_words is not None:
            self._handshake_failed(f"{pretence.how} in its place", last_words)

    def _hear_inside(self, layer: TLSLayer, data: bytes) -> None:
        """Octets have come that belong to TLS: to its handshake, or to what is said inside it."""
        fresh = not layer.established
        layer.feed(data)
        try:
            if fresh and not layer.shake_hands():
                self._flush(layer)
                return
            heard = layer.read()
        except ssl.SSLError as error:
            self._tls_failed(layer, error)
            return
        self._flush(layer)
        if fresh:
            self._secured(layer)
        if (heard or fresh) and not self._session.over:
            self._hear(heard)
        if layer.ended:
            self._client_done = True
            self._drain()

    def _secured(self, layer: TLSLayer) -> None:
        self._resume()
        channel = layer.channel()
        self._log.secured(channel.version, channel.cipher)
        self._session.secured(channel)
        if self._tls.mode == "implicit":
            self._do(self._session.connected())

    def _tls_failed(self, layer: TLSLayer, error: ssl.SSLError) -> None:
        reason = error.reason or str(error)
        alert = layer.drain()
        if not layer.established:
            self._handshake_failed(reason, alert)
            return
        assert self._transport is not None
        self._log.remark(f"TLS failed: {reason}")
        self._log.end("TLS failed", _blamed(reason))
        self._todo.clear()
        self._transport.write(alert)
        self._transport.close()

    def _handshake_failed(self, reason: str, last_words: bytes) -> None:
        """Say so; the connection is over unless the session goes on in the clear."""
        assert self._transport is not None
        self._resume()
        self._pretence = self._layer = None
        self._log.remark(f"TLS handshake failed: {reason}")
        self._transport.write(last_words)
        actions = self._session.handshake_failed()
        if actions:
            self._do(actions)
            return
        self._log.end("handshake failed", _blamed(reason))
        self._todo.clear()
        self._transport.close()

    def _handshake_left(self) -> None:
        """The client says nothing where its part of the handshake should come."""
        assert self._transport is not None
        self._resume()
        self._log.remark("TLS handshake failed: autologout")
        self._log.end("autologout")
        self._transport.close()

    def _resume(self) -> None:
        """Go on: what was waited for has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._busy = False

    def _flush(self, layer: TLSLayer) -> None:
        """Send what TLS itself has to say."""
        assert self._transport is not None
        data = layer.drain()
        if data:
            self._transport.write(data)

    def _end_tls(self) -> None:
        layer = self._layer
        if layer is not None and layer.established and self._tls.close_notify is not False:
            layer.end()
            self._flush(layer)


def _address(peer: tuple[object, ...] | str | None) -> str:
    """The address of a client in one word; that of a Unix socket has none."""
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else ""


def _blamed(reason: str) -> Literal["client", "server"]:
    """Who has ended TLS: the client if it was an alert of its own."""
    return "client" if "ALERT" in reason else "server"

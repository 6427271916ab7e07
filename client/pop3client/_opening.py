"""From the connection to the login: greeting, capabilities, TLS."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ._capabilities import Capabilities
from ._commands import capa
from ._config import TLS
from ._exceptions import CommandError, ConnectionClosed, InjectedDataError, TLSError
from ._states import GREETING, State
from ._wants import Open, StartTLS, Steps

if TYPE_CHECKING:
    from ._session import Session
    from ._tls import TLSInfo

__all__ = ["ask_again", "discover", "open_session"]


def open_session(session: Session) -> Steps[None]:
    """Connect, read the greeting, and secure the connection if that was asked for.

    Raises:
        CommandError: the greeting is -ERR.
        BadStatusLine: the greeting is not one of POP3.
        TLSError: the connection could not be secured.
    """
    yield from _connect(session)
    if session.config.tls is TLS.STLS:
        yield from _stls(session)
    elif session.config.tls is TLS.OPPORTUNISTIC:
        yield from _stls_if_offered(session)


def _connect(session: Session) -> Steps[None]:
    config = session.config
    session.wire.clear()
    session.state, session.tls = State.UNOPENED, None
    session.peer_is_local = yield Open(config.host, config.port, config.timeout)
    if config.tls is TLS.IMPLICIT:
        yield from _secure(session)
    reply = yield from session.status(GREETING, config.timeout)
    session.moved(GREETING, reply, GREETING)
    if not reply.text.strip():
        session.note("greeting-bare", GREETING, b"+OK")
    session.greeting = reply.text


def _secure(session: Session) -> Steps[None]:
    config = session.config
    # RFC 2595 section 4: after TLS the client forgets what it learned before it, since anyone
    # may have written that, and asks again.
    session.capabilities, session.capa_asked = Capabilities(), False
    session.wire.begin()
    info: TLSInfo = yield StartTLS(config.host, config.timeout)
    session.tls = info
    if config.tls_callback is not None:
        config.tls_callback(info)


def _stls(session: Session) -> Steps[None]:
    try:
        yield from capa(session)
    except (CommandError, ConnectionClosed) as error:
        message = f"STLS was asked for, but the server does not say what it can do: {error}"
        raise TLSError(message, step="capa") from error
    if not session.capabilities.stls:
        names = ", ".join(session.capabilities) or "nothing"
        message = f"expected STLS among the server's capabilities, got {names}; try TLS.IMPLICIT"
        raise TLSError(message, step="not-offered")
    try:
        yield from session.command("STLS")
    except CommandError as error:
        raise TLSError(f"STLS was offered, then refused: {error.text}", step="refused") from error
    yield from _upgrade(session)


def _stls_if_offered(session: Session) -> Steps[None]:
    yield from discover(session)
    if not session.capabilities.stls:
        return
    try:
        yield from session.command("STLS")
    except CommandError:
        return  # it stays in the clear, and login() will not send a secret
    yield from _upgrade(session)


def _upgrade(session: Session) -> Steps[None]:
    # A TLS server waits for the client to begin, so whatever is here was not sent by it.
    if (yield from session.wire.poll()):
        raise InjectedDataError(session.wire.pending)
    yield from _secure(session)
    yield from discover(session)


def discover(session: Session) -> Steps[None]:
    """Ask for the capabilities once, if they are not known.

    A server need not have CAPA (RFC 2449), so a refusal is put up with. One that closes the
    connection at the sight of it is connected to once more and not asked again.
    """
    if session.capa_asked:
        return
    try:
        yield from capa(session)
    except CommandError:
        pass  # noted by capa()
    except ConnectionClosed as error:
        if error.step != "CAPA":
            raise  # it was closed before
        session.note("capa-closes", "CAPA", session.wire.reply)
        if session.config.tls is TLS.STLS or session.state is not State.AUTHORIZATION:
            raise
        yield from _connect(session)
        session.capa_asked = True


def ask_again(session: Session) -> Steps[None]:
    """Ask for the capabilities after login, where they may differ (RFC 2449 section 5).

    Only a server that has answered before is asked: one that closes the connection at the sight
    of CAPA would do so now.
    """
    if any(answer is not None for answer in session.snapshots):
        with contextlib.suppress(CommandError):  # noted by capa()
            yield from capa(session)

"""From the connection to the maildrop: greeting, capabilities, TLS, login."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from . import _replies
from ._capabilities import Capabilities
from ._commands import capa, stat
from ._config import TLS
from ._exceptions import (
    ChallengeError,
    CommandError,
    ConnectionClosed,
    InjectedDataError,
    InsecureAuthError,
    InvalidArgument,
    POP3Error,
    POP3TimeoutError,
    TLSError,
)
from ._session import Session, encoded
from ._wants import Expect, Open, StartTLS, Steps

if TYPE_CHECKING:
    from ._tls import TLSCallback, TLSInfo

__all__ = ["apop", "check_credentials", "discover", "login", "open_session", "sign_on"]

_LINGER = 0.25
"""Seconds in which a server that hangs up after a refused login is caught at it."""


def open_session(session: Session, tls_callback: TLSCallback | None) -> Steps[None]:
    """Connect, read the greeting, and secure the connection if that was asked for.

    Raises:
        CommandError: the greeting is -ERR.
        BadStatusLine: the greeting is not one of POP3.
        TLSError: the connection could not be secured.
    """
    yield from _connect(session, tls_callback)
    if session.config.tls is TLS.STLS:
        yield from _stls(session, tls_callback)


def _connect(session: Session, tls_callback: TLSCallback | None) -> Steps[None]:
    config = session.config
    session.wire.clear()
    session.encrypted = False
    local: bool = yield Open(config.host, config.port, config.timeout)
    session.peer_is_local = local
    if config.tls is TLS.IMPLICIT:
        yield from _secure(session, tls_callback)
    reply = yield from session.status("greeting", config.timeout)
    if not reply.ok:
        raise _replies.command_error("greeting", reply.text)
    if not reply.text.strip():
        session.note("greeting-bare", "greeting", b"+OK")
    session.greeting = reply.text


def _secure(session: Session, tls_callback: TLSCallback | None) -> Steps[None]:
    config = session.config
    # RFC 2595 section 4: after TLS the client forgets what it learned before it, since anyone
    # may have written that, and asks again.
    session.capabilities, session.capa_asked = Capabilities(), False
    session.wire.begin()
    info: TLSInfo = yield StartTLS(config.host, config.timeout)
    session.encrypted = True
    if tls_callback is not None:
        tls_callback(info)


def _stls(session: Session, tls_callback: TLSCallback | None) -> Steps[None]:
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
    # A TLS server waits for the client to begin, so whatever is here was not sent by it.
    if (yield from session.wire.poll()):
        raise InjectedDataError(session.wire.pending)
    yield from _secure(session, tls_callback)
    yield from discover(session, None)


def discover(session: Session, tls_callback: TLSCallback | None) -> Steps[None]:
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
    except ConnectionClosed:
        session.note("capa-closes", "CAPA", session.wire.reply)
        if session.config.tls is TLS.STLS:
            raise
        yield from _connect(session, tls_callback)
        session.capa_asked = True


def check_credentials(user: str, password: str) -> tuple[bytes, bytes]:
    """Encode user and password.

    Raises:
        InvalidArgument: one of them cannot stand in a command.
    """
    if not user:
        raise InvalidArgument("user: expected a name, got nothing")
    return encoded(user, "user"), encoded(password, "password")


def _require_privacy(session: Session) -> None:
    # RFC 8314 section 3: a password has no business on an open network. On this machine's own
    # loopback there is no network.
    if not (session.encrypted or session.peer_is_local or session.config.allow_insecure_auth):
        raise InsecureAuthError(
            f"USER and PASS to {session.config.host} would send the password in the clear; "
            "use tls=TLS.STLS or TLS.IMPLICIT, or allow_insecure_auth=True"
        )


def sign_on(
    session: Session,
    user: str,
    password: str,
    *,
    use_apop: bool,
    tls_callback: TLSCallback | None,
) -> Steps[None]:
    """Do all that ``connect`` does after the greeting: CAPA, login, STAT."""
    if not use_apop:
        _require_privacy(session)  # before the first octet, not only before the password
    yield from discover(session, tls_callback)
    yield from (apop if use_apop else login)(session, user, password)


def login(session: Session, user: str, password: str) -> Steps[None]:
    """Log in with USER and PASS, then ask for the maildrop's size (RFC 1939 section 7).

    Raises:
        InsecureAuthError: the connection is not encrypted and the peer is another machine.
        AuthenticationError: refused.
        MailboxInUse: another session holds the maildrop.
    """
    name, secret = check_credentials(user, password)
    session.require("USER")
    _require_privacy(session)
    session.secrets = (secret,)
    yield from _authenticate(session, "USER", name)
    yield from _authenticate(session, "PASS", secret)
    yield from stat(session)


def apop(session: Session, user: str, password: str) -> Steps[None]:
    """Log in with APOP, then ask for the maildrop's size (RFC 1939 section 7).

    Raises:
        ChallengeError: the greeting has no timestamp, or none that is safe to sign.
        InvalidArgument: Exchange (``msex=True``) has no APOP.
    """
    name, secret = check_credentials(user, password)
    session.require("APOP")
    if session.config.msex:
        raise InvalidArgument("APOP: Exchange has none; log in with USER and PASS over TLS")
    challenge = _replies.apop_challenge(session.greeting)
    if challenge is None:
        raise ChallengeError(
            f"APOP: expected a timestamp <local@domain> of printable ASCII in the greeting, "
            f"got {session.greeting!r}; log in with USER and PASS"
        )
    digest = hashlib.md5(challenge + secret, usedforsecurity=False).hexdigest().encode()
    session.secrets = (secret, digest)
    yield from _authenticate(session, "APOP", name, digest)
    yield from stat(session)


def _authenticate(session: Session, keyword: str, *arguments: bytes) -> Steps[None]:
    try:
        yield from session.command(keyword, *arguments)
    except CommandError as refusal:
        yield from _notice_hangup(session, keyword, refusal)
        raise


def _notice_hangup(session: Session, keyword: str, refusal: CommandError) -> Steps[None]:
    """Wait a moment for a server that hangs up after its refusal.

    The caller is told of the refusal in any case; only what comes after it is at stake.
    """
    try:
        yield Expect(keyword, min(_LINGER, session.config.timeout))
        yield from session.wire.read_line(keyword, session.config.limits.line_octets)
    except ConnectionClosed:
        session.note("close-on-bad-auth", keyword, refusal.text.encode())
        session.end("the server closed the connection when it refused the login")
    except POP3TimeoutError:
        pass  # it stays, as it should
    except POP3Error as error:
        session.end(str(error))
    else:
        # Qpopper says "+OK ... signing off" after its -ERR. It would pass for the answer to the
        # next command.
        session.end("the server went on talking when it had refused the login")

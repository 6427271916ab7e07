"""``connect``: from nothing to a maildrop in one call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ._client import POP3Client
from ._config import TLS, Limits, RetrMode
from ._opening import check_credentials

if TYPE_CHECKING:
    import ssl

    from ._blocking import Clock, SocketFactory
    from ._tls import TLSCallback

__all__ = ["connect"]


def connect(
    host: str,
    user: str,
    password: str,
    *,
    port: int | None = None,
    tls: TLS = TLS.NONE,
    msex: bool = False,
    retr_mode: RetrMode = RetrMode.RETR,
    socket_factory: SocketFactory | None = None,
    ssl_context: ssl.SSLContext | None = None,
    tls_callback: TLSCallback | None = None,
    timeout: float = 60.0,
    allow_insecure_auth: bool = False,
    apop: bool = False,
    strict: bool = False,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    lf_commands: bool = False,
    clock: Clock = time.monotonic,
) -> POP3Client:
    """Connect to a maildrop and log in.

    On the wire: greeting, CAPA, (STLS, handshake, CAPA,) login, STAT. A server without CAPA is
    put up with. Whatever fails, the connection is closed.

    Args:
        host: name or address of the server.
        user: name of the maildrop.
        password: its password.
        apop: log in with APOP rather than USER and PASS.
        port: as for ``POP3Client``, like all that follow.
        tls: see ``POP3Client``.
        msex: see ``POP3Client``.
        retr_mode: see ``POP3Client``.
        socket_factory: see ``POP3Client``.
        ssl_context: see ``POP3Client``.
        tls_callback: see ``POP3Client``.
        timeout: see ``POP3Client``.
        allow_insecure_auth: see ``POP3Client``.
        strict: see ``POP3Client``.
        limits: see ``POP3Client``.
        lf_commands: see ``POP3Client``.
        clock: see ``POP3Client``.

    Returns:
        The client, logged in; use it as a context manager.

    Raises:
        POP3Error: see ``POP3Client``, ``POP3Client.login`` and ``POP3Client.apop``.
    """
    check_credentials(user, password)
    client = POP3Client(
        host,
        port=port,
        tls=tls,
        msex=msex,
        retr_mode=retr_mode,
        socket_factory=socket_factory,
        ssl_context=ssl_context,
        tls_callback=tls_callback,
        timeout=timeout,
        allow_insecure_auth=allow_insecure_auth,
        strict=strict,
        limits=limits,
        lf_commands=lf_commands,
        clock=clock,
    )
    client._sign_on(user, password, use_apop=apop)
    return client

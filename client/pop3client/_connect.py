"""From nothing to a maildrop in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ._async_client import AsyncPOP3Client
from ._authentication import check_login, sign_on
from ._client import POP3Client

if TYPE_CHECKING:
    from ._config import Settings

__all__ = ["connect", "connect_async"]


def connect(
    host: str,
    user: str,
    password: str,
    *,
    mechanism: str | None = None,
    **settings: Unpack[Settings],
) -> POP3Client:
    """Connect to a maildrop and log in.

    On the wire: greeting, CAPA, (STLS, handshake, CAPA,) login, CAPA, STAT. A server without
    CAPA is put up with. Whatever fails, the connection is closed.

    Args:
        host: name or address of the server.
        user: name of the maildrop.
        password: its password.
        mechanism: how to log in, see ``POP3Client.login``; by default the safest way.
        **settings: see ``Settings``.

    Returns:
        The client, logged in; use it as a context manager.

    Raises:
        POP3Error: see ``POP3Client`` and ``POP3Client.login``.
    """
    check_login(user, password, mechanism)
    client = POP3Client(host, **settings)
    client._run_or_close(sign_on(client._session, user, password, mechanism))
    return client


def connect_async(
    host: str,
    user: str,
    password: str,
    *,
    mechanism: str | None = None,
    **settings: Unpack[Settings],
) -> AsyncPOP3Client:
    """Connect to a maildrop and log in, on the running event loop.

    ``client = await connect_async(…)``, or ``async with connect_async(…) as client``; that is
    when it happens. Arguments and errors are those of ``connect``.
    """
    check_login(user, password, mechanism)
    client = AsyncPOP3Client(host, **settings)
    client._to_open.append(sign_on(client._session, user, password, mechanism))
    return client

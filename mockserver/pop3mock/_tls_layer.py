"""TLS on one connection, without a socket: octets from the client in, octets for it out.

asyncio has TLS of its own, which cannot end without ``close_notify``, cannot go on in the clear
after a handshake that failed, keeps back the alert that says why it failed, and holds a buffer of
256 KiB for each connection. A mock needs the first three, and has many connections.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

from ._channel import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._tls import Identity

#: Octets taken out of TLS at once: a record holds no more.
_RECORD = 1 << 14


class TLSLayer:
    """The server's side of TLS.

    Args:
        identity: Whom it shows to the client, and how it speaks.

    Attributes:
        established: Whether the handshake is done.
        ended: Whether the client has ended TLS with ``close_notify``.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = identity.context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.ended = False

    def feed(self, data: bytes) -> None:
        """Take in what has come from the client."""
        self._incoming.write(data)

    def drain(self) -> bytes:
        """What is to be sent to the client."""
        return self._outgoing.read()

    def shake_hands(self) -> bool:
        """Go on with the handshake as far as what has come allows; says whether it is done.

        Raises:
            ssl.SSLError: It has failed; what :meth:`drain` gives says so to the client.
        """
        with contextlib.suppress(ssl.SSLWantReadError):
            self._object.do_handshake()
            self.established = True
        return self.established

    def read(self) -> bytes:
        """What the client has said inside TLS.

        Raises:
            ssl.SSLError: What has come is no TLS, or an alert.
        """
        pieces = []
        with contextlib.suppress(ssl.SSLWantReadError):
            while piece := self._object.read(_RECORD):
                pieces.append(piece)
            self.ended = True
        return b"".join(pieces)

    def write(self, data: bytes | memoryview) -> None:
        """Say something inside TLS."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._object.write(rest) :]

    def end(self) -> None:
        """Say that nothing more will be said: ``close_notify`` (RFC 8446, section 6.1)."""
        # The client's own is not waited for; a connection that is broken needs none.
        with contextlib.suppress(ssl.SSLError):
            self._object.unwrap()

    def channel(self) -> Channel:
        """What a session may know of this connection."""
        version = self._object.version() or ""
        # RFC 9266, section 3: in TLS 1.3 tls-unique is not defined.
        unique = b"" if version == "TLSv1.3" else self._object.get_channel_binding("tls-unique")
        return Channel(
            version=version,
            cipher=(self._object.cipher() or ("",))[0],
            certificate=self._identity.certificate,
            unique=unique or b"",
            names=_names(self._object.getpeercert() or {}),
        )


def _names(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom a certificate that was verified names."""
    alternatives = certificate.get("subjectAltName", ())
    subject = (pair for group in certificate.get("subject", ()) for pair in group)
    addresses = [str(value) for kind, value in alternatives if kind == "email"]
    common = [str(value) for kind, value in subject if kind == "commonName"]
    return (*addresses, *common)

"""What a session may know of the TLS connection under it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """The TLS connection of a session: what SASL binds to, and what it relies on.

    Attributes:
        version: The version of TLS; empty outside TLS.
        cipher: The cipher suite; empty outside TLS.
        certificate: The server's certificate in PEM form, for ``tls-server-end-point`` (RFC 5929,
            section 4); empty if nothing can be bound to.
        unique: The data of ``tls-unique`` (RFC 5929, section 3); empty where there is none, as in
            TLS 1.3.
        names: Whom the client's certificate names, if it has shown one: its e-mail addresses, then
            its common name.
    """

    version: str = ""
    cipher: str = ""
    certificate: str = ""
    unique: bytes = b""
    names: tuple[str, ...] = ()


#: A connection without TLS.
IN_THE_CLEAR = Channel()

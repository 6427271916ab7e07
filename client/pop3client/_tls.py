"""The TLS handshake: the default policy, and errors that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ._exceptions import ConnectionClosed, POP3Error, TLSError

if TYPE_CHECKING:
    import socket

__all__ = [
    "TLSCallback",
    "TLSInfo",
    "agreed",
    "default_context",
    "gone",
    "handshake",
    "handshake_error",
    "lost_in_receiving",
    "lost_in_sending",
]


@dataclass(frozen=True, slots=True)
class TLSInfo:
    """What was agreed in the handshake.

    Attributes:
        protocol: version, such as ``"TLSv1.3"``.
        cipher: name of the cipher suite.
        peer_certificate: as ``ssl.SSLSocket.getpeercert()`` gives it; empty if the context does
            not verify.
        peer_certificate_der: the certificate in DER, verified or not; empty if there is none.
        tls_unique: the channel binding of that name (RFC 5929 section 3); empty from TLS 1.3 on,
            where it is not defined.
    """

    protocol: str
    cipher: str
    peer_certificate: dict[str, Any]
    peer_certificate_der: bytes = field(repr=False)
    tls_unique: bytes = field(default=b"", repr=False)


TLSCallback: TypeAlias = Callable[[TLSInfo], object]


def default_context() -> ssl.SSLContext:
    """Make the context for those who bring none.

    Certificate and host name are verified against the system's authorities; TLS 1.2 or later
    (RFC 8314 section 4.1, RFC 8996).
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def handshake(
    sock: socket.socket, host: str, context: ssl.SSLContext
) -> tuple[ssl.SSLSocket, TLSInfo]:
    """Do the handshake on a connected socket, within the socket's timeout.

    Raises:
        TLSError: it failed; the socket is closed.
        TimeoutError: it took too long; the socket is closed.
    """
    secured: ssl.SSLSocket | None = None
    try:
        # A connection that has just been reset has no peer. Left to itself, wrap_socket skips the
        # handshake then, or loses the socket, depending on the version of Python.
        sock.getpeername()
        secured = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        secured.do_handshake()
    except (OSError, ValueError) as error:  # a host name that is none is a ValueError
        (secured or sock).close()
        if isinstance(error, TimeoutError):
            raise
        raise handshake_error(error, host) from error
    except BaseException:  # an interrupt: by now only we know the socket
        (secured or sock).close()
        raise
    return secured, agreed(secured)


def agreed(secured: ssl.SSLSocket | ssl.SSLObject) -> TLSInfo:
    """Tell what was agreed in a handshake that is over."""
    cipher = secured.cipher()
    protocol = secured.version() or ""
    unique = b"" if protocol == "TLSv1.3" else secured.get_channel_binding("tls-unique")
    return TLSInfo(
        protocol=protocol,
        cipher=cipher[0] if cipher else "",
        peer_certificate=dict(secured.getpeercert() or {}),
        peer_certificate_der=secured.getpeercert(binary_form=True) or b"",
        tls_unique=unique or b"",
    )


# Numbers are those of OpenSSL's x509_vfy.h.
_BY_VERIFY_CODE = {
    9: "the certificate is not valid yet; check the clocks of both machines",
    10: "the certificate has expired; the server needs a new one",
    18: "the certificate is signed by itself; pass an ssl_context that trusts it",
    19: "an authority that is not known signed it; pass an ssl_context that trusts that authority",
    20: "an authority that is not known signed it; pass an ssl_context that trusts that authority",
    21: "an authority that is not known signed it; pass an ssl_context that trusts that authority",
    62: "the certificate is for another host; connect by a name that it lists",
    64: "the certificate is for another address; connect by a name that it lists",
}
_TOO_OLD = "no common TLS version; the server is too old, or its settings are"
_NOT_TLS = "the answer is not TLS; is this port for STLS or plain POP3 (110) rather than TLS (995)?"
_NO_CIPHER = "no common cipher suite; allow older ones in ssl_context, or mend the server"
_OURS = (
    "the server wants another certificate from the client; ssl_context.load_cert_chain gives one"
)
_TOO_WEAK = "the server's key is too short; it needs a new one (ssl_context may allow less)"
_BY_REASON = {
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": _TOO_OLD,
    "NO_PROTOCOLS_AVAILABLE": _TOO_OLD,
    "VERSION_TOO_LOW": _TOO_OLD,
    "WRONG_VERSION_NUMBER": _NOT_TLS,
    "HTTP_REQUEST": _NOT_TLS,
    "PACKET_LENGTH_TOO_LONG": _NOT_TLS,
    "RECORD_LAYER_FAILURE": _NOT_TLS,
    "UNEXPECTED_MESSAGE": _NOT_TLS,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": f"{_NO_CIPHER}; or {_OURS}",
    "NO_CIPHERS_AVAILABLE": _NO_CIPHER,
    "DH_KEY_TOO_SMALL": _TOO_WEAK,
    "EE_KEY_TOO_SMALL": _TOO_WEAK,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _OURS,
    "SSLV3_ALERT_BAD_CERTIFICATE": _OURS,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _OURS,
    "TLSV1_ALERT_UNKNOWN_CA": _OURS,
}


def handshake_error(error: Exception, host: str) -> TLSError:
    """Say what went wrong in the handshake, and what to do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = _BY_VERIFY_CODE.get(error.verify_code, error.verify_message)
    elif isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError):
        what = "the server closed the connection; is TLS enabled there?"
    elif isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or ""  # set only by errors from OpenSSL itself
        what = _BY_REASON.get(reason, reason or str(error))
    else:
        what = str(error)
    return TLSError(f"TLS handshake with {host}: {what}", step="handshake")


def gone(error: OSError, host: str) -> int:
    """Take a connection that broke while nobody waited for one that has ended.

    Raises:
        TLSError: the server has said why, see ``lost_in_receiving``.
    """
    why = lost_in_receiving(error, "", host)
    if isinstance(why, TLSError):
        raise why from error
    return 0


def lost_in_sending(error: OSError, step: str) -> ConnectionClosed:
    """Make the error for a connection that broke under a write."""
    message = f"{step}: expected to send a command, but the connection is lost: {error}"
    return ConnectionClosed(message, step=step)


def lost_in_receiving(error: OSError, step: str, host: str) -> POP3Error:
    """Make the error for a connection that broke under a read.

    In TLS 1.3 a server says what it thinks of the client's certificate only after the handshake.
    """
    if isinstance(error, ssl.SSLError) and _BY_REASON.get(error.reason or "") == _OURS:
        return handshake_error(error, host)
    message = f"{step}: expected an answer, but the connection is lost: {error}"
    return ConnectionClosed(message, step=step)

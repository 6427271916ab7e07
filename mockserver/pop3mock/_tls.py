"""Certificates and TLS contexts of the mock: good ones, and every kind of bad one.

trustme is imported when the first certificate is needed; the authority and the certificates are
made once per process.
"""

from __future__ import annotations

import datetime
import ssl
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

    from pop3scenarios import TLSSection

_DAY = datetime.timedelta(days=1)
_NAMES = ("localhost", "127.0.0.1", "::1")
_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


#: A test and the event loop may ask for the first certificate at the same moment.
_MUTEX = threading.RLock()


def authority() -> trustme.CA:
    """The certificate authority that a client of the mock has to trust."""
    with _MUTEX:
        return _authority()


@cache
def _authority() -> trustme.CA:
    import trustme  # only runs that use TLS pay for it

    return trustme.CA()


def ca_pem() -> bytes:
    """The authority's certificate in PEM form."""
    return authority().cert_pem.bytes()


def client_context(user: str | None = None) -> ssl.SSLContext:
    """A client's context that trusts the authority, and nobody else, and checks host names.

    Args:
        user: Whom the certificate names that it shows to a server that asks; None for no
            certificate.
    """
    # With cadata the system's authorities are not loaded: neither trusted nor paid for.
    context = ssl.create_default_context(cadata=ca_pem().decode("ascii"))
    if user is not None:
        _client_certificate(user).configure_cert(context)
    return context


def client_pem(user: str) -> bytes:
    """The key and the certificate of a user in PEM form.

    Args:
        user: Whom the certificate names.
    """
    return _client_certificate(user).private_key_and_cert_chain_pem.bytes()


def _client_certificate(user: str) -> trustme.LeafCert:
    """A certificate whose common name is the user's; a name with an ``@`` is an address too."""
    addresses = [user] if "@" in user else []
    return authority().issue_cert(*addresses, common_name=user)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a server shows to its clients, and how it speaks TLS.

    Attributes:
        context: The server's context.
        certificate: Its certificate in PEM form.
    """

    context: ssl.SSLContext
    certificate: str


def identity(policy: TLSSection) -> Identity:
    """The server's side of TLS in a scenario.

    Args:
        policy: The scenario's ``tls:`` section.
    """
    with _MUTEX:
        return _identity(
            policy.certificate or "good",
            policy.minimum,
            policy.maximum,
            policy.client_certificate or "none",
        )


@cache
def _identity(kind: str, minimum: str | None, maximum: str | None, client: str) -> Identity:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Once TLS is on, a client cannot make it begin anew, and no write waits for the client.
    context.options |= ssl.OP_NO_RENEGOTIATION
    _set_versions(context, minimum, maximum)
    if client != "none":
        context.verify_mode = ssl.CERT_REQUIRED if client == "required" else ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=ca_pem().decode("ascii"))
    if kind == "self-signed":
        return Identity(context, _self_signed(context))
    certificate = _certificate(kind)
    certificate.configure_cert(context)
    return Identity(context, certificate.cert_chain_pems[0].bytes().decode("ascii"))


def _set_versions(context: ssl.SSLContext, minimum: str | None, maximum: str | None) -> None:
    if any(version in ("TLSv1", "TLSv1.1") for version in (minimum, maximum)):
        # Old versions are there to be refused by the client, so the server must really speak them.
        context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if maximum is not None:
            context.minimum_version = _VERSIONS[minimum or "TLSv1"]
            context.maximum_version = _VERSIONS[maximum]
        elif minimum is not None:
            context.minimum_version = _VERSIONS[minimum]


def _certificate(kind: str) -> trustme.LeafCert:
    now = datetime.datetime.now(datetime.UTC)
    # Some clients read only the common name (fetchmail), others only the alternative names.
    match kind:
        case "expired":
            return authority().issue_cert(
                *_NAMES,
                common_name="localhost",
                not_before=now - 3 * _DAY,
                not_after=now - _DAY,
            )
        case "not-yet-valid":
            return authority().issue_cert(
                *_NAMES,
                common_name="localhost",
                not_before=now + _DAY,
                not_after=now + 3 * _DAY,
            )
        case "wrong-host":
            return authority().issue_cert("other.example", common_name="other.example")
        case "unknown-ca":
            import trustme  # a second authority, which nobody trusts

            return trustme.CA().issue_cert(*_NAMES, common_name="localhost")
    return authority().issue_cert(*_NAMES, common_name="localhost")


def _self_signed(context: ssl.SSLContext) -> str:
    """A certificate that vouches for itself: an authority's own, shown as a server's."""
    import trustme

    own = trustme.CA()
    with own.private_key_pem.tempfile() as key, own.cert_pem.tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    return own.cert_pem.bytes().decode("ascii")
